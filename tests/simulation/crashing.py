"""Crashes of a scripted world, one at every boundary, or one at every pair of boundaries.

The world runs once without a crash. At each crossing of a port it forks: the child's actor dies
there and the child goes on to the end; the parent goes on as if nothing had happened. So each crash
costs only what comes after it. Two crossings between which nothing durable changed are the same
crash of one actor, and are tried once; both are counted.
"""

import gc
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NoReturn

from adapters.simulation.faults import CrashError
from tests.simulation.stage import Stage

#: of what went wrong with one crash
TEXT_MAX = 1_500


@dataclass(frozen=True, slots=True)
class Scenario:
    """What people do while the engine dies at every place, one world each."""

    name: str
    play: Callable[[Stage], None]
    #: every pair of crashes is tried, not only every single one
    delicate: bool = False
    #: a crash may decide who is first: only what must always hold is checked
    races: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one world."""

    #: where its actors died
    crashes: tuple[str, ...]
    #: blank: it converged
    wrong: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a scenario."""

    scenario: str
    #: ports crossed while nobody died
    crossings: int
    verdicts: tuple[Verdict, ...]

    @property
    def wrong(self) -> tuple[Verdict, ...]:
        """Return the worlds that did not converge."""
        return tuple(one for one in self.verdicts if one.wrong)


@dataclass(slots=True)
class _Crashes:
    """Forks the process at every boundary, down to a depth."""

    stage: Stage
    results: int
    depth: int
    #: only each so-manieth distinct crash
    every: int = 1
    crossings: int = 0
    distinct: int = 0
    is_child: bool = False
    crashes: tuple[str, ...] = ()
    _tried: set[tuple[str, int]] = field(default_factory=set)

    def __call__(self, actor: str, place: str) -> None:
        self.crossings += not self.crashes
        if self.depth == 0:
            return
        here = (actor, _durable(self.stage))
        if here in self._tried:
            return
        self._tried.add(here)
        self.distinct += 1
        if self.distinct % self.every:
            return
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
            if status:
                self.report(f"a world ended with status {status}", (*self.crashes, place))
            return
        self.is_child = True
        self.depth -= 1
        self.crashes = (*self.crashes, f"{actor} {place}")
        self._tried.clear()
        self.distinct = 0
        raise CrashError(f"{actor} dies {place}")

    def report(self, wrong: str, crashes: tuple[str, ...] | None = None) -> None:
        """Write down what became of a world."""
        said = asdict(Verdict(self.crashes if crashes is None else crashes, wrong[:TEXT_MAX]))
        os.write(self.results, json.dumps(said).encode() + b"\n")


def tried(scenario: Scenario, *, depth: int = 1, every: int = 1) -> Tried:
    """Let a scenario happen with a crash at every boundary.

    Args:
        scenario: what happens.
        depth: crashes in one world, at most.
        every: try each so-manieth of the distinct crashes only.
    """
    calm = Stage()
    scenario.play(calm)
    calm.settle()
    wanted = None if scenario.races else calm.picture()
    creates = None if scenario.races else calm.creates()
    handle, name = tempfile.mkstemp(prefix="dealsync-crashes-")
    os.close(handle)
    results = os.open(name, os.O_WRONLY | os.O_APPEND)
    try:
        stage = Stage()
        crashes = _Crashes(stage, results, depth, every)
        stage.world.hazards.watch = crashes
        gc.collect()
        gc.freeze()
        try:
            scenario.play(stage)
            stage.settle()
            crashes.report(_wrong(stage, wanted, creates))
        except BaseException as error:
            if crashes.is_child:
                crashes.report(f"{type(error).__name__}: {error}")
                _end()
            raise
        if crashes.is_child:
            _end()
        lines = Path(name).read_text().splitlines()
    finally:
        gc.unfreeze()
        os.close(results)
        Path(name).unlink(missing_ok=True)
    verdicts = [json.loads(line) for line in lines]
    return Tried(
        scenario.name,
        crashes.crossings,
        tuple(Verdict(tuple(one["crashes"]), one["wrong"]) for one in verdicts),
    )


def _end() -> NoReturn:
    os._exit(0)


def _wrong(stage: Stage, wanted: list[str] | None, creates: int | None) -> str:
    """Return in words what is not as it must be; blank: nothing."""
    if stage.restless:
        return f"never quiet: {stage.restless}"
    stage.world.check()
    found = [f"{one.invariant}: {one.text}" for one in stage.world.violations]
    if wanted is not None and (shown := stage.picture()) != wanted:
        more = [one for one in shown if one not in wanted]
        less = [one for one in wanted if one not in shown]
        found.append(f"shows {more} in place of {less}")
    if creates is not None and (made := stage.creates()) != creates:
        found.append(f"{made} records made in place of {creates}")
    return "; ".join(found)


def _durable(stage: Stage) -> int:
    """Return a number that changes with everything that outlives an actor."""
    world = stage.world
    stores = world.stores
    deliveries = stores.deliveries
    tables = stores.followers.tables
    return hash(
        (
            len(world.chronicle.changes),
            tuple(stores.log.heads().values()),
            stores.decisions.last_event_id(),
            tuple(stores.decisions.positions().items()),
            repr(list(vars(stores.bookmarks).values())[-1]),
            repr([value for name, value in vars(stores.refreshes).items() if "lock" not in name]),
            repr(deliveries.rows),
            repr(deliveries.attempts),
            len(deliveries.outcomes),
            len(deliveries.published),
            tuple(tables.positions.items()),
            len(tables.dues),
        )
    )
