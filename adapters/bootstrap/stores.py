"""Everything that is kept in the database, opened for a home.

The database is the one of the settings, or the home's own: joined if it runs, started if not, and
stopped by the last process that leaves it.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.home import prepare_home
from adapters.postgres import audit
from adapters.postgres.bookmarks import PostgresBookmarks
from adapters.postgres.change_log import PostgresChangeLog
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


@dataclass(frozen=True, slots=True)
class Stores:
    """The ports over one database."""

    database: Database
    log: PostgresChangeLog
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


@contextmanager
def open_stores(settings: Settings) -> Iterator[Stores]:
    """Open the database of the settings, migrated.

    Raises:
        HomeError: the home cannot be used.
        EmbeddedPostgresError: the home's own server does not start.
        RetryableError: the database does not answer.
    """
    home = prepare_home(settings.home)
    with ExitStack() as opened:
        database = opened.enter_context(Database(_url(settings, home, opened)))
        database.migrate()
        yield over(database)


def over(database: Database) -> Stores:
    """Return the ports over a migrated database."""
    return Stores(
        database=database,
        log=PostgresChangeLog(database),
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
