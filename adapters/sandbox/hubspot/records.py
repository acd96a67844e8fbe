"""Creates, changes, archives and restores records: the only place that writes them.

Every change goes through here, so history, unique values, the index and webhooks cannot be
forgotten. What HubSpot sets by itself is `habits`'; which values are taken is `checking`'s.
"""

from collections.abc import Mapping

from adapters.sandbox.hubspot import checking, habits, unique, webhooks
from adapters.sandbox.hubspot.actors import HUBSPOT, Actor
from adapters.sandbox.hubspot.kinds import Kind
from adapters.sandbox.hubspot.portal import Edit, Portal, edit_of
from adapters.sandbox.hubspot.rows import Record
from adapters.sandbox.tables import JsonValue, Row

#: as many values of one property as HubSpot keeps
HISTORY_MAX = 45


def create(portal: Portal, kind: Kind, properties: Mapping[str, JsonValue], edit: Edit) -> Record:
    """Create a record.

    Raises:
        ApiError: a value is not taken, or another record has a unique one.
    """
    given = checking.checked(portal, kind, properties, None)
    unique.check(portal, kind, given, None)
    written = {name: (value, edit) for name, value in given.items() if value}
    habits.on_creation(portal, kind, written, edit)
    record_id = portal.new_id(kind)
    created_at = written.pop("createdate", (edit.iso, edit))[0]
    record: Record = {
        "id": record_id,
        "values": {
            "hs_object_id": record_id,
            "createdate": created_at,
            "hs_createdate": edit.iso,
            kind.modified: edit.iso,
            "hs_object_source": edit.actor.source_type,
            "hs_object_source_id": edit.actor.source_id,
            "hs_object_source_label": edit.actor.source_type,
        },
        "history": {"createdate": [history_entry(created_at, edit)]},
        "createdAt": edit.iso,
        "updatedAt": edit.iso,
        "updatedMs": edit.ms,
        "archivedMs": None,
    }
    for name, (value, by) in written.items():
        record["values"][name] = value
        record["history"][name] = [history_entry(value, by)]
    portal.keep(kind, record)
    unique.take(portal, kind, record)
    webhooks.created(portal, kind, record_id, edit)
    webhooks.changed(portal, kind, record_id, written)
    return record


def update(
    portal: Portal, kind: Kind, record: Record, properties: Mapping[str, JsonValue], edit: Edit
) -> Record:
    """Change a record's values; the very same record comes back if nothing differs.

    Raises:
        ApiError: a value is not taken, or another record has a unique one. Nothing is changed.
    """
    given = checking.checked(portal, kind, properties, record)
    unique.check(portal, kind, given, record["id"])
    written = {name: (value, edit) for name, value in given.items()}
    habits.on_change(portal, kind, record, written, edit)
    return write(portal, kind, record, written, edit)


def write(
    portal: Portal,
    kind: Kind,
    record: Record,
    written: Mapping[str, tuple[str, Edit]],
    edit: Edit,
) -> Record:
    """Put values that were checked before, each with its author; "" blanks."""
    before = record["values"]
    changed = {name: given for name, given in written.items() if before.get(name, "") != given[0]}
    if not changed:
        return record
    values = dict(before)
    history = dict(record["history"])
    for name, (value, by) in changed.items():
        if value:
            values[name] = value
        else:
            values.pop(name, None)
        entries = [history_entry(value, by), *history.get(name, ())]
        history[name] = entries[:HISTORY_MAX]
    values[kind.modified] = edit.iso
    after: Record = {
        **record,
        "values": values,
        "history": history,
        "updatedAt": edit.iso,
        "updatedMs": edit.ms,
    }
    portal.keep(kind, after)
    unique.move(portal, kind, record, after)
    webhooks.changed(portal, kind, record["id"], changed)
    return after


def touch(portal: Portal, kind: Kind, record_id: str, edit: Edit) -> None:
    """Move a record's time of change: something about it changed that is not a property."""
    record = portal.stored(kind, record_id)
    if record is None or record["updatedMs"] == edit.ms:
        return
    values = {**record["values"], kind.modified: edit.iso}
    portal.keep(kind, {**record, "values": values, "updatedAt": edit.iso, "updatedMs": edit.ms})


def archive(portal: Portal, kind: Kind, record: Record, edit: Edit) -> None:
    """Put a record into the bin; its unique values are free for others."""
    portal.keep(kind, {**record, "archivedMs": edit.ms})
    unique.release(portal, kind, record)
    webhooks.deleted(portal, kind, record["id"], edit)


def restore(portal: Portal, kind: Kind, record: Record, edit: Edit) -> Record:
    """Take a record out of the bin; a unique value that another has taken meanwhile is lost."""
    lost = {
        name: ("", edit_of(HUBSPOT, edit.ms))
        for name in unique.taken_by_others(portal, kind, record)
    }
    unique.forget_archived(portal, kind, record)
    back: Record = {**record, "archivedMs": None}
    for name in lost:
        back["values"] = {key: value for key, value in back["values"].items() if key != name}
        entries = [history_entry("", lost[name][1]), *back["history"].get(name, ())]
        back["history"] = {**back["history"], name: entries[:HISTORY_MAX]}
    back["values"] = {**back["values"], kind.modified: edit.iso}
    back["updatedAt"], back["updatedMs"] = edit.iso, edit.ms
    portal.keep(kind, back)
    unique.take(portal, kind, back)
    webhooks.restored(portal, kind, record["id"], edit)
    return back


def history_entry(value: str, edit: Edit) -> Row:
    """Return one value of a property's history."""
    actor: Actor = edit.actor
    entry: Row = {"value": value, "timestamp": edit.iso, "sourceType": actor.source_type}
    if actor.source_id:
        entry["sourceId"] = actor.source_id
    if actor.user_id is not None:
        entry["updatedByUserId"] = actor.user_id
    else:
        entry["sourceLabel"] = actor.source_type
    return entry
