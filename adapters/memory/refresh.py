"""Records that somebody wants read, in memory: the twin of `postgres.refresh`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final

from typing_extensions import override

from adapters.source import WEBHOOKS_FORGOTTEN_AT_ONCE, WEBHOOKS_KEPT, WebhookInbox
from domain.ids import Crm
from domain.ports import Refresh, Refreshes

#: held by nobody, and not waiting in the sense that the same wish is refused
_FREE: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Row:
    wish: Refresh
    held_until: datetime | None = None


class MemoryRefreshes(Refreshes, WebhookInbox):
    """Wishes in a list, oldest first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows: list[_Row] = []
        #: by signature hash, oldest first
        self._received: dict[str, tuple[datetime, bytes]] = {}

    @override
    def add(self, wishes: Sequence[Refresh]) -> None:
        with self._lock:
            self._add(wishes)

    @override
    def claim(
        self, crm: Crm, *, at: datetime, limit: int, lease_seconds: float
    ) -> tuple[Refresh, ...]:
        with self._lock:
            free = [
                row
                for row in self._rows
                if row.wish.crm is crm and (row.held_until is None or row.held_until <= at)
            ][:limit]
            for row in free:
                row.held_until = at + timedelta(seconds=lease_seconds)
            return tuple(row.wish for row in free)

    @override
    def done(self, wishes: Sequence[Refresh]) -> None:
        with self._lock:
            read = set(wishes)
            self._rows = [
                row for row in self._rows if row.held_until is None or row.wish not in read
            ]

    @override
    def give_back(self, wishes: Sequence[Refresh]) -> None:
        with self._lock:
            unread = set(wishes)
            for row in self._rows:
                if row.held_until is not None and row.wish in unread:
                    row.held_until = _FREE

    @override
    def waiting(self) -> int:
        with self._lock:
            return len(self._rows)

    @override
    def receive(
        self, body: bytes, *, signature_hash: str, at: datetime, wishes: Sequence[Refresh]
    ) -> bool:
        with self._lock:
            if signature_hash in self._received:
                return False
            self._received[signature_hash] = (at, body)
            self._add(wishes)
            for key in list(self._received)[:WEBHOOKS_FORGOTTEN_AT_ONCE]:
                if self._received[key][0] < at - WEBHOOKS_KEPT:
                    del self._received[key]
            return True

    def _add(self, wishes: Sequence[Refresh]) -> None:
        waiting = {_named(row.wish) for row in self._rows if row.held_until is None}
        for wish in wishes:
            if _named(wish) not in waiting:
                waiting.add(_named(wish))
                self._rows.append(_Row(wish))


def _named(wish: Refresh) -> Refresh:
    """Return what makes two wishes one: all but when it happened."""
    return replace(wish, at=datetime.min)  # noqa: DTZ901 - compared with itself only
