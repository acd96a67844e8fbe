"""The followers in PostgreSQL: one step is one transaction under the lock of the follower's row.

| stopped here | after the restart |
|---|---|
| before the commit of `follow` | rows and position stand where they stood |
| after it | what it found out is noted as due in the same transaction |
| in `emit`, after sending, before the commit | it is sent again: the same facts, by their ids |
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from typing_extensions import override

from adapters import codec
from adapters.postgres import reaction_rows, rollup_rows, status_rows
from adapters.postgres.database import Connection, Database
from adapters.postgres.queries import queries_beside
from domain.events import EVENTS, Event
from domain.ids import StreamId
from projections import contact_rollup, reactions, signals, sync_status
from projections.following import (
    CONTACT_ROLLUP,
    REACTIONS,
    SYNC_STATUS,
    Followed,
    Followers,
    Send,
)
from projections.reactions import Cause

_SQL: Final = queries_beside(__file__)
_KNOWN: Final = frozenset(kind.TOPIC for kind in EVENTS)

#: event types that each follower decodes
TOPICS: Final[Mapping[str, frozenset[str]]] = {
    SYNC_STATUS: sync_status.TOPICS,
    CONTACT_ROLLUP: contact_rollup.TOPICS,
    REACTIONS: reactions.TOPICS,
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a follower is."""

    event_id: int
    woken_to: datetime | None


class PostgresFollowers(Followers):
    """The tables of migration 0004.

    Args:
        database: migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    def follow(self, name: str, *, limit: int) -> int:
        with self._held(name) as (connection, place):
            if place is None:
                return 0
            batch = read(connection, name, after=place.event_id, until=None, limit=limit)
            if not batch:
                return 0
            match name:
                case "sync_status":
                    status_rows.fold(connection, batch)
                case "contact_rollup":
                    reaction_rows.note(connection, rollup_rows.fold(connection, batch))
                case _:
                    reaction_rows.fold_and_note(connection, batch, place.woken_to)
            connection.execute(_SQL["move"], {"name": name, "event_id": batch[-1].id})
            return len(batch)

    @override
    def wake(self, at: datetime, *, limit: int) -> int:
        with self._held(REACTIONS) as (connection, place):
            if place is None:
                return 0
            cause = Cause(place.event_id, at, 0)
            count, woken_to = reaction_rows.wake(connection, at, place.woken_to, cause, limit=limit)
            if count:
                connection.execute(_SQL["move_woken"], {"name": REACTIONS, "woken_to": woken_to})
            return count

    @override
    def emit(self, send: Send, *, limit: int) -> int:
        with self._database.transaction() as connection:
            lock = {"key": self._database.lock_key("signals")}
            row = connection.execute(_SQL["lock_emission"], lock).fetchone()
            if row is None or not row[0]:
                return 0
            dues = reaction_rows.oldest_due(connection, limit)
            if not dues:
                return 0
            going = signals.outgoing(dues, reaction_rows.PostgresLookups(connection))
            send(going)
            reaction_rows.settle(connection, dues)
            return len(dues)

    @override
    def unfinished(self) -> int:
        with self._database.snapshot() as connection:
            row = connection.execute(_SQL["unfinished"]).fetchone()
        assert row is not None, "a count always returns a row"
        return int(row[0])

    @contextmanager
    def _held(self, name: str) -> Iterator[tuple[Connection, _Place | None]]:
        """Hold a follower's row; None: another worker does."""
        with self._database.transaction() as connection:
            row = connection.execute(_SQL["lock"], {"name": name}).fetchone()
            yield connection, None if row is None else _Place(*row)


def fold(connection: Connection, name: str, batch: Sequence[Followed]) -> None:
    """Fold a batch over a follower's rows, and note nothing as due (rule `replay-silent`)."""
    match name:
        case "sync_status":
            status_rows.fold(connection, batch)
        case "contact_rollup":
            rollup_rows.fold(connection, batch)
        case _:
            reaction_rows.fold(connection, batch)


def lock(connection: Connection, name: str) -> int:
    """Wait for a follower's row, hold it, and return its position."""
    row = connection.execute(_SQL["lock_waiting"], {"name": name}).fetchone()
    assert row is not None, "migrations insert a row for each follower"
    return int(row[0])


def read(
    connection: Connection, name: str, *, after: int, until: int | None, limit: int
) -> tuple[Followed, ...]:
    """Read events as a follower sees them, oldest first.

    Raises:
        UnknownTopicError: a newer program wrote what this one does not know: it must stop.
    """
    rows = connection.execute(
        _SQL["read"],
        {
            "topics": sorted(TOPICS[name] | codec.UPCASTERS.keys()),
            "after": after,
            "until": until,
            "limit": limit,
        },
        binary=True,
    )
    return tuple(
        Followed(
            id=event_id,
            stream=StreamId(stream),
            version=version,
            decided_at=decided_at,
            event=_decoded(topic, state),
        )
        for event_id, stream, version, decided_at, topic, state in rows
    )


def _decoded(topic: str, state: bytes | None) -> Event | None:
    if state is not None:
        return codec.decode_event(topic, state)
    if topic not in _KNOWN:
        message = (
            f"expected an event that this program knows, found {topic!r}; a newer program wrote "
            "it: stop this one and start the newer"
        )
        raise codec.UnknownTopicError(message)
    return None
