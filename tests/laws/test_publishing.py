"""Whatever is lost on the way, readers of published events miss nothing and see no wrong order."""

from collections.abc import Mapping

import structlog
from hypothesis import given
from hypothesis import strategies as st

from adapters.engine.publish import Publish
from adapters.memory.decisions import MemoryDecisions
from adapters.memory.publication import MemoryPublication
from adapters.partitions import partition_of
from domain.errors import RetryableError
from domain.ports import Batch, PlacedEvent, StoredEvent
from projections.publishing import CheckpointTaken, DecidedEvent, Window
from tests.support.published import PARTITIONS, Record, Topic
from tests.support.store_samples import AT, nothing

NAMES = "abcdefg"

#: the streams of one fact's events
DECIDE = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4)
#: which records of the next window arrive, in turn; True: it ends well
PUBLISH = st.lists(st.booleans(), max_size=6)
SCRIPT = st.lists(DECIDE | PUBLISH | st.just("answer lost"), max_size=30)


class World:
    """A store that decides facts, and its publication to a topic that fails."""

    def __init__(self, limit: int) -> None:
        self.decisions = MemoryDecisions()
        self.topic = Topic()
        self.publication = MemoryPublication(self.decisions)
        self.publish = Publish(
            publication=self.publication,
            topic=self,
            bookmarks=dict,
            logger=structlog.get_logger(),
            limit=limit,
        )
        self.answer_lost = False
        #: windows of a publisher that is taken for dead, on their way; None: all live
        self.late: list[Window] | None = None
        self.facts = 0
        self.versions: dict[str, int] = {}

    def decide(self, names: list[str]) -> None:
        placed = []
        for name in names:
            self.versions[name] = self.versions.get(name, 0) + 1
            placed.append(PlacedEvent(self.versions[name], nothing(name), "f:0", self.facts, AT))
        self.facts += 1
        self.decisions.commit(Batch(self.decisions.last_event_id(), (), tuple(placed)), _never)

    def send(self, window: Window) -> Mapping[int, int]:
        if self.late is not None:
            self.late.append(window)
            raise RetryableError("nobody answers")
        after = self.topic.send(window)
        if self.answer_lost:
            raise RetryableError("the answer was lost")
        return after

    def note(self, note: CheckpointTaken) -> None:
        self.topic.note(note)

    def step(self, arrivals: list[bool], *, answer_lost: bool = False) -> None:
        left = iter(arrivals)
        self.topic.arrives = lambda _: next(left, True)
        self.answer_lost = answer_lost
        try:
            self.publish.step(AT)
        except RetryableError:
            return

    def play(self, script: list[list[str] | list[bool] | str]) -> None:
        for one in script:
            if isinstance(one, str):
                self.step([], answer_lost=True)
            elif one and isinstance(one[0], str):
                self.decide([str(name) for name in one])
            else:
                self.step([bool(arrives) for arrives in one])

    def by_partition(self) -> dict[int, list[int]]:
        """Return the ids of all stored events as a reader should find them."""
        found: dict[int, list[int]] = {number: [] for number in range(PARTITIONS)}
        for stored in self.decisions.events:
            found[partition_of(stored.stream, PARTITIONS)].append(stored.id)
        return found


@given(SCRIPT, st.integers(1, 5))
def test_a_reader_takes_every_event_once_and_in_order(
    script: list[list[str] | list[bool] | str], limit: int
) -> None:
    world = World(limit)
    world.play(script)
    wanted = world.by_partition()
    for partition, taken in world.topic.read().items():
        ids = [event.id for event in taken]
        assert ids == wanted[partition][: len(ids)]

    world.topic.arrives = lambda _: True
    while world.decisions.last_event_id() > world.publication.state().position:
        world.step([])

    assert {n: [e.id for e in taken] for n, taken in world.topic.read().items()} == wanted


@given(SCRIPT, st.integers(1, 5))
def test_up_to_the_mark_everything_is_there_and_every_fact_is_whole(
    script: list[list[str] | list[bool] | str], limit: int
) -> None:
    world = World(limit)
    world.play(script)
    mark = world.topic.mark()

    there = {event.id for event in world.topic.events()}
    below = [stored for stored in world.decisions.events if stored.id <= mark]
    above = [stored for stored in world.decisions.events if stored.id > mark]
    assert {stored.id for stored in below} <= there
    assert not (below and above and below[-1].offset == above[0].offset)


@given(SCRIPT, st.integers(1, 5), st.data())
def test_a_publisher_that_was_thought_dead_disturbs_nobody(
    script: list[list[str] | list[bool] | str], limit: int, data: st.DataObject
) -> None:
    """Its window arrives late: anywhere behind, record by record, each partition in order."""
    world = World(limit)
    late = world.late = []
    world.play([["a", "b"], ["c"], [], *script])
    world.late = None
    for _ in range(3 + 2 * len(script)):
        world.step([])
    for window in late:
        _arrive_late(world.topic, window, data)

    assert {n: [e.id for e in taken] for n, taken in world.topic.read().items()} == (
        world.by_partition()
    )


def _arrive_late(topic: Topic, window: Window, data: st.DataObject) -> None:
    last = dict(window.before)
    places: dict[int, int] = {}
    events: list[DecidedEvent] = [*window.events]
    for event in events:
        partition = partition_of(event.stream, PARTITIONS)
        records = topic.partitions[partition]
        first = places.get(partition, 0)
        place = data.draw(st.integers(first, len(records)), label="place")
        records.insert(place, Record(window.epoch, window.mark, last.get(partition, 0), event))
        places[partition] = place + 1
        last[partition] = event.id


def _never(newer: tuple[StoredEvent, ...]) -> Batch:
    raise AssertionError(newer)
