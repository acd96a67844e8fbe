"""A deliver side in memory: CRMs that answer as told, a store and a log whose caller may die."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from typing_extensions import override

from adapters.clock import FixedClock
from adapters.engine.deliver import LEASE_SECONDS, Deliver
from adapters.memory.change_log import MemoryChangeLog
from adapters.memory.decisions import MemoryDecisions
from adapters.memory.deliveries import MemoryDeliveries
from adapters.memory.delivery_desk import MemoryBrakes, MemoryDeliveryDesk
from domain.catalog import Catalog
from domain.deliveries import (
    Addressed,
    Answer,
    Claim,
    Done,
    Gateway,
    NotSent,
    Settlement,
    State,
    Suspension,
    Terms,
    Unpublished,
)
from domain.errors import PortError
from domain.facts import (
    Fact,
    Observation,
    RecordTypeSeen,
    SalesforceCatalogObserved,
)
from domain.ids import Crm, FactId, WriteId
from domain.in_force import InForce
from domain.policy import Policy
from domain.ports import KeyedFact
from domain.writes import Write
from tests.support.delivery_samples import (
    AT,
    LIMITS,
    PIPELINE,
    Decided,
    later,
)

RECORD_TYPE = "012000000000001AAA"
CATALOG = Catalog(
    salesforce=SalesforceCatalogObserved(
        id=FactId("catalog"),
        at=AT,
        read_begun_at=AT,
        reason="poll",
        organization_id="00D000000000001AAA",
        integration_user_id="005000000000001AAA",
        integration_user_name="integration",
        record_types=(
            RecordTypeSeen(
                id=RECORD_TYPE,
                name="Sales",
                is_active=True,
                is_available=True,
                created_at=AT,
                stage_names=("New",),
            ),
        ),
        stages=(),
        users=(),
        fields=(),
        permissions=(),
    ),
    pipelines={RECORD_TYPE: PIPELINE},
)


class DeathError(BaseException):
    """The process is killed."""


class Death:
    """Kills the process after a port call of that name, once; or lets it sleep there, once."""

    def __init__(self) -> None:
        self.after = ""
        self.sleeps: dict[str, Callable[[], object]] = {}

    def may_come(self, call: str) -> None:
        self.sleeps.pop(call, lambda: None)()
        if call == self.after:
            self.after = ""
            raise DeathError


class MortalDeliveries(MemoryDeliveries):
    """The memory store, whose caller may die after each call."""

    def __init__(self, store: MemoryDecisions, death: Death) -> None:
        super().__init__(store)
        self._death = death

    @override
    def claim(self, crm: Crm, terms: Terms, at: datetime) -> Claim:
        claim = super().claim(crm, terms, at)
        self._death.may_come("claim")
        return claim

    @override
    def begin(self, calls: Mapping[int, Collection[WriteId]], at: datetime) -> frozenset[WriteId]:
        cleared = super().begin(calls, at)
        self._death.may_come("begin")
        return cleared

    @override
    def settle(
        self, settlements: Sequence[Settlement], at: datetime, suspension: Suspension | None = None
    ) -> None:
        super().settle(settlements, at, suspension)
        self._death.may_come("settle")

    @override
    def mark_published(self, outcomes: Sequence[Unpublished], at: datetime) -> None:
        super().mark_published(outcomes, at)
        self._death.may_come("mark_published")


class MortalLog(MemoryChangeLog):
    """The memory log, whose caller may die after an append."""

    def __init__(self, death: Death) -> None:
        super().__init__()
        self._death = death

    @override
    def append(self, facts: Sequence[KeyedFact]) -> None:
        super().append(facts)
        self._death.may_come("append")


class ToldGateway(Gateway):
    """A CRM that shows and answers what the test says, and writes down what it was asked."""

    def __init__(self, crm: Crm, clock: FixedClock, death: Death) -> None:
        self._crm = crm
        self._death = death
        self._clock = clock
        self.shown: dict[str, Observation] = {}
        self.answer: Callable[[Write], Answer] = lambda _: Done("1")
        self.reading: Callable[[Write], Answer] = lambda _: NotSent("not there")
        self.looked: list[tuple[str, ...]] = []
        self.sent: list[tuple[Write, ...]] = []
        self.resolved: list[tuple[Write, ...]] = []
        self.fails: dict[str, PortError] = {}
        self.seconds = 0.0
        #: what happens elsewhere while the first look lasts
        self.while_looking: Callable[[], object] = lambda: None

    @property
    @override
    def crm(self) -> Crm:
        return self._crm

    @override
    def look(self, wanted: Sequence[Addressed], at: datetime) -> tuple[Observation, ...]:
        ids = tuple(record_id for one in wanted if (record_id := one.record_on(self._crm)))
        self.looked.append(ids)
        self._begin("look")
        meanwhile, self.while_looking = self.while_looking, lambda: None
        meanwhile()
        self._death.may_come("look")
        return tuple(self.shown[record_id] for record_id in ids if record_id in self.shown)

    @override
    def send(self, wanted: Sequence[Addressed], at: datetime) -> tuple[Answer, ...]:
        self._begin("send")
        self.sent.append(tuple(one.write for one in wanted))
        self._clock.at += timedelta(seconds=self.seconds)
        self._death.may_come("send")
        return tuple(self.answer(one.write) for one in wanted)

    @override
    def resolve(self, wanted: Sequence[Addressed], at: datetime) -> tuple[Answer, ...]:
        self._begin("resolve")
        self.resolved.append(tuple(one.write for one in wanted))
        return tuple(self.reading(one.write) for one in wanted)

    def _begin(self, what: str) -> None:
        if what in self.fails:
            raise self.fails[what]


class Bench:
    """A whole deliver side in memory."""

    def __init__(self) -> None:
        self.clock = FixedClock(AT)
        self.death = Death()
        self.log = MortalLog(self.death)
        self.store = MemoryDecisions()
        self.decided = Decided(self.store)
        self.deliveries = MortalDeliveries(self.store, self.death)
        self.desk = MemoryDeliveryDesk(self.deliveries)
        self.brakes = MemoryBrakes(self.deliveries)
        self.gateways = {crm: ToldGateway(crm, self.clock, self.death) for crm in Crm}
        self.hubspot = self.gateways[Crm.HUBSPOT]
        self.salesforce = self.gateways[Crm.SALESFORCE]
        self.in_force = InForce(Policy(), 1, CATALOG)
        self.loops = {crm: self.loop(crm) for crm in Crm}

    def loop(self, crm: Crm, *, lease_seconds: float = LEASE_SECONDS) -> Deliver:
        return Deliver(
            crm,
            gateways=self.gateways,
            deliveries=self.deliveries,
            log=self.log,
            in_force=lambda: self.in_force,
            limits=dict.fromkeys(Crm, LIMITS),
            clock=self.clock,
            lease_seconds=lease_seconds,
        )

    def step(self, crm: Crm = Crm.HUBSPOT, seconds: float = 0) -> int:
        self.clock.at = max(self.clock.at, later(seconds))
        return self.loops[crm].step(self.clock.at)

    def pair(self, name: str = "a") -> None:
        """Let a pair live with records that show the given values."""
        self.decided.pair(name, opportunity_id=f"006{name}", deal_id=f"7{name}")

    def facts(self) -> list[Fact]:
        return [logged.fact for logged in self.log.read({}, limit=1_000)]

    def outcomes(self) -> list[type]:
        return [type(fact) for fact in self.facts() if type(fact).__name__.startswith("Write")]

    def state(self, write: Write) -> State:
        return next(d.state for d in self.desk.find(limit=1_000) if d.write.id == write.id)
