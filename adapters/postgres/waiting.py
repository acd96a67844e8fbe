"""Counts what waits for a person or for data that is not there yet."""

from collections.abc import Mapping
from typing import Final

from adapters.postgres.database import Database
from adapters.postgres.queries import queries_beside

_SQL: Final = queries_beside(__file__)


def count_waiting(database: Database) -> Mapping[str, int]:
    """Return how much waits, by what it is."""
    with database.transaction() as connection:
        row = connection.execute(_SQL["count_waiting"]).fetchone()
    assert row is not None, "a count always returns a row"
    rejected, parked = row
    return {"rejected": rejected, "parked": parked}
