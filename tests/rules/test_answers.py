"""What the CRMs' answers mean: done, rewritten, refused, unknown, cancelled, late."""

import pytest

from domain import events, ids
from domain.facts import Reading, WriteUnknown
from domain.rules import RuleId
from domain.writes import UpdateDeal, UpdateOpportunity
from tests.support.scenario import DEAL, OPPORTUNITY, Scenario, at


def edited(**changes: object) -> tuple[Scenario, UpdateDeal]:
    """Return a live pair whose opportunity was edited, and the write to its deal."""
    scenario = Scenario().adopted().live()
    scenario.when(scenario.opportunity(40, name="Acme Renewal", **changes))
    (write,) = scenario.asked(UpdateDeal)
    return scenario, write


def test_our_own_write_coming_back_decides_only_its_confirmation() -> None:
    scenario, write = edited(amount="7")
    scenario.given(scenario.done(write, 45))

    scenario.when(scenario.deal(50, amount="7", set_at={"amount": 45}, link=OPPORTUNITY))

    assert scenario.writes() == ()
    (echo,) = scenario.told(events.EchoSeen)
    assert (echo.how, echo.rule) == ("confirmed", RuleId.ECHO)


@pytest.mark.parametrize("ours", [(), ("amount",)])
def test_an_echo_is_recognised_with_or_without_its_tag(ours: tuple[str, ...]) -> None:
    scenario, write = edited(amount="7")

    times = {"amount": 43}
    scenario.given(scenario.deal(44, amount="7", set_at=times, ours=ours, link=OPPORTUNITY))
    scenario.when(scenario.done(write, 45))

    assert scenario.writes() == ()
    back = [c for w in scenario.all_asked(UpdateOpportunity) for c in w.fields if c.guarded]
    assert back == []


def test_a_value_that_the_crm_rewrote_is_a_change_on_that_side() -> None:
    scenario, write = edited(amount="7")
    scenario.given(scenario.done(write, 45))

    scenario.when(
        scenario.deal(
            50, amount="8", set_at={"amount": 45}, automatic=("amount",), link=OPPORTUNITY
        )
    )

    (back,) = scenario.asked(UpdateOpportunity)
    assert {c.field: c.after for c in back.fields} == {"amount": "8"}
    assert scenario.told(events.EchoSeen)[0].how == "rewritten"
    assert RuleId.NOT_TAKEN


def test_hubspots_rewriting_of_a_close_date_is_put_back_once() -> None:
    scenario, write = edited(close_date="2026-11-30")
    scenario.given(scenario.done(write, 45))

    scenario.when(
        scenario.deal(
            50,
            close_date="2026-12-24",
            set_at={"closedate": 45},
            ours=("closedate",),
            link=OPPORTUNITY,
        )
    )

    (again,) = scenario.asked(UpdateDeal)
    assert {c.field: c.after for c in again.fields if c.guarded} == {"close_date": "2026-11-30"}
    assert scenario.asked(UpdateOpportunity) == ()


def test_a_close_date_rewritten_in_our_call_is_put_back_in_whichever_order_it_is_told() -> None:
    """A reading that began before the answer may show what HubSpot made of our call already."""
    for answer_first in (True, False):
        scenario, write = edited(stage_name="Closed Won")
        answer = scenario.done(write, 45)
        rewritten = scenario.deal(
            44.9,
            stage="Closed Won",
            close_date="2026-11-24",
            set_at={"closedate": 45, "dealstage": 45},
            ours=("dealstage",),
            automatic=("closedate",),
            link=OPPORTUNITY,
        )
        for fact in (answer, rewritten) if answer_first else (rewritten, answer):
            scenario.when(fact)

        (again,) = scenario.asked(UpdateDeal)
        assert [c.after for c in again.fields if c.field == "close_date"] == ["2026-12-31"]


def test_a_close_date_rewritten_again_is_left_with_an_issue() -> None:
    scenario, write = edited(close_date="2026-11-30")
    scenario.given(scenario.done(write, 45))
    rewritten = {"close_date": "2026-12-24", "link": OPPORTUNITY, "ours": ("closedate",)}
    scenario.when(scenario.deal(50, set_at={"closedate": 45}, **rewritten))
    (again,) = scenario.asked(UpdateDeal)
    scenario.given(scenario.done(again, 55))

    scenario.when(scenario.deal(60, set_at={"closedate": 55}, **rewritten))

    assert scenario.writes() == ()
    assert {"DS404"} == scenario.issues()
    assert RuleId.CLOSE_DATE_REWRITE


def test_a_person_who_edits_right_after_our_write_is_no_rewriting() -> None:
    scenario, write = edited(close_date="2026-11-30")
    scenario.given(scenario.done(write, 45))

    scenario.when(
        scenario.deal(50, close_date="2026-12-24", set_at={"closedate": 46}, link=OPPORTUNITY)
    )

    (back,) = scenario.asked(UpdateOpportunity)
    assert {c.field: c.after for c in back.fields} == {"close_date": "2026-12-24"}


def test_a_value_not_taken_twice_is_not_written_any_more() -> None:
    scenario, write = edited(amount="7")
    scenario.given(scenario.done(write, 45))
    taken = {"amount": "8", "automatic": ("amount",), "link": OPPORTUNITY}
    scenario.given(scenario.deal(50, set_at={"amount": 45}, **taken))
    scenario.when(scenario.opportunity(60, name="Acme Renewal", amount="9"))
    (again,) = scenario.asked(UpdateDeal)
    scenario.given(scenario.done(again, 65))
    scenario.given(scenario.deal(70, set_at={"amount": 65}, **taken))

    scenario.when(scenario.opportunity(80, name="Acme Renewal", amount="10"))

    assert scenario.asked(UpdateDeal) == ()
    assert {"DS405"} == scenario.issues()


def test_closing_a_deal_sends_the_close_date_in_the_same_call() -> None:
    _, write = edited(stage_name="Closed Won")

    assert {"stage", "close_date"} == {c.field for c in write.fields if c.guarded}


def test_refused_fields_are_held_and_the_rest_goes_without_them() -> None:
    scenario, write = edited(amount="7", description="new")

    scenario.when(scenario.rejected(write, 45, "amount", code="INVALID"))

    (rest,) = scenario.asked(UpdateDeal)
    assert {c.field: c.after for c in rest.fields if c.guarded} == {"description": "new"}
    assert {"DS406"} == scenario.issues()
    assert RuleId.PARTIAL_REJECT


def test_a_held_field_goes_again_when_its_value_changes() -> None:
    scenario, write = edited(amount="7")
    scenario.given(scenario.rejected(write, 45, "amount", code="INVALID"))

    scenario.when(scenario.opportunity(50, name="Acme Renewal", amount="8"))

    (again,) = scenario.asked(UpdateDeal)
    assert {c.field: c.after for c in again.fields if c.guarded} == {"amount": "8"}
    assert set() == scenario.issues()


def test_a_refused_value_that_is_taken_back_leaves_no_issue() -> None:
    scenario, write = edited(amount="7")
    scenario.given(scenario.rejected(write, 45, "amount", code="INVALID"))
    assert {"DS406"} == scenario.issues()

    scenario.when(scenario.opportunity(50, name="Acme Renewal", amount="1200"))

    assert scenario.asked(UpdateDeal) == ()
    assert set() == scenario.issues()


def test_a_refused_value_that_the_other_side_gets_by_hand_leaves_no_issue() -> None:
    scenario, write = edited(amount="7")
    scenario.given(scenario.rejected(write, 45, "amount", code="INVALID"))

    scenario.when(scenario.deal(50, amount="7", set_at={"amount": 49}, link=OPPORTUNITY))

    assert scenario.writes() == ()
    assert set() == scenario.issues()


def test_a_held_field_goes_again_on_retry() -> None:
    scenario, write = edited(amount="7")
    scenario.given(scenario.rejected(write, 45, "amount", code="INVALID"))

    scenario.when(scenario.asks(50, "retry"))

    assert len(scenario.asked(UpdateDeal)) == 1


def test_a_write_refused_whole_is_held_whole() -> None:
    scenario, write = edited(amount="7")
    scenario.given(scenario.rejected(write, 45, code="FORBIDDEN"))
    assert {"DS407"} == scenario.issues()

    scenario.when(scenario.opportunity(50, name="Acme Renewal", amount="7", reason="import"))

    assert scenario.writes() == ()


def test_a_write_to_a_record_that_is_gone_asks_for_a_reading() -> None:
    scenario, write = edited(amount="7")

    scenario.when(scenario.rejected(write, 45, code="NOT_FOUND", gone=True))

    (refresh,) = scenario.told(events.RefreshWanted)
    assert refresh.record_id == DEAL
    assert scenario.writes() == ()


def test_an_unknown_result_stays_open_and_is_not_sent_again() -> None:
    scenario, write = edited(amount="7")
    scenario.given(
        WriteUnknown(
            id=scenario.fact_id(),
            at=scenario.now,
            stream=write.stream,
            write_id=write.id,
            sent_at=scenario.now,
        )
    )

    scenario.when(scenario.opportunity(50, name="Acme Renewal", amount="7", description="x"))

    (write_of_rest,) = scenario.asked(UpdateDeal)
    assert {"description"} == {c.field for c in write_of_rest.fields if c.guarded}
    assert RuleId.ONCE


def test_a_cancelled_write_that_is_still_wanted_is_decided_anew() -> None:
    scenario, write = edited(amount="7")

    scenario.when(scenario.cancelled(write, 45, "lost", RuleId.ONCE))

    assert len(scenario.asked(UpdateDeal)) == 1


def test_a_write_cancelled_by_the_switch_is_not_decided_anew() -> None:
    scenario, write = edited(amount="7")

    scenario.when(scenario.cancelled(write, 45, "deal sync is off", RuleId.DEAL_SYNC_SWITCH))

    assert scenario.writes() == ()


def test_an_old_answer_decides_nothing() -> None:
    scenario, write = edited(amount="7")
    scenario.given(scenario.done(write, 45))

    scenario.when(scenario.done(write, 46))

    assert scenario.writes() == ()
    assert scenario.pair(ids.deal(DEAL)).open == {}


def test_pausing_a_crm_decides_nothing_about_a_pair() -> None:
    """`suspend` is deliver's: its writes stay pending, no outcome reaches the pair."""
    scenario, write = edited(amount="7")

    assert write.id in scenario.pair().open
    assert RuleId.SUSPEND


def test_a_value_that_went_back_before_the_answer_came_is_read_again() -> None:
    """A flow keeps the old value; a poll sees that before our call is answered, and never again."""
    for answer_first in (True, False):
        scenario = Scenario().adopted().live()
        scenario.when(scenario.deal(40, amount="7", set_at={"amount": 38}, link=OPPORTUNITY))
        (write,) = scenario.asked(UpdateOpportunity)
        answer = scenario.done(write, 50)
        kept = scenario.opportunity(
            49.9, name="Acme Renewal", modified_at=at(49.8), modified_by_us=True
        )
        told: list[str] = []
        for fact in (answer, kept) if answer_first else (kept, answer):
            scenario.when(fact)
            told += [e.because for e in scenario.told(events.RefreshWanted)]
        assert told == ["read while our write was on its way"]

        scenario.when(
            scenario.opportunity(51, name="Acme Renewal", modified_at=at(49.8), modified_by_us=True)
        )

        (back,) = scenario.asked(UpdateDeal)
        assert [c.after for c in back.fields if c.field == "amount"] == ["1200"]


def test_a_reading_that_is_told_before_the_answer_it_came_after_is_made_again() -> None:
    scenario = Scenario().adopted().live()
    scenario.when(scenario.deal(40, amount="7", set_at={"amount": 38}, link=OPPORTUNITY))
    (write,) = scenario.asked(UpdateOpportunity)
    kept = {"name": "Acme Renewal", "modified_at": at(49.8), "modified_by_us": True}
    scenario.given(scenario.opportunity(49.9, **kept), scenario.opportunity(50.5, **kept))

    scenario.when(scenario.done(write, 50))

    assert len(scenario.told(events.RefreshWanted)) == 1
    scenario.when(scenario.opportunity(51, **kept))
    (back,) = scenario.asked(UpdateDeal)
    assert [c.after for c in back.fields if c.field == "amount"] == ["1200"]


def test_a_lost_update_that_somebody_took_back_is_not_written_again() -> None:
    """`nothing-lost`: the reading of the answer shows it; whoever took it back comes later."""
    scenario, write = edited(amount="7")
    answer = scenario.done(write, 45).model_copy(
        update={"readings": (Reading(name="amount", value="1200"),)}
    )

    scenario.when(answer)

    assert [e.because for e in scenario.told(events.RefreshWanted)]
    assert scenario.asked(UpdateDeal) == ()
    scenario.when(scenario.deal(50, amount="1200", set_at={"amount": 44}, link=OPPORTUNITY))
    (back,) = scenario.asked(UpdateOpportunity)
    assert [c.after for c in back.fields if c.field == "amount"] == ["1200"]


@pytest.mark.parametrize(("changed_at", "readings"), [(44.0, 1), (20.0, 0)])
def test_a_record_changed_in_the_second_of_our_write_is_read_again(
    changed_at: float, readings: int
) -> None:
    """Salesforce's stamps are whole seconds: a flow that puts the old value back is not polled."""
    scenario = Scenario().adopted().live()
    scenario.given(
        scenario.opportunity(44, name="Acme Renewal", description="x", modified_at=at(changed_at))
    )
    scenario.when(scenario.deal(44.5, amount="7", set_at={"amount": 44.2}, link=OPPORTUNITY))
    (write,) = scenario.asked(UpdateOpportunity)

    scenario.when(scenario.done(write, 45))

    assert len(scenario.told(events.RefreshWanted)) == readings
