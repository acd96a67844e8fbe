"""What the engine needs of the world, in domain words.

Every method is one atomic step; no connection, lock or cursor outlives it. Each port has at least
two implementations (`adapters/memory`, `adapters/postgres`) held to one contract suite.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.events import Event
from domain.facts import Fact
from domain.ids import Crm, Kind, Ref, StreamId


class Topic(StrEnum):
    """Where facts stand in the change log."""

    SALESFORCE_CHANGES = "crm.salesforce.changes.v1"
    HUBSPOT_CHANGES = "crm.hubspot.changes.v1"
    OUTCOMES = "sync.outcomes.v1"
    REQUESTS = "sync.requests.v1"
    SIGNALS = "sync.signals.v1"


@dataclass(frozen=True, slots=True)
class KeyedFact:
    """A fact on its way into the log."""

    topic: Topic
    #: facts of one key keep their order
    key: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class LoggedFact:
    """A fact where it stands in the log."""

    #: `topic:partition`
    source: str
    #: counts from 0 within its source; holes are allowed
    offset: int
    fact: Fact


class ChangeLog(Protocol):
    """The append-only log of facts: Kafka, PostgreSQL, or memory."""

    def append(self, facts: Sequence[KeyedFact]) -> None:
        """Append facts; on return they are durable, in order per key.

        Raises:
            RetryableError: none or some of them were appended; appending all again is harmless,
                because a fact's id is derived from what it says.
        """
        ...

    def read(self, after: Mapping[str, int], *, limit: int) -> tuple[LoggedFact, ...]:
        """Return at most `limit` facts behind the given offsets, oldest first within a source.

        Args:
            after: last offset already decided, by source; a source not named starts at its first.
            limit: over all sources together; no source is starved.
        """
        ...

    def heads(self) -> Mapping[str, int]:
        """Return the last offset of every source; -1 where it is empty."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Which stream a CRM record belongs to, and its counterpart if it is a contact or account."""

    ref: Ref
    stream: StreamId
    alive: bool
    #: contacts, accounts, companies: the record id on the other side; None: none
    linked_to: str | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event where it stands in the store."""

    #: rises over all streams, with holes
    id: int
    stream: StreamId
    #: 1, 2, 3, … within the stream, without holes
    version: int
    event: Event
    #: the fact's place in the log
    source: str
    offset: int


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """A decided event, before it has an id."""

    version: int
    event: Event
    source: str
    offset: int
    #: our clock when it was decided
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Advance:
    """A source's position moves on; a different `expected` in the store means: fenced."""

    source: str
    #: last offset decided before this batch; -1: none
    expected: int
    new: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A read set: what was found, and what was looked for and not found."""

    #: every event up to this id is taken into account
    as_of: int
    #: oldest first; an unknown stream has an empty tuple
    events: Mapping[StreamId, tuple[StoredEvent, ...]]
    #: None: looked for, not there
    identities: Mapping[Ref, Identity | None]


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one decide transaction writes."""

    as_of: int
    advances: tuple[Advance, ...]
    #: in fact order; a fact's events together
    events: tuple[PlacedEvent, ...]


@dataclass(frozen=True, slots=True)
class Committed:
    """The batch is durable."""

    #: id of the newest event in the store, by then
    last_event_id: int
    stored: tuple[StoredEvent, ...]


@dataclass(frozen=True, slots=True)
class Fenced:
    """Another worker moved a source on; nothing was written."""

    source: str
    found: int


class Decisions(Protocol):
    """The event store, with fact positions, identities and inline rows in the same transaction."""

    def positions(self) -> Mapping[str, int]:
        """Return the last decided offset of every source that has one."""
        ...

    def load(self, streams: Collection[StreamId], refs: Collection[Ref]) -> Loaded:
        """Read whole streams and identity rows in one snapshot."""
        ...

    def commit(
        self, batch: Batch, redecide: Callable[[tuple[StoredEvent, ...]], Batch]
    ) -> Committed | Fenced:
        """Write a batch, or nothing.

        Positions are compared and moved first, in source order. Then, under the store's lock, the
        events newer than `batch.as_of` are read; if there are any, `redecide` is called once with
        them and its batch (same advances) is written instead. Identity rows, outbound writes, audit
        lines and events follow in the same transaction.

        Args:
            batch: decided on state as of `batch.as_of`.
            redecide: pure; takes the newer events, oldest first; returns the batch that holds.
        """
        ...

    def tail(self, after: int, *, limit: int) -> tuple[StoredEvent, ...]:
        """Return at most `limit` events with an id above `after`, oldest first."""
        ...

    def last_event_id(self) -> int:
        """Return the id of the newest event; 0: none."""
        ...


@dataclass(frozen=True, slots=True)
class Refresh:
    """A wish to read a record again."""

    crm: Crm
    kind: Kind
    #: a record id; for `Kind.CATALOG`: blank
    record_id: str
    #: baseline, webhook, import, sync_now, resume, merge, gap, wanted
    reason: str
    #: id of the request, event or webhook that asks
    cause: str
    #: when what made us look happened; our clock where nobody says
    at: datetime
    #: what the asker knows: a webhook's subscription type, a merge's primary id
    hint: str = ""


class Refreshes(Protocol):
    """The work table of records to read; a wish already there is not doubled."""

    def add(self, wishes: Sequence[Refresh]) -> None:
        """Add wishes, durable on return."""
        ...

    def claim(
        self, crm: Crm, *, at: datetime, limit: int, lease_seconds: float
    ) -> tuple[Refresh, ...]:
        """Take the oldest wishes that nobody holds; they come back when the lease ends."""
        ...

    def done(self, wishes: Sequence[Refresh]) -> None:
        """Forget wishes that were read and whose facts are durable."""
        ...

    def give_back(self, wishes: Sequence[Refresh]) -> None:
        """Let wishes that could not be read be claimed again at once."""
        ...

    def waiting(self) -> int:
        """Count the wishes, held ones included."""
        ...


class Bookmarks(Protocol):
    """Where each source resumes: small texts by name."""

    def read(self, name: str) -> str | None:
        """Return the text last written, or None."""
        ...

    def write(self, name: str, text: str) -> None:
        """Replace the text, durable on return."""
        ...
