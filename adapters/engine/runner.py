"""Runs the loops: one thread each, which repeats `step` until it is told to stop.

Threads start here and in the servers' skins, nowhere else. A step that found nothing to do is
followed by a short wait, which ends early when another loop has done something: what one writes is
mostly what the next one reads.

| a step | what follows |
|---|---|
| did something | the next one at once |
| found nothing | a wait that doubles up to `Waits.idle_max` |
| raised a `PortError` | a line in the log, a wait that doubles; for ever: the world may come back |
| found a topic that it does not know | everything stops: this program is too old for its store |
| raised anything else | the same as a port's, but after `FAILURES_MAX` in a row everything stops |

It decides nothing and knows no port.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from structlog.typing import FilteringBoundLogger

from adapters.clock import Clock
from adapters.codec import UnknownTopicError
from adapters.engine.backoff import delay_seconds
from domain.errors import PortError

#: a bug that shows every time is not healed by trying; some faults of a dying machine are
FAILURES_MAX: Final = 10
#: how long a stop waits for all steps under way; what lasts longer is cut off by the process's end
STOP_SECONDS_MAX: Final = 10.0


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a loop waits before its next step, in seconds."""

    idle_first: float = 0.01
    #: how late a loop may notice what another process wrote
    idle_max: float = 0.2
    failed_first: float = 0.1
    failed_max: float = 10.0


WAITS: Final = Waits()


class Loop(Protocol):
    """One of the four loops."""

    def step(self, at: datetime) -> int:
        """Do one bounded piece of work; return how much that was, 0 for nothing."""
        ...


class GivenUpError(Exception):
    """A loop cannot go on; the message says which and why."""


class Runner:
    """Repeats the steps of some loops, each in a thread of its own.

    Args:
        loops: by the name they go by in the log.
        clock: read before each step.
        logger: one line a step that did something.
        waits: between steps.
    """

    def __init__(
        self,
        loops: Mapping[str, Loop],
        *,
        clock: Clock,
        logger: FilteringBoundLogger,
        waits: Waits = WAITS,
    ) -> None:
        self._waits = waits
        self._clock = clock
        self._logger = logger
        self._stop = threading.Event()
        self._wakes = {name: threading.Event() for name in loops}
        self._failure: GivenUpError | None = None
        self._threads = [
            threading.Thread(target=self._run, args=(name, loop), name=name, daemon=True)
            for name, loop in loops.items()
        ]

    def start(self) -> None:
        """Begin to step; returns at once."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that something came from outside."""
        for event in self._wakes.values():
            event.set()

    def stop(self) -> None:
        """End every loop after the step under way; harmless if they have ended."""
        self._stop.set()
        self.wake()
        deadline = self._clock.now() + timedelta(seconds=STOP_SECONDS_MAX)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, (deadline - self._clock.now()).total_seconds()))

    def check(self) -> None:
        """Notice a loop that has given up.

        Raises:
            GivenUpError: one has; the others are stopping.
        """
        if self._failure is not None:
            raise self._failure

    def _run(self, name: str, loop: Loop) -> None:
        idle = self._waits.idle_first
        failures = 0
        wake = self._wakes[name]
        while not self._stop.is_set():
            wake.clear()
            try:
                count = loop.step(self._clock.now())
            except Exception as error:  # noqa: BLE001 - judged right here, and never passed over
                failures += 1
                if self._is_hopeless(name, error, failures):
                    return
                self._stop.wait(self._backoff(name, failures))
                continue
            failures = 0
            if count:
                self._logger.info("stepped", loop=name, count=count)
                self._wake_others(name)
                idle = self._waits.idle_first
            else:
                wake.wait(idle)
                idle = min(2 * idle, self._waits.idle_max)

    def _wake_others(self, name: str) -> None:
        for other, event in self._wakes.items():
            if other != name:
                event.set()

    def _backoff(self, name: str, failures: int) -> float:
        waits = self._waits
        return delay_seconds(name, failures, first=waits.failed_first, longest=waits.failed_max)

    def _is_hopeless(self, name: str, error: Exception, failures: int) -> bool:
        """Log a failed step; stop everything if repeating it cannot help."""
        is_ports = isinstance(error, PortError)
        self._logger.warning("step failed", loop=name, failures=failures, error=error)
        is_hopeless = isinstance(error, UnknownTopicError) or (
            not is_ports and failures >= FAILURES_MAX
        )
        if is_hopeless:
            self._logger.error("loop gave up", loop=name, failures=failures, error=error)
            reason = str(error).splitlines()[0] if str(error) else ""
            self._failure = GivenUpError(
                f"the loop {name} cannot go on after {failures} tries:"
                f" {type(error).__name__} {reason}".rstrip()
            )
            self._stop.set()
            self.wake()
        return is_hopeless
