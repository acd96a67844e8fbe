"""What has to exist in both CRMs: pipelines, stages, our own properties and field."""

from domain import events
from domain.facts import SetupRequested
from domain.policy import PipelineBinding, Pipelines, Policy, Switches
from domain.rules import RuleId
from domain.rules.pipelines import OWN_PROPERTIES
from domain.writes import CreateField, CreatePipeline, CreateProperty, CreateStage, RenameStage
from tests.support.scenario import (
    NEW_BUSINESS,
    PIPELINES,
    RENEWAL,
    Scenario,
    hubspot_catalog,
    salesforce_catalog,
)


def empty(policy: Policy | None = None) -> Scenario:
    """Return a portal without any of our pipelines and properties, and an org without our field."""
    scenario = Scenario()
    scenario.propose(policy or Policy())
    return scenario.given(salesforce_catalog(fields=()))


def test_each_record_type_gets_a_pipeline_named_by_its_id() -> None:
    scenario = empty().when(hubspot_catalog(pipelines=(), properties=()))

    made = scenario.asked(CreatePipeline)

    labels = {f"Salesforce - {NEW_BUSINESS}", f"Salesforce - {RENEWAL}"}
    assert labels == {write.label for write in made}
    assert [s.probability for s in made[0].stages] == ["0.1", "0.6", "1.0", "0.0"]
    assert RuleId.RECORD_TYPE_PIPELINE


def test_the_only_record_type_gets_the_default_label() -> None:
    only = salesforce_catalog().record_types[:1]
    scenario = empty().given(salesforce_catalog(record_types=only))

    scenario.when(hubspot_catalog(pipelines=()))

    assert [w.label for w in scenario.asked(CreatePipeline)] == ["Salesforce - Default Pipeline"]


def test_a_pipeline_of_exactly_our_label_is_adopted() -> None:
    scenario = Scenario().adopted()

    assert dict(scenario.catalog.pipelines) == PIPELINES
    assert scenario.all_asked(CreatePipeline) == ()


def test_policy_may_bind_a_record_type_to_a_pipeline() -> None:
    bind = (PipelineBinding(record_type_id=NEW_BUSINESS, pipeline_id="default"),)
    scenario = Scenario().adopted(Policy(pipelines=Pipelines(bind=bind)))

    assert scenario.catalog.pipelines[NEW_BUSINESS] == "default"


def test_our_own_properties_and_field_are_made_once() -> None:
    scenario = empty().when(hubspot_catalog(properties=()))
    assert len(OWN_PROPERTIES) == len(scenario.asked(CreateProperty))
    assert len(scenario.asked(CreateField)) == 1

    scenario.when(hubspot_catalog(properties=()))

    assert scenario.asked(CreateProperty) == ()


def test_record_types_beyond_the_limit_are_one_issue_each() -> None:
    scenario = Scenario().adopted(Policy(pipelines=Pipelines(limit=1)))

    assert {("DS301", RENEWAL)} == set(scenario.catalog.issues)
    scenario.when(scenario.opportunity(10, record_type_id=RENEWAL))
    assert scenario.writes() == ()
    assert scenario.why_not()[0] == RuleId.PIPELINE_LIMIT


def test_the_policys_order_goes_first() -> None:
    scenario = Scenario().adopted(Policy(pipelines=Pipelines(limit=1, order=(RENEWAL,))))

    assert scenario.catalog.synced_record_types(scenario.policy) == (RENEWAL,)


def test_a_stage_added_in_salesforce_is_created() -> None:
    scenario = Scenario().adopted()
    seen = salesforce_catalog()
    verbal = seen.stages[0].model_copy(update={"name": "Verbal", "label": "Verbal", "order": 9})
    types = tuple(
        r.model_copy(update={"stage_names": (*r.stage_names, "Verbal")}) for r in seen.record_types
    )

    scenario.when(salesforce_catalog(stages=(*seen.stages, verbal), record_types=types))

    assert len(scenario.asked(CreateStage)) == 2
    assert RuleId.STAGE_MAP


def test_a_renamed_stage_is_renamed() -> None:
    scenario = Scenario().adopted()
    first, *others = salesforce_catalog().stages

    scenario.when(
        salesforce_catalog(stages=(first.model_copy(update={"label": "Looking"}), *others))
    )

    assert {"Looking"} == {w.label for w in scenario.asked(RenameStage)}


def test_nothing_is_made_while_deal_sync_is_off_until_setup_is_asked_for() -> None:
    off = Policy(switches=Switches(deal_sync=False))
    scenario = empty(off).when(hubspot_catalog(pipelines=(), properties=()))
    assert scenario.writes() == ()

    scenario.when(SetupRequested(id=scenario.fact_id(), at=scenario.now))

    assert len(scenario.asked(CreatePipeline)) == 2


def test_what_was_refused_is_an_issue_and_goes_again_with_setup() -> None:
    scenario = empty().when(hubspot_catalog(pipelines=()))
    first = scenario.asked(CreatePipeline)[0]
    scenario.when(scenario.rejected(first, 5, code="PIPELINE_LIMIT_EXCEEDED"))
    assert [e.code for e in scenario.told(events.IssueOpened)] == ["DS301"]

    scenario.when(SetupRequested(id=scenario.fact_id(), at=scenario.now))

    assert len(scenario.asked(CreatePipeline)) == 1
