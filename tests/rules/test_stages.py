"""Stages cross with their record type or pipeline, or are held."""

from domain.ids import Crm
from domain.rules import RuleId, stages
from domain.writes import UpdateDeal, UpdateOpportunity
from tests.support.scenario import NEW_BUSINESS, OPPORTUNITY, PIPELINES, RENEWAL, Scenario, stage_id

NAME = "Acme Renewal"


def test_a_stage_crosses_by_its_link() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, name=NAME, stage_name="Negotiation"))

    (write,) = scenario.asked(UpdateDeal)
    wires = {c.name: c.wire for c in write.fields if not c.name.startswith("dealsync")}
    assert {"dealstage": stage_id(NEW_BUSINESS, "Negotiation")} == wires
    assert RuleId.STAGE_MAP


def test_a_stage_without_a_counterpart_holds_that_field_only() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, name=NAME, stage_name="Verbal", amount="5"))

    (write,) = scenario.asked(UpdateDeal)
    assert {"amount"} == {c.field for c in write.fields if c.guarded}
    assert {"DS303"} == scenario.issues()


def test_a_changed_record_type_moves_the_deal_in_one_call() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, name=NAME, record_type_id=RENEWAL))

    (write,) = scenario.asked(UpdateDeal)
    wires = {c.name: c.wire for c in write.fields if not c.name.startswith("dealsync")}
    assert {
        "pipeline": PIPELINES[RENEWAL],
        "dealstage": stage_id(RENEWAL, "Prospecting"),
    } == wires
    assert RuleId.PIPELINE_MOVE


def test_a_deal_moved_between_synced_pipelines_changes_the_record_type() -> None:
    scenario = Scenario().adopted().live()
    times = {"dealstage": 39, "pipeline": 39}

    scenario.when(
        scenario.deal(40, record_type=RENEWAL, stage="Negotiation", link=OPPORTUNITY, set_at=times)
    )

    (write,) = scenario.asked(UpdateOpportunity)
    assert {c.name: c.wire for c in write.fields} == {
        "RecordTypeId": RENEWAL,
        "StageName": "Negotiation",
    }


def test_the_pipeline_is_sent_only_when_it_changes() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, name=NAME, stage_name="Closed Lost"))

    (write,) = scenario.asked(UpdateDeal)
    assert "pipeline" not in {c.name for c in write.fields}


def test_joined_stages_come_apart_again() -> None:
    joined = stages.joined("71", "711") or ""

    assert (stages.scope(joined), stages.bare(joined)) == ("71", "711")
    assert stages.joined("71", None) is None
    assert Crm.HUBSPOT.other is Crm.SALESFORCE
