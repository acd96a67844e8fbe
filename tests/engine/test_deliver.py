"""The deliver loop over a CRM that answers as told, a memory store and a memory log."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

import pytest
from typing_extensions import override

from adapters.clock import FixedClock
from adapters.engine.deliver import LEASE_SECONDS, LOOK_SECONDS_MAX, Deliver
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
    Rejected,
    Settlement,
    State,
    Suspension,
    Terms,
    Unknown,
    Unpublished,
)
from domain.errors import PortError, RetryableError, ThrottledError, UnauthenticatedError
from domain.facts import (
    Fact,
    Observation,
    RecordTypeSeen,
    SalesforceCatalogObserved,
    WriteCancelled,
    WriteDone,
    WriteRejected,
    WriteUnknown,
)
from domain.ids import Crm, FactId, WriteId
from domain.in_force import InForce
from domain.policy import Policy, Switches
from domain.ports import KeyedFact
from domain.rules import RuleId
from domain.writes import Write
from tests.support.delivery_samples import (
    AT,
    LIMITS,
    PIPELINE,
    Decided,
    associate,
    change,
    create_deal,
    create_opportunity,
    create_property,
    deal_observed,
    later,
    opportunity_observed,
    record_deleted,
    update_deal,
    update_opportunity,
)
from tests.support.store_samples import deal, opportunity

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


@pytest.fixture
def bench() -> Bench:
    return Bench()


# -- the straight way ---------------------------------------------------------------------------


def test_nothing_decided_nothing_called(bench: Bench) -> None:
    assert bench.step() == 0
    assert bench.hubspot.looked == []


def test_a_write_is_looked_at_sent_settled_and_published(bench: Bench) -> None:
    wanted = update_deal("a", "1", change("amount", "1", "2"))
    bench.pair()
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = deal_observed("7a", ("amount", "1"))
    bench.hubspot.seconds = 3

    bench.step()

    [outcome] = bench.facts()
    assert (bench.hubspot.looked, bench.hubspot.sent) == ([("7a",)], [(wanted,)])
    assert isinstance(outcome, WriteDone)
    assert (outcome.write_id, outcome.record_id) == (wanted.id, "1")
    assert (outcome.sent_at, outcome.answered_at) == (AT, later(3))
    assert bench.state(wanted) is State.DONE
    assert bench.step() == 0


def test_an_update_of_an_opportunity_is_sent_after_a_look_at_its_deal(bench: Bench) -> None:
    wanted = update_opportunity("a", "1", change("Amount", "1", "2"))
    bench.pair()
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = deal_observed("7a")
    bench.salesforce.shown["006a"] = opportunity_observed("006a", ("Amount", "1"))

    bench.step(Crm.SALESFORCE)

    assert (bench.hubspot.looked, bench.salesforce.looked) == ([("7a",)], [("006a",)])
    assert bench.salesforce.sent == [(wanted,)]


def test_updates_of_one_record_become_one_call(bench: Bench) -> None:
    one = update_deal("a", "1", change("amount", "1", "2"), change("dealname", "x", "y"))
    other = update_deal("a", "2", change("amount", "2", "3"))
    bench.pair()
    bench.decided.write(one, other)
    bench.hubspot.shown["7a"] = deal_observed("7a", ("amount", "1"), ("dealname", "x"))

    bench.step()

    [[merged]] = bench.hubspot.sent
    assert {f.name: (f.before, f.after) for f in merged.fields} == {
        "amount": ("1", "3"),
        "dealname": ("x", "y"),
    }
    assert bench.outcomes() == [WriteDone, WriteDone]


def test_records_of_one_class_share_a_call_and_definitions_go_first(bench: Bench) -> None:
    for name in ("a", "b"):
        bench.pair(name)
        bench.hubspot.shown[f"7{name}"] = deal_observed(f"7{name}")
    bench.decided.write(associate("a", "c1"), update_deal("b", "1"), associate("a", "c2"))
    bench.decided.write(create_property("dealsync_state"))

    bench.step()

    assert bench.hubspot.sent == [
        (create_property("dealsync_state"),),
        (associate("a", "c1"), associate("a", "c2")),
        (update_deal("b", "1"),),
    ]
    assert bench.hubspot.looked == [("7a", "7b")]


# -- the look -----------------------------------------------------------------------------------


def test_a_field_that_someone_changed_meanwhile_calls_the_write_off(bench: Bench) -> None:
    wanted = update_deal("a", "1", change("amount", "1", "2"))
    shown = deal_observed("7a", ("amount", "5"))
    bench.pair()
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = shown

    bench.step()

    assert bench.hubspot.sent == []
    outcome = next(fact for fact in bench.facts() if isinstance(fact, WriteCancelled))
    assert shown in bench.facts()
    assert outcome.rule == RuleId.WHO_WINS
    assert outcome.reason.startswith("overtaken")


def test_a_value_that_is_there_already_does_not_call_the_write_off(bench: Bench) -> None:
    bench.pair()
    bench.decided.write(update_deal("a", "1", change("amount", "1", "2")))
    bench.hubspot.shown["7a"] = deal_observed("7a", ("amount", "2"))

    bench.step()

    assert bench.outcomes() == [WriteDone]


def test_an_unguarded_field_is_not_compared(bench: Bench) -> None:
    bench.pair()
    bench.decided.write(
        update_deal("a", "1", change("dealsync_state", None, "live", guarded=False))
    )
    bench.hubspot.shown["7a"] = deal_observed("7a", ("dealsync_state", "stopped"))

    bench.step()

    assert bench.outcomes() == [WriteDone]


@pytest.mark.parametrize("pipeline_id", ["13", "not synced"])
def test_a_deal_in_another_pipeline_is_not_written_to(bench: Bench, pipeline_id: str) -> None:
    shown = deal_observed("7a", pipeline_id=pipeline_id)
    bench.pair()
    bench.decided.write(update_deal("a", "1"))
    bench.hubspot.shown["7a"] = shown

    bench.step()

    assert bench.hubspot.sent == []
    assert shown in bench.facts()
    outcome = next(fact for fact in bench.facts() if isinstance(fact, WriteCancelled))
    assert outcome.rule == RuleId.PIPELINE_SCOPE


@pytest.mark.parametrize("wanted", [update_opportunity("a", "1"), associate("a", "c1")])
def test_a_stopped_pair_is_not_written_to_on_either_side(bench: Bench, wanted: Write) -> None:
    bench.pair()
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = deal_observed("7a", pipeline_id="not synced")
    bench.salesforce.shown["006a"] = opportunity_observed("006a")

    bench.step(wanted.CRM)

    assert bench.gateways[wanted.CRM].sent == []
    assert bench.state(wanted) is State.CANCELLED


def test_a_create_whose_original_is_deleted_is_cancelled(bench: Bench) -> None:
    gone = record_deleted(opportunity("006a"))
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(create_deal("a"))
    bench.salesforce.shown["006a"] = gone

    bench.step()

    assert bench.hubspot.sent == []
    assert gone in bench.facts()
    outcome = next(fact for fact in bench.facts() if isinstance(fact, WriteCancelled))
    assert outcome.rule == RuleId.CREATE_RACE


def test_a_deleted_target_cancels_the_write(bench: Bench) -> None:
    gone = record_deleted(deal("7a"))
    bench.pair()
    bench.decided.write(update_deal("a", "1"))
    bench.hubspot.shown["7a"] = gone

    bench.step()

    assert gone in bench.facts()
    assert bench.outcomes() == [WriteCancelled]


def test_a_record_that_the_look_does_not_show_waits(bench: Bench) -> None:
    wanted = update_deal("a", "1")
    bench.pair()
    bench.decided.write(wanted)

    bench.step()

    assert (bench.hubspot.sent, bench.state(wanted)) == ([], State.PENDING)
    assert bench.outcomes() == []


# -- what is in force ---------------------------------------------------------------------------


def test_switching_off_cancels_unsent_writes_but_not_definitions(bench: Bench) -> None:
    wanted = update_deal("a", "1")
    bench.pair()
    bench.decided.write(wanted, create_property("dealsync_state"))
    bench.in_force = InForce(Policy(switches=Switches(deal_sync=False)), 2, CATALOG)

    bench.step()

    assert bench.hubspot.sent == [(create_property("dealsync_state"),)]
    assert bench.hubspot.looked == []
    outcome = next(fact for fact in bench.facts() if isinstance(fact, WriteCancelled))
    assert (outcome.write_id, outcome.rule) == (wanted.id, RuleId.DEAL_SYNC_SWITCH)


def test_a_field_that_is_not_mapped_any_more_is_not_written(bench: Bench) -> None:
    gone = change("amount", "1", "2").model_copy(update={"field": "budget"})
    bench.pair()
    bench.decided.write(update_deal("a", "1", gone))
    bench.in_force = InForce(Policy(), 2, CATALOG)

    bench.step()

    outcome = next(fact for fact in bench.facts() if isinstance(fact, WriteCancelled))
    assert outcome.rule == RuleId.POLICY_CHANGE


# -- answers ------------------------------------------------------------------------------------


def test_a_refusal_is_published_with_its_code(bench: Bench) -> None:
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(create_deal("a"))
    bench.salesforce.shown["006a"] = opportunity_observed("006a")
    bench.hubspot.answer = lambda _: Rejected("INVALID", "no", ("amount",))

    bench.step()

    [outcome] = bench.facts()
    assert isinstance(outcome, WriteRejected)
    assert (outcome.code, outcome.fields) == ("INVALID", ("amount",))


def test_a_merged_refusal_falls_on_the_write_it_names(bench: Bench) -> None:
    amount = update_deal("a", "1", change("amount", "1", "2"))
    name = update_deal("a", "2", change("dealname", "x", "y"))
    bench.pair()
    bench.decided.write(amount, name)
    bench.hubspot.shown["7a"] = deal_observed("7a", ("amount", "1"), ("dealname", "x"))
    bench.hubspot.answer = lambda _: Rejected("INVALID", "no", ("amount",))

    bench.step()

    assert (bench.state(amount), bench.state(name)) == (State.REJECTED, State.CANCELLED)


def test_a_write_that_was_not_sent_goes_again_later(bench: Bench) -> None:
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(create_deal("a"))
    bench.salesforce.shown["006a"] = opportunity_observed("006a")
    bench.hubspot.answer = lambda _: NotSent("locked", later(20))

    bench.step()
    bench.hubspot.answer = lambda _: Done("77")
    bench.step(seconds=19)
    bench.step(seconds=20)

    assert len(bench.hubspot.sent) == 2
    assert bench.outcomes() == [WriteDone]


def test_an_unknown_write_is_read_and_never_sent_again(bench: Bench) -> None:
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(create_deal("a"))
    bench.salesforce.shown["006a"] = opportunity_observed("006a")
    bench.hubspot.answer = lambda _: Unknown("timeout")

    bench.step()
    bench.hubspot.reading = lambda _: Unknown("cannot tell")
    bench.step(seconds=10)
    bench.hubspot.reading = lambda _: Done("77")
    bench.step(seconds=1_000)

    assert (len(bench.hubspot.sent), len(bench.hubspot.resolved)) == (1, 2)
    assert bench.outcomes() == [WriteUnknown, WriteDone]


def test_an_unknown_write_without_an_effect_is_lost(bench: Bench) -> None:
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(create_deal("a"))
    bench.salesforce.shown["006a"] = opportunity_observed("006a")
    bench.hubspot.answer = lambda _: Unknown("timeout")

    bench.step()
    bench.step(seconds=10)
    bench.step(seconds=1_000)

    outcome = bench.facts()[-1]
    assert len(bench.hubspot.sent) == 1
    assert isinstance(outcome, WriteCancelled)
    assert outcome.rule == RuleId.ONCE
    assert outcome.reason.startswith("lost")


# -- failures as a whole ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "until"),
    [
        (ThrottledError("daily limit", until=later(500), code="LIMIT"), later(500)),
        (UnauthenticatedError("refused", code="401"), later(60)),
    ],
)
@pytest.mark.parametrize("what", ["look", "send"])
def test_a_crm_that_lets_nobody_in_is_left_alone_and_resumes(
    bench: Bench, error: ThrottledError | UnauthenticatedError, until: datetime, what: str
) -> None:
    wanted = update_deal("a", "1")
    bench.pair()
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = deal_observed("7a")
    bench.hubspot.fails[what] = error

    bench.step()
    [suspension] = bench.brakes.suspensions(bench.clock.at)
    bench.hubspot.fails.clear()
    bench.step(seconds=(until - AT).total_seconds() - 1)
    before = bench.state(wanted)
    bench.step(seconds=(until - AT).total_seconds())

    assert (suspension.until, suspension.code) == (until, error.code)
    assert (before, bench.state(wanted)) == (State.PENDING, State.DONE)


def test_a_crm_that_does_not_answer_is_asked_ever_more_rarely(bench: Bench) -> None:
    bench.pair()
    bench.decided.write(update_deal("a", "1"))
    bench.hubspot.shown["7a"] = deal_observed("7a")
    bench.hubspot.fails["look"] = RetryableError("no connection")
    waits: list[float] = []
    for _ in range(8):
        bench.loops[Crm.HUBSPOT].step(bench.clock.at)
        [suspension] = bench.brakes.suspensions(bench.clock.at)
        waits.append((suspension.until - bench.clock.at).total_seconds())
        bench.clock.at += timedelta(seconds=400)

    assert waits[0] <= 1
    assert waits == sorted(waits)
    assert waits[-1] <= 60


def test_an_away_hubspot_keeps_salesforce_writes_waiting(bench: Bench) -> None:
    wanted = update_opportunity("a", "1")
    bench.pair()
    bench.decided.write(wanted)
    bench.salesforce.shown["006a"] = opportunity_observed("006a")
    bench.hubspot.fails["look"] = ThrottledError("busy", until=later(30))

    bench.step(Crm.SALESFORCE)

    [suspension] = bench.brakes.suspensions(AT)
    assert suspension.crm is Crm.HUBSPOT
    assert (bench.salesforce.sent, bench.state(wanted)) == ([], State.PENDING)


# -- two actors, crashes ------------------------------------------------------------------------


def test_a_deliverer_that_slept_past_its_lease_sends_nothing(bench: Bench) -> None:
    """It sleeps in its look; meanwhile another takes the write over and sends it."""
    wanted = update_deal("a", "1")
    bench.pair()
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = deal_observed("7a")

    def sleep() -> None:
        bench.clock.at += timedelta(seconds=LEASE_SECONDS + 1)
        bench.loop(Crm.HUBSPOT).step(bench.clock.at)

    bench.hubspot.while_looking = sleep
    bench.step()

    assert bench.hubspot.sent == [(wanted,)]
    assert bench.outcomes() == [WriteDone]


def test_a_shorter_lease_is_over_sooner(bench: Bench) -> None:
    wanted = update_deal("a", "1")
    bench.pair()
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = deal_observed("7a")
    brief = bench.loop(Crm.HUBSPOT, lease_seconds=20.0)

    def sleep() -> None:
        bench.clock.at += timedelta(seconds=6)

    bench.hubspot.while_looking = sleep
    brief.step(AT)

    assert bench.hubspot.sent == []
    brief.step(bench.clock.at)
    assert bench.hubspot.sent == [(wanted,)]


def test_a_deliverer_that_slept_right_before_its_call_sends_nothing(bench: Bench) -> None:
    wanted = update_deal("a", "1")
    bench.pair()
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = deal_observed("7a")

    def sleep() -> None:
        bench.clock.at += timedelta(seconds=LEASE_SECONDS + 1)

    bench.death.sleeps["begin"] = sleep

    bench.step()

    assert bench.hubspot.sent == []
    bench.step()
    assert bench.hubspot.sent == [(wanted,)]


def test_what_was_looked_at_too_long_ago_is_looked_at_again(bench: Bench) -> None:
    """It sleeps between its look and its call, and somebody edits the deal meanwhile."""
    wanted = update_deal("a", "1", change("amount", "1", "2"))
    bench.pair()
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = deal_observed("7a", ("amount", "1"))

    def sleep() -> None:
        bench.clock.at += timedelta(seconds=LOOK_SECONDS_MAX + 1)
        bench.hubspot.shown["7a"] = deal_observed("7a", ("amount", "5"))

    bench.death.sleeps["begin"] = sleep

    bench.step()
    bench.step()

    assert (bench.hubspot.sent, bench.outcomes()) == ([], [WriteCancelled])


def test_a_deliverer_that_slept_in_its_call_still_brings_the_answer(bench: Bench) -> None:
    """Another finds the write unknown and cannot tell by reading; the late answer settles it."""
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(create_deal("a"))
    bench.salesforce.shown["006a"] = opportunity_observed("006a")
    bench.hubspot.reading = lambda _: Unknown("cannot tell")

    def slow(_: Write) -> Answer:
        bench.clock.at += timedelta(seconds=LEASE_SECONDS + 1)
        bench.loop(Crm.HUBSPOT).step(bench.clock.at)
        return Done("77")

    bench.hubspot.answer = slow
    bench.step()

    assert (len(bench.hubspot.sent), len(bench.hubspot.resolved)) == (1, 1)
    assert bench.outcomes() == [WriteUnknown, WriteDone]
    assert bench.state(create_deal("a")) is State.DONE


@pytest.mark.parametrize(
    "where", ["claim", "look", "begin", "send", "settle", "append", "mark_published"]
)
def test_a_kill_after_any_line_loses_nothing_and_sends_nothing_twice(
    bench: Bench, where: str
) -> None:
    """The crash table of the module, line by line; the CRM itself forgets nothing."""
    wanted = create_opportunity("a")
    bench.decided.pair("a", deal_id="7a")
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = deal_observed("7a")
    bench.salesforce.reading = lambda _: Done("1") if bench.salesforce.sent else NotSent("none")
    bench.death.after = where

    with pytest.raises(DeathError):
        bench.step(Crm.SALESFORCE)
    bench.loops = {crm: bench.loop(crm) for crm in Crm}
    for _ in range(4):
        bench.clock.at += timedelta(seconds=LEASE_SECONDS + 1)
        bench.loops[Crm.SALESFORCE].step(bench.clock.at)

    effects = len(bench.salesforce.sent)
    assert effects <= 1
    assert bench.deliveries.unpublished(Crm.SALESFORCE, limit=9) == ()
    if where == "begin":
        assert bench.state(wanted) is State.CANCELLED
    else:
        assert (effects, bench.state(wanted)) == (1, State.DONE)


def test_a_kill_between_a_call_off_and_its_settling_only_repeats_the_observation(
    bench: Bench,
) -> None:
    wanted = update_deal("a", "1", change("amount", "1", "2"))
    shown = deal_observed("7a", ("amount", "5"))
    bench.pair()
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = shown
    bench.death.after = "append"

    with pytest.raises(DeathError):
        bench.step()
    bench.step(seconds=LEASE_SECONDS + 1)

    assert bench.facts().count(shown) == 2
    assert (bench.hubspot.sent, bench.outcomes()) == ([], [WriteCancelled])
