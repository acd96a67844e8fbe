"""A PostgreSQL database: connections, transactions, and the schema's migrations.

Everything of ours stands in one schema, found through the search path, so SQL files name no schema.
Port adapters take a `Database` and open one transaction a method.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias

import psycopg
from psycopg import IsolationLevel, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg.types.string import TextLoader
from psycopg_pool import ConnectionPool

from domain.errors import RetryableError

Connection: TypeAlias = psycopg.Connection[TupleRow]

SCHEMA: Final = "dealsync"
POOL_SIZE_MAX: Final = 12
#: how long a transaction waits for a free connection
POOL_SECONDS_MAX: Final = 30.0
_VERSIONS: Final = Path(__file__).parent / "migrations" / "versions"
#: the server is away, or gave up on us
_AWAY: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.IdleInTransactionSessionTimeout,
)
_SCHEMA_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class DatabaseAwayError(RetryableError):
    """Our own database does not answer."""


class Database:
    """One schema of one database.

    Args:
        url: `postgresql://…` or a libpq connection string.
        schema: lower-case name; made by `migrate` if it is not there.
        worker: the name that connections bear, and rows that say whose they are.
        silent_seconds: after so long without a word in mid-transaction the server gives up on it:
            who sleeps then holds locks that everybody waits for. None: as the server is set.

    Raises:
        ValueError: the schema's name needs quoting.
    """

    def __init__(
        self,
        url: str,
        schema: str = SCHEMA,
        *,
        worker: str = "dealsync",
        silent_seconds: float | None = None,
    ) -> None:
        if not _SCHEMA_NAME.fullmatch(schema):
            message = f"expected a schema name of a-z, 0-9 and _, found {schema!r}"
            raise ValueError(message)
        self.url = url
        self.schema = schema
        own = str(conninfo_to_dict(url).get("options") or "")
        if silent_seconds is not None:
            own += f" -c idle_in_transaction_session_timeout={int(silent_seconds * 1_000)}"
        self.conninfo = make_conninfo(
            url,
            options=f"{own} -c search_path={schema} -c timezone=UTC".strip(),
            application_name=worker,
        )
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            self.conninfo,
            min_size=0,
            max_size=POOL_SIZE_MAX,
            timeout=POOL_SECONDS_MAX,
            open=False,
            configure=_read_uuid_as_text,
            name=f"dealsync-{schema}",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; the object is used no more."""
        self._pool.close()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Run one READ COMMITTED transaction: committed at the end, rolled back on an exception.

        Raises:
            RetryableError: the server is away, shuts down, or gave up on a lock or on us. A commit
                whose answer was lost may have happened: whoever repeats must be able to tell.
        """
        with self._transaction(IsolationLevel.READ_COMMITTED, read_only=False) as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Run one REPEATABLE READ transaction that can only read: every query sees one moment."""
        with self._transaction(IsolationLevel.REPEATABLE_READ, read_only=True) as connection:
            yield connection

    @contextmanager
    def _transaction(self, isolation: IsolationLevel, *, read_only: bool) -> Iterator[Connection]:
        try:
            self._pool.open()
            with self._pool.connection() as connection:
                # Told to the server with BEGIN, so neither costs a round trip.
                connection.isolation_level = isolation
                connection.read_only = read_only
                with connection.transaction():
                    yield connection
        except _AWAY as error:
            found = " ".join(str(error).split())
            message = f"expected the database to answer, found: {found}; the step is tried again"
            raise DatabaseAwayError(message, code=error.sqlstate or "") from error

    def lock_key(self, name: str) -> int:
        """Return the advisory lock key of a name in this schema: 64 bits, signed."""
        digest = hashlib.blake2b(f"{self.schema}.{name}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big", signed=True)

    def migrate(self) -> None:
        """Bring the schema to the newest form; any number of processes may do so at once.

        The lock is the session's of a connection of its own, because alembic ends transactions
        as it likes. Each migration is one of the transactions it makes.

        Raises:
            NewerSchemaError: start the newer program instead.
            RetryableError: the database does not answer.
        """
        try:
            self._migrate()
        except psycopg.OperationalError as error:
            message = f"expected the database to answer, found: {' '.join(str(error).split())}"
            raise DatabaseAwayError(message, code=error.sqlstate or "") from error

    def _migrate(self) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as alone:
            if self._is_newest(alone):
                return
            # It takes most of a second to load, and a command in a running home never needs it.
            from adapters.postgres import schema_upgrade  # noqa: PLC0415

            alone.execute("SELECT pg_advisory_lock(%s)", (self.lock_key("migrations"),))
            alone.execute(
                sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self.schema))
            )
            schema_upgrade.upgrade(self.conninfo, self.schema)

    def _is_newest(self, connection: Connection) -> bool:
        """Tell whether the schema has the form of the newest migration, as alembic noted it."""
        newest = max(path.stem.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))
        table = connection.execute(
            "SELECT to_regclass(%s) IS NOT NULL", (f"{self.schema}.migration",)
        ).fetchone()
        if table is None or not table[0]:
            return False
        noted = connection.execute("SELECT version_num FROM migration").fetchall()
        return noted == [(newest,)]


def _read_uuid_as_text(connection: Connection) -> None:
    """Make uuid columns arrive as the text that our ids are."""
    connection.adapters.register_loader("uuid", TextLoader)
