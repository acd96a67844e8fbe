"""How a decided write reaches its CRM: the gateway, the store of deliveries, and their values.

A write's delivery has a state:

```
pending ──► sent ──► done | rejected | unknown ──► done | rejected | cancelled (lost)
   │  ▲       └────► pending (certainly not sent, or a refusal that time heals)
   ├──┼────► cancelled
   ▼  │
  held   (rule `delete-fuse`)
```

A write without a row is pending. An unknown write is settled by reading, never by sending again
(rule `once`). This module must not know how states are stored or a CRM is spoken to.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

from domain.facts import Observation, Outcome, Reading
from domain.ids import Crm, StreamId, WriteId
from domain.writes import Write

#: records a call of a CRM's batch interface takes
BATCH_SIZE_MAX: Final[Mapping[Crm, int]] = {Crm.HUBSPOT: 100, Crm.SALESFORCE: 200}

# -- the CRM's side -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Target:
    """The living records of a stream when a write is sent."""

    stream: StreamId
    #: on the write's own side; None: none lives there
    record_id: str | None
    #: on the other side; None: none lives there
    counterpart_id: str | None = None


@dataclass(frozen=True, slots=True)
class Addressed:
    """A write and where it goes."""

    write: Write
    target: Target
    #: our clock, before its latest call; None: none went out
    sent_at: datetime | None = None

    def record_on(self, crm: Crm) -> str | None:
        """Return the id of the stream's living record in that CRM, or None."""
        return self.target.record_id if crm is self.write.CRM else self.target.counterpart_id


@dataclass(frozen=True, slots=True)
class Done:
    """The CRM took the write."""

    #: the record created or written to; None: the CRM names none
    record_id: str | None
    #: what the answer showed; empty where the CRM shows nothing
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """The CRM refused the write; the same write would be refused again."""

    #: the vendor's own code
    code: str
    message: str
    #: API names of the fields it blamed; empty: none named
    fields: tuple[str, ...] = ()
    #: whether it refused because the record is deleted or unknown there
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """The call went out and no whole answer came, or the reading could not tell."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class NotSent:
    """The write certainly had no effect and may go again (a lock, a busy server).

    From `resolve`: the reading shows that the write never took effect.
    """

    reason: str
    #: not before this; None: the engine's own backoff says when
    retry_at: datetime | None = None


Answer: TypeAlias = Done | Rejected | Unknown | NotSent


class Gateway(Protocol):
    """One CRM, as deliver uses it. It keeps nothing between calls but its session.

    Every method raises for the call as a whole, **before any effect**: `RetryableError`,
    `ThrottledError` (until when), `UnauthenticatedError` (after signing in again once). What
    happens after a request went out is an answer, never an exception.
    """

    @property
    def crm(self) -> Crm:
        """Return which CRM this is."""
        ...

    def look(self, wanted: Sequence[Addressed], at: datetime) -> tuple[Observation, ...]:
        """Read the living records of this CRM that the writes concern, in batches.

        The record is `addressed.record_on(self.crm)`: the write's own where the write goes to this
        CRM, its counterpart where it goes to the other one (a write to an opportunity needs its
        deal's pipeline; a create needs the record it copies). Where that is None nothing is read.

        Args:
            wanted: at most `BATCH_SIZE_MAX` writes, of any class; records may repeat.
            at: our clock before the call: the facts' `read_begun_at`.

        Returns:
            Facts with reason `look`, in any order: the record as observed with all mapped fields
            (`OpportunityObserved`, `DealObserved`, `HubSpotContactObserved`, `CompanyObserved`),
            or `RecordDeleted`, or `RecordMerged` where it answers with another id.
        """
        ...

    def send(self, wanted: Sequence[Addressed], at: datetime) -> tuple[Answer, ...]:
        """Do the writes.

        Args:
            wanted: at least one, at most `BATCH_SIZE_MAX`, all of one class of `Write`.
            at: our clock before the call.

        Returns:
            One answer a write, in the same order.
        """
        ...

    def resolve(self, wanted: Sequence[Addressed], at: datetime) -> tuple[Answer, ...]:
        """Tell by reading what became of writes whose answer is unknown; never sends.

        Creates are looked for by their key, archived and deleted records included. Updates read
        the record: `Done` where it holds what the write wanted.

        Returns:
            One answer a write, in the same order: `Done`, `Rejected` (the record is gone),
            `NotSent` (the reading shows no effect) or `Unknown` (cannot tell yet).
        """
        ...


# -- the store's side ---------------------------------------------------------------------------


class State(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    SENT = "sent"
    DONE = "done"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    HELD = "held"
    CANCELLED = "cancelled"


#: nothing happens to these any more
FINAL_STATES: Final = frozenset({State.DONE, State.REJECTED, State.CANCELLED})


class Echo(StrEnum):
    """How a done write was seen again (rule `echo`)."""

    CONFIRMED = "confirmed"
    REWRITTEN = "rewritten"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Fuse:
    """When deletes stop for a person (rule `delete-fuse`): when both are exceeded."""

    count: int
    #: of the live pairs, 0 to 1
    share: float
    window_seconds: float


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What we may ask of one CRM (rule `budget`)."""

    #: calls in a burst window
    burst_calls: int
    burst_seconds: float
    #: calls in a UTC day
    daily_calls: int


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which limits a claim is made."""

    fuse: Fuse
    limits: Mapping[Crm, CallLimits]
    lease_seconds: float
    #: addressees at most
    batch_size_max: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """An addressee's writes, held by one deliverer until its lease ends.

    All writes are of one class; updates agree in everything but their fields.
    """

    #: also the lease's token
    attempt_id: int
    target: Target
    #: in event order
    writes: tuple[Write, ...]
    #: 1 for the first; the largest of the writes' attempts so far, plus 1
    number: int
    lease_until: datetime
    #: the oldest policy version that one of the writes was decided under
    policy_version: int
    #: True: the writes are unknown, and are to be read, not sent
    resolving: bool = False
    #: when the unknown call went out; None unless resolving
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a deliverer may do now."""

    claimed: tuple[Claimed, ...] = ()
    #: nothing may be claimed before this, whatever waits; None: nothing is in the way
    closed_until: datetime | None = None
    #: writes that ended without a call: cancelled, held, or unknown after a lost lease
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one write of an attempt."""

    write_id: WriteId
    state: State
    #: the fact to publish; None where the state does not change for others
    outcome: Outcome | None
    #: why it stands so, for people; blank: nothing to say
    reason: str = ""
    #: pending, unknown: not before this
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """The end of one attempt."""

    attempt_id: int
    #: what the CRM answered, in words, for people
    answer: str
    writes: tuple[Settled, ...]


@dataclass(frozen=True, slots=True)
class Suspension:
    """A CRM that is left alone for a while (rule `suspend`)."""

    crm: Crm
    until: datetime
    reason: str
    #: the vendor's own code
    code: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Unpublished:
    """An outcome that the change log does not hold yet."""

    #: its place in the store
    id: int
    fact: Outcome


class Deliveries(Protocol):
    """Deliver's own tables, never rebuilt; each method is one atomic step."""

    def claim(self, crm: Crm, terms: Terms, at: datetime) -> Claim:
        """Take what may be sent or must be read now.

        In one transaction: attempts whose lease ended are closed (sent writes become unknown);
        withdrawn unsent writes are cancelled; the fuse is tried; then, unless the CRM is suspended
        or out of calls, addressees without an open attempt are taken: those with unknown writes to
        be read, the others with the first writes of one class in event order. Definitions of
        pipelines, stages, properties and fields come first.
        """
        ...

    def begin(self, calls: Mapping[int, Collection[WriteId]], at: datetime) -> frozenset[WriteId]:
        """Record, before a call goes out, that these writes go with it.

        Args:
            calls: write ids by attempt id.
            at: our clock before the call.

        Returns:
            The writes that may go: those of attempts still held, not withdrawn meanwhile.
            Withdrawn ones are cancelled here; an attempt that lost its lease gets nothing.
        """
        ...

    def settle(
        self, settlements: Sequence[Settlement], at: datetime, suspension: Suspension | None = None
    ) -> None:
        """Store answers and states, and close the attempts.

        An answer is always stored. The state moves only along the picture above: a deliverer that
        lost its lease can still settle a write that is unknown, and nothing else.
        """
        ...

    def unpublished(self, crm: Crm, *, limit: int) -> tuple[Unpublished, ...]:
        """Return outcomes that the change log may not hold yet, oldest first."""
        ...

    def mark_published(self, outcomes: Sequence[Unpublished], at: datetime) -> None:
        """Remember that the change log holds them."""
        ...


# -- the operator's side ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a write stands, for people."""

    write: Write
    rule: str
    decided_at: datetime
    state: State
    #: why it is pending, held, cancelled or rejected; blank: nothing to say
    reason: str
    attempts: int
    #: pending, unknown: not before this
    retry_at: datetime | None
    record_id: str | None
    sent_at: datetime | None
    answered_at: datetime | None
    #: None: not seen again yet, or not done
    echo: Echo | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What moves and what waits for a person, for both CRMs together."""

    pending: int
    sent: int
    unknown: int
    held: int
    #: outcomes not in the change log yet
    unpublished: int
    #: done, not seen again, answered after the given instant
    unseen: int


class DeliveryDesk(Protocol):
    """What operators see and do about single writes."""

    def find(
        self,
        *,
        stream: StreamId | None = None,
        states: Collection[State] = (),
        limit: int,
    ) -> tuple[Delivery, ...]:
        """Return writes, newest decision first; no state given: all."""
        ...

    def retry(self, write_ids: Collection[WriteId]) -> int:
        """Let pending writes go, and unknown ones be read, without further delay; count them."""
        ...

    def cancel(self, write_ids: Collection[WriteId], *, reason: str, at: datetime) -> int:
        """Give up writes that are not sent; count them."""
        ...

    def counts(self, *, unseen_after: datetime) -> Counts:
        """Count for `wait`."""
        ...

    def mark_echoes(self, echoes: Mapping[WriteId, Echo]) -> None:
        """Remember how done writes were seen again; the first answer stays."""
        ...


@dataclass(frozen=True, slots=True)
class FuseState:
    """Whether the delete fuse has blown."""

    #: None: whole
    blown_at: datetime | None
    held: int


class Brakes(Protocol):
    """What keeps us from calling a CRM: suspensions, call budgets, the delete fuse."""

    def fuse(self) -> FuseState:
        """Return how the fuse stands."""
        ...

    def mend_fuse(self, *, release: bool, at: datetime, by: str) -> int:
        """Send the held deletes after all, or give them up, as `by` wishes; count them."""
        ...

    def suspensions(self, at: datetime) -> tuple[Suspension, ...]:
        """Return those in force."""
        ...

    def suspend(self, suspension: Suspension | Crm) -> None:
        """Leave a CRM alone until then; a bare CRM: take it up again now."""
        ...

    def take(self, crm: Crm, calls: int, limits: CallLimits, at: datetime) -> datetime | None:
        """Take calls out of the budget.

        Returns:
            None if they were taken; else the instant before which there are none.
        """
        ...
