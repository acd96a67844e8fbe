"""Merges two records, and deletes one for good: the two ways in which an id stops being a record.

The ids of merged deals and contacts both give way to a new one; a merged company keeps the
primary's. Ids that gave way resolve to the survivor wherever a record is read.
"""

from adapters.sandbox.hubspot import associations, pipelines, records, showing, unique, webhooks
from adapters.sandbox.hubspot.call import Call, Reply, needed
from adapters.sandbox.hubspot.errors import ApiError, not_found
from adapters.sandbox.hubspot.kinds import CONTACTS, Kind
from adapters.sandbox.hubspot.portal import Edit, Portal
from adapters.sandbox.hubspot.rows import Record

_OWN_STAMPS = frozenset(
    {
        *("hs_object_id", "hs_createdate", "createdate", "hs_lastmodifieddate"),
        *("lastmodifieddate", "hs_merged_object_ids"),
        *("hs_object_source", "hs_object_source_id", "hs_object_source_label"),
    }
)


def answer(portal: Portal, call: Call, kind: Kind) -> Reply:
    """Answer `…/merge`."""
    body = call.body()
    primary = portal.live(kind, needed(body, "primaryObjectId"))
    loser = portal.live(kind, needed(body, "objectIdToMerge"))
    if primary is None or loser is None:
        raise not_found()
    if primary["id"] == loser["id"]:
        raise ApiError(400, f"Object {primary['id']} cannot be merged with itself")
    survivor = merge(portal, kind, primary, loser, call.edit)
    call.records += [primary["id"], loser["id"]]
    if survivor["id"] != primary["id"]:
        call.records.append(survivor["id"])
    call.changed = True
    return Reply(200, showing.written(portal, kind, survivor, None))


def merge(portal: Portal, kind: Kind, primary: Record, loser: Record, edit: Edit) -> Record:
    """Merge two live records; returns the survivor."""
    survivor_id = portal.new_id(kind) if kind.merges_into_new else primary["id"]
    survivor, moved = _merged(kind, primary, loser, survivor_id, edit)
    for gone in (primary, loser):
        unique.release(portal, kind, gone)
        unique.forget_archived(portal, kind, gone)
    portal.keep(kind, survivor)
    unique.take(portal, kind, survivor)
    for gone_id in (primary["id"], loser["id"]):
        if gone_id == survivor_id:
            continue
        associations.move_all(portal, kind, gone_id, survivor_id, edit)
        portal.tables.put("merged", f"{kind.name}|{gone_id}", {"to": survivor_id})
        forget(portal, kind, gone_id)
    webhooks.merged(
        portal,
        kind,
        primary_id=primary["id"],
        loser_id=loser["id"],
        survivor_id=survivor_id,
        moved=moved,
        edit=edit,
    )
    webhooks.deleted(portal, kind, loser["id"], edit)
    return survivor


def delete_for_good(portal: Portal, kind: Kind, record: Record, edit: Edit) -> None:
    """Delete a record past the bin, as a privacy deletion does."""
    unique.drop(portal, kind, record)
    associations.drop_all(portal, kind, record["id"])
    forget(portal, kind, record["id"])
    if record["archivedMs"] is None:
        webhooks.deleted(portal, kind, record["id"], edit)
    webhooks.privacy_deleted(portal, kind, record["id"], edit)


def forget(portal: Portal, kind: Kind, record_id: str) -> None:
    """Drop a record's row."""
    portal.index(kind).dropped(record_id)
    portal.tables.drop(kind.name, record_id)


def _merged(
    kind: Kind, primary: Record, loser: Record, survivor_id: str, edit: Edit
) -> tuple[Record, int]:
    """Return the survivor: the primary's values, the other's where the primary has none."""
    filled = {
        name: value
        for name, value in loser["values"].items()
        if name not in primary["values"] and name not in _OWN_STAMPS
    }
    values = {**primary["values"], **filled}
    history = dict(primary["history"])
    for name, value in filled.items():
        entries = [
            records.history_entry(value, edit),
            *loser["history"].get(name, ()),
            *history.get(name, ()),
        ]
        history[name] = entries[: records.HISTORY_MAX]
    created_at = min(primary["values"]["createdate"], loser["values"]["createdate"])
    values |= {
        "createdate": created_at,
        "hs_object_id": survivor_id,
        "hs_merged_object_ids": ";".join(_former_ids(primary, loser, survivor_id)),
        kind.modified: edit.iso,
    }
    if kind is CONTACTS:
        stages = [values.get("lifecyclestage", ""), loser["values"].get("lifecyclestage", "")]
        known = [stage for stage in stages if stage in pipelines.LIFECYCLE_ORDER]
        if known:
            values["lifecyclestage"] = max(known, key=pipelines.LIFECYCLE_ORDER.index)
    survivor: Record = {
        "id": survivor_id,
        "values": values,
        "history": history,
        "createdAt": min(primary["createdAt"], loser["createdAt"]),
        "updatedAt": edit.iso,
        "updatedMs": edit.ms,
        "archivedMs": None,
    }
    return survivor, len(filled)


def _former_ids(primary: Record, loser: Record, survivor_id: str) -> list[str]:
    known = [
        former
        for one in (primary, loser)
        for former in (*one["values"].get("hs_merged_object_ids", "").split(";"), one["id"])
    ]
    return [one for one in dict.fromkeys(known) if one and one != survivor_id]
