"""Deliver's own tables in PostgreSQL: what became of each write.

They are never rebuilt. A write is adopted from `outbound_write` once, in event order, and moves
through its states here alone; this module must not change what was decided.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from typing_extensions import override

from adapters.codec import decode_fact
from adapters.postgres import delivery_rows
from adapters.postgres.database import Connection, Database
from adapters.postgres.delivery_rows import WRITE
from adapters.postgres.queries import queries_beside
from domain import claiming, outcomes
from domain.claiming import Candidate, GivenUp, Group
from domain.deliveries import (
    Claim,
    Claimed,
    Deliveries,
    Settled,
    Settlement,
    State,
    Suspension,
    Target,
    Terms,
    Unpublished,
)
from domain.facts import Outcome, WriteDone, WriteRejected
from domain.ids import Crm, StreamId, WriteId

#: rows read for each addressee wanted: several writes of one addressee go together
ROWS_PER_ADDRESSEE: Final = 4
FUSE_REASON: Final = "more deletes than usual: release or discard them"

_SQL: Final = queries_beside(__file__)


class PostgresDeliveries(Deliveries):
    """The tables of migration 0002."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    def claim(self, crm: Crm, terms: Terms, at: datetime) -> Claim:
        with self._database.transaction() as connection:
            delivery_rows.adopt(connection, delivery_rows.lock(connection))
            ended = _end_attempts(connection, crm, at) + _cancel_withdrawn(connection, crm, at)
            if crm is Crm.HUBSPOT:
                ended += _try_fuse(connection, terms, at)
            suspended = {s.crm: s.until for s in delivery_rows.suspensions(connection, at)}
            if crm in suspended:
                return Claim(closed_until=suspended[crm], ended=ended)
            unknown = _groups(connection, "unknown", crm, terms, at)
            blocked = (
                claiming.topics_looking_at(crm.other) if crm.other in suspended else frozenset()
            )
            pending, given_up = claiming.needed(
                _groups(connection, "pending", crm, terms, at, blocked=blocked)
            )
            ended += _give_up(connection, given_up, crm, at)
            closed_until = _spend(connection, unknown, pending, terms, at)
            if closed_until is not None:
                return Claim(closed_until=closed_until, ended=ended)
            return Claim(_open(connection, crm, unknown, pending, terms, at), ended=ended)

    @override
    def begin(self, calls: Mapping[int, Collection[WriteId]], at: datetime) -> frozenset[WriteId]:
        with self._database.transaction() as connection:
            delivery_rows.lock(connection)
            rows = connection.execute(
                _SQL["held_attempts"], {"attempts": list(calls), "at": at}
            ).fetchall()
            held = {attempt_id for (attempt_id,) in rows}
            wanted = [
                {"attempt_id": attempt_id, "write_id": write_id}
                for attempt_id, write_ids in calls.items()
                if attempt_id in held
                for write_id in write_ids
            ]
            writes = [row["write_id"] for row in wanted]
            withdrawn = connection.execute(_SQL["cancel_withdrawn_of"], {"writes": writes})
            delivery_rows.add_outcomes(
                connection,
                [(Crm(row[5]), _cancelled(row[:5], at)) for row in withdrawn.fetchall()],
            )
            sent = connection.execute(_SQL["send"], {"rows": json.dumps(wanted), "at": at})
            cleared = frozenset(WriteId(write_id) for (write_id,) in sent.fetchall())
            begun = [a for a in held if any(write_id in cleared for write_id in calls[a])]
            connection.execute(_SQL["begin_attempts"], {"attempts": begun, "at": at})
            return cleared

    @override
    def settle(
        self, settlements: Sequence[Settlement], at: datetime, suspension: Suspension | None = None
    ) -> None:
        with self._database.transaction() as connection:
            delivery_rows.lock(connection)
            if suspension is not None:
                delivery_rows.suspend(connection, suspension)
            attempts = [settlement.attempt_id for settlement in settlements]
            open_rows = connection.execute(_SQL["open_before"], {"attempts": attempts}).fetchall()
            numbers: dict[int, int] = dict(open_rows)
            answers = [{"id": s.attempt_id, "answer": s.answer} for s in settlements]
            connection.execute(_SQL["answer_attempts"], {"rows": json.dumps(answers), "at": at})
            writes = [settled.write_id for s in settlements for settled in s.writes]
            standing = {
                write_id: (State(state), attempt_id, Crm(crm))
                for write_id, state, attempt_id, crm in connection.execute(
                    _SQL["standing"], {"writes": writes}
                ).fetchall()
            }
            moved: list[dict[str, Any]] = []
            facts: list[tuple[Crm, Outcome]] = []
            for settlement in settlements:
                for settled in settlement.writes:
                    state, sent_by, crm = standing[settled.write_id]
                    if not claiming.may_move(
                        settled,
                        now=state,
                        sent_by=sent_by,
                        attempt_id=settlement.attempt_id,
                        is_open=settlement.attempt_id in numbers,
                    ):
                        continue
                    moved.append(_row(settled, numbers.get(settlement.attempt_id, 0)))
                    if settled.outcome is not None:
                        facts.append((crm, settled.outcome))
            connection.execute(_SQL["settle"], {"rows": json.dumps(moved)})
            delivery_rows.add_outcomes(connection, facts)

    @override
    def unpublished(self, crm: Crm, *, limit: int) -> tuple[Unpublished, ...]:
        with self._database.transaction() as connection:
            rows = connection.execute(
                _SQL["unpublished"], {"crm": str(crm), "limit": limit}
            ).fetchall()
        return tuple(Unpublished(id_, _outcome(topic, body)) for id_, topic, body in rows)

    @override
    def mark_published(self, outcomes: Sequence[Unpublished], at: datetime) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                _SQL["publish"], {"ids": [outcome.id for outcome in outcomes], "at": at}
            )


# -- what ends without a call -------------------------------------------------------------------


def _end_attempts(connection: Connection, crm: Crm, at: datetime) -> int:
    """Close attempts whose lease ended; what they had sent is unknown from now on."""
    rows = connection.execute(_SQL["close_ended"], {"crm": str(crm), "at": at}).fetchall()
    if not rows:
        return 0
    lost = connection.execute(
        _SQL["lose_sent"], {"attempts": [row[0] for row in rows], "crm": str(crm), "at": at}
    ).fetchall()
    return delivery_rows.add_outcomes(
        connection,
        [
            (
                crm,
                outcomes.unknown(
                    StreamId(stream), WriteId(write_id), number=number, sent_at=sent_at, at=at
                ),
            )
            for write_id, stream, number, sent_at in lost
        ],
    )


def _cancel_withdrawn(connection: Connection, crm: Crm, at: datetime) -> int:
    rows = connection.execute(_SQL["cancel_withdrawn"], {"crm": str(crm)}).fetchall()
    return delivery_rows.add_outcomes(connection, [(crm, _cancelled(row, at)) for row in rows])


def _try_fuse(connection: Connection, terms: Terms, at: datetime) -> int:
    """Hold every unsent delete while the fuse is blown; blow it if too many were decided."""
    if not _one(connection, "has_unsent_deletes", {})[0]:
        return 0
    blown_at, mended_at = _one(connection, "fuse", {})
    if blown_at is None:
        since = at - timedelta(seconds=terms.fuse.window_seconds)
        decided = _one(connection, "count_deletes", {"since": since, "mended_at": mended_at})[0]
        if not claiming.is_blown(terms.fuse, decided=decided, live=0):
            return 0
        live = _one(connection, "count_live", {})[0]
        if not claiming.is_blown(terms.fuse, decided=decided, live=live):
            return 0
        connection.execute(_SQL["blow_fuse"], {"at": at})
    held = connection.execute(_SQL["hold_deletes"], {"reason": FUSE_REASON}).fetchall()
    return delivery_rows.add_outcomes(
        connection,
        [
            (
                Crm.HUBSPOT,
                outcomes.held(
                    StreamId(stream), WriteId(write_id), number=number, reason=FUSE_REASON, at=at
                ),
            )
            for write_id, stream, number in held
        ],
    )


def _give_up(connection: Connection, given_up: Sequence[GivenUp], crm: Crm, at: datetime) -> int:
    """Cancel writes that need no call."""
    if not given_up:
        return 0
    connection.execute(
        _SQL["give_up"],
        {
            "writes": [one.candidate.write.id for one in given_up],
            "reasons": [one.reason for one in given_up],
        },
    )
    return delivery_rows.add_outcomes(
        connection,
        [
            (
                crm,
                outcomes.cancelled(
                    one.candidate.target.stream,
                    one.candidate.write.id,
                    number=one.candidate.attempts,
                    rule=one.rule,
                    reason=one.reason,
                    at=at,
                ),
            )
            for one in given_up
        ],
    )


# -- what is taken ------------------------------------------------------------------------------


def _groups(
    connection: Connection,
    query: str,
    crm: Crm,
    terms: Terms,
    at: datetime,
    *,
    blocked: frozenset[str] = frozenset(),
) -> list[Group]:
    rows = connection.execute(
        _SQL[query],
        {
            "crm": str(crm),
            "at": at,
            "blocked": sorted(blocked),
            "limit": terms.batch_size_max * ROWS_PER_ADDRESSEE,
        },
    ).fetchall()
    return claiming.grouped(
        [
            Candidate(
                WRITE.validate_json(payload),
                Target(StreamId(stream), record_id, counterpart_id),
                attempts,
                policy_version,
                sent_at,
            )
            for (
                stream,
                payload,
                policy_version,
                attempts,
                record_id,
                counterpart_id,
                sent_at,
            ) in rows
        ],
        limit=terms.batch_size_max,
    )


def _spend(
    connection: Connection,
    unknown: Sequence[Group],
    pending: Sequence[Group],
    terms: Terms,
    at: datetime,
) -> datetime | None:
    """Take the calls out of both budgets, or none; return when there may be enough."""
    costs = claiming.cost(unknown, pending)
    if not costs:
        return None
    accounts = delivery_rows.spent(connection, sorted(costs))
    after = {crm: accounts[crm].take(n, terms.limits[crm], at) for crm, n in costs.items()}
    refused = [(crm, until) for crm, until in after.items() if isinstance(until, datetime)]
    for crm, until in refused:
        suspension = claiming.spent_up(crm, until, terms.limits[crm], at)
        if suspension is not None:
            delivery_rows.suspend(connection, suspension)
    if refused:
        return max(until for _, until in refused)
    for crm, account in after.items():
        assert not isinstance(account, datetime), "the refused ones were returned above"
        delivery_rows.write_spent(connection, crm, account)
    return None


def _open(
    connection: Connection,
    crm: Crm,
    unknown: Sequence[Group],
    pending: Sequence[Group],
    terms: Terms,
    at: datetime,
) -> tuple[Claimed, ...]:
    lease_until = at + timedelta(seconds=terms.lease_seconds)
    groups = [(group, True) for group in unknown] + [(group, False) for group in pending]
    rows = [
        {
            "stream": group[0].target.stream,
            "write_ids": [candidate.write.id for candidate in group],
            "number": claiming.number_of(group),
            "resolving": resolving,
        }
        for group, resolving in groups
    ]
    ids: dict[str, int] = dict(
        connection.execute(
            _SQL["open_attempts"],
            {"rows": json.dumps(rows), "crm": str(crm), "lease_until": lease_until, "at": at},
        ).fetchall()
    )
    return tuple(
        Claimed(
            attempt_id=ids[group[0].target.stream],
            target=group[0].target,
            writes=tuple(candidate.write for candidate in group),
            number=claiming.number_of(group),
            lease_until=lease_until,
            policy_version=claiming.policy_version_of(group),
            resolving=resolving,
            sent_at=group[0].sent_at,
        )
        for group, resolving in groups
    )


# -- rows and facts -----------------------------------------------------------------------------


def _cancelled(row: Sequence[Any], at: datetime) -> Outcome:
    write_id, stream, number, rule, reason = row
    return outcomes.cancelled(
        StreamId(stream), WriteId(write_id), number=number, rule=rule, reason=reason, at=at
    )


def _row(settled: Settled, number: int) -> dict[str, Any]:
    waits = settled.state is State.PENDING and settled.retry_at is None
    record_id, answered_at = None, None
    match settled.outcome:
        case WriteDone():
            record_id, answered_at = settled.outcome.record_id, settled.outcome.answered_at
        case WriteRejected():
            answered_at = settled.outcome.at
        case _:
            pass
    return {
        "write_id": settled.write_id,
        "state": str(settled.state),
        "reason": settled.reason,
        "retry_at": settled.retry_at.isoformat() if settled.retry_at else None,
        "attempts": 0 if waits else number,
        "record_id": record_id,
        "answered_at": answered_at.isoformat() if answered_at else None,
    }


def _outcome(topic: str, body: str) -> Outcome:
    fact = decode_fact(topic, body)
    assert isinstance(fact, Outcome), f"deliver keeps outcomes, found {topic}"
    return fact


def _one(connection: Connection, query: str, parameters: Mapping[str, object]) -> tuple[Any, ...]:
    row = connection.execute(_SQL[query], parameters).fetchone()
    assert row is not None, f"{query} always returns a row"
    return row
