"""Stop and resume: moved out of the synced pipelines, and back."""

from domain import events, ids
from domain.facts import DealObserved, PipelineMove
from domain.pair import PairState
from domain.rules import RuleId
from domain.writes import UpdateDeal, UpdateOpportunity
from tests.support.scenario import (
    NEW_BUSINESS,
    OPPORTUNITY,
    RENEWAL,
    Scenario,
    at,
    salesforce_catalog,
)

OUT = {"pipeline_id": "default", "stage_id": "x"}


def stopped() -> Scenario:
    """Return a pair whose deal was moved to a pipeline that is not synced."""
    scenario = Scenario().adopted().live()
    times = {"pipeline": 39, "dealstage": 39}
    return scenario.when(scenario.deal(40, link=OPPORTUNITY, set_at=times, **OUT))


def back(scenario: Scenario, **changes: object) -> Scenario:
    """Move the deal back into its pipeline."""
    times = {"pipeline": 59, "dealstage": 59, "amount": 55}
    return scenario.when(scenario.deal(60, link=OPPORTUNITY, set_at=times, **changes))


def test_moving_the_deal_out_stops_the_pair() -> None:
    scenario = stopped()

    assert scenario.pair().state == PairState.STOPPED
    assert scenario.told(events.SyncStopped)[0].rule == RuleId.PIPELINE_SCOPE


def test_an_unsent_write_of_a_stopped_pair_is_withdrawn() -> None:
    scenario = Scenario().adopted().live()
    scenario.when(scenario.opportunity(35, name="Acme Renewal", amount="5"))
    (write,) = scenario.asked(UpdateDeal)

    scenario.when(scenario.deal(40, link=OPPORTUNITY, set_at={"pipeline": 39}, **OUT))

    assert [write.id] == [e.write_id for e in scenario.told(events.WriteWithdrawn)]


def test_a_stopped_pair_gets_its_status_and_nothing_else() -> None:
    scenario = stopped()
    (status,) = scenario.writes()

    scenario.when(scenario.opportunity(50, amount="7"))

    assert isinstance(status, UpdateDeal)
    assert not any(change.guarded for change in status.fields)
    assert scenario.writes() == ()


def test_moving_back_resumes_and_reconciles_what_changed_meanwhile() -> None:
    scenario = stopped()
    scenario.given(scenario.opportunity(50, name="Acme Renewal", amount="7"))

    back(scenario)

    assert scenario.pair().state == PairState.LIVE
    assert len(scenario.told(events.SyncResumed)) == 1
    changes = [c for w in scenario.asked(UpdateDeal) for c in w.fields if c.field == "amount"]
    assert [c.after for c in changes] == ["7"]


def test_the_stage_it_lands_on_counts_if_salesforce_kept_its_own() -> None:
    scenario = stopped()

    back(scenario, stage="Negotiation")

    (write,) = scenario.asked(UpdateOpportunity)
    assert {c.field: c.after for c in write.fields} == {"stage": "Negotiation"}


def test_the_stage_it_lands_on_does_not_count_if_salesforce_moved_on() -> None:
    scenario = stopped()
    scenario.given(scenario.opportunity(50, name="Acme Renewal", stage_name="Closed Won"))

    back(scenario, stage="Negotiation")

    assert scenario.asked(UpdateOpportunity) == ()
    stages = [c for w in scenario.asked(UpdateDeal) for c in w.fields if c.field == "stage"]
    assert len(stages) == 1


def test_a_record_type_that_is_not_synced_stops_like_a_deal_moved_out() -> None:
    gone = ids.salesforce_id("012000000000009")
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, record_type_id=gone))

    assert scenario.pair().state == PairState.STOPPED
    assert scenario.told(events.SyncStopped)[0].rule == RuleId.RECORD_TYPE_GONE


def test_a_deactivated_record_type_keeps_its_pairs() -> None:
    scenario = Scenario().adopted().live()
    types = tuple(
        r.model_copy(update={"is_active": r.id != NEW_BUSINESS})
        for r in salesforce_catalog().record_types
    )
    scenario.given(salesforce_catalog(record_types=types))

    scenario.when(scenario.opportunity(40, name="Acme Renewal", amount="8"))

    assert scenario.pair().state == PairState.LIVE
    assert len(scenario.asked(UpdateDeal)) == 1


def test_a_move_out_that_our_write_went_over_is_put_back_once() -> None:
    scenario = Scenario().adopted().live()
    scenario.when(scenario.opportunity(40, name="Acme Renewal", record_type_id=RENEWAL))
    (write,) = scenario.asked(UpdateDeal)
    scenario.given(scenario.done(write, 45))
    move = PipelineMove(at=at(42), pipeline_id="default", stage_id="x")

    def seen(seconds: float) -> DealObserved:
        return scenario.deal(
            seconds,
            record_type=RENEWAL,
            link=OPPORTUNITY,
            ours=("pipeline", "dealstage"),
            overwritten_move=move,
            set_at={"pipeline": 45, "dealstage": 45},
        )

    scenario.when(seen(50))

    assert scenario.pair().state == PairState.STOPPED
    back = scenario.asked(UpdateDeal)[0]
    assert {c.name: c.wire for c in back.fields} == {"pipeline": "default", "dealstage": "x"}
    scenario.when(seen(55))
    assert [c for w in scenario.asked(UpdateDeal) for c in w.fields if c.name == "pipeline"] == []


def test_an_old_move_out_and_back_puts_nothing_back() -> None:
    scenario = Scenario().adopted().live()
    move = PipelineMove(at=at(-500), pipeline_id="default", stage_id="x")

    scenario.when(scenario.deal(50, link=OPPORTUNITY, ours=("pipeline",), overwritten_move=move))

    assert scenario.pair().state == PairState.LIVE
