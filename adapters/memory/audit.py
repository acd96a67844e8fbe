"""The rows of `audit_line` in memory: the twin of `postgres.audit`."""

from collections.abc import Sequence
from datetime import datetime

from domain.ports import StoredEvent
from projections import audit_line
from projections.audit_line import AuditLine


class MemoryAudit:
    """Lines in a list, oldest first; called by the store with each commit."""

    def __init__(self) -> None:
        #: event id and line, as the events say them
        self.lines: list[tuple[int, AuditLine]] = []

    def __call__(self, decided: Sequence[tuple[StoredEvent, datetime]]) -> None:
        """Add the lines of a batch."""
        self.lines += [
            (stored.id, line) for stored, at in decided for line in audit_line.lines(stored, at)
        ]
