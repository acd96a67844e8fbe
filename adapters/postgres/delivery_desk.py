"""What operators see and do about deliveries, in PostgreSQL."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from typing_extensions import override

from adapters.postgres import delivery_rows
from adapters.postgres.database import Connection, Database
from adapters.postgres.delivery_rows import WRITE
from adapters.postgres.queries import queries_beside
from domain import outcomes
from domain.deliveries import (
    Brakes,
    CallLimits,
    Counts,
    Delivery,
    DeliveryDesk,
    Echo,
    FuseState,
    State,
    Suspension,
)
from domain.ids import Crm, StreamId, WriteId
from domain.rules import RuleId

_SQL: Final = queries_beside(__file__)


class PostgresDeliveryDesk(DeliveryDesk):
    """The tables of migration 0002, for people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    def find(
        self, *, stream: StreamId | None = None, states: Collection[State] = (), limit: int
    ) -> tuple[Delivery, ...]:
        with self._database.transaction() as connection:
            delivery_rows.adopt_all(connection)
            rows = connection.execute(
                _SQL["find"],
                {"stream": stream, "states": [str(state) for state in states], "limit": limit},
            ).fetchall()
        return tuple(
            Delivery(
                write=WRITE.validate_json(payload),
                rule=rule,
                decided_at=decided_at,
                state=State(state),
                reason=reason,
                attempts=attempts,
                retry_at=retry_at,
                record_id=record_id,
                sent_at=sent_at,
                answered_at=answered_at,
                echo=None if echo is None else Echo(echo),
            )
            for (
                payload,
                rule,
                decided_at,
                state,
                reason,
                attempts,
                retry_at,
                record_id,
                sent_at,
                answered_at,
                echo,
            ) in rows
        )

    @override
    def retry(self, write_ids: Collection[WriteId]) -> int:
        with self._database.transaction() as connection:
            delivery_rows.adopt_all(connection)
            return connection.execute(_SQL["retry"], {"writes": list(write_ids)}).rowcount

    @override
    def cancel(self, write_ids: Collection[WriteId], *, reason: str, at: datetime) -> int:
        with self._database.transaction() as connection:
            delivery_rows.adopt_all(connection)
            rows = connection.execute(
                _SQL["cancel"], {"writes": list(write_ids), "reason": reason}
            ).fetchall()
            return delivery_rows.add_outcomes(
                connection,
                [
                    (
                        Crm(crm),
                        outcomes.cancelled(
                            stream, write_id, number=number, rule=rule, reason=reason, at=at
                        ),
                    )
                    for write_id, stream, number, rule, crm in rows
                ],
            )

    @override
    def counts(self, *, unseen_after: datetime) -> Counts:
        with self._database.transaction() as connection:
            delivery_rows.adopt_all(connection)
            row = connection.execute(_SQL["counts"], {"unseen_after": unseen_after}).fetchone()
        assert row is not None, "a count always returns a row"
        pending, sent, unknown, held, unpublished, unseen = row
        return Counts(pending, sent, unknown, held, unpublished, unseen)

    @override
    def mark_echoes(self, echoes: Mapping[WriteId, Echo]) -> None:
        rows = [{"write_id": write_id, "echo": str(echo)} for write_id, echo in echoes.items()]
        with self._database.transaction() as connection:
            delivery_rows.lock(connection)
            connection.execute(_SQL["mark_echoes"], {"rows": json.dumps(rows)})


class PostgresBrakes(Brakes):
    """Fuse, suspensions and budgets of migration 0002."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    def fuse(self) -> FuseState:
        with self._database.transaction() as connection:
            row = connection.execute(_SQL["fuse_state"]).fetchone()
        assert row is not None, "migrations insert the fuse's row"
        blown_at, held = row
        return FuseState(blown_at, held)

    @override
    def mend_fuse(self, *, release: bool, at: datetime, by: str) -> int:
        with self._database.transaction() as connection:
            delivery_rows.lock(connection)
            connection.execute(_SQL["mend_fuse"], {"at": at})
            if release:
                reason = {"reason": f"released by {by}"}
                return connection.execute(_SQL["release_held"], reason).rowcount
            return _discard(connection, at, f"discarded by {by}")

    @override
    def suspensions(self, at: datetime) -> tuple[Suspension, ...]:
        with self._database.transaction() as connection:
            return delivery_rows.suspensions(connection, at)

    @override
    def suspend(self, suspension: Suspension | Crm) -> None:
        with self._database.transaction() as connection:
            match suspension:
                case Suspension():
                    delivery_rows.suspend(connection, suspension)
                case Crm():
                    connection.execute(_SQL["lift"], {"crm": str(suspension)})

    @override
    def take(self, crm: Crm, calls: int, limits: CallLimits, at: datetime) -> datetime | None:
        with self._database.transaction() as connection:
            after = delivery_rows.spent(connection, [crm])[crm].take(calls, limits, at)
            if isinstance(after, datetime):
                return after
            delivery_rows.write_spent(connection, crm, after)
            return None


def _discard(connection: Connection, at: datetime, reason: str) -> int:
    rows = connection.execute(_SQL["discard_held"], {"reason": reason}).fetchall()
    return delivery_rows.add_outcomes(
        connection,
        [
            (
                Crm.HUBSPOT,
                outcomes.cancelled(
                    stream,
                    write_id,
                    number=number,
                    rule=RuleId.DELETE_FUSE,
                    reason=reason,
                    at=at,
                ),
            )
            for write_id, stream, number in rows
        ],
    )
