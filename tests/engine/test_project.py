"""One step of the project loop, over memory: it follows, wakes, tells, and stands being stopped."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
import structlog
from typing_extensions import override

from adapters.engine.project import Bounds, Project
from adapters.memory.change_log import MemoryChangeLog
from adapters.memory.decisions import MemoryDecisions
from adapters.memory.deliveries import MemoryDeliveries
from adapters.memory.delivery_desk import MemoryDeliveryDesk
from adapters.memory.followers import MemoryFollowers
from adapters.memory.refresh import MemoryRefreshes
from domain import events
from domain.errors import RetryableError
from domain.facts import Fact, Reconsider, RollupChanged
from domain.ids import stream_of
from domain.ports import ChangeLog, KeyedFact, LoggedFact
from projections.following import FOLLOWERS
from tests.support.happenings import (
    AT,
    Story,
    founded,
    hubspot_contact,
    pair,
    said,
    summary,
    waits,
)


class Flaky(ChangeLog):
    """A log that appends and then loses its answer, once."""

    def __init__(self) -> None:
        self.inner = MemoryChangeLog()
        self.fails = False

    @override
    def append(self, facts: Sequence[KeyedFact]) -> None:
        self.inner.append(facts)
        if self.fails:
            self.fails = False
            raise RetryableError("the answer was lost")

    @override
    def read(self, after: Mapping[str, int], *, limit: int) -> tuple[LoggedFact, ...]:
        return self.inner.read(after, limit=limit)

    @override
    def heads(self) -> Mapping[str, int]:
        return self.inner.heads()


class World:
    """The loop and everything around it."""

    def __init__(self, bounds: Bounds) -> None:
        self.decisions = MemoryDecisions()
        self.story = Story(self.decisions)
        self.followers = MemoryFollowers(self.decisions)
        self.log = Flaky()
        self.refreshes = MemoryRefreshes()
        self.project = Project(
            followers=self.followers,
            log=self.log,
            refreshes=self.refreshes,
            desk=MemoryDeliveryDesk(MemoryDeliveries(self.decisions)),
            logger=structlog.get_logger(),
            bounds=bounds,
        )

    def told(self) -> list[Fact]:
        return [logged.fact for logged in self.log.read({}, limit=1_000)]


@pytest.fixture
def world() -> World:
    return World(Bounds())


def test_a_quiet_store_gives_nothing_to_do(world: World) -> None:
    assert world.project.step(AT) == 0


def test_a_step_follows_and_tells(world: World) -> None:
    world.story.tell(summary(pair("a")), founded(hubspot_contact("77")))

    assert world.project.step(AT) > 0
    assert world.project.step(AT) == 0
    assert world.followers.unfinished() == 0
    (told,) = world.told()
    assert isinstance(told, RollupChanged)
    assert told.stream == stream_of(hubspot_contact("77"))


def test_a_wish_to_read_becomes_a_row(world: World) -> None:
    deal = hubspot_contact("5")
    world.story.tell(
        events.RefreshWanted(
            **said(pair("a")), crm=deal.crm, kind=deal.kind, record_id=deal.id, because="merged"
        )
    )

    world.project.step(AT)

    assert world.refreshes.waiting() == 1


def test_an_instant_wakes_whoever_waits_for_it(world: World) -> None:
    world.story.tell(waits(pair("a"), "time:2026-11-24T09:30:00.000Z"))
    world.project.step(AT)
    assert world.told() == []

    assert world.project.step(AT + timedelta(hours=1)) > 0
    assert [type(fact) for fact in world.told()] == [Reconsider]


def test_a_lost_answer_tells_the_same_fact_twice(world: World) -> None:
    world.story.tell(summary(pair("a")))
    world.log.fails = True

    with pytest.raises(RetryableError):
        world.project.step(AT)
    world.project.step(AT)

    first, second = world.told()
    assert first == second
    assert world.followers.unfinished() == 0


def test_bounded_steps_come_to_the_same_end() -> None:
    whole, sliced = World(Bounds()), World(Bounds(events=2, instants=1, dues=1))
    for world in (whole, sliced):
        contacts = [str(number) for number in range(9)]
        world.story.tell(*(founded(hubspot_contact(c)) for c in contacts))
        world.story.tell(
            summary(pair("a"), contact_ids=tuple(contacts)),
            summary(pair("b"), contact_ids=tuple(contacts[:3]), is_won=True),
        )
        while world.project.step(AT):
            pass

    assert whole.followers.tables.rollups == sliced.followers.tables.rollups
    last = {fact.stream: fact for fact in sliced.told() if isinstance(fact, RollupChanged)}
    assert {s: f.rollup for s, f in last.items()} == {
        fact.stream: fact.rollup for fact in whole.told() if isinstance(fact, RollupChanged)
    }


@pytest.mark.parametrize("name", FOLLOWERS)
def test_folding_again_gives_the_same_rows_and_tells_nobody(world: World, name: str) -> None:
    world.story.tell(summary(pair("a")), waits(pair("a"), "catalog"))
    while world.project.step(AT):
        pass
    told = world.told()

    again = world.followers.folded_again(name)

    live = world.followers.tables
    if name == "sync_status":
        assert again.statuses == live.statuses
    elif name == "contact_rollup":
        assert (again.deals, again.rollups) == (live.deals, live.rollups)
    else:
        assert (again.waits, again.directory) == (live.waits, live.directory)
    assert again.dues == {}
    assert world.told() == told
