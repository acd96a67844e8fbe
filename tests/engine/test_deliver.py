"""The deliver loop over a CRM that answers as told, a memory store and a memory log."""

from datetime import datetime, timedelta

import pytest

from domain.deliveries import (
    Done,
    NotSent,
    Rejected,
    State,
    Unknown,
)
from domain.errors import RetryableError, ThrottledError, UnauthenticatedError
from domain.facts import (
    WriteCancelled,
    WriteDone,
    WriteRejected,
    WriteUnknown,
)
from domain.ids import Crm
from domain.in_force import InForce
from domain.policy import Policy, Switches
from domain.rules import RuleId
from domain.writes import Write
from tests.support.delivery_bench import CATALOG, Bench
from tests.support.delivery_samples import (
    AT,
    associate,
    change,
    create_deal,
    create_property,
    deal_observed,
    later,
    opportunity_observed,
    record_deleted,
    update_deal,
    update_opportunity,
)
from tests.support.store_samples import deal, opportunity

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
