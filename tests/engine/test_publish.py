"""One step of the publish loop, over memory: a window, and the mark once it is quiet."""

from datetime import timedelta

import pytest
import structlog

from adapters.engine.publish import CHECKPOINT_SECONDS_MIN, MARK_SECONDS, Publish
from adapters.memory.decisions import MemoryDecisions
from adapters.memory.publication import MemoryPublication
from domain.errors import RetryableError
from projections.publishing import CheckpointTaken
from tests.support.happenings import AT, Story, pair, summary
from tests.support.published import Topic

LATER = AT + timedelta(seconds=MARK_SECONDS)


class World:
    """The loop, its store and the topic."""

    def __init__(self) -> None:
        self.decisions = MemoryDecisions()
        self.story = Story(self.decisions)
        self.topic = Topic()
        self.bookmarks = {"salesforce.passes": "a"}
        self.publish = Publish(
            publication=MemoryPublication(self.decisions),
            topic=self.topic,
            bookmarks=lambda: self.bookmarks,
            logger=structlog.get_logger(),
        )


@pytest.fixture
def world() -> World:
    return World()


def test_what_was_decided_is_published(world: World) -> None:
    stored = world.story.tell(summary(pair("a")), summary(pair("b")))

    assert [world.publish.step(AT), world.publish.step(AT)] == [2, 0]
    assert [event.id for event in world.topic.events()] == [one.id for one in stored]


def test_the_mark_waits_until_it_is_quiet_for_a_while(world: World) -> None:
    (stored,) = world.story.tell(summary(pair("a")))
    assert [world.publish.step(AT), world.publish.step(AT)] == [1, 0]
    assert world.topic.mark() == 0

    assert [world.publish.step(LATER), world.publish.step(LATER)] == [1, 0]
    assert world.topic.mark() == stored.id


def test_what_comes_in_the_quiet_brings_the_mark_with_it(world: World) -> None:
    (first,) = world.story.tell(summary(pair("a")))
    assert [world.publish.step(AT), world.publish.step(AT)] == [1, 0]
    world.story.tell(summary(pair("a"), name="Another"))

    assert world.publish.step(LATER) == 1
    assert world.topic.mark() == first.id


def test_a_step_that_failed_is_repeated(world: World) -> None:
    world.story.tell(summary(pair("a")))
    world.topic.arrives = lambda _: False
    with pytest.raises(RetryableError):
        world.publish.step(AT)
    world.topic.arrives = lambda _: True

    assert world.publish.step(AT) == 1


def test_where_sources_would_resume_is_told_with_the_first_window(world: World) -> None:
    assert (world.publish.step(AT), world.topic.notes) == (0, [])
    world.story.tell(summary(pair("a")))
    world.publish.step(AT)

    assert world.topic.notes == [CheckpointTaken(epoch=0, bookmarks={"salesforce.passes": "a"})]


def test_it_is_told_more_and_more_seldom(world: World) -> None:
    told = []
    for second in range(8):
        at = AT + timedelta(seconds=second * CHECKPOINT_SECONDS_MIN)
        world.story.tell(summary(pair("a"), name=f"Name {second}"))
        world.publish.step(at)
        told.append(len(world.topic.notes))

    assert told == [1, 2, 2, 3, 3, 3, 3, 4]
