"""Keeps a sandbox's tables in one SQLite file, so that a restart loses nothing that was answered.

One transaction per request, before its answer leaves. A write-ahead log with `synchronous=NORMAL`
survives the end of the process at any moment, SIGKILL too, because the system has the pages by
then; the last answers before a power cut may be lost, which a sandbox can bear.
"""

import json
import sqlite3
from pathlib import Path

from adapters.sandbox.tables import Row, Tables

_SCHEMA = """
CREATE TABLE IF NOT EXISTS row (
  position INTEGER PRIMARY KEY,
  "table" TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  UNIQUE ("table", key)
)
"""
_PUT = """
INSERT INTO row ("table", key, value) VALUES (?, ?, ?)
ON CONFLICT ("table", key) DO UPDATE SET value = excluded.value
"""
_DROP = 'DELETE FROM row WHERE "table" = ? AND key = ?'
_LOAD = 'SELECT "table", key, value FROM row ORDER BY position'


class SandboxInUseError(Exception):
    """Another process holds this sandbox's file."""


class Store:
    """The file of one sandbox, held by one process; calls must be serialized."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            SandboxInUseError: another process has it open.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._unsaved: list[tuple[str, str, Row | None]] = []
        self._connection = sqlite3.connect(
            path, timeout=0.5, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("BEGIN EXCLUSIVE")
            self._connection.execute(_SCHEMA)
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._connection.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise SandboxInUseError(
                    f"{path} is open in another process; stop that sandbox, or use another home"
                ) from error
            raise

    def load(self, tables: Tables) -> None:
        """Fill the tables with what was saved; rows come back in their order."""
        tables.load(
            (table, key, json.loads(value)) for table, key, value in self._connection.execute(_LOAD)
        )

    def save(self, tables: Tables) -> None:
        """Save what changed since the last call, in one transaction.

        If that fails, the changes are kept and saved with the next.
        """
        self._unsaved.extend(tables.take_dirty())
        if not self._unsaved:
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for table, key, row in self._unsaved:
                if row is None:
                    self._connection.execute(_DROP, (table, key))
                else:
                    self._connection.execute(_PUT, (table, key, json.dumps(row)))
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk has rolled back by itself
                self._connection.execute("ROLLBACK")
            raise
        self._unsaved.clear()

    def close(self) -> None:
        """Close the file; another process may then open it."""
        self._connection.close()
