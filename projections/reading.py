"""What people read of the projections: rows, and the port that gives them.

Every answer is one moment's. Nothing here changes anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from domain.canonical import Value
from domain.ids import Ref, StreamId, WriteId
from domain.ports import Identity, StoredEvent
from projections.audit_line import AuditLine, LineKind
from projections.sync_status import HeldField


@dataclass(frozen=True, slots=True)
class PairRow:
    """One pair as it is."""

    pair_id: StreamId
    #: outside, waiting, live, stopped, detached or deleted
    state: str
    opportunity_id: Value
    deal_id: Value
    name: Value
    #: HubSpot's ids
    contact_ids: tuple[str, ...]
    created_at: datetime | None
    amount: Decimal | None
    close_date: date | None
    is_closed: bool
    is_won: bool
    record_type_id: Value
    pipeline_id: Value
    account_id: Value
    company_id: Value
    #: open issues
    issues: int
    #: fields that wait
    held: int
    #: facts that could not be decided
    parked: int
    #: keys of what it waits for, sorted
    waiting_for: tuple[str, ...]
    #: our clock
    last_decided_at: datetime
    #: how many events it has
    version: int


@dataclass(frozen=True, slots=True)
class IssueRow:
    """One open issue, and whose it is."""

    code: str
    subject: str
    text: str
    rule: str
    pair_id: StreamId
    #: of the pair, contact or account that has it; None: it has none
    opportunity_id: Value
    deal_id: Value
    contact_id: Value
    account_id: Value
    opened_at: datetime
    changed_at: datetime
    occurrences: int


@dataclass(frozen=True, slots=True)
class IssueGroup:
    """All open issues with one code."""

    code: str
    count: int
    #: how many pairs, contacts and accounts have one
    streams: int
    first_opened_at: datetime
    last_changed_at: datetime
    #: the text of the newest
    sample: str


@dataclass(frozen=True, slots=True)
class WriteRow:
    """One decided write and what became of it."""

    write_id: WriteId
    pair_id: StreamId
    opportunity_id: Value
    deal_id: Value
    crm: str
    operation: str
    rule: str
    reason: str
    ambiguous: bool
    policy_version: int
    decided_at: datetime
    #: pending, sent, done, rejected, unknown, held or cancelled
    state: str
    state_reason: Value
    attempts: int
    record_id: Value
    sent_at: datetime | None
    answered_at: datetime | None
    retry_at: datetime | None
    #: confirmed, rewritten or never; None: not seen again yet
    echo: Value


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One call that a write was part of."""

    number: int
    #: whether it only read what became of the write
    resolving: bool
    claimed_at: datetime
    #: None: no call went out
    begun_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    answer: Value


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """One fact that waits for a person."""

    pair_id: StreamId
    #: `source:offset`
    position: str
    topic: str
    error: str
    parked_at: datetime
    opportunity_id: Value
    deal_id: Value


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which lines are wanted; a blank is no condition."""

    #: our clock, included
    since: datetime | None = None
    #: our clock, excluded
    until: datetime | None = None
    pair_id: StreamId | None = None
    kind: LineKind | None = None
    rule: str | None = None
    crm: str | None = None
    write_id: WriteId | None = None


EVERY_LINE = AuditFilter()


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line of the audit log, and its place in it."""

    #: rises; read on after it
    event_id: int
    line: AuditLine


class Views(Protocol):
    """Reading for people."""

    def pairs(
        self,
        *,
        state: str | None = None,
        with_issues: bool = False,
        after: StreamId | None = None,
        limit: int,
    ) -> tuple[PairRow, ...]:
        """Return pairs by pair id.

        Args:
            state: only those in that state.
            with_issues: only those that have an open issue.
            after: only those behind that one, to read on.
            limit: at most so many.
        """
        ...

    def pair(self, stream: StreamId) -> PairRow | None:
        """Return a pair; of an absorbed half, the one that carries it on; None: there is none."""
        ...

    def owner(self, record: Ref) -> Identity | None:
        """Return whose record it is, dead ones too, or None."""
        ...

    def records(self, stream: StreamId) -> tuple[Identity, ...]:
        """Return all records a stream has or had, living ones first."""
        ...

    def audit(
        self,
        chosen: AuditFilter = EVERY_LINE,
        *,
        after: int = 0,
        latest: bool = False,
        limit: int,
    ) -> tuple[PlacedLine, ...]:
        """Return lines of the audit log, oldest first.

        Args:
            chosen: which of them.
            after: only those behind that event, to read on.
            latest: of more than `limit`, the newest instead of the oldest.
            limit: at most so many.
        """
        ...

    def issue_groups(self) -> tuple[IssueGroup, ...]:
        """Return the codes of open issues, the most frequent first."""
        ...

    def issues(
        self, *, code: str | None = None, stream: StreamId | None = None, limit: int
    ) -> tuple[IssueRow, ...]:
        """Return open issues, oldest first."""
        ...

    def held_fields(self, stream: StreamId) -> tuple[HeldField, ...]:
        """Return a pair's fields that wait, by name."""
        ...

    def parked(self, *, stream: StreamId | None = None, limit: int) -> tuple[ParkedRow, ...]:
        """Return parked facts, oldest first."""
        ...

    def waiting_counts(self) -> Mapping[str, int]:
        """Count the streams that wait, by what for: contact, account, company, catalog, …."""
        ...

    def history(self, stream: StreamId) -> tuple[tuple[StoredEvent, datetime], ...]:
        """Return a stream's events with our clock when they were decided, oldest first."""
        ...


class WriteViews(Protocol):
    """Reading what became of writes."""

    def writes(
        self,
        *,
        state: str | None = None,
        crm: str | None = None,
        stream: StreamId | None = None,
        limit: int,
    ) -> tuple[WriteRow, ...]:
        """Return decided writes, newest first."""
        ...

    def write(self, write_id: WriteId) -> WriteRow | None:
        """Return one write, or None."""
        ...

    def attempts(self, write_id: WriteId) -> tuple[AttemptRow, ...]:
        """Return the calls that a write was part of, oldest first."""
        ...
