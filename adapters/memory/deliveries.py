"""Deliver's own tables in memory: the twin of `postgres.deliveries`, state for state.

It reads the decided writes and the identities of the twin store, and changes neither.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Final, TypeAlias

from typing_extensions import override

from adapters.memory.decisions import MemoryDecisions
from domain import claiming, outcomes
from domain.claiming import Candidate, Group, Spent
from domain.deliveries import (
    FINAL_STATES,
    Claim,
    Claimed,
    Deliveries,
    Echo,
    Settled,
    Settlement,
    State,
    Suspension,
    Target,
    Terms,
    Unpublished,
)
from domain.events import WriteDecided
from domain.facts import Outcome, WriteDone, WriteRejected
from domain.ids import Crm, Kind, StreamId, WriteId
from domain.rules import RuleId
from projections.outbound_write import OutboundWrite

ROWS_PER_ADDRESSEE: Final = 4
FUSE_REASON: Final = "more deletes than usual: release or discard them"
UNSENT: Final = (State.PENDING, State.HELD)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Row:
    """What became of one write."""

    write_id: WriteId
    stream: StreamId
    crm: Crm
    topic: str
    #: priority and id of the deciding event
    place: tuple[int, int]
    state: State = State.PENDING
    reason: str = ""
    attempts: int = 0
    attempt_id: int | None = None
    retry_at: datetime | None = None
    released: bool = False
    record_id: str | None = None
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    echo: Echo | None = None


@dataclass(slots=True)
class Attempt:
    """One call and addressee."""

    id: int
    stream: StreamId
    crm: Crm
    number: int
    resolving: bool
    lease_until: datetime
    closed_at: datetime | None = None
    answer: str = ""


#: the living record of a stream in a CRM
_Living: TypeAlias = Mapping[tuple[StreamId, Crm], str]


class MemoryDeliveries(Deliveries):
    """Deliver's tables in dicts.

    Args:
        decisions: where decided writes and identities stand.
    """

    def __init__(self, decisions: MemoryDecisions) -> None:
        self.decisions = decisions
        self.lock = RLock()
        self.rows: dict[WriteId, Row] = {}
        self.attempts: dict[int, Attempt] = {}
        self.outcomes: list[tuple[Crm, Outcome]] = []
        self.published: set[int] = set()
        self.spent = {crm: Spent() for crm in Crm}
        self.suspended: dict[Crm, Suspension] = {}
        self.blown_at: datetime | None = None
        self.mended_at: datetime | None = None
        self._cursor = 0

    @override
    def claim(self, crm: Crm, terms: Terms, at: datetime) -> Claim:
        with self.lock:
            self.adopt()
            ended = self._end_attempts(crm, at) + self._cancel_withdrawn(crm, at)
            if crm is Crm.HUBSPOT:
                ended += self._try_fuse(terms, at)
            suspended = {s.crm: s.until for s in self.in_force(at)}
            if crm in suspended:
                return Claim(closed_until=suspended[crm], ended=ended)
            living = self._living()
            due = self._due(crm, at)
            unknown = self._groups(terms, due, State.UNKNOWN, living)
            blocked = (
                claiming.topics_looking_at(crm.other) if crm.other in suspended else frozenset()
            )
            pending, given_up = claiming.needed(
                self._groups(terms, due, State.PENDING, living, blocked=blocked)
            )
            for one in given_up:
                row = self.rows[one.candidate.write.id]
                self.cancel(row, rule=one.rule, reason=one.reason, at=at)
            ended += len(given_up)
            closed_until = self._spend(unknown, pending, terms, at)
            if closed_until is not None:
                return Claim(closed_until=closed_until, ended=ended)
            claimed = tuple(
                self._open(group, crm, resolving=resolving, terms=terms, at=at)
                for groups, resolving in ((unknown, True), (pending, False))
                for group in groups
            )
            return Claim(claimed, ended=ended)

    @override
    def begin(self, calls: Mapping[int, Collection[WriteId]], at: datetime) -> frozenset[WriteId]:
        with self.lock:
            cleared: set[WriteId] = set()
            for attempt_id, write_ids in calls.items():
                attempt = self.attempts[attempt_id]
                if attempt.closed_at is not None or attempt.lease_until <= at or attempt.resolving:
                    continue
                for row in [self.rows[write_id] for write_id in write_ids]:
                    if row.state is not State.PENDING:
                        continue
                    if self._withdraw(row, at):
                        continue
                    row.state, row.reason, row.retry_at = State.SENT, "", None
                    row.sent_at, row.attempt_id, row.attempts = at, attempt.id, attempt.number
                    cleared.add(row.write_id)
            return frozenset(cleared)

    @override
    def settle(
        self, settlements: Sequence[Settlement], at: datetime, suspension: Suspension | None = None
    ) -> None:
        with self.lock:
            if suspension is not None:
                self.suspend(suspension)
            for settlement in settlements:
                attempt = self.attempts[settlement.attempt_id]
                is_open = attempt.closed_at is None
                attempt.answer = settlement.answer
                attempt.closed_at = attempt.closed_at or at
                for settled in settlement.writes:
                    row = self.rows[settled.write_id]
                    if claiming.may_move(
                        settled,
                        now=row.state,
                        sent_by=row.attempt_id,
                        attempt_id=attempt.id,
                        is_open=is_open,
                    ):
                        self._move(row, settled, attempt.number if is_open else 0)

    @override
    def unpublished(self, crm: Crm, *, limit: int) -> tuple[Unpublished, ...]:
        with self.lock:
            waiting = [
                Unpublished(place, fact)
                for place, (owner, fact) in enumerate(self.outcomes, start=1)
                if owner is crm and place not in self.published
            ]
            return tuple(waiting[:limit])

    @override
    def mark_published(self, outcomes: Sequence[Unpublished], at: datetime) -> None:
        with self.lock:
            self.published.update(outcome.id for outcome in outcomes)

    # -- shared with the desk ------------------------------------------------------------------

    def adopt(self) -> None:
        """Give writes decided since their rows."""
        for stored in self.decisions.tail(self._cursor, limit=len(self.decisions.events)):
            self._cursor = stored.id
            if isinstance(stored.event, WriteDecided):
                write = stored.event.write
                priority = 0 if write.topic in claiming.DEFINITION_TOPICS else 1
                row = Row(write.id, stored.stream, write.CRM, write.topic, (priority, stored.id))
                self.rows.setdefault(write.id, row)

    def outbound(self, row: Row) -> OutboundWrite:
        """Return what was decided."""
        return self.decisions.outbound[row.write_id]

    def in_force(self, at: datetime) -> tuple[Suspension, ...]:
        """Return suspensions in force."""
        return tuple(s for _, s in sorted(self.suspended.items()) if s.until > at)

    def suspend(self, suspension: Suspension) -> None:
        """Leave a CRM alone until then, at least."""
        before = self.suspended.get(suspension.crm)
        lasting = before is not None and before.until > suspension.since
        self.suspended[suspension.crm] = Suspension(
            suspension.crm,
            suspension.until if before is None else max(before.until, suspension.until),
            suspension.reason,
            suspension.code,
            before.since if before is not None and lasting else suspension.since,
        )

    def cancel(self, row: Row, *, rule: RuleId | str, reason: str, at: datetime) -> None:
        """Give up a write."""
        row.state, row.reason, row.retry_at = State.CANCELLED, reason, None
        fact = outcomes.cancelled(
            row.stream, row.write_id, number=row.attempts, rule=rule, reason=reason, at=at
        )
        self.outcomes.append((row.crm, fact))

    # -- what ends without a call --------------------------------------------------------------

    def _end_attempts(self, crm: Crm, at: datetime) -> int:
        ended = {
            a.id
            for a in self.attempts.values()
            if a.crm is crm and a.closed_at is None and a.lease_until <= at
        }
        for attempt_id in ended:
            self.attempts[attempt_id].closed_at = at
        if not ended:
            return 0
        lost = [r for r in self._ordered() if r.attempt_id in ended and r.state is State.SENT]
        for row in lost:
            assert row.sent_at is not None, "begin sets it"
            row.state, row.reason, row.retry_at = State.UNKNOWN, "sent, and no answer came", at
            fact = outcomes.unknown(
                row.stream, row.write_id, number=row.attempts, sent_at=row.sent_at, at=at
            )
            self.outcomes.append((crm, fact))
        return len(lost)

    def _cancel_withdrawn(self, crm: Crm, at: datetime) -> int:
        unsent = [r for r in self._ordered() if r.crm is crm and r.state in UNSENT]
        return sum(self._withdraw(row, at) for row in unsent)

    def _withdraw(self, row: Row, at: datetime) -> bool:
        outbound = self.outbound(row)
        if outbound.withdrawn_reason is None:
            return False
        self.cancel(row, rule=outbound.rule, reason=outbound.withdrawn_reason, at=at)
        return True

    def _try_fuse(self, terms: Terms, at: datetime) -> int:
        unsent = [
            row
            for row in self._ordered()
            if row.topic == claiming.ARCHIVE_TOPIC
            and row.state is State.PENDING
            and not row.released
        ]
        if not unsent:
            return 0
        if self.blown_at is None:
            since = max(at - timedelta(seconds=terms.fuse.window_seconds), self.mended_at or _NEVER)
            decided = sum(
                outbound.operation == "archive"
                and outbound.withdrawn_reason is None
                and outbound.decided_at > since
                for outbound in self.decisions.outbound.values()
            )
            if not claiming.is_blown(terms.fuse, decided=decided, live=self._live()):
                return 0
            self.blown_at = at
        for row in unsent:
            row.state, row.reason, row.retry_at = State.HELD, FUSE_REASON, None
            fact = outcomes.held(
                row.stream, row.write_id, number=row.attempts, reason=FUSE_REASON, at=at
            )
            self.outcomes.append((row.crm, fact))
        return len(unsent)

    def _live(self) -> int:
        identities = self.decisions.identities.values()
        opportunities = {i.stream for i in identities if i.ref.kind is Kind.OPPORTUNITY}
        return sum(
            i.ref.kind is Kind.DEAL and i.alive and i.stream in opportunities for i in identities
        )

    # -- what is taken -------------------------------------------------------------------------

    def _ordered(self) -> list[Row]:
        return sorted(
            (row for row in self.rows.values() if row.state not in FINAL_STATES),
            key=lambda row: row.place,
        )

    def _groups(
        self,
        terms: Terms,
        due: Sequence[Row],
        state: State,
        living: _Living,
        *,
        blocked: Collection[str] = (),
    ) -> list[Group]:
        candidates = [
            Candidate(outbound.write, target, row.attempts, outbound.policy_version, row.sent_at)
            for row in due
            if row.state is state and row.topic not in blocked
            for outbound, target in [(self.outbound(row), _target(row, living))]
            if state is State.UNKNOWN
            or target.record_id is not None
            or row.topic in claiming.FREE_TOPICS
        ]
        return claiming.grouped(
            candidates[: terms.batch_size_max * ROWS_PER_ADDRESSEE], limit=terms.batch_size_max
        )

    def _due(self, crm: Crm, at: datetime) -> list[Row]:
        """Return pending and unknown rows that nothing keeps back, in order."""
        taken = {a.stream for a in self.attempts.values() if a.crm is crm and a.closed_at is None}
        found: list[Row] = []
        waiting: set[StreamId] = set()
        moving = [r for r in self._ordered() if r.crm is crm]
        unsettled = {r.stream for r in moving if r.state in (State.SENT, State.UNKNOWN)}
        for row in moving:
            if row.stream in taken or row.state is State.SENT:
                continue
            due = row.retry_at is None or row.retry_at <= at
            if row.state is State.UNKNOWN:
                found.extend([row] if due else [])
            elif not due:
                waiting.add(row.stream)
            elif row.state is State.PENDING and row.stream not in waiting | unsettled:
                found.append(row)
        return found

    def _living(self) -> _Living:
        living: dict[tuple[StreamId, Crm], str] = {}
        for identity in self.decisions.identities.values():
            if identity.alive:
                key = (identity.stream, identity.ref.crm)
                living[key] = min(living.get(key, identity.ref.id), identity.ref.id)
        return living

    def _spend(
        self, unknown: Sequence[Group], pending: Sequence[Group], terms: Terms, at: datetime
    ) -> datetime | None:
        after: dict[Crm, Spent] = {}
        refused: list[datetime] = []
        for crm, count in claiming.cost(unknown, pending).items():
            account = self.spent[crm].take(count, terms.limits[crm], at)
            if isinstance(account, datetime):
                refused.append(account)
                suspension = claiming.spent_up(crm, account, terms.limits[crm], at)
                if suspension is not None:
                    self.suspend(suspension)
            else:
                after[crm] = account
        if refused:
            return max(refused)
        self.spent.update(after)
        return None

    def _open(
        self, group: Group, crm: Crm, *, resolving: bool, terms: Terms, at: datetime
    ) -> Claimed:
        attempt = Attempt(
            id=len(self.attempts) + 1,
            stream=group[0].target.stream,
            crm=crm,
            number=claiming.number_of(group),
            resolving=resolving,
            lease_until=at + timedelta(seconds=terms.lease_seconds),
        )
        assert not any(
            a.closed_at is None and (a.stream, a.crm) == (attempt.stream, crm)
            for a in self.attempts.values()
        ), "an addressee has one open attempt at most"
        self.attempts[attempt.id] = attempt
        return Claimed(
            attempt_id=attempt.id,
            target=group[0].target,
            writes=tuple(candidate.write for candidate in group),
            number=attempt.number,
            lease_until=attempt.lease_until,
            policy_version=claiming.policy_version_of(group),
            resolving=resolving,
            sent_at=group[0].sent_at,
        )

    def _move(self, row: Row, settled: Settled, number: int) -> None:
        if not (settled.state is State.PENDING and settled.retry_at is None):
            row.attempts = max(row.attempts, number)
        row.state, row.reason, row.retry_at = settled.state, settled.reason, settled.retry_at
        match settled.outcome:
            case WriteDone():
                row.record_id = settled.outcome.record_id
                row.answered_at = settled.outcome.answered_at
            case WriteRejected():
                row.answered_at = settled.outcome.at
            case _:
                pass
        if settled.outcome is not None:
            self.outcomes.append((row.crm, settled.outcome))


def _target(row: Row, living: _Living) -> Target:
    return Target(
        row.stream, living.get((row.stream, row.crm)), living.get((row.stream, row.crm.other))
    )
