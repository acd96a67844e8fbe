"""Where each source resumes: small texts by name, in PostgreSQL."""

from collections.abc import Mapping
from typing import Final

from typing_extensions import override

from adapters.postgres.database import Database
from adapters.postgres.queries import queries_beside
from domain.ports import Bookmarks

_SQL: Final = queries_beside(__file__)


class PostgresBookmarks(Bookmarks):
    """The table `bookmark`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    def read(self, name: str) -> str | None:
        with self._database.transaction() as connection:
            row = connection.execute(_SQL["read"], {"name": name}).fetchone()
        return None if row is None else str(row[0])

    @override
    def write(self, name: str, text: str) -> None:
        with self._database.transaction() as connection:
            connection.execute(_SQL["write"], {"name": name, "text": text})

    def all(self) -> Mapping[str, str]:
        """Return every text by its name, as of one moment."""
        with self._database.transaction() as connection:
            return dict(connection.execute(_SQL["all"]).fetchall())
