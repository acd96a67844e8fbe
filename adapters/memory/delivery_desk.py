"""What operators see and do about deliveries, in memory: the twin of `postgres.delivery_desk`."""

from collections.abc import Collection, Mapping
from datetime import datetime

from typing_extensions import override

from adapters.memory.deliveries import UNSENT, MemoryDeliveries
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


class MemoryDeliveryDesk(DeliveryDesk):
    """The rows of a `MemoryDeliveries`, for people."""

    def __init__(self, deliveries: MemoryDeliveries) -> None:
        self._of = deliveries

    @override
    def find(
        self, *, stream: StreamId | None = None, states: Collection[State] = (), limit: int
    ) -> tuple[Delivery, ...]:
        with self._of.lock:
            self._of.adopt()
            rows = sorted(self._of.rows.values(), key=lambda row: -row.place[1])
            found = [
                row
                for row in rows
                if stream in (None, row.stream) and (not states or row.state in states)
            ]
            return tuple(
                Delivery(
                    write=self._of.outbound(row).write,
                    rule=self._of.outbound(row).rule,
                    decided_at=self._of.outbound(row).decided_at,
                    state=row.state,
                    reason=row.reason,
                    attempts=row.attempts,
                    retry_at=row.retry_at,
                    record_id=row.record_id,
                    sent_at=row.sent_at,
                    answered_at=row.answered_at,
                    echo=row.echo,
                )
                for row in found[:limit]
            )

    @override
    def retry(self, write_ids: Collection[WriteId]) -> int:
        with self._of.lock:
            self._of.adopt()
            rows = [
                row
                for row in self._of.rows.values()
                if row.write_id in write_ids and row.state in (State.PENDING, State.UNKNOWN)
            ]
            for row in rows:
                row.retry_at = None
            return len(rows)

    @override
    def cancel(self, write_ids: Collection[WriteId], *, reason: str, at: datetime) -> int:
        with self._of.lock:
            self._of.adopt()
            rows = [
                row
                for row in self._of.rows.values()
                if row.write_id in write_ids and row.state in UNSENT
            ]
            for row in rows:
                self._of.cancel(row, rule=self._of.outbound(row).rule, reason=reason, at=at)
            return len(rows)

    @override
    def counts(self, *, unseen_after: datetime) -> Counts:
        with self._of.lock:
            self._of.adopt()
            rows = self._of.rows.values()
            states = [row.state for row in rows]
            return Counts(
                pending=states.count(State.PENDING),
                sent=states.count(State.SENT),
                unknown=states.count(State.UNKNOWN),
                held=states.count(State.HELD),
                unpublished=len(self._of.outcomes) - len(self._of.published),
                unseen=sum(
                    row.state is State.DONE
                    and row.echo is None
                    and row.answered_at is not None
                    and row.answered_at > unseen_after
                    for row in rows
                ),
            )

    @override
    def mark_echoes(self, echoes: Mapping[WriteId, Echo]) -> None:
        with self._of.lock:
            for write_id, echo in echoes.items():
                row = self._of.rows.get(write_id)
                if row is not None and row.state is State.DONE and row.echo is None:
                    row.echo = echo


class MemoryBrakes(Brakes):
    """The fuse, suspensions and budgets of a `MemoryDeliveries`."""

    def __init__(self, deliveries: MemoryDeliveries) -> None:
        self._of = deliveries

    @override
    def fuse(self) -> FuseState:
        with self._of.lock:
            held = sum(row.state is State.HELD for row in self._of.rows.values())
            return FuseState(self._of.blown_at, held)

    @override
    def mend_fuse(self, *, release: bool, at: datetime, by: str) -> int:
        with self._of.lock:
            self._of.blown_at, self._of.mended_at = None, at
            held = [row for row in self._of.rows.values() if row.state is State.HELD]
            for row in held:
                if release:
                    row.state, row.reason = State.PENDING, f"released by {by}"
                    row.released = True
                else:
                    reason = f"discarded by {by}"
                    self._of.cancel(row, rule=RuleId.DELETE_FUSE, reason=reason, at=at)
            return len(held)

    @override
    def suspensions(self, at: datetime) -> tuple[Suspension, ...]:
        with self._of.lock:
            return self._of.in_force(at)

    @override
    def suspend(self, suspension: Suspension | Crm) -> None:
        with self._of.lock:
            match suspension:
                case Suspension():
                    self._of.suspend(suspension)
                case Crm():
                    self._of.suspended.pop(suspension, None)

    @override
    def take(self, crm: Crm, calls: int, limits: CallLimits, at: datetime) -> datetime | None:
        with self._of.lock:
            account = self._of.spent[crm].take(calls, limits, at)
            if isinstance(account, datetime):
                return account
            self._of.spent[crm] = account
            return None
