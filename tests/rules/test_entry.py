"""How a record comes into the sync: each rule's case, its opposite, its repetition."""

import pytest

from domain import events
from domain.pair import PairState
from domain.policy import Policy, Switches
from domain.rules import RuleId
from domain.writes import CreateDeal, CreateOpportunity, UpdateDeal
from tests.support.scenario import DEAL, Scenario

OFF = Policy(switches=Switches(deal_sync=False))


def test_the_baseline_decides_nothing() -> None:
    scenario = Scenario().adopted()

    scenario.when(scenario.opportunity(0, reason="baseline"))

    assert scenario.writes() == ()
    assert scenario.pair().state == PairState.OUTSIDE
    assert scenario.why_not()[0] == RuleId.ENTRY_SALESFORCE


def test_an_edit_of_an_existing_opportunity_enters() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, reason="baseline"))

    scenario.when(scenario.opportunity(10, amount="1300"))

    (entered,) = scenario.told(events.SyncEntered)
    assert entered.rule == RuleId.ENTRY_SALESFORCE
    assert len(scenario.asked(CreateDeal)) == 1


def test_a_new_opportunity_counts_as_edited() -> None:
    scenario = Scenario().adopted()

    scenario.when(scenario.opportunity(10))

    assert len(scenario.asked(CreateDeal)) == 1


def test_a_stamp_that_moves_alone_is_no_edit() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, reason="baseline"))

    scenario.when(scenario.opportunity(10))

    assert scenario.writes() == ()
    assert scenario.pair().state == PairState.OUTSIDE


def test_a_field_that_no_mapping_names_is_no_trigger() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, reason="baseline", more={"NextStep": "call"}))

    scenario.when(scenario.opportunity(10, more={"NextStep": "write"}))

    assert scenario.writes() == ()
    assert scenario.why_not()[0] == RuleId.TRIGGER_FIELDS


def test_an_added_contact_role_is_a_trigger() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, reason="baseline"), scenario.roles(0, reason="baseline"))

    scenario.when(scenario.roles(10, "003000000000001AAA"))

    assert len(scenario.asked(CreateDeal)) == 1


def test_a_new_deal_in_a_synced_pipeline_creates_an_opportunity() -> None:
    scenario = Scenario().adopted()

    scenario.when(scenario.deal(10))

    (entered,) = scenario.told(events.SyncEntered)
    assert entered.rule == RuleId.ENTRY_HUBSPOT
    (create,) = scenario.asked(CreateOpportunity)
    assert create.key == DEAL


def test_an_existing_deal_creates_an_opportunity_at_a_trigger() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.deal(0, reason="baseline"))

    scenario.when(scenario.deal(10, amount="7", set_at={"amount": 8}))

    assert len(scenario.asked(CreateOpportunity)) == 1


def test_an_existing_deal_untouched_creates_nothing() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.deal(0, reason="baseline"))

    scenario.when(scenario.deal(10))

    assert scenario.writes() == ()


def test_a_deal_in_an_unsynced_pipeline_stays_outside() -> None:
    scenario = Scenario().adopted()

    scenario.when(scenario.deal(10, pipeline_id="default", stage_id="x"))

    assert scenario.writes() == ()
    assert scenario.pair().state == PairState.OUTSIDE


def test_moving_into_a_synced_pipeline_is_a_trigger() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.deal(0, pipeline_id="default", stage_id="x", reason="baseline"))

    scenario.when(scenario.deal(10, set_at={"dealstage": 9, "pipeline": 9}))

    assert len(scenario.asked(CreateOpportunity)) == 1


def test_nothing_crosses_while_deal_sync_is_off() -> None:
    scenario = Scenario().adopted(OFF)
    scenario.given(scenario.opportunity(0, reason="baseline"))

    scenario.when(scenario.opportunity(10, amount="1300"))

    assert scenario.writes() == ()
    assert scenario.why_not()[0] == RuleId.DEAL_SYNC_SWITCH


def test_switching_on_pushes_nothing_by_itself() -> None:
    scenario = Scenario().adopted(OFF)
    scenario.given(scenario.opportunity(0, reason="baseline"))
    scenario.given(scenario.opportunity(10, amount="1300"))

    scenario.propose(Policy()).when(scenario.opportunity(20, amount="1300"))

    assert scenario.all_asked(CreateDeal) == ()


def test_a_pair_reconciles_at_its_next_trigger_after_switching_on() -> None:
    scenario = Scenario().adopted().live().propose(OFF)
    scenario.given(scenario.opportunity(40, name="Acme Renewal", amount="1300"))

    scenario.propose(Policy())
    scenario.when(scenario.opportunity(50, name="Acme Renewal", amount="1300", description="x"))

    (write,) = scenario.asked(UpdateDeal)
    assert {"amount", "description"} == {c.field for c in write.fields if c.guarded}


def test_a_stamp_that_moves_alone_pushes_no_backlog_of_a_live_pair() -> None:
    scenario = Scenario().adopted().live().propose(OFF)
    scenario.given(scenario.opportunity(40, name="Acme Renewal", amount="1300"))

    scenario.propose(Policy()).when(scenario.opportunity(50, name="Acme Renewal", amount="1300"))

    assert scenario.writes() == ()


def test_what_the_switch_cancelled_waits_for_the_next_trigger() -> None:
    scenario = Scenario().adopted().live()
    scenario.when(scenario.opportunity(40, name="Acme Renewal", amount="1300"))
    (write,) = scenario.asked(UpdateDeal)
    scenario.propose(OFF)
    off = scenario.cancelled(write, 41, "deal sync is off", RuleId.DEAL_SYNC_SWITCH)
    scenario.given(off).propose(Policy())

    scenario.when(scenario.opportunity(50, name="Acme Renewal", amount="1300"))

    assert scenario.writes() == ()


def test_an_import_while_deal_sync_is_off_is_spent() -> None:
    scenario = Scenario().adopted(OFF)
    scenario.given(scenario.opportunity(0, reason="baseline"))

    scenario.when(scenario.opportunity(10, reason="import"))

    assert scenario.why_not()[0] == RuleId.ENABLE_BEFORE_IMPORT
    assert scenario.propose(Policy()).all_asked(CreateDeal) == ()


def test_an_import_enters_without_an_edit() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, reason="baseline"))

    scenario.when(scenario.opportunity(10, reason="import"))

    (entered,) = scenario.told(events.SyncEntered)
    assert entered.rule == RuleId.IMPORT
    assert len(scenario.asked(CreateDeal)) == 1


def test_repeating_an_import_is_harmless() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, reason="import"))

    assert scenario.writes() == ()


@pytest.mark.parametrize("state", [PairState.STOPPED, PairState.DETACHED])
def test_an_import_skips_what_is_neither_outside_nor_live(state: PairState) -> None:
    scenario = Scenario().adopted().live()
    if state is PairState.STOPPED:
        scenario.given(
            scenario.deal(35, pipeline_id="default", stage_id="x", set_at={"pipeline": 34})
        )
    else:
        scenario.given(scenario.asks(35, "unlink"))

    scenario.when(scenario.opportunity(40, reason="import"))

    assert state == scenario.pair().state
    assert (RuleId.IMPORT, f"skipped: {state}") == scenario.why_not()


def test_an_import_by_name_revives_a_detached_pair() -> None:
    scenario = Scenario().adopted().live()
    scenario.given(scenario.asks(35, "unlink"))

    scenario.when(scenario.opportunity(40, reason="import_named"))

    assert scenario.pair().state == PairState.LIVE


@pytest.mark.parametrize("side", ["opportunity", "deal"])
def test_one_record_can_be_synced_by_hand_from_either_side(side: str) -> None:
    scenario = Scenario().adopted()
    reading = scenario.opportunity if side == "opportunity" else scenario.deal
    scenario.given(reading(0, reason="baseline"))

    scenario.when(reading(10, reason="sync_now"))

    (entered,) = scenario.told(events.SyncEntered)
    assert entered.rule == RuleId.SYNC_NOW
