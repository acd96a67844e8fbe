"""Deliver: the only loop that writes to a CRM; one for each of the two.

One step: **claim** what may go, **look** at the records it concerns, **send** what still holds,
**settle** the answers, **publish** the outcomes as facts. It decides nothing: what the look calls
off comes back as a cancelled write and an observation, and is decided anew.

What if it dies (SIGKILL) after a line of `step`:

| after | left behind | who mends it |
|---|---|---|
| `claim` | attempts with a lease; writes pending | the lease ends: they are claimed again |
| `look` | nothing more | the same |
| `append` of what the look showed | facts in the log, writes pending | the fact is decided; the |
| | | write is claimed and judged again; the fact twice is recognised by its id |
| `begin` | writes sent, no answer | the lease ends: they are unknown, and settled by reading |
| `send` | an effect in the CRM, no answer | the same: creates by key, updates by values |
| `settle` | outcomes stored, not published | the next step publishes |
| `append` of outcomes | outcomes perhaps in the log | the next step appends them again; same ids |
| `mark_published` | nothing | |

A deliverer that only sleeps (SIGSTOP) past its lease finds it gone at `begin`, or sees on the clock
after it that it slept, and sends nothing; if it slept inside `send`, its answer is stored and
settles the write unless a reading has. It looks at the clock before each call, because a call may
not begin near the lease's end, nor long after its look.

| rule | where |
|---|---|
| `suspend` | `_suspension`: a CRM that refuses or throttles us is left alone |
| `pipeline-scope`, `create-race` | `domain.looking` |
| `policy-change`, `deal-sync-switch` | `domain.in_force` |
| `partial-reject` | `answers`: a merged call's blame stays with the writes it names |
| `once` | an unknown write is read, never sent: `_resolve` |
| `budget`, `delete-fuse` | `domain.claiming`, in `claim` |
| `nothing-lost` | the answer is stored before it is published |
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

from adapters.clock import Clock
from adapters.engine import answers
from adapters.engine.answers import Call, Work, work_of
from adapters.engine.backoff import delay_seconds
from adapters.engine.ingest import key_of, topic_of
from domain import claiming, looking
from domain.deliveries import (
    BATCH_SIZE_MAX,
    Addressed,
    Answer,
    CallLimits,
    Claimed,
    Deliveries,
    Fuse,
    Gateway,
    Settlement,
    Suspension,
    Terms,
)
from domain.errors import PortError, ThrottledError, UnauthenticatedError
from domain.facts import Observation
from domain.ids import Crm
from domain.in_force import InForce
from domain.looking import CalledOff, NotShown, Seen
from domain.policy import Policy
from domain.ports import ChangeLog, KeyedFact, Topic

#: how long a silent worker keeps the writes that it has claimed, unless the settings say otherwise
LEASE_SECONDS: Final = 120.0
#: of a lease, the longest that one call of a gateway takes, its own requests together
CALL_SHARE: Final = 0.5
#: how old a look may be when its writes go out: what people do since is written over
LOOK_SECONDS_MAX: Final = 3.0
#: our clocks may differ by this much
MARGIN_SECONDS: Final = 5.0
#: outcomes published in one step
PUBLISH_MAX: Final = 500
#: a refused sign-in is settled by a person; asking more often locks accounts
REFUSED_SECONDS: Final = 60.0
#: longest that a CRM which does not answer is left alone
AWAY_SECONDS_MAX: Final = 60.0
FORBIDDEN_REASON: Final = "not sent: what is in force forbids it"
CALLED_OFF_REASON: Final = "not sent: the look called it off"
WITHDRAWN_REASON: Final = "not sent: withdrawn, or the lease was lost"
LATE_REASON: Final = "the lease was nearly over, or the look too old"

#: does the calls at the gateway: send or resolve
_Asking: TypeAlias = Callable[[Sequence[Addressed], datetime], tuple[Answer, ...]]


class Deliver:
    """The deliver loop of one CRM.

    Args:
        crm: the CRM it writes to.
        gateways: both CRMs': a write to one may need a look at the other.
        deliveries: the state of every write.
        log: where outcomes, and what a look showed, are appended.
        in_force: returns policy and catalog as they are decided now.
        limits: what each CRM allows the whole account; policy sets our share of the day.
        clock: read right before and after each call: a step lasts as long as its calls.
        lease_seconds: how long others leave the writes that it has claimed to it.
    """

    def __init__(
        self,
        crm: Crm,
        *,
        gateways: Mapping[Crm, Gateway],
        deliveries: Deliveries,
        log: ChangeLog,
        in_force: Callable[[], InForce],
        limits: Mapping[Crm, CallLimits],
        clock: Clock,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.crm = crm
        self._lease_seconds = lease_seconds
        self._gateways = dict(gateways)
        self._deliveries = deliveries
        self._log = log
        self._in_force = in_force
        self._limits = dict(limits)
        self._clock = clock
        #: calls that failed as a whole, in a row, by CRM
        self._failures = dict.fromkeys(Crm, 0)

    def step(self, at: datetime) -> int:
        """Do one bounded piece of work; return how many writes and outcomes were dealt with.

        Raises:
            PortError: our own database or log did not answer; the step may be repeated.
        """
        in_force = self._in_force()
        claim = self._deliveries.claim(self.crm, self._terms(in_force.policy), at)
        self._resolve([work_of(c) for c in claim.claimed if c.resolving])
        self._send([work_of(c) for c in claim.claimed if not c.resolving], in_force)
        return claim.ended + len(claim.claimed) + self._publish(at)

    def _terms(self, policy: Policy) -> Terms:
        shares = {
            Crm.SALESFORCE: policy.budgets.salesforce_daily_share,
            Crm.HUBSPOT: policy.budgets.hubspot_daily_share,
        }
        return Terms(
            fuse=Fuse(
                count=policy.deletes.fuse_count,
                share=float(policy.deletes.fuse_share),
                window_seconds=float(policy.deletes.fuse_minutes) * 60,
            ),
            limits={
                crm: replace(limits, daily_calls=int(limits.daily_calls * shares[crm]))
                for crm, limits in self._limits.items()
            },
            lease_seconds=self._lease_seconds,
            batch_size_max=BATCH_SIZE_MAX[self.crm],
        )

    # -- look ----------------------------------------------------------------------------------

    def _send(self, works: Sequence[Work], in_force: InForce) -> None:
        """Judge the writes, then send those that hold."""
        if not works:
            return
        for work in works:
            self._judge(work, partial(_forbidden, work.claimed, in_force))
        works, none_left = _parted(works)
        self._settle(none_left, FORBIDDEN_REASON)
        seen = self._look([call for work in works for call in work.calls])
        if isinstance(seen, Suspension):
            self._release(works, seen)
            return
        shown: dict[str, Observation] = {}
        for work in works:
            self._judge(work, lambda call: looking.verdict(call.addressed, seen, in_force), shown)
        if shown:
            self._log.append([_keyed(observation) for observation in shown.values()])
        works, none_left = _parted(works)
        self._settle(none_left, CALLED_OFF_REASON)
        until = self._clock.now() + timedelta(seconds=LOOK_SECONDS_MAX)
        self._in_batches(works, partial(self._send_batch, until=until))

    def _judge(
        self,
        work: Work,
        judge: Callable[[Call], CalledOff | NotShown | None],
        shown: dict[str, Observation] | None = None,
    ) -> None:
        """Take the calls that must not go out of the work, with what becomes of their writes."""
        kept: list[Call] = []
        at = self._clock.now()
        for call in work.calls:
            match judge(call):
                case None:
                    kept.append(call)
                case CalledOff() as why:
                    if shown is not None:
                        shown.update({fact.id: fact for fact in why.shown})
                    work.settled.extend(
                        answers.cancelled(call, work.claimed, why.rule, why.reason, at)
                    )
                case NotShown(reason):
                    work.settled.extend(answers.again(call, work.claimed, reason, at))
        work.calls = tuple(kept)

    def _look(self, calls: Sequence[Call]) -> Seen | Suspension:
        """Read each record that the writes concern, once."""
        observations: list[Observation] = []
        for crm in Crm:
            wanted = {
                ref: call.addressed
                for call in calls
                if crm in claiming.looked_at(call.addressed.write)
                and (ref := looking.looked_at(call.addressed, crm)) is not None
            }
            for batch in _chunks(tuple(wanted.values()), BATCH_SIZE_MAX[crm]):
                at = self._clock.now()
                try:
                    observations.extend(self._gateways[crm].look(batch, at))
                except PortError as error:
                    return self._suspension(crm, error)
                self._failures[crm] = 0
        return looking.seen(observations)

    # -- send, resolve -------------------------------------------------------------------------

    def _in_batches(
        self, works: Sequence[Work], do: Callable[[Sequence[Work]], Suspension | None]
    ) -> None:
        """Do the works by class of write, as many calls at a time as a batch takes."""
        batches = [
            batch
            for works_of_class in _by_class(works)
            for batch in _packed(works_of_class, BATCH_SIZE_MAX[self.crm])
        ]
        for place, batch in enumerate(batches):
            suspension = do(batch)
            if suspension is not None:
                rest = [work for later in batches[place:] for work in later if work.calls]
                self._release(rest, suspension)
                return

    def _send_batch(self, works: Sequence[Work], *, until: datetime) -> Suspension | None:
        """Send one batch; return why the CRM must be left alone, if it had no effect at all.

        Args:
            works: one batch.
            until: when what the look showed is too old to write over.
        """
        at = self._clock.now()
        if at > until or self._is_nearly_over(works, at):
            self._give_back(works)
            return None
        cleared = self._deliveries.begin({work.attempt_id: work.write_ids for work in works}, at)
        for work in works:
            work.keep(cleared)
        cleared_works, none_left = _parted(works)
        self._settle(none_left, WITHDRAWN_REASON)
        now = self._clock.now()
        if cleared_works and (now > until or self._is_nearly_over(cleared_works, now)):
            # It slept since: others may hold these writes for unknown by now, or for lost; and
            # people may have edited what they go over.
            self._give_back(cleared_works)
            return None
        return self._ask(cleared_works, self._gateways[self.crm].send, at)

    def _resolve(self, works: Sequence[Work]) -> None:
        """Read what became of unknown writes."""
        self._in_batches(works, self._resolve_batch)

    def _resolve_batch(self, works: Sequence[Work]) -> Suspension | None:
        at = self._clock.now()
        return self._ask(works, self._gateways[self.crm].resolve, at)

    def _is_nearly_over(self, works: Sequence[Work], at: datetime) -> bool:
        """Tell whether a call that begins now may outlast the lease."""
        lease_until = min(work.claimed.lease_until for work in works)
        seconds = CALL_SHARE * self._lease_seconds + MARGIN_SECONDS
        return at + timedelta(seconds=seconds) > lease_until

    def _ask(self, works: Sequence[Work], ask: _Asking, at: datetime) -> Suspension | None:
        """Make the calls and settle their answers."""
        if not works:
            return None
        calls = [call.addressed for work in works for call in work.calls]
        try:
            found = ask(calls, at)
        except PortError as error:
            return self._suspension(self.crm, error)
        self._failures[self.crm] = 0
        answered_at = self._clock.now()
        assert len(found) == len(calls), "a gateway gives one answer a write"
        remaining = iter(found)
        settlements: list[Settlement] = []
        for work in works:
            said: list[str] = []
            for call in work.calls:
                answer = next(remaining)
                said.append(answers.words(answer))
                work.settled.extend(
                    answers.answered(
                        call,
                        answer,
                        work.claimed,
                        sent_at=work.claimed.sent_at or at,
                        at=answered_at,
                    )
                )
            settlements.append(work.settlement("; ".join(said)))
        self._deliveries.settle(settlements, answered_at)
        return None

    # -- settle, publish -----------------------------------------------------------------------

    def _give_back(self, works: Sequence[Work]) -> None:
        """Let whoever claims these writes next look again, and send them."""
        answers.given_back(works, LATE_REASON)
        self._settle(works, LATE_REASON)

    def _settle(self, works: Sequence[Work], answer: str) -> None:
        if works:
            self._deliveries.settle([work.settlement(answer) for work in works], self._clock.now())

    def _release(self, works: Sequence[Work], suspension: Suspension) -> None:
        """Give back writes that had no effect, each a little later, and leave the CRM alone."""
        at = self._clock.now()
        for work in works:
            for call in work.calls:
                work.settled.extend(answers.again(call, work.claimed, suspension.reason, at))
        self._deliveries.settle(
            [work.settlement(suspension.reason) for work in works], at, suspension
        )

    def _suspension(self, crm: Crm, error: PortError) -> Suspension:
        """Say how long a CRM is left alone (rule `suspend`)."""
        at = self._clock.now()
        self._failures[crm] += 1
        match error:
            case ThrottledError():
                until = error.until
            case UnauthenticatedError():
                until = at + timedelta(seconds=REFUSED_SECONDS)
            case _:
                seconds = delay_seconds(crm, self._failures[crm], longest=AWAY_SECONDS_MAX)
                until = at + timedelta(seconds=seconds)
        return Suspension(crm, until, str(error), error.code, at)

    def _publish(self, at: datetime) -> int:
        """Append stored outcomes to the log; marked only when they are durable there."""
        waiting = self._deliveries.unpublished(self.crm, limit=PUBLISH_MAX)
        if waiting:
            self._log.append(
                [KeyedFact(Topic.OUTCOMES, one.fact.stream, one.fact) for one in waiting]
            )
            self._deliveries.mark_published(waiting, at)
        return len(waiting)


def _forbidden(claimed: Claimed, in_force: InForce, call: Call) -> CalledOff | None:
    forbidden = in_force.forbids(call.addressed.write, decided_under=claimed.policy_version)
    return None if forbidden is None else CalledOff(forbidden.rule, forbidden.reason)


def _keyed(observation: Observation) -> KeyedFact:
    return KeyedFact(topic_of(looking.crm_of(observation)), key_of(observation), observation)


def _parted(works: Sequence[Work]) -> tuple[list[Work], list[Work]]:
    """Return the works with something left to do, and those with nothing."""
    return [work for work in works if work.calls], [work for work in works if not work.calls]


def _by_class(works: Sequence[Work]) -> Iterable[Sequence[Work]]:
    """Return works of one class of write together; the class that comes first goes first."""
    found: dict[str, list[Work]] = {}
    for work in works:
        found.setdefault(work.calls[0].addressed.write.topic, []).append(work)
    return found.values()


def _packed(works: Sequence[Work], size: int) -> Iterator[Sequence[Work]]:
    """Return as many whole works at a time as `size` calls hold; a claim is never larger."""
    batch: list[Work] = []
    count = 0
    for work in works:
        if batch and count + len(work.calls) > size:
            yield batch
            batch, count = [], 0
        batch.append(work)
        count += len(work.calls)
    if batch:
        yield batch


def _chunks(wanted: Sequence[Addressed], size: int) -> Iterator[Sequence[Addressed]]:
    for start in range(0, len(wanted), size):
        yield wanted[start : start + size]
