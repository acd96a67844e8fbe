"""Rows written in the decide transaction: as their fold says, and only with their events."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from adapters.memory.decisions import MemoryDecisions
from adapters.postgres.database import Connection, Database
from adapters.postgres.decisions import PostgresDecisions
from domain.events import WriteDecided
from domain.ports import Committed, Decisions, StoredEvent
from tests.contracts.test_decisions import never
from tests.support import postgres
from tests.support.store_samples import (
    AT,
    SOURCE,
    batch,
    founded,
    nothing,
    opportunity,
    withdrawn,
    write_decided,
)

_ROWS = b"""
    SELECT write_id, stream, version, crm, operation, topic, rule, reason, ambiguous, cause,
        policy_version, decided_at, withdrawn_reason, payload::text
    FROM outbound_write ORDER BY stream, version
"""


def _fill(store: Decisions) -> None:
    first, second = write_decided("a", 1), write_decided("a", 2)
    outcome = store.commit(batch((1, first), (2, second), (3, withdrawn(first))), never)
    assert isinstance(outcome, Committed)
    later = batch(
        (4, withdrawn(second)),
        (5, withdrawn(second, "and once more: the last one stands")),
        (1, write_decided("b")),
        as_of=outcome.last_event_id,
        expected=0,
        new=1,
    )
    assert isinstance(store.commit(later, never), Committed)


#: how PostgreSQL may join what a batch says with what is there: it must not matter
PLANS = ("", *(f"-c enable_{join}=off" for join in ("hashjoin", "nestloop", "mergejoin")))


@pytest.mark.parametrize("plan", PLANS)
def test_the_outbound_table_is_the_fold_of_the_events(plan: str) -> None:
    memory = MemoryDecisions()
    _fill(memory)
    expected = sorted(memory.outbound.values(), key=lambda row: (row.stream, row.version))

    with postgres.database(options=plan) as database:
        _fill(PostgresDecisions(database))
        with database.transaction() as connection:
            found = connection.execute(_ROWS).fetchall()

    assert found == [
        (
            row.write_id,
            row.stream,
            row.version,
            row.crm,
            row.operation,
            row.write.topic,
            row.rule,
            row.reason,
            row.ambiguous,
            row.cause,
            row.policy_version,
            row.decided_at,
            row.withdrawn_reason,
            row.write.model_dump_json(),
        )
        for row in expected
    ]


def test_a_failing_inline_writer_takes_everything_back() -> None:
    def refuse(_connection: Connection, _decided: Sequence[tuple[StoredEvent, datetime]]) -> None:
        raise ZeroDivisionError

    with postgres.database() as database:
        store = PostgresDecisions(database, inline=[refuse])
        with pytest.raises(ZeroDivisionError):
            store.commit(batch((1, write_decided("a")), (1, founded("b", opportunity("1")))), never)

        assert store.positions() == {}
        assert store.tail(0, limit=1) == ()
        assert _count(database) == 0


@pytest.mark.parametrize("where", ["memory", "postgres"])
def test_an_inline_writer_gets_what_was_stored_with_the_time_of_decision(where: str) -> None:
    seen: list[tuple[StoredEvent, datetime]] = []
    given = batch((1, nothing("a")), (1, write_decided("b")))
    if where == "memory":
        outcome = MemoryDecisions(inline=[seen.extend]).commit(given, never)
    else:

        def keep(_connection: Connection, decided: Sequence[tuple[StoredEvent, datetime]]) -> None:
            seen.extend(decided)

        with postgres.database() as database:
            outcome = PostgresDecisions(database, inline=[keep]).commit(given, never)

    assert isinstance(outcome, Committed)
    assert seen == [(stored, AT) for stored in outcome.stored]
    assert [stored.source for stored, _ in seen] == [SOURCE, SOURCE]
    assert [type(stored.event) for stored, _ in seen][1] is WriteDecided


def _count(database: Database) -> int:
    with database.transaction() as connection:
        row = connection.execute("SELECT count(*) FROM outbound_write").fetchone()
    assert row is not None
    return int(row[0])
