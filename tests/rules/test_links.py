"""Link ids (`link-ids`), adoption (`adopt`), copies (`copied-link`), and never by name."""

import pytest

from domain import events, ids
from domain.facts import LinkRequested
from domain.mapping import DEFAULT_MAPPINGS, FieldRule
from domain.pair import PairState
from domain.policy import Policy
from domain.rules import RuleId
from domain.writes import CreateDeal, CreateOpportunity, UpdateDeal, UpdateOpportunity
from tests.support.scenario import DEAL, OPPORTUNITY, Scenario

CLONE = "9002"
SECOND = ids.salesforce_id("006000000000002")


def test_a_create_carries_our_link_id_as_its_key() -> None:
    scenario = Scenario().adopted().when(Scenario().opportunity(10))

    (create,) = scenario.asked(CreateDeal)

    keys = {c.name: c.wire for c in create.fields if c.name == "dealsync_opportunity_id"}
    assert (create.key, keys) == (OPPORTUNITY, {"dealsync_opportunity_id": OPPORTUNITY})
    assert RuleId.LINK_IDS


def test_the_link_is_written_on_the_opportunity_too() -> None:
    scenario = Scenario().adopted().when(Scenario().opportunity(10))
    (create,) = scenario.asked(CreateDeal)

    scenario.when(scenario.done(create, 20, DEAL))

    (write,) = scenario.asked(UpdateOpportunity)
    assert {c.name: c.wire for c in write.fields} == {"DealSync_Deal_Id__c": DEAL}


def test_a_copied_link_is_overwritten() -> None:
    clone = ids.salesforce_id("006000000000002")
    scenario = Scenario().adopted().live()
    scenario.when(scenario.opportunity(40, opportunity_id=clone, linked_deal_id=DEAL))
    (create,) = scenario.asked(CreateDeal)

    scenario.when(scenario.done(create, 50, CLONE))

    (write,) = scenario.asked(UpdateOpportunity)
    assert {c.name: c.wire for c in write.fields} == {"DealSync_Deal_Id__c": CLONE}


def test_a_deal_that_names_its_opportunity_is_adopted_at_a_trigger() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, reason="baseline"))
    scenario.given(scenario.deal(1, link=OPPORTUNITY, name="Other name", reason="baseline"))

    scenario.when(scenario.opportunity(10, amount="1300"))

    assert scenario.asked(CreateDeal) == ()
    assert scenario.pair().state == PairState.LIVE
    changes = {c.field: c.after for w in scenario.asked(UpdateDeal) for c in w.fields if c.guarded}
    assert changes == {"name": "Acme Renewal", "amount": "1300"}


def test_the_vendor_connectors_link_is_read_too() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, reason="baseline"))

    scenario.given(scenario.deal(1, vendor_opportunity_id=OPPORTUNITY, reason="baseline"))

    assert scenario.pair().hubspot.current == DEAL


def test_hubspot_fills_what_is_blank_in_salesforce_when_adopted() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, description=None, reason="baseline"))
    scenario.given(scenario.deal(1, link=OPPORTUNITY, description="known", reason="baseline"))

    scenario.when(scenario.opportunity(10, reason="import"))

    (write,) = scenario.asked(UpdateOpportunity)
    assert {c.field: c.after for c in write.fields if c.guarded} == {"description": "known"}


@pytest.mark.parametrize(
    ("rule", "salesforce", "hubspot", "after"),
    [
        (FieldRule.ALWAYS_SALESFORCE, None, "h", [None]),
        (FieldRule.DONT_SYNC, "s", "h", []),
        (FieldRule.HOLD, "s", "h", []),
        (FieldRule.PREFER_SALESFORCE, "s", "h", ["s"]),
    ],
)
def test_adopting_by_field_rule(
    rule: FieldRule, salesforce: str | None, hubspot: str, after: list[str | None]
) -> None:
    mappings = tuple(
        m.model_copy(update={"rule": rule}) if m.name == "description" else m
        for m in DEFAULT_MAPPINGS
    )
    scenario = Scenario().adopted(Policy(mappings=mappings))
    scenario.given(scenario.opportunity(0, description=salesforce, reason="baseline"))
    scenario.given(scenario.deal(1, link=OPPORTUNITY, description=hubspot, reason="baseline"))

    scenario.when(scenario.opportunity(10, description=salesforce, reason="import"))

    fields = [c for w in scenario.asked(UpdateDeal) for c in w.fields if c.field == "description"]
    assert after == [c.after for c in fields]
    assert (rule is FieldRule.HOLD) == ("DS408" in scenario.issues())


def test_a_deal_in_an_unsynced_pipeline_is_adopted_as_stopped() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, reason="baseline"))
    scenario.given(
        scenario.deal(1, link=OPPORTUNITY, pipeline_id="default", stage_id="x", reason="baseline")
    )

    scenario.when(scenario.opportunity(10, amount="1300"))

    assert scenario.pair().state == PairState.STOPPED
    assert scenario.asked(CreateDeal) == ()


def test_a_write_of_nothing_but_a_link_is_told_by_the_rule_of_links() -> None:
    scenario = Scenario().adopted().when(Scenario().opportunity(10))
    (create,) = scenario.asked(CreateDeal)

    scenario.when(scenario.done(create, 20, DEAL))

    (decided,) = scenario.told(events.WriteDecided)
    assert [change.name for change in decided.write.fields] == ["DealSync_Deal_Id__c"]
    assert decided.rule == RuleId.LINK_IDS


def test_a_cloned_deal_enters_as_new() -> None:
    """`copied-link`: the link's target is paired already, so this one is a copy."""
    scenario = Scenario().adopted().live()

    scenario.when(scenario.deal(40, deal_id=CLONE, link=OPPORTUNITY))

    (create,) = scenario.asked(CreateOpportunity)
    assert create.key == CLONE
    assert scenario.pair().hubspot.current == DEAL
    assert RuleId.COPIED_LINK


def test_two_unpaired_deals_that_name_one_opportunity_are_an_issue() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, reason="baseline"))
    scenario.given(scenario.deal(1, link=OPPORTUNITY, reason="baseline"))

    scenario.when(scenario.deal(10, deal_id=CLONE, link=OPPORTUNITY))

    assert scenario.writes() == ()
    assert {"DS201"} == scenario.issues(ids.deal(CLONE))


def test_a_cloned_opportunity_enters_as_new() -> None:
    clone = ids.salesforce_id("006000000000002")
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, opportunity_id=clone, linked_deal_id=DEAL))

    (create,) = scenario.asked(CreateDeal)
    assert clone == create.key


def test_equal_names_are_two_pairs() -> None:
    """`no-matching`: opportunities and deals are never matched by name."""
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(10))

    scenario.when(scenario.deal(20))

    assert len(scenario.asked(CreateOpportunity)) == 1
    assert RuleId.NO_MATCHING


def test_a_person_can_pair_two_records() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, reason="baseline"), scenario.deal(1, reason="baseline"))

    scenario.when(
        LinkRequested(
            id=scenario.fact_id(), at=scenario.now, opportunity_id=OPPORTUNITY, deal_id=DEAL
        )
    )

    assert len(scenario.told(events.PairAbsorbed)) == 1
    assert scenario.pair().state == PairState.LIVE
    assert scenario.pair(ids.deal(DEAL)).stream == scenario.pair().stream


def link(scenario: Scenario, deal_id: str) -> LinkRequested:
    return LinkRequested(
        id=scenario.fact_id(), at=scenario.now, opportunity_id=OPPORTUNITY, deal_id=deal_id
    )


def test_what_was_taken_apart_can_be_linked_to_another_deal() -> None:
    scenario = Scenario().adopted().live()
    scenario.given(scenario.deal(35, deal_id=CLONE, pipeline_id="default", stage_id="x"))
    scenario.given(scenario.asks(40, "unlink"))

    scenario.when(link(scenario, CLONE))

    assert scenario.pair().hubspot.current == CLONE
    assert scenario.pair().state == PairState.LIVE


def two_pairs() -> Scenario:
    """Return an opportunity with a deal, and a deal (the clone) with an opportunity."""
    scenario = Scenario().adopted().live()
    scenario.when(scenario.deal(35, deal_id=CLONE, name="Acme"))
    (create,) = scenario.asked(CreateOpportunity)
    scenario.given(scenario.done(create, 36, SECOND))
    scenario.given(scenario.opportunity(38, opportunity_id=SECOND, linked_deal_id=CLONE))
    return scenario


def test_records_of_two_pairs_are_linked_once_both_are_taken_apart() -> None:
    scenario = two_pairs()
    scenario.when(link(scenario, CLONE))
    assert "unlink it first" in scenario.why_not()[1]
    scenario.given(scenario.asks(40, "unlink"))
    scenario.when(link(scenario, CLONE))
    assert f"the deal has opportunity {SECOND}" in scenario.why_not()[1]
    scenario.given(scenario.asks(41, "unlink", stream=scenario.pair(ids.deal(CLONE)).stream))

    scenario.when(link(scenario, CLONE))

    assert scenario.pair().hubspot.current == CLONE
    assert scenario.pair().salesforce.current == OPPORTUNITY
    assert scenario.pair().state == PairState.LIVE
    assert scenario.pair(ids.deal(CLONE)).stream == scenario.pair().stream


def test_a_pair_linked_anew_is_adopted_and_its_left_over_records_do_nothing() -> None:
    scenario = two_pairs()
    scenario.given(scenario.asks(40, "unlink"))
    scenario.given(scenario.asks(41, "unlink", stream=scenario.pair(ids.deal(CLONE)).stream))
    scenario.given(link(scenario, CLONE))

    scenario.given(scenario.opportunity(50, linked_deal_id=DEAL))
    scenario.when(scenario.deal(51, deal_id=CLONE, name="Acme", link=SECOND))

    (to_deal,) = scenario.asked(UpdateDeal)
    named = {change.name: change.after for change in to_deal.fields}
    assert named["dealname"] == "Acme Renewal"
    assert named["dealsync_opportunity_id"] == f"{OPPORTUNITY}:2"
    to_opportunity = scenario.all_asked(UpdateOpportunity)[-1]
    assert {c.name: c.after for c in to_opportunity.fields} == {"DealSync_Deal_Id__c": f"{CLONE}:2"}
    scenario.when(scenario.deal(60, name="left over", link=OPPORTUNITY))
    assert scenario.writes() == ()
    scenario.when(scenario.opportunity(61, opportunity_id=SECOND, name="left over"))
    assert scenario.writes() == ()
    assert "DS202" in scenario.issues()


def test_a_pair_linked_anew_out_of_scope_is_adopted_once_its_deal_is_back() -> None:
    """Resuming agrees on the stage alone; everything else is still to be adopted."""
    scenario = two_pairs()
    scenario.given(scenario.asks(40, "unlink"))
    scenario.given(scenario.asks(41, "unlink", stream=scenario.pair(ids.deal(CLONE)).stream))
    scenario.given(link(scenario, CLONE), scenario.opportunity(50, linked_deal_id=DEAL))
    moved = {"pipeline": 51, "dealstage": 51}
    scenario.given(
        scenario.deal(
            51, deal_id=CLONE, name="Acme", pipeline_id="default", stage_id="x", set_at=moved
        )
    )
    scenario.given(scenario.opportunity(55, linked_deal_id=DEAL, stage_name="Negotiation"))

    back = {"pipeline": 56, "dealstage": 56}
    scenario.when(scenario.deal(60, deal_id=CLONE, name="Acme", set_at=back, link=SECOND))

    names = [c.after for w in scenario.asked(UpdateDeal) for c in w.fields if c.field == "name"]
    assert names == ["Acme Renewal"]


def test_an_earlier_deal_of_the_pair_can_be_chosen_again() -> None:
    scenario = two_pairs()
    scenario.given(scenario.asks(40, "unlink"))
    scenario.given(scenario.asks(41, "unlink", stream=scenario.pair(ids.deal(CLONE)).stream))
    scenario.given(link(scenario, CLONE), scenario.asks(45, "unlink"))

    scenario.when(link(scenario, DEAL))

    assert scenario.pair().hubspot.current == DEAL
    assert scenario.pair().state == PairState.LIVE


def test_what_was_taken_apart_can_be_put_together_again() -> None:
    scenario = Scenario().adopted().live()
    scenario.given(scenario.asks(40, "unlink"))

    scenario.when(link(scenario, DEAL))

    assert scenario.pair().state == PairState.LIVE


def test_a_late_link_makes_two_half_pairs_one() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, reason="baseline"), scenario.deal(1, reason="baseline"))

    scenario.when(scenario.opportunity(10, linked_deal_id=DEAL))

    assert len(scenario.told(events.PairAbsorbed)) == 1
    assert scenario.pair().hubspot.current == DEAL


def test_a_half_whose_counterpart_is_being_created_is_left_alone() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, reason="baseline"), scenario.deal(10))

    scenario.when(scenario.opportunity(20, linked_deal_id=DEAL))

    assert scenario.told(events.PairAbsorbed) == ()


def test_a_record_that_had_a_counterpart_gets_none_by_a_trigger() -> None:
    scenario = Scenario().adopted().live()
    scenario.given(scenario.deleted(40, ids.deal(DEAL)))

    scenario.when(scenario.opportunity(50, amount="1"))

    assert scenario.writes() == ()
    assert RuleId.ONCE_PAIRED
