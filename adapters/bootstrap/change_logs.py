"""Which change log a database goes with: PostgreSQL's own, or Kafka. It stays with its first.

Positions in the store count the facts of one log. So what was chosen when the first command opened
the database is written down in it, and every later command follows that.
"""

import hashlib
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from adapters.clock import Clock
from adapters.engine.deliver import LEASE_SECONDS
from adapters.kafka_log.client import cluster_of
from adapters.kafka_log.log import KafkaChangeLog, has_facts
from adapters.kafka_log.shared import SharedKafkaLog
from adapters.postgres.bookmarks import PostgresBookmarks
from adapters.postgres.change_log import PostgresChangeLog
from adapters.postgres.database import Database
from adapters.postgres.decisions import PostgresDecisions
from adapters.settings import Settings, SettingsError
from domain.ports import ChangeLog

#: the bookmark that names the log
CHOSEN: Final = "log"
#: PostgreSQL cuts longer names of connections off
NAME_CHARACTERS_MAX: Final = 63
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]")


class LogName(StrEnum):
    """Where facts are kept."""

    POSTGRES = "postgres"
    KAFKA = "kafka"


@dataclass(frozen=True, slots=True)
class ChangeLogs:
    """The log, as commands look at it and as this process decides from it."""

    name: LogName
    #: all of it
    log: ChangeLog
    #: what this process decides: all of it, or its share among the workers
    mine: ChangeLog
    #: None: PostgreSQL's own
    kafka: KafkaChangeLog | None = None
    #: this process's name among the workers; None: there are no others
    worker: str | None = None
    #: how long writes are kept from other workers while they are sent
    lease_seconds: float = LEASE_SECONDS


@contextmanager
def open_change_logs(
    database: Database,
    settings: Settings,
    clock: Clock,
    *,
    worker: str,
    wanted: LogName | None,
    recovering: bool = False,
) -> Iterator[ChangeLogs]:
    """Open the log that goes with a database.

    Args:
        database: migrated.
        settings: say where Kafka is.
        clock: stamps records.
        worker: this process's name among the workers.
        wanted: what the user asked for; None: what there is, else what the settings name.
        recovering: an empty database may meet a log with facts.

    Raises:
        SettingsError: the database goes with another log, or the settings do not say where it is.
    """
    if _chosen(database, settings, wanted, recovering=recovering) is LogName.POSTGRES:
        yield in_postgres(database)
        return
    kafka = KafkaChangeLog(cluster_of(settings), clock)
    share = SharedKafkaLog(kafka, worker, PostgresBookmarks(database), clock)
    try:
        yield ChangeLogs(LogName.KAFKA, kafka, share, kafka, worker, settings.kafka.lease_seconds)
    finally:
        share.close()
        kafka.close()


def in_postgres(database: Database) -> ChangeLogs:
    """Return PostgreSQL's own log: there is one worker."""
    log = PostgresChangeLog(database)
    return ChangeLogs(LogName.POSTGRES, log, log)


def worker_name(home: Path, number: str | None) -> str:
    """Return what this process is called among the workers: the same each time it starts.

    Args:
        home: whose lock it holds.
        number: tells several on one home apart.
    """
    place = hashlib.sha256(str(home).encode()).hexdigest()[:8]
    name = "-".join(part for part in (socket.gethostname(), place, number) if part)
    return _NOT_IN_NAMES.sub("_", name)[-NAME_CHARACTERS_MAX:]


def _chosen(
    database: Database, settings: Settings, wanted: LogName | None, *, recovering: bool
) -> LogName:
    bookmarks = PostgresBookmarks(database)
    said = bookmarks.read(CHOSEN)
    if said is not None:
        chosen = LogName(said)
    elif PostgresDecisions(database).positions() or any(
        head >= 0 for head in PostgresChangeLog(database).heads().values()
    ):
        chosen = LogName.POSTGRES  # from before the choice was written down
    else:
        chosen = wanted or (LogName.KAFKA if settings.kafka_bootstrap_servers else LogName.POSTGRES)
    if wanted is not None and wanted is not chosen:
        raise SettingsError(
            f"expected the log {wanted}, found that this database began with {chosen}, and its"
            " positions count that one's facts; use an empty database (DEALSYNC_HOME,"
            " DATABASE_URL) for another log"
        )
    if chosen is LogName.KAFKA:
        cluster = cluster_of(settings)
        if said is None and not recovering and has_facts(cluster):
            raise SettingsError(
                "expected empty topics for an empty database, found facts: decided anew they would"
                " be written to both CRMs again; recover the database from Kafka, or choose other"
                " topics with DEALSYNC_KAFKA_PREFIX"
            )
    if said is None and not recovering:
        # A recovery that fails must leave a database that is refused still.
        bookmarks.write(CHOSEN, chosen)
    return chosen
