"""What only one of several workers does at a time: terms of leading, kept in the database.

A term is renewed while its holder steps, and ends by itself when it does not: then another one may
take it. A holder that slept learns so at its next renewal. That two lead for a moment must be
harmless to what they lead; this only keeps it rare.
"""

from datetime import datetime, timedelta
from typing import Final

from adapters.postgres.database import Database
from adapters.postgres.queries import queries_beside

#: how long a leader that is silent keeps others waiting
TERM_SECONDS: Final = 15.0
#: how often in a term it says that it is there
RENEWALS_PER_TERM: Final = 5

_SQL: Final = queries_beside(__file__)


class Term:
    """One worker's part in leading a role.

    Args:
        database: migrated.
        role: what is led.
        worker: this worker's name.
        seconds: how long a term lasts.
    """

    def __init__(
        self, database: Database, role: str, worker: str, *, seconds: float = TERM_SECONDS
    ) -> None:
        self._seconds = seconds
        self._database = database
        self._role = role
        self._worker = worker
        self._renewing = timedelta(seconds=seconds / RENEWALS_PER_TERM)
        self._renewed_at: datetime | None = None

    def is_mine(self, at: datetime) -> bool:
        """Take the lead if nobody has it, keep it if it is ours; say whether it is.

        Args:
            at: our clock, only to see how long ago it was renewed.
        """
        renewed = self._renewed_at
        if renewed is not None and timedelta(0) <= at - renewed < self._renewing:
            return True
        with self._database.transaction() as connection:
            row = connection.execute(
                _SQL["take"],
                {"role": self._role, "worker": self._worker, "seconds": self._seconds},
            ).fetchone()
        self._renewed_at = None if row is None else at
        return row is not None

    def resign(self) -> None:
        """Let another one lead at once; harmless if it is not ours."""
        self._renewed_at = None
        with self._database.transaction() as connection:
            connection.execute(_SQL["resign"], {"role": self._role, "worker": self._worker})
