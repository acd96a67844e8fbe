"""A fact decided twice, or in another batch, makes no other world (rules `once`, `order`)."""

import random
from datetime import timedelta

import pytest
import structlog
from hypothesis import given, settings
from typing_extensions import override

from adapters.engine.decide import Decide
from adapters.engine.domain_rules import DomainRules
from adapters.engine.known import Bounds
from adapters.memory.change_log import MemoryChangeLog
from adapters.memory.decisions import MemoryDecisions
from adapters.simulation import schedule
from adapters.simulation.world import World
from domain.facts import Fact
from domain.ports import KeyedFact, Topic
from domain.writes import Write
from tests.laws.test_histories import STEPS, played
from tests.support.scenario import Scenario

SEED = 2
CHOICES = 60


class Stuttering(Scenario):
    """A scenario to which every fact is told twice."""

    def __init__(self) -> None:
        super().__init__()
        #: what was decided at the second telling
        self.again: list[Write] = []

    @override
    def when(self, fact: Fact) -> "Scenario":
        super().when(fact)
        first = self.last
        super().when(fact)
        self.again.extend(self.writes())
        self.last = first
        return self


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_decide_twice_writes_once(steps: list[tuple[str, str | None]]) -> None:
    """The log may hold a fact twice: a writer died before it heard that it was taken."""
    stuttering = Stuttering()

    played(steps, stuttering)

    assert not stuttering.again


@pytest.fixture(scope="module")
def world() -> World:
    """Return a world in which much has happened."""
    made = World(SEED)
    for choice in schedule.drawn(random.Random(SEED), CHOICES):  # noqa: S311 - chance
        made.make(choice)
    made.calm_down()
    return made


@pytest.mark.parametrize("batch", [7, 500])
def test_the_size_of_a_batch_decides_nothing(batch: int, world: World) -> None:
    assert decided(world, batch) == decided(world, 1)


def decided(world: World, batch: int) -> list[str]:
    """Decide every fact of a world in one order, so many at a time."""
    log = MemoryChangeLog()
    for logged in world.stores.log.read({}, limit=10**9):
        log.append([KeyedFact(Topic.REQUESTS, "all", logged.fact)])
    decisions = MemoryDecisions()
    decide = Decide(
        log=log,
        decisions=decisions,
        rules=DomainRules(),
        logger=structlog.get_logger(),
        bounds=Bounds(facts=batch),
    )
    at = world.clock.at + timedelta(seconds=1)
    while decide.step(at):
        pass
    return [stored.event.model_dump_json() for stored in decisions.events]
