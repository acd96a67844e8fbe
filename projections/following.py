"""How projections follow the event store: their names, and what an adapter promises.

Rows that depend on one event alone are *inline*: written by the decide transaction. What needs
more than one event is a *follower*: it reads events in order and remembers how far it came. What a
follower finds out for others is noted as `Due` in the same transaction and sent afterwards, so that
folding again, beside the live rows, can send nothing (rule `replay-silent`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

from domain.deliveries import Echo
from domain.events import Event
from domain.ids import StreamId, WriteId
from domain.ports import KeyedFact, Refresh

SYNC_STATUS: Final = "sync_status"
CONTACT_ROLLUP: Final = "contact_rollup"
REACTIONS: Final = "reactions"
#: in the order in which one step lets them follow
FOLLOWERS: Final = (SYNC_STATUS, CONTACT_ROLLUP, REACTIONS)
#: written by the decide transaction
INLINE: Final = ("record_identity", "outbound_write", "audit_line")


class ProjectionKind(StrEnum):
    """How a projection keeps up."""

    INLINE = "inline"
    FOLLOWER = "follower"


@dataclass(frozen=True, slots=True)
class Followed:
    """An event as a follower reads it."""

    id: int
    stream: StreamId
    version: int
    #: our clock
    decided_at: datetime
    #: None: of a type that the follower does not look into
    event: Event | None


@dataclass(frozen=True, slots=True)
class ProjectionState:
    """How far a projection is."""

    name: str
    kind: ProjectionKind
    #: every event up to this id is folded in
    position: int
    #: id of the newest event in the store
    head: int
    #: how many rows it keeps, over all its tables
    rows: int

    @property
    def lag(self) -> int:
        """Return how many ids it is behind; holes count."""
        return self.head - self.position


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is not what the events say."""

    table: str
    #: `missing` (the live table lacks it) or `extra` (nothing says it); a changed row is both
    what: str
    #: the row as JSON
    row: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A projection folded again from all events, beside the live one."""

    name: str
    #: both were compared as of this event
    position: int
    #: rows that the events give
    rows: int
    #: of the rows that the events give: equal digests are equal contents
    digest: str
    #: how many rows differ
    differing: int
    #: the first of them
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is to be told."""

    #: for other aggregates
    signals: tuple[KeyedFact, ...]
    #: records to read
    wishes: tuple[Refresh, ...]
    #: how done writes were seen again
    echoes: Mapping[WriteId, Echo]


#: tells it; raises if it is not durable
Send: TypeAlias = Callable[[Outgoing], None]


class Followers(Protocol):
    """The followers' tables and positions."""

    def follow(self, name: str, *, limit: int) -> int:
        """Fold the next events into a follower's tables and move its position, in one transaction.

        Args:
            name: one of `FOLLOWERS`.
            limit: at most so many events.

        Returns:
            How many events were passed; 0: none wait, or another worker is at it.
        """
        ...

    def wake(self, at: datetime, *, limit: int) -> int:
        """Note as due what waits for an instant that has come; return how many."""
        ...

    def emit(self, send: Send, *, limit: int) -> int:
        """Send what is due, oldest first, and forget it once `send` returned.

        One worker at a time, so signals to one stream keep their order. If `send` raises, all stays
        due; sending twice is harmless, because a signal's id is derived.

        Returns:
            How many dues were settled; 0: nothing is due, or another worker is at it.
        """
        ...

    def unfinished(self) -> int:
        """Count the events that some follower has not seen, and what is still to be told."""
        ...


class Rebuilds(Protocol):
    """Folding projections again. Nothing here can reach a CRM or the change log."""

    def states(self) -> tuple[ProjectionState, ...]:
        """Return how far every projection is."""
        ...

    def compare(self, name: str) -> Comparison:
        """Fold all events beside the live tables and say what differs; changes nothing.

        Raises:
            KeyError: no projection has that name.
        """
        ...

    def rebuild(self, name: str) -> Comparison:
        """Fold all events anew and let the result take the live tables' place.

        A follower's goes on while the engine runs. Inline tables are only restored with the engine
        stopped: whoever calls sees to that.

        Returns:
            What differed before.

        Raises:
            KeyError: no projection has that name.
        """
        ...
