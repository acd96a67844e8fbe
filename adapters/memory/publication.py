"""What is published of the event store in memory: the twin of `postgres.publication`."""

from threading import RLock

from typing_extensions import override

from adapters import codec
from adapters.memory.decisions import MemoryDecisions
from domain.ports import StoredEvent
from projections.publishing import (
    DecidedEvent,
    Publication,
    PublicationState,
    Send,
    Window,
    whole_facts,
)


class MemoryPublication(Publication):
    """Positions in variables, moved by one sender at a time.

    Args:
        decisions: whose events are published.
        epoch: counts recoveries of the store.
    """

    def __init__(self, decisions: MemoryDecisions, *, epoch: int = 0) -> None:
        self._decisions = decisions
        self._epoch = epoch
        self._lock = RLock()
        self._sending = False
        self._position = 0
        self._told = 0
        self._before: dict[int, int] = {}

    @override
    def publish(self, send: Send, *, limit: int, tell_mark: bool) -> int:
        with self._lock:
            if self._sending:
                return 0
            events = self._window(limit)
            if not events and not (tell_mark and self._told < self._position):
                return 0
            window = Window(self._epoch, self._position, dict(self._before), events)
            self._sending = True
            try:
                after = send(window)
            finally:
                self._sending = False
            self._told = window.mark
            if events:
                self._position = events[-1].id
            self._before.update(after)
            return len(events) or 1

    @override
    def state(self) -> PublicationState:
        with self._lock:
            return PublicationState(self._epoch, self._position, self._decisions.last_event_id())

    def _window(self, limit: int) -> tuple[DecidedEvent, ...]:
        while True:
            stored = self._decisions.tail(self._position, limit=limit + 1)
            events = whole_facts([self._decided(event) for event in stored], limit)
            if events or not stored:
                return events
            limit *= 2

    def _decided(self, stored: StoredEvent) -> DecidedEvent:
        topic, state = codec.encode_event(stored.event)
        return DecidedEvent(
            id=stored.id,
            stream=stored.stream,
            version=stored.version,
            topic=topic,
            state=state,
            source=stored.source,
            offset=stored.offset,
            decided_at=self._decisions.decided_at[stored.id],
        )
