"""The event store in PostgreSQL: the decide transaction.

One transaction a batch, READ COMMITTED, in this order:

| step | why there |
|---|---|
| position rows locked in source order, compared, moved | a second worker waits, then is fenced |
| the store's lock | from here on nobody else adds events |
| events newer than the batch's state; if any, the batch decided anew | once, no rollback |
| events by COPY, then identities, outbound writes, other inline rows | all under the lock |

Nothing that another worker could also write is written before the lock. An aggregate is loaded by
reading its whole stream: whoever decides keeps recent ones in memory, and the cold ones of a batch
come with one query.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

import psycopg
from typing_extensions import override

from adapters import codec
from adapters.postgres import identities, outbound
from adapters.postgres.database import Connection, Database
from adapters.postgres.queries import queries_beside
from adapters.postgres.recorder import EventRecorder, EventRow
from domain.errors import SyncError
from domain.ids import Ref, StreamId
from domain.ports import (
    Advance,
    Batch,
    Committed,
    Decisions,
    Fenced,
    Loaded,
    PlacedEvent,
    StoredEvent,
)

#: writes rows that depend on one event alone, in the decide transaction: event, decided at
InlineRows: TypeAlias = Callable[[Connection, Sequence[tuple[StoredEvent, datetime]]], None]

_SQL: Final = queries_beside(__file__)


class StoreClashError(AssertionError):
    """The store refused a row that only a bug can write: a second version, a second write."""


class StoreRecoveredError(SyncError):
    """The store is not the one that this worker began with: it must start again."""


class _FencedError(Exception):
    """Roll back: another worker moved a source."""

    def __init__(self, fenced: Fenced) -> None:
        super().__init__(fenced)
        self.fenced = fenced


class PostgresDecisions(Decisions):
    """Events, positions, identities and outbound writes in one database.

    Args:
        database: migrated.
        inline: what else is written with each commit.
    """

    def __init__(self, database: Database, inline: Sequence[InlineRows] = ()) -> None:
        self._database = database
        self._inline: tuple[InlineRows, ...] = (outbound.write_rows, *inline)
        self._epoch: int | None = None
        self.recorder = EventRecorder(database)

    def epoch(self) -> int:
        """Return how often the store had been recovered when it was first asked.

        A worker whose store was recovered under it remembers what that store never held: from then
        on its commits are refused.
        """
        if self._epoch is None:
            with self._database.transaction() as connection:
                self._epoch = _epoch(connection)
        return self._epoch

    @override
    def positions(self) -> Mapping[str, int]:
        with self._database.transaction() as connection:
            return dict(connection.execute(_SQL["positions"]).fetchall())

    @override
    def load(self, streams: Collection[StreamId], refs: Collection[Ref]) -> Loaded:
        events: dict[StreamId, list[StoredEvent]] = {stream: [] for stream in streams}
        with self._database.snapshot() as connection:
            as_of = _last_event_id(connection)
            if events:
                rows = connection.execute(
                    _SQL["load_streams"], {"streams": list(events)}, binary=True
                ).fetchall()
                for event in map(_stored, rows):
                    events[event.stream].append(event)
            found = identities.load(connection, refs)
        return Loaded(
            as_of=as_of,
            events={stream: tuple(history) for stream, history in events.items()},
            identities=found,
        )

    @override
    def commit(
        self, batch: Batch, redecide: Callable[[tuple[StoredEvent, ...]], Batch]
    ) -> Committed | Fenced:
        try:
            with self._database.transaction() as connection:
                self._advance(connection, batch.advances)
                self.recorder.lock(connection)
                self._check_epoch(connection)
                newer = _tail(connection, batch.as_of, limit=None)
                if newer:
                    advances = batch.advances
                    batch = redecide(newer)
                    assert batch.advances == advances, "re-deciding moves no other positions"
                stored = self._append(connection, batch.events)
                identities.fold(connection, (event.event for event in stored))
                decided = [(s, p.decided_at) for s, p in zip(stored, batch.events, strict=True)]
                for write_rows in self._inline:
                    write_rows(connection, decided)
        except _FencedError as error:
            return error.fenced
        except psycopg.IntegrityError as error:
            message = f"expected rows that are not there yet, found: {error}"
            raise StoreClashError(message) from error
        newest = stored or newer
        return Committed(newest[-1].id if newest else batch.as_of, stored)

    @override
    def tail(self, after: int, *, limit: int) -> tuple[StoredEvent, ...]:
        with self._database.transaction() as connection:
            return _tail(connection, after, limit=limit)

    @override
    def last_event_id(self) -> int:
        with self._database.transaction() as connection:
            return _last_event_id(connection)

    def _advance(self, connection: Connection, advances: Sequence[Advance]) -> None:
        if not advances:
            return
        sources = [advance.source for advance in advances]
        new = [advance.source for advance in advances if advance.expected < 0]
        if new:
            connection.execute(_SQL["found_positions"], {"sources": new})
        found: dict[str, int] = dict(
            connection.execute(_SQL["lock_positions"], {"sources": sources}).fetchall()
        )
        for advance in sorted(advances, key=lambda a: a.source):
            at = found.get(advance.source, -1)
            if at != advance.expected:
                raise _FencedError(Fenced(advance.source, at))
        connection.execute(
            _SQL["move_positions"], {"sources": sources, "new": [a.new for a in advances]}
        )

    def _check_epoch(self, connection: Connection) -> None:
        found = _epoch(connection)
        if self._epoch is None:
            self._epoch = found
        if found != self._epoch:
            message = (
                f"expected the store of epoch {self._epoch}, found that it was recovered since"
                f" (epoch {found}): start this worker again"
            )
            raise StoreRecoveredError(message)

    def _append(
        self, connection: Connection, placed: Sequence[PlacedEvent]
    ) -> tuple[StoredEvent, ...]:
        ids = self.recorder.append(connection, [_row(event) for event in placed])
        return tuple(
            StoredEvent(
                id=event_id,
                stream=event.event.stream,
                version=event.version,
                event=event.event,
                source=event.source,
                offset=event.offset,
            )
            for event_id, event in zip(ids, placed, strict=True)
        )


def _row(placed: PlacedEvent) -> EventRow:
    topic, state = codec.encode_event(placed.event)
    return EventRow(
        stream=UUID(placed.event.stream),
        version=placed.version,
        topic=topic,
        state=state,
        source=placed.source,
        offset=placed.offset,
        decided_at=placed.decided_at,
    )


def _stored(row: Sequence[Any]) -> StoredEvent:
    event_id, stream, version, topic, state, source, offset = row
    return StoredEvent(
        id=event_id,
        stream=StreamId(stream),
        version=version,
        event=codec.decode_event(topic, state),
        source=source,
        offset=offset,
    )


def _tail(connection: Connection, after: int, *, limit: int | None) -> tuple[StoredEvent, ...]:
    rows = connection.execute(_SQL["tail"], {"after": after, "limit": limit}, binary=True)
    return tuple(map(_stored, rows.fetchall()))


def _epoch(connection: Connection) -> int:
    found = connection.execute(_SQL["epoch"]).fetchone()
    assert found is not None, "the migration inserts the row"
    return int(found[0])


def _last_event_id(connection: Connection) -> int:
    newest = connection.execute(_SQL["last_event_id"]).fetchone()
    assert newest is not None
    return int(newest[0])
