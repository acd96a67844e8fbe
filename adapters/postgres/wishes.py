"""Counts the records that one request still wants read."""

from typing import Final

from adapters.postgres.database import Database
from adapters.postgres.queries import queries_beside

_SQL: Final = queries_beside(__file__)


def wishes_left(database: Database, cause: str) -> int:
    """Return how many wishes with that cause are not done; their facts are durable before."""
    with database.snapshot() as connection:
        row = connection.execute(_SQL["wishes_left"], {"cause": cause}).fetchone()
    assert row is not None, "a count always returns a row"
    return int(row[0])
