"""The runner: repeats steps, goes on after failures of the world, and gives up on bugs, loudly."""

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
import structlog
from typing_extensions import override

from adapters.clock import SystemClock
from adapters.codec import UnknownTopicError
from adapters.engine.runner import FAILURES_MAX, GivenUpError, Loop, Runner, Waits
from domain.errors import RetryableError

SECONDS_MAX = 10.0
SHORT = Waits(failed_first=0.001, failed_max=0.001)


class Scripted(Loop):
    """A loop whose steps are told what to do; when the script is over it has nothing to do."""

    def __init__(self, *steps: Callable[[], int]) -> None:
        self._steps = list(steps)
        self.count = 0
        self.begun = threading.Event()
        self.over = threading.Event()

    @override
    def step(self, at: datetime) -> int:
        self.count += 1
        self.begun.set()
        if self._steps:
            return self._steps.pop(0)()
        self.over.set()
        return 0


class Broken(Loop):
    """A loop that raises at every step."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.count = 0

    @override
    def step(self, at: datetime) -> int:
        self.count += 1
        raise self._error


def _raise(error: Exception) -> Callable[[], int]:
    def step() -> int:
        raise error

    return step


def _runner(waits: Waits = SHORT, **loops: Loop) -> Runner:
    return Runner(loops, clock=SystemClock(), logger=structlog.get_logger(), waits=waits)


def test_a_failure_of_the_world_is_outlived() -> None:
    away = RetryableError("expected the database to answer, found nothing")
    loop = Scripted(*[_raise(away)] * (2 * FAILURES_MAX), lambda: 1)
    running = _runner(loop=loop)
    running.start()

    assert loop.over.wait(SECONDS_MAX)
    running.check()
    running.stop()


def test_a_bug_that_shows_every_time_stops_everything_and_says_which_loop() -> None:
    broken, other = Broken(KeyError("a bug")), Scripted()
    running = _runner(broken=broken, other=other)
    running.start()

    with pytest.raises(GivenUpError, match="broken"):
        _until(running.check)
    running.stop()
    assert broken.count == FAILURES_MAX


def test_a_bug_that_passes_is_outlived() -> None:
    bug = _raise(KeyError("a bug"))
    steps = [bug] * (FAILURES_MAX - 1) + [lambda: 1]
    loop = Scripted(*steps, *steps)
    running = _runner(loop=loop)
    running.start()

    assert loop.over.wait(SECONDS_MAX)
    running.check()
    running.stop()


def test_what_a_newer_program_wrote_stops_everything_at_once() -> None:
    broken = Broken(UnknownTopicError("expected an event that this program knows"))
    running = _runner(broken=broken)
    running.start()

    with pytest.raises(GivenUpError, match="expected an event"):
        _until(running.check)
    running.stop()
    assert broken.count == 1


def test_work_of_one_loop_wakes_the_others() -> None:
    for_long = Waits(idle_first=SECONDS_MAX, idle_max=SECONDS_MAX)
    idle = Scripted(lambda: 0)
    begun = threading.Event()

    def work() -> int:
        begun.wait(SECONDS_MAX)
        return 1

    running = _runner(for_long, idle=idle, busy=Scripted(work))
    running.start()
    assert idle.begun.wait(SECONDS_MAX)
    begun.set()

    assert idle.over.wait(SECONDS_MAX / 2)
    running.stop()


def test_a_stop_comes_after_the_step_under_way() -> None:
    inside, go_on = threading.Event(), threading.Event()
    ended = []

    def work() -> int:
        inside.set()
        go_on.wait(SECONDS_MAX)
        ended.append(True)
        return 1

    running = _runner(loop=Scripted(work))
    running.start()
    assert inside.wait(SECONDS_MAX)
    threading.Timer(0.05, go_on.set).start()
    running.stop()

    assert ended == [True]


def _until(check: Callable[[], None]) -> None:
    """Repeat a check until it raises; the test decides what that means."""
    tick = threading.Event()
    for _ in range(int(SECONDS_MAX / 0.01)):
        check()
        tick.wait(0.01)
