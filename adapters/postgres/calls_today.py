"""How many calls were made of each CRM today (rule `budget`)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from adapters.postgres.database import Database
from adapters.postgres.queries import queries_beside
from domain.ids import Crm

_SQL: Final = queries_beside(__file__)


def calls_today(database: Database, at: datetime) -> Mapping[Crm, int]:
    """Return the calls of the UTC day, by CRM."""
    with database.snapshot() as connection:
        rows = connection.execute(_SQL["calls_today"], {"at": at}).fetchall()
    return {Crm(crm): count for crm, count in rows}
