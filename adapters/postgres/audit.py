"""The rows of `audit_line`, written in the decide transaction as their fold says."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from adapters.postgres.database import Connection
from adapters.postgres.queries import queries_beside
from domain.ports import StoredEvent
from projections import audit_line
from projections.audit_line import AuditField

_SQL: Final = queries_beside(__file__)
_FIELDS: Final = TypeAdapter(tuple[AuditField, ...])


def fields_json(fields: tuple[AuditField, ...]) -> str:
    """Return a line's fields as their column holds them."""
    return _FIELDS.dump_json(fields).decode()


def write_lines(connection: Connection, decided: Sequence[tuple[StoredEvent, datetime]]) -> None:
    """Add the lines of a batch.

    Args:
        connection: in the decide transaction.
        decided: events with our clock when they were decided, in order.
    """
    rows = [
        (stored, number, line)
        for stored, at in decided
        for number, line in enumerate(audit_line.lines(stored, at))
    ]
    if not rows:
        return
    with connection.cursor() as cursor, cursor.copy(_SQL["copy"]) as copy:
        for stored, number, line in rows:
            copy.write_row(
                (
                    stored.stream,
                    stored.version,
                    number,
                    stored.id,
                    line.at,
                    line.kind,
                    line.rule,
                    line.opportunity_id,
                    line.deal_id,
                    line.contact_id,
                    line.crm,
                    line.object,
                    line.record_id,
                    line.operation,
                    fields_json(line.fields),
                    line.reason,
                    line.ambiguous,
                    line.cause.fact,
                    line.cause.by,
                    line.cause.at,
                    line.policy_version,
                    line.write_id,
                )
            )
