"""A record as it is answered: values asked for, their history, associations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapters.sandbox.hubspot import association_types, associations, computed, instants
from adapters.sandbox.hubspot.account import URL
from adapters.sandbox.hubspot.actors import PORTAL_ID
from adapters.sandbox.hubspot.kinds import Kind, kind_of
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import Record
from adapters.sandbox.tables import JsonValue, Row

#: as many associations as a record shows before it pages
_ASSOCIATIONS_MAX = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """What a caller wants to see of a record."""

    #: empty: what HubSpot shows when asked for nothing
    properties: Sequence[str] = ()
    history: Sequence[str] = ()
    associations: Sequence[str] = ()


def read(portal: Portal, kind: Kind, record: Record, shown: Shown) -> Row:
    """Return a record as a read shows it: blank is null, what does not exist is left out."""
    asked = shown.properties or kind.shown
    return _record(portal, kind, record, [*asked, *shown.history], shown)


def found(portal: Portal, kind: Kind, record: Record, properties: Sequence[str]) -> Row:
    """Return a record as a search shows it."""
    return _record(portal, kind, record, properties or kind.shown_in_search, Shown())


def written(portal: Portal, kind: Kind, record: Record, names: Iterable[str] | None) -> Row:
    """Return a record as a write shows it, without blanks.

    Args:
        portal: the account.
        kind: what the record is.
        record: after the write.
        names: what was written; None after a creation, which shows everything.
    """
    values = record["values"]
    if names is None:
        wanted = {*values, *computed.computed_names(kind)}
    else:
        wanted = {*names, *_AFTER_UPDATE, *kind.shown} | {
            name for name in computed.computed_names(kind) if name.startswith("hs_is_closed")
        }
    properties: Row = {}
    for name in sorted(wanted):
        value = computed.value_of(portal, kind, record, name)
        if value is not None:
            properties[name] = value
        elif names is not None and name in names:
            properties[name] = ""
    return _envelope(kind, record, properties)


_AFTER_UPDATE = (
    "hs_object_source",
    "hs_object_source_id",
    "hs_object_source_label",
    "lifecyclestage",
)


def _record(portal: Portal, kind: Kind, record: Record, asked: Sequence[str], shown: Shown) -> Row:
    rules = portal.rules(kind)
    names = {*asked, "createdate", "hs_object_id", kind.modified}
    properties: Row = {
        name: computed.value_of(portal, kind, record, name)
        for name in sorted(names)
        if name in rules
    }
    body = _envelope(kind, record, properties)
    if shown.history:
        body["propertiesWithHistory"] = {
            name: _history(portal, kind, record, name) for name in shown.history if name in rules
        }
    if shown.associations:
        links = _associations(portal, kind, record, shown.associations)
        if links:
            body["associations"] = links
    return body


def _envelope(kind: Kind, record: Record, properties: Row) -> Row:
    body: Row = {
        "id": record["id"],
        "properties": properties,
        "createdAt": record["createdAt"],
        "updatedAt": record["updatedAt"],
        "archived": record["archivedMs"] is not None,
    }
    if record["archivedMs"] is not None:
        body["archivedAt"] = instants.iso(record["archivedMs"])
    body["url"] = f"{URL}/contacts/{PORTAL_ID}/record/{kind.type_id}/{record['id']}"
    return body


def _history(portal: Portal, kind: Kind, record: Record, name: str) -> JsonValue:
    kept = record["history"].get(name)
    if kept is not None:
        return list[JsonValue](kept)
    value = computed.value_of(portal, kind, record, name)
    if value is None:
        return []
    at = record["updatedAt"] if name == kind.modified else record["createdAt"]
    return [{"value": value, "timestamp": at, "sourceType": "CALCULATED"}]


def _associations(portal: Portal, kind: Kind, record: Record, asked: Sequence[str]) -> Row:
    links: Row = {}
    for name in asked:
        other = kind_of(name)
        results: list[JsonValue] = []
        for other_id, codes in associations.linked_live(portal, kind, record["id"], other).items():
            for code in codes:
                one = association_types.by_code(portal.tables, kind, other, code)
                results.append({"id": other_id, "type": _type_name(kind, other, one.label)})
        if results:
            links[other.name] = {"results": results[:_ASSOCIATIONS_MAX]}
    return links


def _type_name(kind: Kind, other: Kind, label: str | None) -> str:
    """Return `deal_to_contact`, or its labelled form, as the associations of a read say it."""
    plain = f"{kind.singular}_to_{other.singular}"
    if label is None:
        return (
            plain if kind.singular == "deal" or other.singular == "deal" else f"{plain}_unlabeled"
        )
    return plain if label == "Primary" else label.lower().replace(" ", "_")
