"""What a create carries, what it waits for, and what races with it."""

from domain import events, ids
from domain.facts import Reconsider
from domain.mapping import AMOUNT, DEFAULT_MAPPINGS, FieldRule
from domain.pair import PairState
from domain.policy import Policy
from domain.rules import RuleId
from domain.writes import CreateDeal, CreateOpportunity, UpdateDeal, UpdateOpportunity
from tests.support.scenario import (
    ADA,
    DEAL,
    NEW_BUSINESS,
    OPPORTUNITY,
    PIPELINES,
    Scenario,
    at,
    hubspot_catalog,
    salesforce_catalog,
    stage_id,
)


def test_a_deal_is_created_with_the_mapped_fields_and_what_hubspot_requires() -> None:
    scenario = Scenario().adopted().when(Scenario().opportunity(10))

    (create,) = scenario.asked(CreateDeal)

    wires = {c.name: c.wire for c in create.fields}
    assert {
        "dealname": "Acme Renewal",
        "dealstage": stage_id(NEW_BUSINESS, "Prospecting"),
        "pipeline": PIPELINES[NEW_BUSINESS],
        "closedate": "2026-12-30T23:00:00.000Z",
        "amount": "1200",
        "hubspot_owner_id": "501",
        "dealtype": "newbusiness",
        "dealsync_opportunity_id": OPPORTUNITY,
        "createdate": "2026-11-24T08:51:40.000Z",
        "dealsync_state": "live",
    } == {name: wires[name] for name in wires if name not in _STATUS}
    assert scenario.told(events.WriteDecided)[0].rule == RuleId.CREATED_WITH


def test_an_opportunity_is_created_with_the_mapped_fields() -> None:
    scenario = Scenario().adopted().when(Scenario().deal(10))

    (create,) = scenario.asked(CreateOpportunity)

    assert {c.name: c.wire for c in create.fields} == {
        "Name": "Acme Renewal",
        "StageName": "Prospecting",
        "RecordTypeId": NEW_BUSINESS,
        "CloseDate": "2026-12-31",
        "Amount": "1200",
        "OwnerId": ADA,
        "Type": "New Business",
    }


def test_a_field_under_always_salesforce_is_not_sent_to_salesforce() -> None:
    mappings = tuple(
        m.model_copy(update={"rule": FieldRule.ALWAYS_SALESFORCE}) if m.name == "amount" else m
        for m in DEFAULT_MAPPINGS
    )
    scenario = Scenario().adopted(Policy(mappings=mappings)).when(Scenario().deal(10))

    (create,) = scenario.asked(CreateOpportunity)

    assert "Amount" not in {c.name for c in create.fields}


def test_a_create_that_lacks_a_required_value_waits_and_goes_ahead_by_itself() -> None:
    scenario = Scenario().adopted().when(Scenario().deal(10, close_date=None))
    assert scenario.writes() == ()
    assert {"DS403"} == scenario.issues(ids.deal(DEAL))

    scenario.when(scenario.deal(20, set_at={"closedate": 19}))

    assert len(scenario.asked(CreateOpportunity)) == 1
    assert set() == scenario.issues(ids.deal(DEAL))
    assert RuleId.REQUIRED


def test_a_create_is_decided_once_while_it_is_under_way() -> None:
    scenario = Scenario().adopted().given(Scenario().opportunity(10))

    scenario.when(scenario.opportunity(20, amount="1300"))

    assert scenario.asked(CreateDeal) == ()


def test_an_edit_while_the_create_is_under_way_follows_it() -> None:
    scenario = Scenario().adopted().when(Scenario().opportunity(10))
    (create,) = scenario.asked(CreateDeal)
    scenario.given(scenario.opportunity(20, amount="1300"))
    scenario.given(scenario.done(create, 25, DEAL))
    times = dict.fromkeys(_OURS, 24.0)

    scenario.when(scenario.deal(30, set_at=times, ours=_OURS, link=OPPORTUNITY))

    (write,) = scenario.asked(UpdateDeal)
    assert {c.field: c.after for c in write.fields if c.guarded} == {"amount": "1300"}


def test_a_pipeline_that_lacks_stages_makes_its_pairs_wait() -> None:
    scenario = Scenario()
    scenario.propose(Policy())
    scenario.given(salesforce_catalog(), hubspot_catalog(pipelines=()))

    scenario.when(scenario.opportunity(10))

    assert scenario.asked(CreateDeal) == ()
    assert scenario.pair().state == PairState.WAITING
    assert {"DS304"} == scenario.issues()
    assert "catalog" in scenario.pair().waiting


def test_a_waiting_pair_goes_on_when_the_pipeline_is_complete() -> None:
    scenario = Scenario()
    scenario.propose(Policy())
    scenario.given(salesforce_catalog(), hubspot_catalog(pipelines=()), scenario.opportunity(10))
    scenario.given(hubspot_catalog())

    scenario.when(
        Reconsider(
            id=scenario.fact_id(),
            at=scenario.now,
            stream=scenario.pair().stream,
            because="catalog",
        )
    )

    assert len(scenario.asked(CreateDeal)) == 1


def test_a_refused_create_waits_with_the_crms_message() -> None:
    scenario = Scenario().adopted().when(Scenario().opportunity(10))
    (create,) = scenario.asked(CreateDeal)

    scenario.when(scenario.rejected(create, 20, code="VALIDATION_ERROR"))

    assert scenario.asked(CreateDeal) == ()
    assert {"DS407"} == scenario.issues()


def test_a_refused_create_goes_again_when_a_trigger_field_changes() -> None:
    scenario = Scenario().adopted().when(Scenario().opportunity(10))
    (create,) = scenario.asked(CreateDeal)
    scenario.given(scenario.rejected(create, 20, code="VALIDATION_ERROR"))

    scenario.when(scenario.opportunity(30, amount="1300"))

    assert len(scenario.asked(CreateDeal)) == 1


def test_a_created_deal_seen_before_its_answer_is_no_second_pair() -> None:
    """`create-race`, `once`: its key names the pair, so it is taken for what it is."""
    scenario = Scenario().adopted().when(Scenario().opportunity(10))
    (create,) = scenario.asked(CreateDeal)

    scenario.given(scenario.deal(15, link=OPPORTUNITY, created_by_us=True, ours=_OURS))
    scenario.when(scenario.done(create, 16, DEAL))

    assert scenario.all_asked(CreateOpportunity) == ()
    assert scenario.pair().hubspot.current == DEAL
    assert scenario.pair().state == PairState.LIVE
    assert RuleId.CREATE_RACE


def test_a_value_given_to_a_new_record_before_it_is_read_is_no_blank() -> None:
    """The create left the field out; who fills it in before the first reading has changed it."""
    scenario = Scenario().adopted().when(Scenario().deal(10, description=None))
    (create,) = scenario.asked(CreateOpportunity)
    scenario.given(scenario.done(create, 20, OPPORTUNITY))

    scenario.when(scenario.opportunity(30, description="typed in", modified_at=at(25)))

    assert [c for w in scenario.all_asked(UpdateOpportunity) for c in w.fields if c.guarded] == []
    (write,) = scenario.asked(UpdateDeal)
    described = [c.after for c in write.fields if c.field == "description"]
    assert described == ["typed in"]


def test_a_value_that_the_create_may_not_write_crosses_once_somebody_gives_it() -> None:
    mappings = tuple(
        mapping.model_copy(update={"rule": FieldRule.ALWAYS_SALESFORCE})
        if mapping.name == AMOUNT
        else mapping
        for mapping in DEFAULT_MAPPINGS
    )
    scenario = (
        Scenario().adopted(Policy(mappings=mappings)).when(Scenario().deal(10, amount="8500"))
    )
    (create,) = scenario.asked(CreateOpportunity)
    scenario.given(scenario.done(create, 20, OPPORTUNITY))

    scenario.when(scenario.opportunity(30, amount="360", modified_at=at(25)))

    (write,) = scenario.asked(UpdateDeal)
    assert ("amount", "360") in {(c.field, c.after) for c in write.fields}


def test_who_fills_in_both_new_records_is_judged_by_time() -> None:
    """`who-wins`: neither is taken for what the record held from the beginning."""
    scenario = Scenario().adopted().when(Scenario().opportunity(10, description=None))
    (create,) = scenario.asked(CreateDeal)
    scenario.given(scenario.done(create, 20, DEAL))
    scenario.given(scenario.opportunity(25, description="first"))

    times = {"description": 30}
    scenario.when(scenario.deal(35, description="second", set_at=times, link=OPPORTUNITY))

    (settled,) = [e for e in scenario.told(events.FieldSettled) if e.field == "description"]
    assert (settled.salesforce, settled.hubspot) == ("second", "second")


_OURS = ("dealname", "dealstage", "closedate", "amount", "hubspot_owner_id", "dealtype")
_STATUS = ("dealsync_link", "dealsync_synced_at", "dealsync_issue")


def test_a_required_value_that_was_put_back_is_told_until_the_field_changes() -> None:
    scenario = Scenario().live()
    scenario.when(scenario.deal(40, name="", set_at={"dealname": 39}, link=OPPORTUNITY))
    (write,) = scenario.asked(UpdateDeal)
    assert {"DS410"} == scenario.issues()

    scenario.when(scenario.done(write, 45))
    scenario.when(scenario.opportunity(50, name="Acme Renewal", amount="7"))
    assert {"DS410"} == scenario.issues()

    scenario.when(scenario.opportunity(60, name="Acme Renewal II", amount="7"))
    assert set() == scenario.issues()


def test_a_required_value_that_was_put_back_is_told_until_a_person_has_seen_it() -> None:
    scenario = Scenario().live()
    scenario.given(scenario.deal(40, name="", set_at={"dealname": 39}, link=OPPORTUNITY))

    scenario.when(scenario.asks(50, "discard", field="DS410"))
    scenario.when(scenario.opportunity(60, name="Acme Renewal", amount="7"))

    assert set() == scenario.issues()
