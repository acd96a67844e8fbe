"""Who wins (rules `who-wins`, `value-time`): the table of `rules.conflicts`, row by row."""

from datetime import timedelta
from decimal import Decimal

import pytest

from domain import events
from domain.facts import Overwritten
from domain.ids import Crm
from domain.policy import Clocks, Policy
from domain.registers import Foreign
from domain.rules import RuleId
from domain.rules.conflicts import How, Verdict, who_wins
from domain.writes import UpdateDeal, UpdateOpportunity
from tests.support.scenario import NEW_BUSINESS, OPPORTUNITY, Scenario, at, stage_id

SKEW = timedelta(seconds=2)


def change(low: float | None, high: float, saw: float | None = None) -> Foreign:
    """Return a change made between two instants, by somebody who saw the other side's."""
    return Foreign(
        "v",
        at(low) if low is not None else None,
        at(high),
        saw=at(saw) if saw is not None else None,
    )


def exact(seconds: float, saw: float | None = None) -> Foreign:
    """Return a change whose time is known."""
    return change(seconds, seconds, saw)


ROWS = [
    ("nobody", None, None, None, How.SEQUENTIAL),
    ("only Salesforce", exact(10), None, Crm.SALESFORCE, How.SEQUENTIAL),
    ("only HubSpot", None, exact(10), Crm.HUBSPOT, How.SEQUENTIAL),
    ("HubSpot saw", exact(10), exact(5, saw=10), Crm.HUBSPOT, How.SEQUENTIAL),
    ("Salesforce saw", exact(5, saw=10), exact(10), Crm.SALESFORCE, How.SEQUENTIAL),
    ("HubSpot later", exact(10), exact(20), Crm.HUBSPOT, How.CONCURRENT),
    ("Salesforce later", exact(20), exact(10), Crm.SALESFORCE, How.CONCURRENT),
    ("a tie", exact(10), exact(10), Crm.SALESFORCE, How.AMBIGUOUS),
    ("below the skew", exact(10), exact(11.5), Crm.SALESFORCE, How.AMBIGUOUS),
    ("at the skew", exact(10), exact(12), Crm.SALESFORCE, How.AMBIGUOUS),
    ("above the skew", exact(10), exact(12.5), Crm.HUBSPOT, How.CONCURRENT),
    ("inside the interval", change(5, 20), exact(10), Crm.SALESFORCE, How.AMBIGUOUS),
    ("before the interval", change(15, 20), exact(10), Crm.SALESFORCE, How.CONCURRENT),
    ("after the interval", change(5, 20), exact(30), Crm.HUBSPOT, How.CONCURRENT),
    ("an interval open at the start", change(None, 20), exact(10), Crm.SALESFORCE, How.AMBIGUOUS),
    ("saw an older value only", exact(10), exact(5, saw=3), Crm.SALESFORCE, How.CONCURRENT),
]


@pytest.mark.parametrize(
    ("salesforce", "hubspot", "winner", "how"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_the_table(
    salesforce: Foreign | None, hubspot: Foreign | None, winner: Crm | None, how: How
) -> None:
    verdict = who_wins(salesforce, hubspot, skew=SKEW)

    assert Verdict(winner, how) == verdict


def test_the_losing_value_is_kept_in_whichever_order_the_changes_are_read() -> None:
    for hubspot_first in (True, False):
        scenario = Scenario().adopted().live()
        readings = (
            scenario.deal(41, amount="7", set_at={"amount": 40}, link=OPPORTUNITY),
            scenario.opportunity(41, name="Acme Renewal", amount="8", modified_at=at(40.5)),
        )
        first, second = readings if hubspot_first else readings[::-1]
        scenario.given(first)
        scenario.when(second)

        (settled,) = [e for e in scenario.told(events.FieldSettled) if e.field == "amount"]
        assert (settled.winner, settled.losing) == (Crm.SALESFORCE, "7")


@pytest.mark.parametrize("answer_first", [True, False])
@pytest.mark.parametrize(
    ("followed", "amount"), [({"followed_ours": True, "our_value": "8"}, "9"), ({}, "8")]
)
def test_who_edits_over_our_value_saw_it_whenever_our_answer_comes(
    followed: dict[str, object], amount: str, *, answer_first: bool
) -> None:
    """Clocks differ by a minute; the history shows that our value stood there before."""
    scenario = Scenario().adopted(Policy(clocks=Clocks(skew_seconds=Decimal(60)))).live()
    scenario.when(scenario.opportunity(100, name="Acme Renewal", amount="8"))
    (write,) = scenario.asked(UpdateDeal)
    edited = scenario.deal(110, amount="9", set_at={"amount": 95}, link=OPPORTUNITY)
    readings = tuple(
        reading.model_copy(update=followed) if reading.name == "amount" else reading
        for reading in edited.readings
    )
    edited = edited.model_copy(update={"readings": readings})
    answer = scenario.done(write, 101)

    # A reading that begins after the answer needs no history to know who was first.
    scenario.given(*((answer, edited) if answer_first else (edited, answer)))

    base = scenario.pair().field("amount").base
    assert base is not None
    assert base.salesforce == ("9" if answer_first else amount)


def test_who_moves_a_deal_on_from_our_stage_saw_it() -> None:
    """A stage is told by its own history like any other property."""
    scenario = Scenario().adopted(Policy(clocks=Clocks(skew_seconds=Decimal(60)))).live()
    scenario.when(scenario.opportunity(100, stage_name="Negotiation"))
    (write,) = scenario.asked(UpdateDeal)
    moved = scenario.deal(110, stage="Closed Won", set_at={"dealstage": 95}, link=OPPORTUNITY)
    ours = {"followed_ours": True, "our_value": stage_id(NEW_BUSINESS, "Negotiation")}
    readings = tuple(
        reading.model_copy(update=ours) if reading.name == "dealstage" else reading
        for reading in moved.readings
    )

    scenario.given(moved.model_copy(update={"readings": readings}), scenario.done(write, 101))

    base = scenario.pair().field("stage").base
    assert base is not None
    assert base.salesforce == f"{NEW_BUSINESS}/Closed Won"


def test_of_two_edits_in_one_second_only_the_first_was_seen() -> None:
    """Salesforce stamps whole seconds: both edits have the stamp of the first."""
    scenario = Scenario().adopted().live()
    scenario.when(scenario.opportunity(100.2, amount="8", modified_at=at(100)))
    (write,) = scenario.asked(UpdateDeal)
    scenario.given(scenario.done(write, 100.4))
    scenario.given(scenario.deal(100.7, amount="9", set_at={"amount": 100.6}, link=OPPORTUNITY))

    scenario.when(scenario.opportunity(100.9, amount="10", modified_at=at(100)))

    (settled,) = [e for e in scenario.told(events.FieldSettled) if e.field == "amount"]
    assert (settled.winner, settled.how, settled.losing) == (Crm.SALESFORCE, How.AMBIGUOUS, "9")


@pytest.mark.parametrize(
    ("edited_at", "winner", "amounts"),
    [(109.0, Crm.HUBSPOT, ("9", "9")), (101.0, Crm.SALESFORCE, ())],
)
def test_an_edit_that_our_write_went_over_is_weighed(
    edited_at: float, winner: Crm, amounts: tuple[str, ...]
) -> None:
    """HubSpot has no conditional write: somebody edits between our look and our call."""
    scenario = Scenario().adopted().live()
    scenario.when(scenario.opportunity(100, amount="8"))
    (write,) = scenario.asked(UpdateDeal)
    scenario.given(scenario.done(write, 110))
    shown = scenario.deal(111, amount="8", ours=("amount",), set_at={"amount": 110})
    over = Overwritten(value="9", at=at(edited_at), by="CRM_UI userId:7")
    shown = shown.model_copy(
        update={
            "readings": tuple(
                one.model_copy(update={"overwritten": over}) if one.name == "amount" else one
                for one in shown.readings
            ),
            "link": OPPORTUNITY,
        }
    )

    scenario.when(shown)

    (settled,) = [e for e in scenario.told(events.FieldSettled) if e.field == "amount"]
    assert settled.winner is winner
    assert {settled.hubspot, settled.losing} == {"8", "9"}
    written = [
        change.after
        for kind in (UpdateOpportunity, UpdateDeal)
        for one in scenario.asked(kind)
        for change in one.fields
        if change.field == "amount"
    ]
    assert tuple(written) == amounts
    scenario.when(shown.model_copy(update={"read_begun_at": at(120)}))
    assert not scenario.told(events.FieldSettled), "it is weighed once"


def test_the_rules_are_named() -> None:
    assert {"who-wins", "value-time"} == {RuleId.WHO_WINS, RuleId.VALUE_TIME}
