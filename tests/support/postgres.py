"""A real PostgreSQL for tests: one server a session, one migrated schema a test.

The server is the embedded one in a temporary home. `database()` gives a schema with a number of its
own, so that tests cannot meet, and drops it afterwards.
"""

import atexit
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from adapters.postgres.database import Database
from adapters.postgres.embedded import EmbeddedPostgres

_NUMBERS = itertools.count(1)


@lru_cache(maxsize=1)
def server_url() -> str:
    """Start the session's server, once; it is stopped and its home deleted at exit."""
    home = Path(tempfile.mkdtemp(prefix="dealsync-test-"))
    server = EmbeddedPostgres(home / "home")

    def stop() -> None:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)

    atexit.register(stop)
    return server.ensure_running()


@contextmanager
def database(*, migrated: bool = True, options: str = "") -> Iterator[Database]:
    """Give a schema of its own, dropped afterwards; `options` go to its connections."""
    url = make_conninfo(server_url(), options=options) if options else server_url()
    with Database(url, f"test_{next(_NUMBERS)}") as given:
        if migrated:
            given.migrate()
        yield given
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(given.schema))
        )
