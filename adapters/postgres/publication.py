"""What is published of the event store in PostgreSQL, and how far.

One step is one transaction under the lock of the publication's row, held while the window is sent:
whoever else wants to publish passes on. Every writer of events holds one lock until its commit, so
no event below a visible one is still on its way, and what is read to the end ends with a fact.
"""

from collections.abc import Sequence
from typing import Any, Final

from typing_extensions import override

from adapters.postgres.database import Connection, Database
from adapters.postgres.queries import queries_beside
from domain.ids import StreamId
from projections.publishing import (
    DecidedEvent,
    Publication,
    PublicationState,
    Send,
    Window,
    whole_facts,
)

_SQL: Final = queries_beside(__file__)


class PostgresPublication(Publication):
    """The tables of migration 0005.

    Args:
        database: migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    def publish(self, send: Send, *, limit: int, tell_mark: bool) -> int:
        with self._database.transaction() as connection:
            row = connection.execute(_SQL["lock"]).fetchone()
            if row is None:
                return 0
            epoch, position, told = row
            events = _window(connection, position, limit)
            if not events and not (tell_mark and told < position):
                return 0
            before: dict[int, int] = dict(connection.execute(_SQL["before"]).fetchall())
            after = send(Window(epoch, position, before, events))
            connection.execute(
                _SQL["move"],
                {"position": events[-1].id if events else position, "told": position},
            )
            connection.execute(
                _SQL["move_partitions"],
                {"partitions": list(after), "event_ids": list(after.values())},
            )
            return len(events) or 1

    @override
    def state(self) -> PublicationState:
        with self._database.transaction() as connection:
            row = connection.execute(_SQL["state"]).fetchone()
        assert row is not None, "the migration inserts the row"
        return PublicationState(*row)


def _window(connection: Connection, after: int, limit: int) -> tuple[DecidedEvent, ...]:
    while True:
        rows = connection.execute(
            _SQL["window"], {"after": after, "limit": limit + 1}, binary=True
        ).fetchall()
        events = whole_facts([_decided(row) for row in rows], limit)
        if events or not rows:
            return events
        limit *= 2


def _decided(row: Sequence[Any]) -> DecidedEvent:
    event_id, stream, version, topic, state, source, offset, decided_at = row
    return DecidedEvent(
        event_id, StreamId(stream), version, topic, state, source, offset, decided_at
    )
