"""Pairs as they were: state at an instant, and the values that a field had before."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from adapters.bootstrap.present import Moment
from adapters.cli import stories
from adapters.cli.explaining import Told
from domain import events
from domain.adoption import Adopted
from domain.canonical import Value
from domain.context import Context
from domain.ids import Crm
from domain.mapping import Mapping as FieldMapping
from domain.pair import FieldState, Pair, Side
from domain.policy import Policy
from domain.rules import values


@dataclass(frozen=True, slots=True)
class Earlier:
    """A value that a field had, or nearly had."""

    at: datetime
    side: Crm
    by: str
    #: seen: that side held it; lost: the other side's change won over it
    how: str
    #: canonical, in that side's own terms
    value: Value
    #: the same in Salesforce's terms, as a request names it
    salesforce: Value
    #: False: it has no counterpart in Salesforce, so nobody can ask for it
    can_be_restored: bool = True


@dataclass(frozen=True, slots=True)
class Settled:
    """What both sides should hold of a field, as it was last decided, and our clock then."""

    event: events.FieldSettled
    at: datetime

    @property
    def by(self) -> str | None:
        """Return who set the value that stands, or chose it; None: nobody knows."""
        if self.event.winner is not None:
            return self.event.winner_by or None  # the cause may be the other side's news
        return self.event.winner_by or self.event.by or None


def settled(history: Iterable[Told]) -> dict[str, Settled]:
    """Return what was last decided of each field."""
    return {
        told.event.field: Settled(told.event, told.decided_at)
        for told in history
        if isinstance(told.event, events.FieldSettled)
    }


def up_to(history: Iterable[Told], at: datetime) -> list[Told]:
    """Return the events that had been decided by an instant."""
    return [told for told in history if told.decided_at <= at]


def policy_at(moment: Moment, policy_history: Sequence[Told], at: datetime | None) -> Adopted:
    """Return the policy that was in force at an instant; None: now."""
    if at is None:
        return moment.adopted
    state = stories.folded(up_to(policy_history, at))
    return state if isinstance(state, Adopted) else Adopted()


def values_of(
    mapping: FieldMapping, history: Iterable[Told], context: Context
) -> tuple[Earlier, ...]:
    """Return the values that a field had, the latest first, none twice in a row."""
    found: list[Earlier] = []
    for earlier in _values(mapping, history, context):
        if not found or (found[-1].side, found[-1].value, found[-1].how) != (
            earlier.side,
            earlier.value,
            earlier.how,
        ):
            found.append(earlier)
    return tuple(reversed(found))


def lost(found: Iterable[Earlier]) -> Earlier | None:
    """Return the latest value that lost, or None."""
    return next((earlier for earlier in found if earlier.how == "lost"), None)


def context_of(moment: Moment, at: datetime) -> Context:
    """Return what translating a value reads."""
    return Context(
        policy=moment.adopted.policy,
        policy_version=moment.adopted.policy_version,
        catalog=moment.catalog,
        identities={},
        at=at,
    )


def described(pair: Pair, policy: Policy, settled: Mapping[str, Settled]) -> dict[str, object]:
    """Return a pair's state as JSON shows it."""
    return {
        "state": pair.state,
        "salesforce": _side(pair.salesforce),
        "hubspot": _side(pair.hubspot),
        "fields": [_field(m, pair.field(m.name), settled.get(m.name)) for m in policy.mappings],
        "contact_roles": [role.model_dump() for role in pair.roles],
        "associated_contacts": [contact.contact_id for contact in pair.associations],
        "company_id": pair.company_id,
        "open_writes": list(pair.open),
        "issues": [
            {"code": code, "subject": subject, "text": text}
            for (code, subject), text in sorted(pair.issues.items())
        ],
        "waiting_for": list(pair.waiting),
        "parked": len(pair.parked),
    }


def _side(side: Side) -> dict[str, object]:
    note = side.note
    return {
        "record_id": side.current,
        "former_ids": sorted(i for i, lives in side.ids.items() if not lives),
        "read_at": side.read_at,
        "modified_at": None if note is None else note.modified_at,
        "scope_id": None if note is None else note.scope_id,
        "link": None if note is None else note.link,
    }


def _field(mapping: FieldMapping, state: FieldState, settled: Settled | None) -> dict[str, object]:
    return {
        "field": mapping.name,
        "rule": mapping.rule,
        "salesforce": state.salesforce.known,
        "hubspot": state.hubspot.known,
        "agreed": None
        if state.base is None
        else {
            "salesforce": state.base.salesforce,
            "hubspot": state.base.hubspot,
            "winner": state.base.winner,
            "how": None if settled is None else settled.event.how,
            "by": None if settled is None else settled.by,
            "decided_at": None if settled is None else settled.at,
        },
        "held": [
            {"side": side, "code": held.code, "detail": held.detail}
            for side, held in sorted(state.held.items())
        ],
    }


def _values(mapping: FieldMapping, history: Iterable[Told], context: Context) -> Iterator[Earlier]:
    for told in history:
        match told.event:
            case events.SideNoted() as noted:
                for note in noted.fields:
                    if note.field == mapping.name:
                        seen = Earlier(
                            at=note.high,
                            side=noted.side,
                            by=note.by,
                            how="seen",
                            value=note.value,
                            salesforce=note.value,
                        )
                        yield _in_salesforce(mapping, seen, context)
            case events.FieldSettled() as settled if (
                settled.field == mapping.name and settled.losing is not None
            ):
                side = settled.winner.other if settled.winner is not None else Crm.SALESFORCE
                losing = Earlier(
                    at=settled.losing_at or settled.at,
                    side=side,
                    by=settled.losing_by,
                    how="lost",
                    value=settled.losing,
                    salesforce=settled.losing,
                )
                yield _in_salesforce(mapping, losing, context)
            case _:
                pass


def _in_salesforce(mapping: FieldMapping, earlier: Earlier, context: Context) -> Earlier:
    """Put a value into Salesforce's terms, where it has any there."""
    if earlier.side is Crm.SALESFORCE or earlier.value is None:
        return earlier
    found = values.translate(mapping, earlier.value, to=Crm.SALESFORCE, context=context)
    if isinstance(found, values.Found):
        return replace(earlier, salesforce=found.value)
    return replace(earlier, salesforce=None, can_be_restored=False)
