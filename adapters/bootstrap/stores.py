"""Everything that is kept in the database, opened for a home.

The database is the one of the settings, or the home's own: joined if it runs, started if not, and
stopped by the last process that leaves it. Facts are in it too, or in Kafka (`change_logs`).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.bootstrap.change_logs import (
    ChangeLogs,
    LogName,
    in_postgres,
    open_change_logs,
    worker_name,
)
from adapters.clock import SystemClock
from adapters.home import prepare_home
from adapters.postgres import audit
from adapters.postgres.bookmarks import PostgresBookmarks
from adapters.postgres.database import Database
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.deliveries import PostgresDeliveries
from adapters.postgres.delivery_desk import PostgresBrakes, PostgresDeliveryDesk
from adapters.postgres.embedded import EmbeddedPostgres
from adapters.postgres.followers import PostgresFollowers
from adapters.postgres.rebuilding import PostgresRebuilds
from adapters.postgres.refresh import PostgresRefreshes
from adapters.postgres.views import PostgresViews
from adapters.settings import Settings
from domain.ports import ChangeLog

#: how long the database bears with a process that sleeps in mid-transaction, in times that a
#: worker may be silent
SILENT_SESSIONS: Final = 1.5


@dataclass(frozen=True, slots=True)
class Stores:
    """The ports over one database and its log."""

    database: Database
    logs: ChangeLogs
    decisions: PostgresDecisions
    deliveries: PostgresDeliveries
    desk: PostgresDeliveryDesk
    brakes: PostgresBrakes
    #: also the webhook inbox
    refreshes: PostgresRefreshes
    bookmarks: PostgresBookmarks
    followers: PostgresFollowers
    rebuilds: PostgresRebuilds
    views: PostgresViews

    @property
    def log(self) -> ChangeLog:
        """All facts."""
        return self.logs.log


@contextmanager
def open_stores(
    settings: Settings,
    *,
    log: LogName | None = None,
    worker: str | None = None,
    recovering: bool = False,
) -> Iterator[Stores]:
    """Open the database of the settings, migrated, and its log.

    Args:
        settings: of this process.
        log: the log that the user asked for; None: what there is.
        worker: tells several workers on one home apart.
        recovering: an empty database may meet a log with facts.

    Raises:
        SettingsError: the database goes with another log.
        HomeError: the home cannot be used.
        EmbeddedPostgresError: the home's own server does not start.
        RetryableError: the database does not answer.
    """
    home = prepare_home(settings.home)
    with ExitStack() as opened:
        name = worker_name(home, worker)
        database = opened.enter_context(
            Database(
                _url(settings, home, opened),
                worker=name,
                # A recovery waits for Kafka in mid-transaction, and nobody waits for it.
                silent_seconds=None
                if recovering
                else SILENT_SESSIONS * settings.kafka.session_seconds,
            )
        )
        database.migrate()
        logs = opened.enter_context(
            open_change_logs(
                database,
                settings,
                SystemClock(),
                worker=name,
                wanted=log,
                recovering=recovering,
            )
        )
        yield over(database, logs)


def over(database: Database, logs: ChangeLogs | None = None) -> Stores:
    """Return the ports over a migrated database and its log; None: PostgreSQL's own."""
    return Stores(
        database=database,
        logs=logs or in_postgres(database),
        decisions=PostgresDecisions(database, inline=(audit.write_lines,)),
        deliveries=PostgresDeliveries(database),
        desk=PostgresDeliveryDesk(database),
        brakes=PostgresBrakes(database),
        refreshes=PostgresRefreshes(database),
        bookmarks=PostgresBookmarks(database),
        followers=PostgresFollowers(database),
        rebuilds=PostgresRebuilds(database),
        views=PostgresViews(database),
    )


def _url(settings: Settings, home: Path, opened: ExitStack) -> str:
    if settings.database_url is not None:
        return settings.database_url
    server = EmbeddedPostgres(home)
    opened.callback(server.stop)
    return server.ensure_running()
