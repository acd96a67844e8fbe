"""Turns a change into webhook events, one per subscription that wants it.

An event waits in the table `webhook_event` until its target has taken it; `deliveries` sends it.
The item's fields are those of HubSpot's webhooks v3.
"""

from collections.abc import Mapping

from adapters.sandbox.hubspot import instants
from adapters.sandbox.hubspot.actors import PORTAL_ID, Actor
from adapters.sandbox.hubspot.kinds import KINDS, Kind
from adapters.sandbox.hubspot.portal import Edit, Portal
from adapters.sandbox.hubspot.rows import number, text
from adapters.sandbox.tables import JsonValue, Row

APPS = "webhook_app"
SUBSCRIPTIONS = "webhook_subscription"
EVENTS = "webhook_event"
_EVENT_ID_BASE = 3_811_000_000
#: stamps that move with every change are nobody's to subscribe to
_NEVER = frozenset({"hs_lastmodifieddate", "lastmodifieddate", "num_unique_conversion_events"})


def created(portal: Portal, kind: Kind, record_id: str, edit: Edit) -> None:
    """A record was created."""
    _tell(portal, kind, "creation", record_id, edit, {"changeFlag": "CREATED"})


def deleted(portal: Portal, kind: Kind, record_id: str, edit: Edit) -> None:
    """A record was archived, merged away, or deleted for good."""
    _tell(portal, kind, "deletion", record_id, edit, {"changeFlag": "DELETED"})


def restored(portal: Portal, kind: Kind, record_id: str, edit: Edit) -> None:
    """A record was taken out of the bin."""
    _tell(portal, kind, "restore", record_id, edit, {})


def privacy_deleted(portal: Portal, kind: Kind, record_id: str, edit: Edit) -> None:
    """A contact was deleted for good."""
    _tell(portal, kind, "privacyDeletion", record_id, edit, {})


def changed(
    portal: Portal, kind: Kind, record_id: str, values: Mapping[str, tuple[str, Edit]]
) -> None:
    """Properties have new values; each with who set it. A blank one is ""."""
    if not portal.tables.rows(APPS):
        return
    rules = portal.rules(kind)
    for name, (value, edit) in values.items():
        if name in _NEVER:
            continue
        sent = value
        if value and name in rules and rules[name].type in {"datetime", "date"}:
            sent = str(instants.parsed(value))
        fields: Row = {"propertyName": name, "propertyValue": sent}
        _tell(portal, kind, "propertyChange", record_id, edit, fields, only=name)


def merged(
    portal: Portal,
    kind: Kind,
    *,
    primary_id: str,
    loser_id: str,
    survivor_id: str,
    moved: int,
    edit: Edit,
) -> None:
    """Two records were merged."""
    fields: Row = {
        "primaryObjectId": int(primary_id),
        "mergedObjectIds": [int(loser_id)],
        "newObjectId": int(survivor_id),
        "numberOfPropertiesMoved": moved,
    }
    _tell(portal, kind, "merge", primary_id, edit, fields)


def associated(
    portal: Portal,
    kinds: tuple[Kind, Kind],
    ids: tuple[str, str],
    *,
    code: str,
    is_primary: bool,
    is_removed: bool,
    edit: Edit,
) -> None:
    """One direction of an association was made or removed; `code` is that of its type."""
    if not portal.tables.rows(APPS):
        return
    kind, other = kinds
    fields: Row = {
        "associationType": f"{kind.upper}_TO_{other.upper}",
        "fromObjectId": int(ids[0]),
        "toObjectId": int(ids[1]),
        "associationRemoved": is_removed,
        "isPrimaryAssociation": is_primary,
    }
    generic: Row = {
        "fromObjectTypeId": kind.type_id,
        "toObjectTypeId": other.type_id,
        "associationTypeId": int(code[1:]),
        "associationCategory": "USER_DEFINED" if code.startswith("U") else "HUBSPOT_DEFINED",
    }
    _tell(portal, kind, "associationChange", None, edit, fields, generic=generic)


def _tell(
    portal: Portal,
    kind: Kind,
    what: str,
    record_id: str | None,
    edit: Edit,
    fields: Row,
    *,
    only: str | None = None,
    generic: Row | None = None,
) -> None:
    tables = portal.tables
    if not tables.rows(APPS):
        return
    event_id = 0
    for subscription in tables.rows(SUBSCRIPTIONS).values():
        event_type = text(subscription, "eventType")
        if not subscription.get("active") or not _wants(subscription, event_type, kind, what, only):
            continue
        event_id = event_id or _EVENT_ID_BASE + tables.next_number("webhook_event_id")
        head: Row = {
            "eventId": event_id,
            "subscriptionId": number(subscription, "id"),
            "portalId": PORTAL_ID,
            "appId": number(subscription, "appId"),
            "attemptNumber": 0,
            "occurredAt": edit.ms,
            "subscriptionType": event_type,
        }
        if event_type.startswith("object."):
            head |= {"objectTypeId": kind.type_id} | (generic or {})
        if record_id is not None:
            head["objectId"] = int(record_id)
        key = str(tables.next_number(EVENTS))
        tables.put(
            EVENTS,
            key,
            {
                "app": text(subscription, "appId"),
                "item": head | fields | _source(edit.actor, of_link=record_id is None),
                "attempt": 0,
                # None: it has not been looked at, neither by a fault nor by a sender
                "due_ms": None,
            },
        )


def _wants(subscription: Row, event_type: str, kind: Kind, what: str, only: str | None) -> bool:
    family, _, wanted = event_type.partition(".")
    if wanted != what:
        return False
    if family == "object":
        if text(subscription, "objectTypeId") != kind.type_id:
            return False
    elif family != kind.singular:
        return False
    name = subscription.get("propertyName")
    return only is None or name is None or name == only


def _source(actor: Actor, *, of_link: bool) -> dict[str, JsonValue]:
    source: Row = {"changeSource": actor.association_source if of_link else actor.change_source}
    if actor.source_id:
        source["sourceId"] = actor.source_id
    return source


EVENT_KINDS = (
    "creation",
    "deletion",
    "propertyChange",
    "associationChange",
    "merge",
    "restore",
)


def default_event_types() -> tuple[str, ...]:
    """Return every type that a target gets when nobody chose."""
    return (
        *(f"{kind.singular}.{what}" for kind in KINDS for what in EVENT_KINDS),
        "contact.privacyDeletion",
    )
