"""Projections folded again from all events, compared with the live rows, and put in their place.

The second set of rows stands in temporary tables of the same names, which one connection of its own
finds first, so the same statements fill either set; all is one transaction, so stopping anywhere
changes nothing, and readers see the old rows or the new ones. The live tables keep their identity
(views and rights stand on them): only rows that differ are exchanged.

A follower is folded up to about where the live one is, then under its lock to exactly there. Inline
tables are compared in one snapshot, and restored under the store's lock, with the engine stopped.
Nothing here knows a CRM, a gateway, or the change log (rule `replay-silent`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.types.string import TextLoader
from typing_extensions import override

from adapters import codec
from adapters.postgres import (
    audit,
    followers,
    identities,
    outbound,
    reaction_rows,
    rollup_rows,
    status_rows,
)
from adapters.postgres.database import Connection, Database
from adapters.postgres.queries import queries_beside
from adapters.postgres.recorder import EventRecorder
from domain.errors import RetryableError
from domain.ids import StreamId
from domain.ports import StoredEvent
from projections.following import (
    CONTACT_ROLLUP,
    FOLLOWERS,
    INLINE,
    REACTIONS,
    SYNC_STATUS,
    Comparison,
    Difference,
    ProjectionKind,
    ProjectionState,
    Rebuilds,
)

#: tables by projection; what is due is none of them
TABLES: Final = {
    SYNC_STATUS: status_rows.TABLES,
    CONTACT_ROLLUP: rollup_rows.TABLES,
    REACTIONS: reaction_rows.TABLES,
    "record_identity": ("record_identity",),
    "outbound_write": ("outbound_write",),
    "audit_line": ("audit_line",),
}
#: events folded at a time
EVENTS_MAX: Final = 2_000
#: a follower is taken under its lock when it is not further behind than this
CATCH_UP_MAX: Final = 5_000
#: differing rows that are shown
DIFFERENCES_MAX: Final = 20

_SQL: Final = queries_beside(__file__)


class PostgresRebuilds(Rebuilds):
    """Projections of one database.

    Args:
        database: migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    def states(self) -> tuple[ProjectionState, ...]:
        with self._database.snapshot() as connection:
            head = _number(connection, _SQL["head"])
            positions: dict[str, int] = dict(connection.execute(_SQL["positions"]).fetchall())
            return tuple(
                ProjectionState(
                    name=name,
                    kind=ProjectionKind.INLINE if name in INLINE else ProjectionKind.FOLLOWER,
                    position=positions.get(name, head),
                    head=head,
                    rows=sum(_count(connection, table) for table in TABLES[name]),
                )
                for name in (*INLINE, *FOLLOWERS)
            )

    @override
    def compare(self, name: str) -> Comparison:
        tables = TABLES[name]
        with self._alone() as connection:
            if name in INLINE:
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                _beside(connection, self._database.schema, tables)
                position = fold_inline(connection, name)
            else:
                _beside(connection, self._database.schema, tables)
                position = _catch_up(connection, name)
            return self._compared(connection, name, position)

    @override
    def rebuild(self, name: str) -> Comparison:
        tables = TABLES[name]
        with self._alone() as connection:
            _beside(connection, self._database.schema, tables)
            if name in INLINE:
                EventRecorder(self._database).lock(connection)
                position = fold_inline(connection, name)
            else:
                position = _catch_up(connection, name)
            found = self._compared(connection, name, position)
            if found.differing:
                for table in tables:
                    _exchange(connection, self._database.schema, table)
            return found

    def _compared(self, connection: Connection, name: str, position: int) -> Comparison:
        tables = TABLES[name]
        schema = self._database.schema
        found = [_differing(connection, schema, table) for table in tables]
        shown = [difference for _, some in found for difference in some]
        digests = [table_digest(connection, table) for table in tables]
        return Comparison(
            name=name,
            position=position,
            rows=sum(_count(connection, table) for table in tables),
            digest=digests[0] if len(digests) == 1 else "-".join(d[:8] for d in digests),
            differing=sum(count for count, _ in found),
            differences=tuple(shown[:DIFFERENCES_MAX]),
        )

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        """Run one transaction on a connection of its own.

        It prepares no statement: a prepared one would go on meaning the live tables.
        """
        try:
            with psycopg.connect(self._database.conninfo, prepare_threshold=None) as connection:
                connection.adapters.register_loader("uuid", TextLoader)
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            message = f"expected the database to answer, found: {error}; try again"
            raise RetryableError(message, code=error.sqlstate or "") from error


def _beside(connection: Connection, schema: str, tables: Sequence[str]) -> None:
    """Make empty tables of the same names, which this transaction finds first."""
    for table in tables:
        make = sql.SQL("CREATE TEMP TABLE {own} (LIKE {live} INCLUDING ALL) ON COMMIT DROP")
        connection.execute(
            make.format(own=sql.Identifier(table), live=sql.Identifier(schema, table))
        )
        found = connection.execute(
            "SELECT %s::regclass = %s::regclass", (table, f"pg_temp.{table}")
        )
        row = found.fetchone()
        assert row is not None and row[0], f"the temporary table {table} is found first"  # noqa: PT018 - one thing


def _catch_up(connection: Connection, name: str) -> int:
    """Fold all events that the live follower has seen; holds it from then on."""
    after = 0
    while (until := _position(connection, name)) - after > CATCH_UP_MAX:
        after = _fold_to(connection, name, after=after, until=until)
    return _fold_to(connection, name, after=after, until=followers.lock(connection, name))


def _fold_to(connection: Connection, name: str, *, after: int, until: int) -> int:
    while after < until:
        batch = followers.read(connection, name, after=after, until=until, limit=EVENTS_MAX)
        if not batch:
            return until
        followers.fold(connection, name, batch)
        after = batch[-1].id
    return until


def fold_inline(connection: Connection, name: str) -> int:
    """Fold all events of the store into an inline table; return the last one's id."""
    head = _number(connection, _SQL["head"])
    for batch in _facts(connection, head):
        match name:
            case "record_identity":
                identities.fold(connection, (stored.event for stored, _ in batch))
            case "outbound_write":
                outbound.write_rows(connection, batch)
            case _:
                audit.write_lines(connection, batch)
    return head


def _facts(connection: Connection, until: int) -> Iterator[list[tuple[StoredEvent, datetime]]]:
    """Read events in batches that end at a fact's last event, because a fact is folded whole."""
    after = 0
    pending: list[tuple[StoredEvent, datetime]] = []
    while True:
        window = {"after": after, "until": until, "limit": EVENTS_MAX}
        rows = connection.execute(_SQL["decided"], window, binary=True).fetchall()
        pending += [_decided(row) for row in rows]
        if not rows:
            if pending:
                yield pending
            return
        after = rows[-1][0]
        last = pending[-1][0]
        whole = [p for p in pending if (p[0].source, p[0].offset) != (last.source, last.offset)]
        pending = pending[len(whole) :]
        if whole:
            yield whole


def _decided(row: Sequence[Any]) -> tuple[StoredEvent, datetime]:
    event_id, stream, version, topic, state, source, offset, decided_at = row
    stored = StoredEvent(
        id=event_id,
        stream=StreamId(stream),
        version=version,
        event=codec.decode_event(topic, state),
        source=source,
        offset=offset,
    )
    return stored, decided_at


def _differing(connection: Connection, schema: str, table: str) -> tuple[int, list[Difference]]:
    """Return how many rows differ, and the first of them."""
    count, shown = 0, []
    for what, ours, theirs in (
        ("missing", sql.Identifier(table), sql.Identifier(schema, table)),
        ("extra", sql.Identifier(schema, table), sql.Identifier(table)),
    ):
        query = sql.SQL(
            "SELECT row, count(*) OVER () FROM (SELECT to_jsonb(o)::text AS row FROM {ours} AS o "
            "EXCEPT ALL SELECT to_jsonb(t)::text FROM {theirs} AS t) AS differing "
            "ORDER BY row LIMIT {limit}"
        ).format(ours=ours, theirs=theirs, limit=sql.Literal(DIFFERENCES_MAX))
        rows = connection.execute(query).fetchall()
        count += rows[0][1] if rows else 0
        shown += [Difference(table, what, row) for row, _ in rows]
    return count, shown


def table_digest(connection: Connection, table: str) -> str:
    """Digest a table's rows; equal digests are equal contents."""
    query = sql.SQL(
        "SELECT md5(coalesce(string_agg(md5(row), '' ORDER BY row COLLATE \"C\"), '')) "
        "FROM (SELECT to_jsonb(t)::text AS row FROM {table} AS t) AS all_rows"
    ).format(table=sql.Identifier(table))
    row = connection.execute(query).fetchone()
    assert row is not None, "an aggregate always returns a row"
    return str(row[0])


def _exchange(connection: Connection, schema: str, table: str) -> None:
    """Let the live table hold the rows of the one beside it."""
    names = {"own": sql.Identifier(table), "live": sql.Identifier(schema, table)}
    connection.execute(
        sql.SQL(
            "DELETE FROM {live} AS l WHERE NOT EXISTS "
            "(SELECT FROM {own} AS o WHERE to_jsonb(o) = to_jsonb(l))"
        ).format(**names)
    )
    connection.execute(
        sql.SQL(
            "INSERT INTO {live} SELECT o.* FROM {own} AS o WHERE NOT EXISTS "
            "(SELECT FROM {live} AS l WHERE to_jsonb(l) = to_jsonb(o))"
        ).format(**names)
    )


def _count(connection: Connection, table: str) -> int:
    return _number(
        connection, sql.SQL("SELECT count(*) FROM {table}").format(table=sql.Identifier(table))
    )


def _position(connection: Connection, name: str) -> int:
    positions: dict[str, int] = dict(connection.execute(_SQL["positions"]).fetchall())
    return positions[name]


def _number(connection: Connection, query: bytes | sql.Composed) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None, "an aggregate always returns a row"
    return int(row[0])
