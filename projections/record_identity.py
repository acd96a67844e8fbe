"""Which aggregate a CRM record belongs to: an inline fold of events (rule `tombstone`, routing).

Each event names its changes; each change sets plain values on the rows it names, so a change that
comes again over its own result alters nothing, and folding a tail over rows that already show a
part of it ends right. What would take a record from another aggregate is a clash: `clashes` says
so before it is folded. This module must not know where the rows are kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from domain import events
from domain.copying import replace
from domain.events import Event
from domain.ids import Crm, Kind, Ref, StreamId, stream_of
from domain.ports import Identity

#: rows by record; None: known not to be there
Identities: TypeAlias = Mapping[Ref, Identity | None]


@dataclass(frozen=True, slots=True)
class Claim:
    """The record belongs to the stream, and lives or does not."""

    ref: Ref
    stream: StreamId
    alive: bool = True


@dataclass(frozen=True, slots=True)
class Drop:
    """The record does not belong to the stream any more; another may claim it."""

    ref: Ref
    stream: StreamId


@dataclass(frozen=True, slots=True)
class Link:
    """The record is the same person or firm as `linked_to` in the other CRM; None: as nobody."""

    ref: Ref
    linked_to: str | None
    #: for None: the link that ends
    ended: str | None = None


@dataclass(frozen=True, slots=True)
class Repoint:
    """All records of a stream belong to another from now on."""

    absorbed: StreamId
    into: StreamId


IdentityChange: TypeAlias = Claim | Drop | Link | Repoint


class IdentityClashError(AssertionError):
    """A record would belong to two aggregates, or a contact to two persons: a bug, never a race."""


def changes(event: Event) -> tuple[IdentityChange, ...]:
    """Return what an event changes, in order; most change nothing."""
    match event:
        case events.RecordFounded() | events.RecordRevived():
            return (Claim(Ref(event.crm, event.kind, event.record_id), event.stream),)
        case events.RecordBuried():
            ref = Ref(event.crm, event.kind, event.record_id)
            return (Claim(ref, event.stream, alive=False),)
        case events.CounterpartLinked():
            buried = [
                Claim(_pair_ref(event.side, i), event.stream, alive=False) for i in event.buried_ids
            ]
            return (*buried, Claim(_pair_ref(event.side, event.record_id), event.stream))
        case events.CounterpartDropped():
            return (Drop(_pair_ref(event.side, event.record_id), event.stream),)
        case events.PairAbsorbed():
            return (Repoint(event.stream, event.into),)
        case events.ContactLinked():
            return _linked(_contacts(event.contact_id, event.salesforce_contact_id))
        case events.ContactUnlinked():
            return _unlinked(_contacts(event.contact_id, event.salesforce_contact_id))
        case events.AccountLinked():
            return _linked(_accounts(event.account_id, event.company_id))
        case events.AccountUnlinked():
            return _unlinked(_accounts(event.account_id, event.company_id))
        case _:
            return ()


def refs(change: IdentityChange) -> tuple[Ref, ...]:
    """Return the records that a change names; a re-pointing names a stream instead."""
    return () if isinstance(change, Repoint) else (change.ref,)


def fold(rows: dict[Ref, Identity | None], change: IdentityChange) -> None:
    """Change the rows: absolute values, last one wins.

    Args:
        rows: all rows the change names, or that belong to the stream it absorbs; changed in place.
        change: one change.
    """
    match change:
        case Claim():
            row = rows.get(change.ref)
            rows[change.ref] = Identity(
                ref=change.ref,
                stream=change.stream,
                alive=change.alive,
                linked_to=None if row is None else row.linked_to,
            )
        case Drop():
            row = rows.get(change.ref)
            if row is not None and row.stream == change.stream:
                rows[change.ref] = None
        case Link():
            row = rows.get(change.ref)
            if row is None and change.linked_to is not None:
                row = Identity(change.ref, stream_of(change.ref), alive=True)
            if row is not None and (change.linked_to is not None or row.linked_to == change.ended):
                rows[change.ref] = replace(row, linked_to=change.linked_to)
        case Repoint():
            for ref, row in rows.items():
                if row is not None and row.stream == change.absorbed:
                    rows[ref] = replace(row, stream=change.into)


def clashes(
    rows: Identities, change: IdentityChange, absorbed: Mapping[StreamId, StreamId]
) -> str | None:
    """Say why a change must not be folded over the rows, or None.

    Args:
        rows: all rows the change names.
        change: one change.
        absorbed: streams that the same batch absorbs, and into which; their records may be claimed
            by the other before the re-pointing comes.
    """
    match change:
        case Claim(ref, stream):
            row = rows.get(ref)
            if row is not None and stream not in (row.stream, absorbed.get(row.stream)):
                return f"{ref.text} belongs to {row.stream}, {stream} claims it"
        case Link(ref, linked_to):
            row = rows.get(ref)
            if row is not None and linked_to is not None:
                return _second_link(row, linked_to)
        case _:
            pass
    return None


def fold_strictly(rows: dict[Ref, Identity | None], batch: Iterable[Event]) -> None:
    """Fold a batch's events over the rows they name.

    Raises:
        IdentityClashError: a change takes a record from another aggregate; the rows are spoilt.
    """
    batch = tuple(batch)
    absorbed = {e.stream: e.into for e in batch if isinstance(e, events.PairAbsorbed)}
    for event in batch:
        for change in changes(event):
            clash = clashes(rows, change, absorbed)
            if clash is not None:
                message = f"expected every record to have one owner, found that {clash}"
                raise IdentityClashError(message)
            fold(rows, change)


def _second_link(row: Identity, linked_to: str) -> str | None:
    if row.linked_to in (None, linked_to):
        return None
    return f"{row.ref.text} is linked to {row.linked_to}, {linked_to} would be a second link"


def _pair_ref(side: Crm, record_id: str) -> Ref:
    return Ref(side, Kind.OPPORTUNITY if side is Crm.SALESFORCE else Kind.DEAL, record_id)


def _contacts(hubspot: str, salesforce: str) -> tuple[Ref, Ref]:
    return (
        Ref(Crm.HUBSPOT, Kind.CONTACT, hubspot),
        Ref(Crm.SALESFORCE, Kind.CONTACT, salesforce),
    )


def _accounts(account: str, company: str) -> tuple[Ref, Ref]:
    return Ref(Crm.SALESFORCE, Kind.ACCOUNT, account), Ref(Crm.HUBSPOT, Kind.COMPANY, company)


def _linked(two: tuple[Ref, Ref]) -> tuple[IdentityChange, ...]:
    one, other = two
    return Link(one, other.id), Link(other, one.id)


def _unlinked(two: tuple[Ref, Ref]) -> tuple[IdentityChange, ...]:
    one, other = two
    return Link(one, None, ended=other.id), Link(other, None, ended=one.id)
