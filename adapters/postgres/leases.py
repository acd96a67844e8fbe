"""Ends the leases of a process that is gone, so that its successor need not wait for them.

Whoever holds the home's lock for a role knows that nobody else is at its work, or, among several
workers, that nobody else bears its name. Should another home
share the database, this is harmless: who finds its lease gone sends nothing more, and what was
under way is settled by reading (rule `once`).
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from adapters.postgres.database import Database
from adapters.postgres.queries import queries_beside

_SQL: Final = queries_beside(__file__)


def end_leases(
    database: Database, roles: Collection[str], at: datetime, *, worker: str | None = None
) -> None:
    """End what earlier processes of these roles held.

    Args:
        database: migrated.
        roles: those that the caller holds now.
        at: our clock.
        worker: whose attempts are ended; None: everybody's.
    """
    with database.transaction() as connection:
        if "ingest" in roles:
            connection.execute(_SQL["end_refresh_leases"])
        if "deliver" in roles:
            connection.execute(_SQL["end_attempt_leases"], {"at": at, "worker": worker})
