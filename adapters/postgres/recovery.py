"""The event store made anew from what was published of it, after its database was lost.

All is one transaction, so stopping anywhere leaves an empty store to begin again with:

| step | what it makes |
|---|---|
| everything published is staged | nothing yet |
| the cut: the highest mark of the newest epoch | up to there the topic is whole |
| what is beyond the cut, or beyond the cut of a later epoch, is left out | it was lost before |
| each partition's chain is followed | an event that is missing is an alarm, never a silent gap |
| events, each exactly as it was; the position of each source; inline rows | the store at the cut |
| deliveries | what has an answer is settled, everything else is *unknown*: only reading tells |
| wishes to read every living record, and where the sources resume | what was missed meanwhile |
| the new epoch is announced | from here on ids and writes differ from those that were lost |

Followers begin at the first event; they are not part of it. Nothing here can reach a CRM: an
unknown write is read before anything is sent again (rule `once`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from adapters.postgres import rebuilding
from adapters.postgres.database import Connection, Database
from adapters.postgres.delivery_rows import lock as lock_deliveries
from adapters.postgres.queries import queries_beside
from adapters.postgres.recorder import EventRecorder
from domain.claiming import DEFINITION_TOPICS, FREE_TOPICS
from domain.errors import SyncError
from projections.following import INLINE
from projections.publishing import (
    Acknowledged,
    CheckpointTaken,
    EpochStarted,
    Published,
    PublishedEvent,
)

#: what a wish to read says made us look
REFRESH_REASON: Final = "gap"
#: notes and events staged with one COPY
_STAGED_TYPES: Final = (
    *("int4", "int4", "int8", "int8", "int8"),
    *("uuid", "int8", "text", "bytea", "text", "int8", "timestamptz"),
)

_NO_EVENT: Final = (None,) * 8
#: in the place of the event before: tells the cut of an epoch from a mark alone
_CUT: Final = -1

_SQL: Final = queries_beside(__file__)

#: tells the readers of the topic; raises if they may not have heard
Announce = Callable[[EpochStarted], None]


class NotRecoverableError(SyncError):
    """The store is not empty, or what was published of it is not whole."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery made."""

    #: how often the store has been recovered by now
    epoch: int
    #: id of the last event that was recovered
    cut: int
    events: int
    streams: int
    #: published, but not known to be whole: decided anew, where their facts still say so
    left_out: int
    #: writes without an answer: they are read before anything is sent
    unknown_writes: int
    #: records that will be read again
    refreshes: int
    #: last decided offset by source
    positions: Mapping[str, int]


class PostgresRecovery:
    """Recovers one database.

    Args:
        database: migrated, and empty.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_empty(self) -> bool:
        """Tell whether nothing was ever decided here."""
        with self._database.transaction() as connection:
            return _is_empty(connection)

    def digest(self, until: int) -> tuple[int, str]:
        """Count the store's events up to an id, and digest them: equal digests, equal events."""
        with self._database.snapshot() as connection:
            count, digest = _one(connection, "digest", {"until": until})
            return count, digest

    def digests(self) -> Mapping[str, str]:
        """Digest the events and every table of every projection; equal digests, equal contents."""
        with self._database.snapshot() as connection:
            return {
                table: rebuilding.table_digest(connection, table)
                for table in ("stored_events", *chain.from_iterable(rebuilding.TABLES.values()))
            }

    def recover(
        self,
        published: Iterable[Published],
        announce: Announce,
        at: datetime,
        *,
        bookmarks: Mapping[str, str] = MappingProxyType({}),
    ) -> Recovered:
        """Make the store anew.

        Args:
            published: everything that stands in the topic, each partition in its order.
            announce: tells readers of the new epoch, before the store can decide in it.
            at: our clock.
            bookmarks: written whatever was told.

        Raises:
            NotRecoverableError: the store is not empty; nothing was published; or an event that
                was published is missing.
            RetryableError: the database or the brokers do not answer; nothing was changed.
        """
        with self._database.transaction() as connection:
            EventRecorder(self._database).lock(connection)
            if not _is_empty(connection):
                raise NotRecoverableError(
                    "expected an empty store, found events in it: a recovery is for a database"
                    " that was lost; stop every worker, and give it a new database"
                )
            connection.execute(_SQL["make_staging"])
            resume = {**_stage(connection, published), **bookmarks}
            epoch, cut, highest = _one(connection, "cut", {})
            if not highest:
                raise NotRecoverableError(
                    "expected published events, found none: there is nothing to recover from"
                )
            connection.execute(_SQL["make_lost"], {"cut": cut})
            left_out = _one(connection, "count_left_out", {})[0]
            connection.execute(_SQL["make_whole"])
            _check_chains(connection)
            events, streams = _one(connection, "restore_events", {})
            connection.execute(_SQL["analyze_events"])
            connection.execute(_SQL["skip_ids"], {"highest": highest})
            connection.execute(_SQL["restore_positions"])
            for name in INLINE:
                rebuilding.fold_inline(connection, name)
            unknown = _restore_deliveries(connection, cut, at)
            connection.execute(
                _SQL["restore_bookmarks"],
                {"names": list(resume), "texts": list(resume.values())},
            )
            refreshes = connection.execute(
                _SQL["wish_to_read"],
                {"reason": REFRESH_REASON, "cause": f"recovery {epoch + 1}", "at": at},
            ).rowcount
            connection.execute(_SQL["start_epoch"], {"epoch": epoch + 1, "cut": cut})
            connection.execute(_SQL["restore_partitions"])
            positions = dict(connection.execute(_SQL["positions"]).fetchall())
            announce(EpochStarted(epoch=epoch + 1, cut=cut))
        return Recovered(
            epoch=epoch + 1,
            cut=cut,
            events=events,
            streams=streams,
            left_out=left_out,
            unknown_writes=unknown,
            refreshes=refreshes,
            positions=positions,
        )


def _is_empty(connection: Connection) -> bool:
    return not _one(connection, "has_events", {})[0]


def _stage(connection: Connection, published: Iterable[Published]) -> dict[str, str]:
    """Copy everything beside the store; return the bookmarks that were told last."""
    newest = CheckpointTaken(epoch=-1, bookmarks={})
    with connection.cursor() as cursor, cursor.copy(_SQL["stage"]) as copy:
        copy.set_types(_STAGED_TYPES)
        for found in published:
            if isinstance(found, PublishedEvent):
                event = found.event
                copy.write_row(
                    (
                        found.partition,
                        found.epoch,
                        found.mark,
                        found.previous,
                        event.id,
                        UUID(event.stream),
                        event.version,
                        event.topic,
                        event.state,
                        event.source,
                        event.offset,
                        event.decided_at,
                    )
                )
                continue
            match found.note:
                case CheckpointTaken():
                    # Of one epoch they stand in one partition, in order.
                    if found.note.epoch >= newest.epoch:
                        newest = found.note
                    continue
                case Acknowledged(epoch=epoch, mark=mark):
                    copy.write_row((found.partition, epoch, mark, None, *_NO_EVENT))
                case EpochStarted(epoch=epoch, cut=cut):
                    # Its cut is also the first mark of its epoch.
                    copy.write_row((found.partition, epoch, cut, _CUT, *_NO_EVENT))
    connection.execute(_SQL["analyze_staging"])
    return newest.bookmarks


def _check_chains(connection: Connection) -> None:
    """Follow each partition from its first event to its last.

    Raises:
        NotRecoverableError: an event is missing, or stands there twice and differs.
    """
    double = connection.execute(_SQL["two_stores"]).fetchone()
    if double is not None:
        raise NotRecoverableError(
            f"expected one event {double[0]}, found two that differ: two databases published to"
            " these topics; which of them is true only a person can say"
        )
    broken = connection.execute(_SQL["broken_chain"]).fetchone()
    if broken is not None:
        partition, event_id, previous, found = broken
        raise NotRecoverableError(
            f"expected event {previous} before event {event_id} in partition {partition}, found"
            f" {found or 'none'}: published events are missing; restore the topic or the database"
            " from a backup"
        )


def _restore_deliveries(connection: Connection, cut: int, at: datetime) -> int:
    """Give every write its row; return how many must be read."""
    lock_deliveries(connection)
    connection.execute(
        _SQL["restore_deliveries"],
        {"definitions": sorted(DEFINITION_TOPICS), "free": sorted(FREE_TOPICS)},
    )
    connection.execute(_SQL["move_cursor"], {"cut": cut})
    connection.execute(_SQL["restore_fuse"], {"at": at})
    return int(_one(connection, "count_unknown", {})[0])


def _one(connection: Connection, query: str, parameters: Mapping[str, object]) -> Sequence[Any]:
    row = connection.execute(_SQL[query], parameters).fetchone()
    assert row is not None, f"{query} always returns a row"
    return row
