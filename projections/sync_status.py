"""What people see of each stream: state, open issues, held fields, parked facts: a follower's fold.

Any stream can have issues and parked facts; only a pair has a summary. Rows of a half pair that was
absorbed go, because its other half carries them on; the row itself stays and says into which.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeVar

from domain import events
from domain.canonical import FieldType, NotCanonicalError, Value, canonical
from domain.ids import StreamId
from projections.following import Followed

K = TypeVar("K")
V = TypeVar("V")

#: what a FieldFreed names when it frees whole writes and no single field
_EVERY_FIELD: Final = "*"


@dataclass(frozen=True, slots=True)
class PairSummary:
    """A pair as its last `SummaryChanged` says, typed for analysts."""

    state: str
    opportunity_id: Value
    deal_id: Value
    name: Value
    #: HubSpot contact ids
    contact_ids: tuple[str, ...]
    created_at: datetime | None
    #: None: blank, or no number
    amount: Decimal | None
    #: None: blank, or no date
    close_date: date | None
    is_closed: bool
    is_won: bool
    record_type_id: Value
    pipeline_id: Value
    account_id: Value
    company_id: Value


@dataclass(frozen=True, slots=True)
class OpenIssue:
    """One open issue of a stream; code and subject name it."""

    code: str
    subject: str
    text: str
    rule: str
    opened_at: datetime
    changed_at: datetime
    #: how often it was told since it opened
    occurrences: int


@dataclass(frozen=True, slots=True)
class HeldField:
    """One field that nothing is written for on one side."""

    field: str
    side: str
    #: an issue code
    code: str
    detail: str
    #: the value that cannot go
    value: Value
    since: datetime


@dataclass(frozen=True, slots=True)
class ParkedFact:
    """One fact that could not be decided."""

    #: `source:offset`
    position: str
    #: the fact's topic
    topic: str
    error: str
    parked_at: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that is kept of one stream."""

    stream: StreamId
    #: None: no pair
    summary: PairSummary | None = None
    absorbed_into: StreamId | None = None
    #: of the last event
    version: int = 0
    last_decided_at: datetime | None = None
    #: by code and subject
    issues: Mapping[tuple[str, str], OpenIssue] = field(default_factory=dict)
    #: by field and side
    held: Mapping[tuple[str, str], HeldField] = field(default_factory=dict)
    #: by position
    parked: Mapping[str, ParkedFact] = field(default_factory=dict)


#: event types that `fold` looks into; of others it takes version and time only
TOPICS: Final = frozenset(
    kind.TOPIC
    for kind in (
        events.SummaryChanged,
        events.PairAbsorbed,
        events.IssueOpened,
        events.IssueClosed,
        events.FieldHeld,
        events.FieldFreed,
        events.FactParked,
        events.ParkedFactSettled,
    )
)


def fold(status: Status, followed: Followed) -> Status:
    """Return the stream's status after its next event."""
    at = followed.decided_at
    status = replace(status, version=followed.version, last_decided_at=at)
    match followed.event:
        case events.SummaryChanged() as event:
            return replace(status, summary=_summary(event))
        case events.PairAbsorbed() as event:
            return replace(status, absorbed_into=event.into, issues={}, held={}, parked={})
        case events.IssueOpened() as event:
            key = (event.code, event.subject)
            opened = _opened(status.issues.get(key), event, at)
            return replace(status, issues={**status.issues, key: opened})
        case events.IssueClosed() as event:
            return replace(status, issues=_without(status.issues, (event.code, event.subject)))
        case events.FieldHeld() as event:
            held = HeldField(event.field, event.side, event.code, event.detail, event.value, at)
            return replace(status, held={**status.held, (event.field, event.side): held})
        case events.FieldFreed() as event if event.field != _EVERY_FIELD:
            return replace(status, held=_without(status.held, (event.field, event.side)))
        case events.FactParked() as event:
            parked = ParkedFact(event.position, event.topic, event.error, at)
            return replace(status, parked={**status.parked, event.position: parked})
        case events.ParkedFactSettled() as event:
            return replace(status, parked=_without(status.parked, event.position))
        case _:
            return status


def _summary(event: events.SummaryChanged) -> PairSummary:
    return PairSummary(
        state=event.state,
        opportunity_id=event.opportunity_id,
        deal_id=event.deal_id,
        name=event.name,
        contact_ids=event.contact_ids,
        created_at=event.created_at,
        amount=number(event.amount),
        close_date=_day(event.close_date),
        is_closed=event.is_closed,
        is_won=event.is_won,
        record_type_id=event.record_type_id,
        pipeline_id=event.pipeline_id,
        account_id=event.account_id,
        company_id=event.company_id,
    )


def number(value: Value) -> Decimal | None:
    """Return a value as an exact number; None if it is blank or none."""
    try:
        text = canonical(FieldType.DECIMAL, value)
    except NotCanonicalError:
        return None
    return Decimal(text) if text is not None else None


def _day(value: Value) -> date | None:
    try:
        text = canonical(FieldType.DATE, value)
    except NotCanonicalError:
        return None
    return date.fromisoformat(text) if text is not None else None


def _opened(known: OpenIssue | None, event: events.IssueOpened, at: datetime) -> OpenIssue:
    if known is None:
        return OpenIssue(event.code, event.subject, event.text, event.rule, at, at, 1)
    return replace(known, text=event.text, changed_at=at, occurrences=known.occurrences + 1)


def _without(rows: Mapping[K, V], key: K) -> dict[K, V]:
    return {k: v for k, v in rows.items() if k != key}
