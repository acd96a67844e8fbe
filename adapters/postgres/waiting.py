"""Counts what waits for a person or for data, and what the followers have not done yet."""

from collections.abc import Mapping
from typing import Final

from psycopg.rows import dict_row

from adapters.postgres.database import Database
from adapters.postgres.queries import queries_beside

_SQL: Final = queries_beside(__file__)


def count_waiting(database: Database) -> Mapping[str, int]:
    """Return how much waits, by what it is."""
    with database.transaction() as connection, connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_SQL["count_waiting"]).fetchone()
    assert row is not None, "a count always returns a row"
    return row


def followers_behind(database: Database) -> tuple[int, int]:
    """Return how many events the slowest follower has before it, and how many signals are due."""
    with database.transaction() as connection:
        row = connection.execute(_SQL["behind"]).fetchone()
    assert row is not None, "a count always returns a row"
    events, due = row
    return events, due
