"""The rows of `outbound_write`, written in the decide transaction as their fold says."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from adapters.postgres.database import Connection
from adapters.postgres.queries import queries_beside
from domain.ports import StoredEvent
from projections import outbound_write
from projections.outbound_write import OutboundWrite, Withdrawal

_SQL: Final = queries_beside(__file__)


def write_rows(connection: Connection, decided: Sequence[tuple[StoredEvent, datetime]]) -> None:
    """Add the rows of a batch, then mark what it withdraws.

    Args:
        connection: in the decide transaction.
        decided: events with our clock when they were decided, in order.
    """
    changes = [outbound_write.change(stored, at) for stored, at in decided]
    rows = [change for change in changes if isinstance(change, OutboundWrite)]
    if rows:
        with connection.cursor() as cursor, cursor.copy(_SQL["copy"]) as copy:
            for row in rows:
                copy.write_row(
                    (
                        row.write_id,
                        row.stream,
                        row.version,
                        row.crm,
                        row.operation,
                        row.write.topic,
                        row.write.__pydantic_serializer__.to_json(row.write).decode(),
                        row.rule,
                        row.reason,
                        row.ambiguous,
                        row.cause,
                        row.policy_version,
                        row.decided_at,
                    )
                )
    # The last one stands, as in the fold: an update from two rows would take either.
    withdrawn = {
        change.write_id: change.reason for change in changes if isinstance(change, Withdrawal)
    }
    if withdrawn:
        connection.execute(
            _SQL["withdraw"],
            {"write_ids": list(withdrawn), "reasons": list(withdrawn.values())},
        )
