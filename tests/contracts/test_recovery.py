"""A lost store is made anew from what was published: the same up to the cut, and never a guess."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from adapters.partitions import partition_of
from adapters.postgres import audit
from adapters.postgres.database import Database
from adapters.postgres.decisions import PostgresDecisions, StoreRecoveredError
from adapters.postgres.publication import PostgresPublication
from adapters.postgres.rebuilding import PostgresRebuilds
from adapters.postgres.recovery import NotRecoverableError, PostgresRecovery, Recovered
from domain.errors import RetryableError
from domain.events import Event
from domain.ids import Crm
from domain.ports import Advance, Batch, Committed, PlacedEvent
from projections.following import INLINE
from projections.publishing import (
    Acknowledged,
    CheckpointTaken,
    EpochStarted,
    Published,
    PublishedEvent,
    PublishedNote,
)
from tests.contracts.test_decisions import never
from tests.support import postgres
from tests.support.happenings import closed
from tests.support.published import PARTITIONS, Record, Topic
from tests.support.store_samples import (
    AT,
    deal,
    founded,
    linked,
    nothing,
    opportunity,
    write_decided,
)

BOOKMARKS = {"hubspot.baseline": "{}"}


@dataclass
class Life:
    """A store with its publication, for as long as its database lives."""

    database: Database
    topic: Topic
    versions: dict[str, int] = field(default_factory=dict)
    offset: int = -1

    def __post_init__(self) -> None:
        self.decisions = PostgresDecisions(self.database, inline=(audit.write_lines,))
        self.publication = PostgresPublication(self.database)

    def decide(self, *told: Event) -> int:
        """Decide one fact; return the id of its last event."""
        placed = []
        for event in told:
            version = self.versions[event.stream] = self.versions.get(event.stream, 0) + 1
            placed.append(PlacedEvent(version, event, "facts:0", self.offset + 1, AT))
        advance = Advance("facts:0", self.offset, self.offset + 1)
        self.offset += 1
        batch = Batch(self.decisions.last_event_id(), (advance,), tuple(placed))
        committed = self.decisions.commit(batch, never)
        assert isinstance(committed, Committed)
        return committed.last_event_id

    def publish(self, *, tell_mark: bool = True) -> None:
        """Publish what waits, and the mark of all that."""
        while self.publication.publish(self.topic.send, limit=10, tell_mark=tell_mark):
            pass

    def tables(self) -> dict[str, tuple[int, str]]:
        rebuilds = PostgresRebuilds(self.database)
        compared = {name: rebuilds.compare(name) for name in INLINE}
        assert all(not one.differing for one in compared.values())
        return {name: (one.rows, one.digest) for name, one in compared.items()}


@dataclass
class World:
    """A store that will be lost, and its successor."""

    old: Life
    new: Life
    topic: Topic
    epochs: list[EpochStarted] = field(default_factory=list)

    def recover(self) -> Recovered:
        recovered = PostgresRecovery(self.new.database).recover(self.read(), self.announce, AT)
        self.new.versions = {}
        self.new.offset = recovered.positions.get("facts:0", -1)
        return recovered

    def announce(self, note: EpochStarted) -> None:
        self.epochs.append(note)

    def read(self) -> Iterator[Published]:
        for partition, records in self.topic.partitions.items():
            for record in records:
                yield published(partition, record)
        for note in self.topic.notes:
            yield PublishedNote(0, note)
        for epoch in self.epochs:
            for partition in range(PARTITIONS):
                yield PublishedNote(partition, epoch)


def published(partition: int, record: Record) -> Published:
    if record.event is None:
        return PublishedNote(partition, Acknowledged(epoch=record.epoch, mark=record.mark))
    return PublishedEvent(partition, record.epoch, record.mark, record.previous, record.event)


@pytest.fixture
def world() -> Iterator[World]:
    with postgres.database() as old, postgres.database() as new:
        topic = Topic()
        yield World(Life(old, topic), Life(new, topic), topic)


def sample(life: Life, name: str = "a") -> None:
    """Decide a few facts of one pair."""
    life.decide(founded(name, opportunity(f"006{name}")), nothing(name))
    life.decide(linked(name, deal(f"1{name}")), write_decided(name))
    life.decide(closed(write_decided(name), record_id=f"1{name}"))


def test_a_quiet_store_comes_back_whole(world: World) -> None:
    sample(world.old)
    sample(world.old, "b")
    world.old.publish()
    recovered = world.recover()

    head = world.old.decisions.last_event_id()
    old, new = PostgresRecovery(world.old.database), PostgresRecovery(world.new.database)
    assert (recovered.cut, recovered.events, recovered.left_out) == (head, 10, 0)
    assert old.digest(head) == new.digest(head)
    assert world.old.tables() == world.new.tables()
    assert dict(world.old.decisions.positions()) == dict(world.new.decisions.positions())


def test_what_was_not_acknowledged_is_left_out_with_its_whole_fact(world: World) -> None:
    sample(world.old)
    world.old.publish()
    cut = world.old.decisions.last_event_id()
    world.old.decide(nothing("a"), nothing("b"))
    world.topic.arrives = lambda record: record.event is None or record.event.version > 1
    with pytest.raises(RetryableError):
        world.old.publish()
    recovered = world.recover()

    assert (recovered.cut, recovered.left_out) == (cut, 1)
    assert recovered.positions == {"facts:0": 2}


def test_the_recovered_store_goes_on_in_a_new_epoch_with_ids_of_its_own(world: World) -> None:
    sample(world.old)
    world.old.publish()
    world.old.decide(nothing("c"))
    world.old.publish(tell_mark=False)
    lost = world.old.decisions.last_event_id()
    recovered = world.recover()

    assert world.epochs == [EpochStarted(epoch=1, cut=recovered.cut)]
    assert world.new.decisions.epoch() == 1
    world.new.versions = {}
    assert world.new.decide(nothing("c")) > lost


def test_a_store_can_be_lost_twice(world: World) -> None:
    """What the first life decided beyond the first cut stays out for ever."""
    sample(world.old)
    world.old.publish()
    world.old.decide(nothing("c", "lost"))
    world.old.publish(tell_mark=False)
    world.recover()
    second = world.new
    second.decide(nothing("c", "decided anew"))
    second.publish()

    with postgres.database() as third:
        world.new = Life(third, world.topic)
        recovered = world.recover()

        assert (recovered.epoch, recovered.left_out) == (2, 1)
        head = second.decisions.last_event_id()
        assert PostgresRecovery(second.database).digest(head) == (
            PostgresRecovery(third).digest(head)
        )


def test_a_write_without_an_answer_is_unknown_and_read_first(world: World) -> None:
    sample(world.old)
    world.old.decide(write_decided("a", 2))
    world.old.publish()
    recovered = world.recover()

    with world.new.database.transaction() as connection:
        rows = connection.execute(
            "SELECT state, record_id, sent_at FROM delivery ORDER BY event_id"
        ).fetchall()
    assert rows == [("done", "1a", AT), ("unknown", None, AT)]
    assert recovered.unknown_writes == 1


def test_linked_records_are_read_again_and_sources_resume(world: World) -> None:
    sample(world.old)
    world.old.decide(founded("alone", opportunity("006x")))
    world.old.publish()
    world.topic.notes += [
        CheckpointTaken(epoch=0, bookmarks={"old": "1"}),
        CheckpointTaken(epoch=0, bookmarks=BOOKMARKS),
    ]
    recovered = world.recover()

    with world.new.database.transaction() as connection:
        wishes = connection.execute("SELECT crm, record_id, reason FROM refresh").fetchall()
        bookmarks = dict(connection.execute("SELECT name, text FROM bookmark").fetchall())
    assert sorted(wishes) == [(Crm.HUBSPOT, "1a", "gap"), (Crm.SALESFORCE, "006a", "gap")]
    assert recovered.refreshes == 2
    assert bookmarks == BOOKMARKS


def test_a_missing_event_is_an_alarm(world: World) -> None:
    sample(world.old)
    sample(world.old, "b")
    world.old.publish()
    partition = partition_of(nothing("a").stream, PARTITIONS)
    del world.topic.partitions[partition][1]

    with pytest.raises(NotRecoverableError, match="published events are missing"):
        world.recover()


def test_two_stores_in_one_topic_are_an_alarm(world: World) -> None:
    """A worker that was not stopped began anew in the empty database, and published that."""
    sample(world.old)
    world.old.publish()
    sample(world.new, "z")
    world.new.publish()

    with postgres.database() as third:
        world.new = Life(third, world.topic)
        with pytest.raises(NotRecoverableError, match="two databases published"):
            world.recover()


def test_a_store_that_holds_something_is_left_alone(world: World) -> None:
    sample(world.old)
    world.old.publish()
    world.new.decide(nothing("z"))

    with pytest.raises(NotRecoverableError, match="expected an empty store"):
        world.recover()


def test_nothing_published_is_nothing_to_recover_from(world: World) -> None:
    with pytest.raises(NotRecoverableError, match="nothing to recover from"):
        world.recover()


def test_an_announcement_that_fails_leaves_the_store_empty(world: World) -> None:
    sample(world.old)
    world.old.publish()

    def announce(note: EpochStarted) -> None:
        raise RetryableError(f"nobody heard of {note}")

    recovery = PostgresRecovery(world.new.database)
    with pytest.raises(RetryableError):
        recovery.recover(world.read(), announce, AT)
    assert recovery.is_empty()


def test_a_worker_that_outlived_its_store_is_refused(world: World) -> None:
    sample(world.new)
    world.new.publish()
    with world.new.database.transaction() as connection:
        connection.execute("UPDATE publication SET epoch = 1")

    with pytest.raises(StoreRecoveredError, match="start this worker again"):
        world.new.decide(nothing("a"))
