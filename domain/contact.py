"""Contacts of both CRMs: who is whose counterpart, and what a HubSpot contact is to show.

A HubSpot contact's aggregate decides (`rules.identities`, `rules.rollups`); a Salesforce contact's
small stream only remembers what was observed. The link itself is in `record_identity`, where both
rows name each other, so nobody can be linked twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from domain import events
from domain.canonical import Value
from domain.copying import replace
from domain.facts import Rollup
from domain.ids import Crm, Kind, StreamId, WriteId
from domain.writes import Write

#: HubSpot's property that only moves forward
LIFECYCLE_STAGE: Final = "lifecyclestage"


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact of either CRM."""

    stream: StreamId
    version: int = 0
    crm: Crm | None = None
    record_id: str = ""
    alive: bool = True
    read_at: datetime | None = None
    buried_at: datetime | None = None
    email: Value = None
    name: Value = None
    account_id: Value = None
    #: HubSpot: `salesforcecontactid`
    carried_id: Value = None
    #: HubSpot: `lifecyclestage`, and our mirror properties, as last read or asked
    lifecycle_stage: Value = None
    mirror: Mapping[str, Value] = field(default_factory=dict)
    #: what HubSpot took from us last, by property, and when by our clock
    delivered: Mapping[str, tuple[Value, datetime]] = field(default_factory=dict)
    rollup: Rollup | None = None
    #: `id` or `email`: why it is linked
    linked_by: str = ""
    open: Mapping[WriteId, Write] = field(default_factory=dict)
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    issues: Mapping[tuple[str, str], str] = field(default_factory=dict)
    parked: tuple[events.FactParked, ...] = ()


def evolve(contact: Contact, event: events.Event) -> Contact:
    """Fold one event of a contact's stream."""
    contact = replace(contact, version=contact.version + 1)
    match event:
        case events.RecordFounded() if event.kind is Kind.CONTACT:
            return replace(contact, crm=event.crm, record_id=event.record_id, alive=True)
        case events.RecordBuried():
            return replace(contact, alive=False, buried_at=event.read_begun_at)
        case events.RecordRevived():
            return replace(contact, alive=True)
        case events.HubSpotContactNoted():
            values = _believed(contact, event)
            return replace(
                contact,
                read_at=event.read_begun_at,
                email=event.email,
                carried_id=event.salesforce_contact_id,
                lifecycle_stage=values.pop(LIFECYCLE_STAGE),
                mirror=values,
            )
        case events.SalesforceContactNoted():
            return replace(
                contact,
                read_at=event.read_begun_at,
                email=event.email,
                name=event.name,
                account_id=event.account_id,
            )
        case events.ContactLinked():
            return replace(contact, linked_by=event.how)
        case events.ContactUnlinked():
            return replace(contact, linked_by="")
        case events.RollupNoted():
            return replace(contact, rollup=event.rollup)
        case events.WriteDecided():
            return _ask(contact, event.write)
        case events.WriteClosed():
            return _close(contact, event)
        case events.IssueOpened():
            issues = {**contact.issues, (event.code, event.subject): event.text}
            return replace(contact, issues=issues)
        case events.IssueClosed():
            gone = (event.code, event.subject)
            return replace(contact, issues={k: v for k, v in contact.issues.items() if k != gone})
        case events.FieldFreed():
            return replace(contact, refused={})
        case events.FactParked():
            return replace(contact, parked=(*contact.parked, event))
        case events.ParkedFactSettled():
            left = tuple(p for p in contact.parked if p.position != event.position)
            return replace(contact, parked=left)
        case _:
            return contact


def _believed(contact: Contact, event: events.HubSpotContactNoted) -> dict[str, Value]:
    """Return what HubSpot holds, or will: a reading says nothing of what was written after it."""
    values: dict[str, Value] = {reading.name: reading.value for reading in event.mirror}
    values[LIFECYCLE_STAGE] = event.lifecycle_stage
    for name, (value, answered_at) in contact.delivered.items():
        if answered_at > event.read_begun_at:
            values[name] = value
    for write in contact.open.values():
        values.update((change.name, change.after) for change in write.fields)
    return values


def _ask(contact: Contact, write: Write) -> Contact:
    mirror = dict(contact.mirror)
    lifecycle_stage = contact.lifecycle_stage
    for change in write.fields:
        if change.name == LIFECYCLE_STAGE:
            lifecycle_stage = change.after
        else:
            mirror[change.name] = change.after
    return replace(
        contact,
        open={**contact.open, write.id: write},
        mirror=mirror,
        lifecycle_stage=lifecycle_stage,
    )


def _close(contact: Contact, event: events.WriteClosed) -> Contact:
    if event.outcome in ("unknown", "held"):
        return contact
    write = contact.open.get(event.write_id)
    contact = replace(contact, open={k: v for k, v in contact.open.items() if k != event.write_id})
    if write is None:
        return replace(contact, refused={})
    if event.outcome == "done":
        delivered = dict(contact.delivered)
        if event.answered_at is not None:
            at = event.answered_at
            delivered.update((change.name, (change.after, at)) for change in write.fields)
        return replace(contact, refused={}, delivered=delivered)
    mirror = dict(contact.mirror)
    # What a later write asks for still stands.
    asked = {change.name for later in contact.open.values() for change in later.fields}
    for change in write.fields:
        if change.name in asked:
            continue
        if change.name == LIFECYCLE_STAGE:
            contact = replace(contact, lifecycle_stage=change.before)
        else:
            mirror[change.name] = change.before
    refused = dict(contact.refused)
    if event.outcome == "rejected":
        refused[write.topic] = (event.code, event.message)
    return replace(contact, mirror=mirror, refused=refused)
