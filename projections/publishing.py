"""How decided events are told to others: in windows, in order, each at least once.

A window ends at a fact's last event, and the next one is opened only when every event of the last
is acknowledged. So at any moment the log of published events is whole up to some event id, the
*mark*, and at most one window beyond it is torn. Each record says what its publisher knew:

| a record carries | which means |
|---|---|
| its epoch | how often the store had been recovered when it was decided |
| its event id | its place in the order of all decisions |
| the event id before it in its partition | who has not seen that one must wait for it |
| the mark | everything up to that event id stands in the log |

A reader takes an event if it has taken the one before it in that partition, passes over what it has
taken already, and loses nothing by passing over the rest: a torn window is sent again, whole
(`takes` says so in code). Nothing here can reach a CRM.

Beside events the topic holds three kinds of notes, `Note`: what only the publisher can say.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final, Protocol, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict

from domain.ids import StreamId

#: the topic of published events
EVENTS_TOPIC: Final = "sync.events.v1"


class _Note(BaseModel):
    """What every note says."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    TOPIC: ClassVar[str]

    #: counts recoveries of the store
    epoch: int


class Acknowledged(_Note):
    """Nothing was decided for a while: everything up to the mark stands in the log."""

    TOPIC = "publication.Acknowledged"

    mark: int


class CheckpointTaken(_Note):
    """Where the sources would resume: every fact before that stands in the log."""

    TOPIC = "publication.CheckpointTaken"

    bookmarks: dict[str, str]


class EpochStarted(_Note):
    """The store was recovered; it stands in every partition.

    What an older epoch decided beyond the cut was lost with its store: readers take it back. New
    events have ids above every one that was published before.
    """

    TOPIC = "publication.EpochStarted"

    #: the last event that was recovered
    cut: int


Note: TypeAlias = Acknowledged | CheckpointTaken | EpochStarted
NOTES: Final[tuple[type[Note], ...]] = get_args(Note)


@dataclass(frozen=True, slots=True)
class DecidedEvent:
    """An event exactly as it is stored."""

    #: rises over all streams, with holes
    id: int
    stream: StreamId
    #: 1, 2, 3, … within the stream
    version: int
    #: name of the event's type
    topic: str
    #: the event as JSON, UTF-8
    state: bytes
    #: the fact's place in the change log
    source: str
    offset: int
    #: our clock
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """How far a reader of one partition is."""

    #: the newest epoch that it has heard of
    epoch: int
    #: the last event it took
    event_id: int


@dataclass(frozen=True, slots=True)
class Window:
    """What is published at one time."""

    #: counts recoveries of the store
    epoch: int
    #: everything up to this event id is acknowledged
    mark: int
    #: last event id published to each partition before this window
    before: Mapping[int, int]
    #: in order; whole facts. Empty: only the mark is told
    events: tuple[DecidedEvent, ...]


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """An event as it stands in the topic."""

    partition: int
    epoch: int
    #: everything up to this event id was acknowledged when it was sent
    mark: int
    #: the event id before it in its partition; 0: it is the first
    previous: int
    event: DecidedEvent


@dataclass(frozen=True, slots=True)
class PublishedNote:
    """A note as it stands in the topic."""

    partition: int
    note: Note


Published: TypeAlias = PublishedEvent | PublishedNote

#: publishes a window, or its mark alone, and returns the last event id it put into each partition
#: that it used; returns only when all of it is acknowledged, and raises otherwise
Send: TypeAlias = Callable[[Window], Mapping[int, int]]


class EventTopic(Protocol):
    """Where decided events are published; what it is told is durable on return.

    Every method raises `RetryableError` if it is not.
    """

    def send(self, window: Window) -> Mapping[int, int]:
        """Publish a window; see `Send`."""
        ...

    def note(self, note: CheckpointTaken) -> None:
        """Publish a note."""
        ...


@dataclass(frozen=True, slots=True)
class PublicationState:
    """How far publishing is."""

    epoch: int
    #: every event up to this id is published and acknowledged
    position: int
    #: id of the newest event in the store
    head: int
    #: when the oldest event was decided that is not published; None: all are, or the store that is
    #: asked does not keep it
    oldest_at: datetime | None = field(default=None, compare=False)

    @property
    def lag(self) -> int:
        """Return how many ids it is behind; holes count."""
        return self.head - self.position


class Publication(Protocol):
    """What is published of an event store, and how far."""

    def publish(self, send: Send, *, limit: int, tell_mark: bool) -> int:
        """Send the next window and move on once it is acknowledged.

        One worker at a time. If `send` raises, nothing moves and the same events are sent again.

        Args:
            send: publishes a window.
            limit: about so many events; a fact's events are never parted.
            tell_mark: if no event waits, publish a mark that is not told yet.

        Returns:
            How many events were published, 1 for a mark alone; 0: nothing waits, or another worker
            is at it.
        """
        ...

    def state(self) -> PublicationState:
        """Return how far it is."""
        ...


def whole_facts(events: Sequence[DecidedEvent], limit: int) -> tuple[DecidedEvent, ...]:
    """Cut events behind the last fact that is whole within the limit.

    Args:
        events: in order, from a fact's first event on; more than `limit` only if there are more.
        limit: how many to keep at most.

    Returns:
        Whole facts; none if the first fact alone is longer than the limit.
    """
    if len(events) <= limit:
        return tuple(events)
    end = limit
    while end and _fact(events[end - 1]) == _fact(events[end]):
        end -= 1
    return tuple(events[:end])


def takes(place: Place | None, *, epoch: int, previous: int, event_id: int) -> bool:
    """Tell whether a reader of one partition takes a record now.

    Args:
        place: where the reader is; None: it begins here.
        epoch: the record's own.
        previous: the event id before it in the partition, as the record says.
        event_id: the record's own.

    Returns:
        False for what it has taken already, for what will come again, and for what an older epoch
        says late: that store is gone.
    """
    if place is None:
        return True
    return epoch >= place.epoch and previous <= place.event_id < event_id


def _fact(event: DecidedEvent) -> tuple[str, int]:
    return event.source, event.offset
