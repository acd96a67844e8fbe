"""What deliver's transactions have in common: the lock, new writes, call budgets, outcomes.

The cursor's row is the lock: each transaction takes it before any other row, so none can deadlock
and two claims cannot overlap. It is held for milliseconds, never during a call.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from adapters.codec import encode_fact
from adapters.postgres.database import Connection
from adapters.postgres.queries import queries_beside
from domain.claiming import DEFINITION_TOPICS, FREE_TOPICS, Spent
from domain.deliveries import Suspension
from domain.facts import Outcome
from domain.ids import Crm
from domain.writes import Write

#: event ids looked through for new writes in one statement
ADOPT_WINDOW: Final = 20_000

WRITE: Final[TypeAdapter[Write]] = TypeAdapter(Annotated[Write, Field(discriminator="topic")])

_SQL: Final = queries_beside(__file__)


def lock(connection: Connection) -> int:
    """Take deliver's lock until the commit; return up to which event writes have their rows."""
    row = connection.execute(_SQL["lock"]).fetchone()
    assert row is not None, "migrations insert the cursor's row"
    return int(row[0])


def adopt(connection: Connection, after: int) -> bool:
    """Give writes decided since their rows; return whether there may be more.

    Args:
        connection: under the lock.
        after: what `lock` returned.
    """
    row = connection.execute(
        _SQL["adopt_until"], {"after": after, "window": ADOPT_WINDOW}
    ).fetchone()
    until = None if row is None else row[0]
    if until is None:
        return False
    connection.execute(
        _SQL["adopt"],
        {
            "after": after,
            "until": until,
            "definitions": sorted(DEFINITION_TOPICS),
            "free": sorted(FREE_TOPICS),
        },
    )
    connection.execute(_SQL["move_cursor"], {"until": until})
    return True


def adopt_all(connection: Connection) -> None:
    """Take the lock and give all writes their rows."""
    while adopt(connection, lock(connection)):
        pass


def add_outcomes(connection: Connection, outcomes: Iterable[tuple[Crm, Outcome]]) -> int:
    """Queue facts for the change log, in order; return how many."""
    crms, writes, topics, bodies = [], [], [], []
    for crm, fact in outcomes:
        topic, body = encode_fact(fact)
        crms.append(str(crm))
        writes.append(fact.write_id)
        topics.append(topic)
        bodies.append(body.decode())
    if crms:
        connection.execute(
            _SQL["add_outcomes"],
            {"crms": crms, "writes": writes, "topics": topics, "bodies": bodies},
        )
    return len(crms)


def spent(connection: Connection, crms: Sequence[Crm]) -> dict[Crm, Spent]:
    """Lock and return the calls made of each CRM."""
    rows = connection.execute(_SQL["budgets"], {"crms": [str(crm) for crm in crms]}).fetchall()
    return {
        Crm(crm): Spent(tuple(zip(slots, slot_calls, strict=True)), day, day_calls)
        for crm, slots, slot_calls, day, day_calls in rows
    }


def write_spent(connection: Connection, crm: Crm, account: Spent) -> None:
    """Replace the account of calls made."""
    connection.execute(
        _SQL["spend"],
        {
            "crm": str(crm),
            "slots": [slot for slot, _ in account.slots],
            "slot_calls": [count for _, count in account.slots],
            "day": account.day,
            "day_calls": account.day_calls,
        },
    )


def suspensions(connection: Connection, at: datetime) -> tuple[Suspension, ...]:
    """Return those in force."""
    rows = connection.execute(_SQL["suspensions"], {"at": at}).fetchall()
    return tuple(
        Suspension(Crm(crm), until, reason, code, since) for crm, until, reason, code, since in rows
    )


def suspend(connection: Connection, suspension: Suspension) -> None:
    """Leave a CRM alone until then, at least."""
    connection.execute(
        _SQL["suspend"],
        {
            "crm": str(suspension.crm),
            "until": suspension.until,
            "reason": suspension.reason,
            "code": suspension.code,
            "since": suspension.since,
        },
    )
