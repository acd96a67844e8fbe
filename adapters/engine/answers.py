"""What an answer, a verdict or a failure means for each recorded write of a call: pure.

It is shared by all that deliver does to a write; it must not call a port.

| answer | sent write | unknown write that was read |
|---|---|---|
| done | done | done |
| rejected, blames a field of it, or none | rejected | rejected |
| rejected, blames only fields of writes merged with it | cancelled | cancelled |
| not sent | pending again, later | cancelled, `lost` |
| unknown | unknown, to be read | unknown, read again later |
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, assert_never

from adapters.engine.backoff import delay_seconds
from domain import merging, outcomes
from domain.deliveries import (
    Addressed,
    Answer,
    Claimed,
    Done,
    NotSent,
    Rejected,
    Settled,
    Settlement,
    State,
    Unknown,
)
from domain.ids import WriteId
from domain.rules import RuleId
from domain.writes import Write

#: an unknown call may still be on its way: the first reading waits so long
READING_SECONDS_FIRST: Final = 2.0
LOST_REASON: Final = "lost: no effect was found, and it is never sent again"
COMPANION_REASON: Final = "refused for a field of another write in the same call"


@dataclass(frozen=True, slots=True)
class Call:
    """One write on the wire, and the recorded writes whose answer it brings."""

    addressed: Addressed
    stands_for: tuple[Write, ...]


@dataclass(slots=True)
class Work:
    """One claimed addressee on its way through a step."""

    claimed: Claimed
    #: what is still to be done
    calls: tuple[Call, ...]
    #: what became of its writes so far
    settled: list[Settled] = field(default_factory=list)

    @property
    def attempt_id(self) -> int:
        """Return the id of the attempt."""
        return self.claimed.attempt_id

    @property
    def write_ids(self) -> tuple[WriteId, ...]:
        """Return the recorded writes that are still to be done."""
        return tuple(write.id for call in self.calls for write in call.stands_for)

    def keep(self, cleared: frozenset[WriteId]) -> None:
        """Drop the writes that are not cleared to go, and merge the rest anew."""
        if not cleared.issuperset(self.write_ids):
            rest = [w for call in self.calls for w in call.stands_for if w.id in cleared]
            self.calls = calls_of(self.claimed, rest)

    def settlement(self, answer: str) -> Settlement:
        """Return the end of the attempt."""
        return Settlement(self.attempt_id, answer, tuple(self.settled))


def work_of(claimed: Claimed) -> Work:
    """Return what a claimed addressee asks for."""
    return Work(claimed, calls_of(claimed, claimed.writes))


def calls_of(claimed: Claimed, together: Sequence[Write]) -> tuple[Call, ...]:
    """Return the calls that do these of the claimed writes."""
    return tuple(
        Call(Addressed(merged.write, claimed.target, claimed.sent_at), merged.stands_for)
        for merged in merging.merge(together)
    )


def answered(
    call: Call, answer: Answer, claimed: Claimed, *, sent_at: datetime, at: datetime
) -> tuple[Settled, ...]:
    """Return what an answer means.

    Args:
        call: what was sent, or read.
        answer: the gateway's.
        claimed: the attempt.
        sent_at: our clock before the call that may have had the effect.
        at: our clock after the answer.
    """
    match answer:
        case Done():
            return _done(call, answer, claimed, sent_at=sent_at, at=at)
        case Rejected():
            return tuple(
                _rejected(write, answer, claimed, at)
                if _is_to_blame(write, answer, call)
                else _cancelled(write, claimed, RuleId.PARTIAL_REJECT, COMPANION_REASON, at)
                for write in call.stands_for
            )
        case NotSent() if claimed.resolving:
            return cancelled(call, claimed, RuleId.ONCE, LOST_REASON, at)
        case NotSent():
            return again(call, claimed, answer.reason, at, retry_at=answer.retry_at)
        case Unknown() if claimed.resolving:
            return again(call, claimed, answer.message, at)
        case Unknown():
            return _unknown(call, answer, claimed, sent_at=sent_at, at=at)
        case _:
            assert_never(answer)


def again(
    call: Call, claimed: Claimed, reason: str, at: datetime, *, retry_at: datetime | None = None
) -> tuple[Settled, ...]:
    """Let the writes be sent, or read, once more after a while."""
    state = State.UNKNOWN if claimed.resolving else State.PENDING
    return tuple(
        Settled(
            write.id,
            state,
            None,
            reason,
            retry_at or at + timedelta(seconds=delay_seconds(write.id, claimed.number)),
        )
        for write in call.stands_for
    )


def cancelled(
    call: Call, claimed: Claimed, rule: RuleId, reason: str, at: datetime
) -> tuple[Settled, ...]:
    """Give the writes up."""
    return tuple(_cancelled(write, claimed, rule, reason, at) for write in call.stands_for)


def given_back(works: Iterable[Work], reason: str) -> None:
    """Let writes that were not sent go again at once."""
    for work in works:
        state = State.UNKNOWN if work.claimed.resolving else State.PENDING
        work.settled.extend(Settled(write_id, state, None, reason) for write_id in work.write_ids)


def words(answer: Answer) -> str:
    """Return an answer for people, without any value of a record."""
    match answer:
        case Done():
            return "done"
        case Rejected():
            return f"rejected {answer.code}".strip()
        case Unknown():
            return "unknown"
        case NotSent():
            return "not sent"
        case _:
            assert_never(answer)


def _done(
    call: Call, answer: Done, claimed: Claimed, *, sent_at: datetime, at: datetime
) -> tuple[Settled, ...]:
    return tuple(
        Settled(
            write.id,
            State.DONE,
            outcomes.done(write, answer, number=claimed.number, sent_at=sent_at, answered_at=at),
        )
        for write in call.stands_for
    )


def _unknown(
    call: Call, answer: Unknown, claimed: Claimed, *, sent_at: datetime, at: datetime
) -> tuple[Settled, ...]:
    return tuple(
        Settled(
            write.id,
            State.UNKNOWN,
            outcomes.unknown(write.stream, write.id, number=claimed.number, sent_at=sent_at, at=at),
            answer.message,
            at + timedelta(seconds=READING_SECONDS_FIRST),
        )
        for write in call.stands_for
    )


def _is_to_blame(write: Write, answer: Rejected, call: Call) -> bool:
    """Tell whether the refusal concerns this write of a merged call (rule `partial-reject`)."""
    merged = {change.name for change in call.addressed.write.fields}
    blamed = merged.intersection(answer.fields)
    return not blamed or any(change.name in blamed for change in write.fields)


def _rejected(write: Write, answer: Rejected, claimed: Claimed, at: datetime) -> Settled:
    return Settled(
        write.id,
        State.REJECTED,
        outcomes.rejected(write, answer, number=claimed.number, at=at),
        f"{answer.code}: {answer.message}",
    )


def _cancelled(write: Write, claimed: Claimed, rule: RuleId, reason: str, at: datetime) -> Settled:
    fact = outcomes.cancelled(
        write.stream, write.id, number=claimed.number, rule=rule, reason=reason, at=at
    )
    return Settled(write.id, State.CANCELLED, fact, reason)
