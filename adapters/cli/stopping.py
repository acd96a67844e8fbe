"""SIGINT and SIGTERM: a first one asks a serving command to end, a second one is not waited for.

A signal's handler runs between two instructions of the main thread, which may be inside of a lock
of `threading.Event` just then; setting the event would wait for that lock for ever. A `SimpleQueue`
is made to be put to from a handler, so that is what carries the news.
"""

import queue
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether somebody asked this process to end; only the main thread waits for it."""

    def __init__(self) -> None:
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._asked = False

    def ask(self) -> None:
        """Ask for the end; may be called by a signal's handler."""
        self._news.put(None)

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until somebody asks, at most so long; True: somebody did, now or before."""
        if not self._asked:
            try:
                self._news.get(timeout=timeout_seconds)
            except queue.Empty:
                return False
            self._asked = True
        return True


@contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Give a request that is made when somebody asks this process to end."""
    request = StopRequest()

    def ask(_number: int, _frame: FrameType | None) -> None:
        request.ask()
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, ask) for number in _SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
