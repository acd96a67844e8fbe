"""The eventsourcing library's recorder over our own table and transaction.

The library's readers (`select_events`, `select_notifications`, subscriptions) work unchanged. What
is ours is the way in: a plain transaction (its psycopg pipeline hangs for ever on big batches), an
advisory lock instead of the EXCLUSIVE table lock (which blocks VACUUM), and COPY. Tables come from
migrations, never from a starting worker, and the library's database functions stay off: with them
it loses positions without a word.

The lock is what makes a tail by id complete: ids are drawn only under it and it lasts to the
commit, so ids become visible in order. Holes are normal.

Source: eventsourcing 9.5.6, postgres.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from eventsourcing.persistence import ProgrammingError
from eventsourcing.persistence import StoredEvent as LibraryEvent
from eventsourcing.postgres import ConnectionPool, PostgresDatastore, PostgresProcessRecorder
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row, tuple_row
from typing_extensions import override

from adapters.postgres.database import Database
from adapters.postgres.queries import queries_beside

_SQL: Final = queries_beside(__file__)
_COLUMNS: Final = ("uuid", "int8", "text", "bytea", "text", "int8", "timestamptz")
_READER_POOL_SIZE_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class EventRow:
    """A row of the event table, before it has an id."""

    stream: UUID
    version: int
    topic: str
    #: JSON, UTF-8
    state: bytes
    source: str
    offset: int
    decided_at: datetime


class _Datastore(PostgresDatastore):
    """The library's connections, for its readers only, to our schema."""

    def __init__(self, database: Database) -> None:
        named = conninfo_to_dict(database.url)
        super().__init__(
            dbname=str(named.get("dbname", "")),
            host=str(named.get("host", "")),
            port=str(named.get("port", "")),
            user=str(named.get("user", "")),
            password=str(named.get("password", "")),
            schema=database.schema,
            originator_id_type="uuid",
            enable_db_functions=False,
        )
        # Not opened yet, so it holds nothing. Ours keeps the options of the connection string.
        self.pool = ConnectionPool(
            database.conninfo,
            connection_class=psycopg.Connection[DictRow],
            kwargs={"row_factory": dict_row},
            min_size=0,
            max_size=_READER_POOL_SIZE_MAX,
            open=False,
            configure=self.after_connect_func(),
        )

    @override
    def register_type_adapters(self) -> None:
        """Register nothing: the composite type is for the library's own insert."""


class EventRecorder(PostgresProcessRecorder):
    """Events and positions in the library's tables.

    Args:
        database: migrated.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(_Datastore(database))
        self._lock_key = database.lock_key("events")

    @override
    def insert_events(
        self, stored_events: Sequence[LibraryEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        message = (
            "expected events to come in through Decisions.commit, which fences other workers, "
            f"found {len(stored_events)} on the library's own way"
        )
        raise ProgrammingError(message)

    def lock(self, connection: psycopg.Connection[Any]) -> None:
        """Take the store's lock until the transaction ends; every writer of events does."""
        connection.execute(_SQL["lock"], {"key": self._lock_key})

    def append(self, connection: psycopg.Connection[Any], rows: Sequence[EventRow]) -> range:
        """Copy events in order, under the lock.

        Returns:
            Their ids, in the same order.
        """
        if not rows:
            return range(0)
        with connection.cursor() as cursor, cursor.copy(_SQL["copy_events"]) as copy:
            copy.set_types(_COLUMNS)
            for row in rows:
                copy.write_row(
                    (
                        row.stream,
                        row.version,
                        row.topic,
                        row.state,
                        row.source,
                        row.offset,
                        row.decided_at,
                    )
                )
        with connection.cursor(row_factory=tuple_row) as cursor:
            drawn = cursor.execute(_SQL["last_drawn_id"]).fetchone()
        assert drawn is not None
        connection.execute(sql.SQL("NOTIFY {}").format(sql.Identifier(self.channel_name)))
        return range(drawn[0] - len(rows) + 1, drawn[0] + 1)
