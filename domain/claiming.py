"""Which writes may be taken together, what a claim costs, and when deletes stop.

The arithmetic of `Deliveries.claim`, shared by its implementations; it must not know how they store
anything.

| rule | here |
|---|---|
| `budget` | `Spent.take`: no window of `burst_seconds` and no UTC day ever exceeds its limit |
| `delete-fuse` | `is_blown`: both limits exceeded |
| `pipeline-scope` | `looked_at`: a write about a pair is sent after its deal was read |
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeAlias

from pydantic import BaseModel

from domain import merging, writes
from domain.deliveries import (
    BATCH_SIZE_MAX,
    FINAL_STATES,
    CallLimits,
    Fuse,
    Settled,
    State,
    Suspension,
    Target,
)
from domain.ids import Crm, StreamId
from domain.rules import RuleId
from domain.writes import WRITES, Write

#: a burst window is counted in so many slots: more are truer and cost more
SLOTS: Final = 10

LIVING_REASON: Final = "the pair has a living record there already"
SUPERSEDED_REASON: Final = "superseded"

#: what makes pipelines, stages, properties and fields: everything else may need them
DEFINITIONS: Final = (
    writes.CreatePipeline,
    writes.CreateStage,
    writes.RenameStage,
    writes.CreateProperty,
    writes.CreateField,
)
#: creates whose stream can own one living record a side
PAIR_CREATES: Final = (writes.CreateDeal, writes.CreateOpportunity)


def _topics(*classes: type[BaseModel]) -> tuple[str, ...]:
    return tuple(write_class.model_fields["topic"].default for write_class in classes)


#: writes that need no living record of their stream
FREE_TOPICS: Final = frozenset(
    _topics(*(c for c in WRITES if c.CREATES or c is writes.UpdateCompany))
)
DEFINITION_TOPICS: Final = frozenset(_topics(*DEFINITIONS))
PAIR_CREATE_TOPICS: Final = frozenset(_topics(*PAIR_CREATES))
ARCHIVE_TOPIC: Final = _topics(writes.ArchiveDeal)[0]

_LOOKED_AT: Final[Mapping[str, tuple[Crm, ...]]] = {
    **dict.fromkeys(_topics(writes.CreateDeal), (Crm.SALESFORCE,)),
    **dict.fromkeys(_topics(writes.UpdateOpportunity), (Crm.SALESFORCE, Crm.HUBSPOT)),
    **dict.fromkeys(
        _topics(
            writes.UpdateDeal,
            writes.ArchiveDeal,
            writes.AssociateContact,
            writes.DissociateContact,
            writes.AssociateCompany,
            writes.DissociateCompany,
            writes.CreateOpportunity,
            writes.AddContactRole,
            writes.RemoveContactRole,
            writes.UpdateContact,
        ),
        (Crm.HUBSPOT,),
    ),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A write that may be claimed."""

    write: Write
    target: Target
    #: how many were made so far
    attempts: int
    #: the policy that it was decided under
    policy_version: int
    #: when its latest call went out; None: none did
    sent_at: datetime | None = None


#: one addressee's writes that go in one attempt, in event order; at least one
Group: TypeAlias = tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A write that needs no call."""

    candidate: Candidate
    rule: RuleId
    reason: str


def grouped(candidates: Iterable[Candidate], *, limit: int) -> list[Group]:
    """Return for each addressee the writes that go in one attempt.

    Args:
        candidates: in the order in which they should go.
        limit: addressees at most.
    """
    queues: dict[StreamId, list[Candidate]] = {}
    for candidate in candidates:
        queues.setdefault(candidate.target.stream, []).append(candidate)
    return [
        tuple(queue[: len(together([candidate.write for candidate in queue]))])
        for queue in list(queues.values())[:limit]
    ]


def needed(groups: Iterable[Group]) -> tuple[list[Group], list[GivenUp]]:
    """Part unsent writes into what has to go and what need not.

    Creates of what lives already are given up (rule `once`), and updates that later ones replace
    (rule `budget`).
    """
    kept: list[Group] = []
    given_up: list[GivenUp] = []
    for group in groups:
        if isinstance(group[0].write, PAIR_CREATES) and group[0].target.record_id is not None:
            given_up.extend(GivenUp(c, RuleId.ONCE, LIVING_REASON) for c in group)
            continue
        replaced = {write.id for write in merging.superseded([c.write for c in group])}
        given_up.extend(
            GivenUp(c, RuleId.BUDGET, SUPERSEDED_REASON) for c in group if c.write.id in replaced
        )
        kept.append(tuple(c for c in group if c.write.id not in replaced))
    return kept, given_up


def number_of(group: Group) -> int:
    """Return the number of an attempt with these writes."""
    return max(candidate.attempts for candidate in group) + 1


def policy_version_of(group: Group) -> int:
    """Return the oldest policy version that one of the writes was decided under."""
    return min(candidate.policy_version for candidate in group)


def cost(unknown: Sequence[Group], pending: Sequence[Group]) -> Mapping[Crm, int]:
    """Return the calls that reading the one and sending the other take, where any."""
    reads = calls([candidate.write for group in unknown for candidate in group], resolving=True)
    sends = calls([candidate.write for group in pending for candidate in group])
    return {crm: reads[crm] + sends[crm] for crm in Crm if reads[crm] + sends[crm]}


def looked_at(write: Write) -> tuple[Crm, ...]:
    """Return in which CRMs a record is read before the write is sent."""
    return _LOOKED_AT.get(write.topic, ())


def topics_looking_at(crm: Crm) -> frozenset[str]:
    """Return the topics of writes that cannot be sent while that CRM cannot be read."""
    return frozenset(topic for topic, crms in _LOOKED_AT.items() if crm in crms)


def together(queue: Sequence[Write]) -> tuple[Write, ...]:
    """Return the first writes of one addressee that go in one attempt.

    They are of one class; updates also agree in everything but their fields, so that they can
    become one call.

    Args:
        queue: one addressee's writes, in event order; at least one.
    """
    first = queue[0]
    count, most = 1, min(len(queue), BATCH_SIZE_MAX[first.CRM])
    while count < most and _same_call(first, queue[count]):
        count += 1
    return tuple(queue[:count])


def calls(batch: Sequence[Write], *, resolving: bool = False) -> Mapping[Crm, int]:
    """Return how many calls it costs, at most, to look at the writes and to send them."""
    needed = dict.fromkeys(Crm, 0)
    records = dict.fromkeys(Crm, 0)
    sent: dict[tuple[Crm, str], int] = {}
    for write in batch:
        sent[write.CRM, write.topic] = sent.get((write.CRM, write.topic), 0) + 1
        for crm in () if resolving else looked_at(write):
            records[crm] += 1
    for crm, count in records.items():
        needed[crm] += _batches(count, crm)
    for (crm, topic), count in sent.items():
        needed[crm] += count if topic in DEFINITION_TOPICS else _batches(count, crm)
    return needed


def may_move(
    settled: Settled,
    *,
    now: State,
    sent_by: int | None,
    attempt_id: int,
    is_open: bool,
) -> bool:
    """Tell whether an attempt's answer still moves a write's state.

    Whatever anybody says, an unknown write is never pending again.

    Args:
        settled: what the attempt says.
        now: the state as it stands.
        sent_by: the attempt that sent the write last; None: none did.
        attempt_id: the attempt that says so.
        is_open: whether it still holds its lease.
    """
    if now is State.UNKNOWN and settled.state is State.PENDING:
        return False
    if is_open:
        return now not in FINAL_STATES and now is not State.HELD
    late = settled.state in (State.DONE, State.REJECTED)
    return late and now is State.UNKNOWN and sent_by == attempt_id


def is_blown(fuse: Fuse, *, decided: int, live: int) -> bool:
    """Tell whether the deletes decided within the window exceed both limits."""
    return decided > fuse.count and decided > fuse.share * live


@dataclass(frozen=True, slots=True)
class Spent:
    """The calls made of one CRM: of the latest slots, and of the day."""

    #: (number of the slot, calls), oldest first
    slots: tuple[tuple[int, int], ...] = ()
    day: date | None = None
    day_calls: int = 0

    def take(self, count: int, limits: CallLimits, at: datetime) -> "Spent | datetime":
        """Return the account after so many more calls, or when to ask again.

        The window that ends now is covered by the present slot and the `SLOTS` before it; their
        sum stays within the limit, so any window of that length does. More calls than a whole
        window allows are let through when the window is empty, or they would never go.
        """
        at = at.astimezone(UTC)
        today = at.date()
        day_calls = self.day_calls if self.day == today else 0
        if day_calls + count > limits.daily_calls:
            return datetime.combine(today + timedelta(days=1), time(), UTC)
        seconds = limits.burst_seconds / SLOTS
        now = int(at.timestamp() / seconds)
        recent = [(slot, used) for slot, used in self.slots if now - SLOTS <= slot <= now]
        excess = sum(used for _, used in recent) + min(count, limits.burst_calls)
        excess -= limits.burst_calls
        if excess > 0:
            return datetime.fromtimestamp(_last_to_leave(recent, excess) * seconds, UTC)
        present = count + sum(used for slot, used in recent if slot == now)
        kept = [(slot, used) for slot, used in recent if slot != now]
        return Spent((*kept, (now, present)), today, day_calls + count)


def _last_to_leave(recent: Sequence[tuple[int, int]], excess: int) -> int:
    """Return the slot in which so many calls have left the window."""
    for slot, used in recent:
        excess -= used
        if excess <= 0:
            return slot + SLOTS + 1
    raise AssertionError("an empty window has room for a whole one")


def spent_up(crm: Crm, until: datetime, limits: CallLimits, at: datetime) -> Suspension | None:
    """Return the suspension of a CRM whose daily share is used up; None: only a burst has to end.

    Args:
        crm: whose calls they are.
        until: what `Spent.take` returned.
        limits: what it was asked with.
        at: our clock.
    """
    if until <= at + timedelta(seconds=limits.burst_seconds * 2):
        return None
    reason = f"our daily share of {limits.daily_calls} calls is used up"
    return Suspension(crm, until, reason, "DAILY_SHARE", at)


def _same_call(first: Write, other: Write) -> bool:
    if type(first) is not type(other):
        return False
    return not isinstance(first, merging.UPDATES) or _frame(first) == _frame(other)


def _frame(write: Write) -> dict[str, object]:
    return write.model_dump(exclude={"id", "fields"})


def _batches(count: int, crm: Crm) -> int:
    return -(-count // BATCH_SIZE_MAX[crm])
