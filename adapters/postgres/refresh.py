"""Records that somebody wants read, and webhooks as they came, in PostgreSQL.

Several ingest workers may claim at once: each takes rows that nobody holds and nobody is taking.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from typing_extensions import override

from adapters.postgres.database import Connection, Database
from adapters.postgres.queries import queries_beside
from adapters.source import WEBHOOKS_FORGOTTEN_AT_ONCE, WEBHOOKS_KEPT, WebhookInbox
from domain.ids import Crm, Kind
from domain.ports import Refresh, Refreshes

_SQL: Final = queries_beside(__file__)


class PostgresRefreshes(Refreshes, WebhookInbox):
    """The tables `refresh` and `webhook_inbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    def add(self, wishes: Sequence[Refresh]) -> None:
        if wishes:
            with self._database.transaction() as connection:
                _add(connection, wishes)

    @override
    def claim(
        self, crm: Crm, *, at: datetime, limit: int, lease_seconds: float
    ) -> tuple[Refresh, ...]:
        until = at + timedelta(seconds=lease_seconds)
        with self._database.transaction() as connection:
            rows = connection.execute(
                _SQL["claim"], {"crm": crm, "at": at, "limit": limit, "until": until}
            ).fetchall()
        return tuple(
            Refresh(
                crm=Crm(crm_name),
                kind=Kind(kind),
                record_id=record_id,
                reason=reason,
                cause=cause,
                at=happened_at,
                hint=hint,
            )
            for crm_name, kind, record_id, reason, cause, happened_at, hint in rows
        )

    @override
    def done(self, wishes: Sequence[Refresh]) -> None:
        if wishes:
            with self._database.transaction() as connection:
                connection.execute(_SQL["done"], _columns(wishes))

    @override
    def give_back(self, wishes: Sequence[Refresh]) -> None:
        if wishes:
            with self._database.transaction() as connection:
                connection.execute(_SQL["give_back"], _columns(wishes))

    @override
    def waiting(self) -> int:
        with self._database.transaction() as connection:
            row = connection.execute(_SQL["waiting"]).fetchone()
        assert row is not None, "count gives a row"
        return int(row[0])

    @override
    def receive(
        self, body: bytes, *, signature_hash: str, at: datetime, wishes: Sequence[Refresh]
    ) -> bool:
        with self._database.transaction() as connection:
            row = connection.execute(
                _SQL["receive"],
                {"received_at": at, "signature_hash": signature_hash, "body": body},
            ).fetchone()
            if row is not None and wishes:
                _add(connection, wishes)
            connection.execute(
                _SQL["forget"],
                {"before": at - WEBHOOKS_KEPT, "limit": WEBHOOKS_FORGOTTEN_AT_ONCE},
            )
        return row is not None


def _add(connection: Connection, wishes: Sequence[Refresh]) -> None:
    connection.execute(_SQL["add"], _columns(wishes))


def _columns(wishes: Sequence[Refresh]) -> dict[str, list[str] | list[datetime]]:
    return {
        "crm": [str(wish.crm) for wish in wishes],
        "kind": [str(wish.kind) for wish in wishes],
        "record_id": [wish.record_id for wish in wishes],
        "reason": [wish.reason for wish in wishes],
        "cause": [wish.cause for wish in wishes],
        "hint": [wish.hint for wish in wishes],
        "happened_at": [wish.at for wish in wishes],
    }
