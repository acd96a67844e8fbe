"""What every publication promises: whole facts, in order, moved on only when acknowledged."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from adapters import codec
from adapters.memory.decisions import MemoryDecisions
from adapters.memory.publication import MemoryPublication
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.publication import PostgresPublication
from domain.errors import RetryableError
from domain.ports import Batch, Decisions, PlacedEvent
from projections.publishing import Publication, PublicationState, Window
from tests.contracts.test_decisions import never
from tests.support import postgres
from tests.support.published import Topic
from tests.support.store_samples import AT, nothing


@dataclass
class World:
    """A store, its publication, and the topic."""

    decisions: Decisions
    publication: Publication
    topic: Topic = field(default_factory=Topic)
    facts: int = 0
    versions: dict[str, int] = field(default_factory=dict)

    def decide(self, *streams: str) -> None:
        """Decide one fact; an event for each name."""
        placed = []
        for name in streams:
            self.versions[name] = self.versions.get(name, 0) + 1
            event = nothing(name, f"fact {self.facts}")
            placed.append(PlacedEvent(self.versions[name], event, "facts:0", self.facts, AT))
        self.facts += 1
        self.decisions.commit(Batch(self.decisions.last_event_id(), (), tuple(placed)), never)

    def publish(self, *, limit: int = 10, tell_mark: bool = False) -> int:
        return self.publication.publish(self.topic.send, limit=limit, tell_mark=tell_mark)


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with ExitStack() as opened:
        if request.param == "memory":
            kept = MemoryDecisions()
            yield World(kept, MemoryPublication(kept))
        else:
            database = opened.enter_context(postgres.database())
            yield World(PostgresDecisions(database), PostgresPublication(database))


def test_an_event_is_published_exactly_as_it_is_stored(world: World) -> None:
    world.decide("a", "b")

    assert world.publish() == 2
    stored = world.decisions.tail(0, limit=10)
    assert [(e.id, e.stream, e.version, e.source, e.offset) for e in stored] == [
        (e.id, e.stream, e.version, e.source, e.offset) for e in world.topic.events()
    ]
    assert [codec.encode_event(e.event) for e in stored] == [
        (e.topic, e.state) for e in world.topic.events()
    ]
    assert {e.decided_at for e in world.topic.events()} == {AT}


def test_nothing_is_published_twice_by_itself(world: World) -> None:
    world.decide("a")

    assert [world.publish(), world.publish()] == [1, 0]


def test_a_window_never_parts_the_events_of_a_fact(world: World) -> None:
    for names in ("a", "bc", "def", "gh"):
        world.decide(*names)

    assert [world.publish(limit=2) for _ in range(6)] == [1, 2, 3, 2, 0, 0]


def test_what_was_not_acknowledged_is_sent_again(world: World) -> None:
    for name in "abcdef":
        world.decide(name)
    world.topic.arrives = lambda record: record.event is None or record.event.version > 1
    with pytest.raises(RetryableError, match="not acknowledged"):
        world.publish()
    assert world.publication.state().position == 0

    world.topic.arrives = lambda _: True

    assert world.publish() == 6


def test_the_mark_is_what_was_acknowledged_before(world: World) -> None:
    world.decide("a")
    world.publish()
    first = world.decisions.last_event_id()
    world.decide("b")
    world.publish()

    assert world.topic.mark() == first


def test_the_mark_is_told_by_itself_once_nothing_waits(world: World) -> None:
    world.decide("a")
    world.publish(tell_mark=True)
    assert world.topic.mark() == 0

    assert [world.publish(tell_mark=True), world.publish(tell_mark=True)] == [1, 0]
    assert world.topic.mark() == world.decisions.last_event_id()


def test_a_record_names_the_one_before_it_in_its_partition(world: World) -> None:
    for _ in range(3):
        world.decide("a")
        world.publish()
    (records,) = (found for found in world.topic.partitions.values() if found)

    ids = [record.event.id for record in records if record.event is not None]
    assert [record.previous for record in records] == [0, *ids[:-1]]


def test_only_one_publishes_at_a_time(world: World) -> None:
    world.decide("a")
    counts = []

    def send(window: Window) -> Mapping[int, int]:
        counts.append(world.publish())
        return world.topic.send(window)

    world.publication.publish(send, limit=10, tell_mark=False)

    assert counts == [0]
    assert len(world.topic.events()) == 1


def test_how_far_it_is(world: World) -> None:
    world.decide("a")
    head = world.decisions.last_event_id()
    before = world.publication.state()
    world.publish()

    assert [before, world.publication.state()] == [
        PublicationState(epoch=0, position=0, head=head),
        PublicationState(epoch=0, position=head, head=head),
    ]
    assert before.lag == head
