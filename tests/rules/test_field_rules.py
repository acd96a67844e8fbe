"""The table of field rules, cell by cell (rules `field-rule`, `no-retroactive`, `number-only`)."""

from typing import Final

import pytest

from domain import events, ids
from domain.canonical import FieldType, Value
from domain.facts import DealObserved
from domain.ids import Crm
from domain.mapping import DEFAULT_MAPPINGS, FieldRule, Mapping
from domain.policy import Policy
from domain.rules import RuleId
from domain.writes import UpdateDeal, UpdateOpportunity, Write
from tests.support.scenario import DEAL, OPPORTUNITY, Scenario, at

NEXT_STEP: Final = "next_step"
#: what a side holds after the cell: the value written, or "" where nothing is written
NOTHING: Final = ""
BLANK: Final = None


def policy(rule: FieldRule) -> Policy:
    """Return the defaults and one text field under a rule."""
    mapping = Mapping(
        name=NEXT_STEP, salesforce="NextStep", hubspot="next_step", type=FieldType.TEXT, rule=rule
    )
    return Policy(mappings=(*DEFAULT_MAPPINGS, mapping))


def in_step(rule: FieldRule, salesforce: Value, hubspot: Value) -> Scenario:
    """Return a live pair whose two sides are known to hold these values, agreed or not."""
    scenario = Scenario().adopted(policy(rule))
    return scenario.live(more={"NextStep": salesforce}).given(
        deal(scenario, 31, salesforce if rule is not FieldRule.DONT_SYNC else hubspot, 20)
    )


def deal(scenario: Scenario, seconds: float, value: Value, set_at: float) -> DealObserved:
    return scenario.deal(
        seconds, link=OPPORTUNITY, more={"next_step": value}, set_at={"next_step": set_at}
    )


def written(scenario: Scenario, kind: type[Write]) -> object:
    """Return what the last fact wrote to the field, or NOTHING."""
    changes = [c for w in scenario.asked(kind) for c in w.fields if c.field == NEXT_STEP]
    return changes[0].after if changes else NOTHING


SALESFORCE_CELLS: Final = [
    (FieldRule.TWO_WAY, "new", "new"),
    (FieldRule.TWO_WAY, BLANK, BLANK),
    (FieldRule.PREFER_SALESFORCE, "new", "new"),
    (FieldRule.PREFER_SALESFORCE, BLANK, BLANK),
    (FieldRule.ALWAYS_SALESFORCE, "new", "new"),
    (FieldRule.ALWAYS_SALESFORCE, BLANK, BLANK),
    (FieldRule.DONT_SYNC, "new", NOTHING),
    (FieldRule.DONT_SYNC, BLANK, NOTHING),
    (FieldRule.HOLD, "new", "new"),
    (FieldRule.HOLD, BLANK, BLANK),
]


@pytest.mark.parametrize(("rule", "change", "on_hubspot"), SALESFORCE_CELLS)
def test_salesforce_changes(rule: FieldRule, change: Value, on_hubspot: object) -> None:
    """S changes to a value, or is cleared: H := S, and S is left alone."""
    scenario = in_step(rule, "old", "old")

    scenario.when(scenario.opportunity(40, more={"NextStep": change}))

    assert on_hubspot == written(scenario, UpdateDeal)
    assert written(scenario, UpdateOpportunity) == NOTHING


HUBSPOT_CELLS: Final = [
    (FieldRule.TWO_WAY, "old", "new", NOTHING, "new"),
    (FieldRule.TWO_WAY, "old", BLANK, NOTHING, BLANK),
    (FieldRule.PREFER_SALESFORCE, BLANK, "new", NOTHING, "new"),
    (FieldRule.PREFER_SALESFORCE, "old", "new", "old", NOTHING),
    (FieldRule.PREFER_SALESFORCE, "old", BLANK, "old", NOTHING),
    (FieldRule.ALWAYS_SALESFORCE, "old", "new", "old", NOTHING),
    (FieldRule.ALWAYS_SALESFORCE, BLANK, "new", BLANK, NOTHING),
    (FieldRule.ALWAYS_SALESFORCE, "old", BLANK, "old", NOTHING),
    (FieldRule.DONT_SYNC, "old", "new", NOTHING, NOTHING),
    (FieldRule.DONT_SYNC, "old", BLANK, NOTHING, NOTHING),
    (FieldRule.HOLD, "old", "new", NOTHING, "new"),
    (FieldRule.HOLD, "old", BLANK, NOTHING, BLANK),
]


@pytest.mark.parametrize(("rule", "salesforce", "change", "on_hubspot", "on_sf"), HUBSPOT_CELLS)
def test_hubspot_changes(
    rule: FieldRule, salesforce: Value, change: Value, on_hubspot: object, on_sf: object
) -> None:
    """H changes to a value, or is cleared: it crosses, goes back to S, or nothing happens."""
    scenario = in_step(rule, salesforce, "old")

    scenario.when(deal(scenario, 40, change, 38))

    assert on_hubspot == written(scenario, UpdateDeal)
    assert on_sf == written(scenario, UpdateOpportunity)


def test_clearing_salesforce_clears_a_copy_that_only_we_wrote() -> None:
    """A synced copy is no change: under prefer_salesforce, H goes when S goes."""
    scenario = in_step(FieldRule.PREFER_SALESFORCE, "old", "old")

    scenario.when(scenario.opportunity(40, more={"NextStep": None}))

    assert written(scenario, UpdateDeal) is None


def test_a_filled_blank_is_not_blank_any_more() -> None:
    """After HubSpot filled Salesforce's blank, HubSpot's next change goes back."""
    scenario = in_step(FieldRule.PREFER_SALESFORCE, BLANK, BLANK)
    scenario.when(deal(scenario, 40, "first", 38))
    (write,) = scenario.asked(UpdateOpportunity)
    scenario.given(scenario.done(write, 41))

    scenario.when(deal(scenario, 50, "second", 48))

    assert written(scenario, UpdateDeal) == "first"


def test_a_new_mapping_waits_for_a_change() -> None:
    """`no-retroactive`: values that stood there before the mapping are left as they are."""
    scenario = Scenario().adopted().live().propose(policy(FieldRule.TWO_WAY))

    scenario.given(scenario.opportunity(50, more={"NextStep": "there before"}))
    scenario.when(deal(scenario, 51, "there too", -300))

    assert scenario.writes() == ()
    assert RuleId.NO_RETROACTIVE


def test_a_new_mapping_acts_once_its_field_changes() -> None:
    scenario = Scenario().adopted().live().propose(policy(FieldRule.TWO_WAY))
    scenario.given(scenario.opportunity(50, more={"NextStep": "before"}))
    scenario.given(deal(scenario, 51, "there", -300))

    scenario.when(scenario.opportunity(60, more={"NextStep": "after"}))

    assert written(scenario, UpdateDeal) == "after"


def test_an_import_naming_the_field_carries_what_stood_there() -> None:
    scenario = Scenario().adopted().live().propose(policy(FieldRule.TWO_WAY))
    scenario.given(deal(scenario, 50, None, -300))

    scenario.when(
        scenario.opportunity(60, more={"NextStep": "before"}, reason=f"import:{NEXT_STEP}")
    )

    assert written(scenario, UpdateDeal) == "before"


def test_amounts_cross_as_exact_numbers_in_any_currency() -> None:
    """`number-only`: digits are kept, scale does not matter, nothing is converted."""
    scenario = Scenario().adopted().live()

    scenario.when(
        scenario.opportunity(40, name="Acme Renewal", amount="1200.10", currency_code="EUR")
    )

    (write,) = scenario.asked(UpdateDeal)
    assert {c.field: c.wire for c in write.fields if c.guarded} == {"amount": "1200.1"}
    assert RuleId.NUMBER_ONLY


def test_the_same_number_in_another_scale_is_no_change() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, name="Acme Renewal", amount="1200.00"))

    assert scenario.writes() == ()


def hold_with_concurrent_changes() -> Scenario:
    """Return a pair under `hold` whose two sides changed at once."""
    scenario = in_step(FieldRule.HOLD, "old", "old")
    scenario.when(scenario.opportunity(40, more={"NextStep": "in salesforce"}))
    (write,) = scenario.asked(UpdateDeal)
    scenario.given(scenario.cancelled(write, 41, "overtaken", RuleId.ECHO))
    return scenario.when(deal(scenario, 42, "in hubspot", 39))


def test_hold_asks_when_changes_are_concurrent() -> None:
    scenario = hold_with_concurrent_changes()

    assert written(scenario, UpdateOpportunity) == NOTHING
    assert written(scenario, UpdateDeal) == NOTHING
    assert {"DS408"} == scenario.issues()


@pytest.mark.parametrize(
    ("side", "on_hubspot", "on_salesforce"),
    [(Crm.HUBSPOT, NOTHING, "in hubspot"), (Crm.SALESFORCE, "in salesforce", NOTHING)],
)
def test_a_person_decides_what_was_held(
    side: Crm, on_hubspot: object, on_salesforce: object
) -> None:
    scenario = hold_with_concurrent_changes()

    scenario.when(scenario.asks(50, "decide", field=NEXT_STEP, value=side))

    assert on_hubspot == written(scenario, UpdateDeal)
    assert on_salesforce == written(scenario, UpdateOpportunity)
    assert set() == scenario.issues()


def test_a_person_decides_for_hubspot_while_a_write_to_it_is_open() -> None:
    scenario = in_step(FieldRule.HOLD, "old", "old")
    scenario.given(scenario.opportunity(40, more={"NextStep": "in salesforce"}))
    scenario.given(deal(scenario, 42, "in hubspot", 39))

    scenario.when(scenario.asks(50, "decide", field=NEXT_STEP, value=Crm.HUBSPOT))

    assert written(scenario, UpdateOpportunity) == "in hubspot"


def test_a_restored_value_goes_to_both_sides() -> None:
    scenario = in_step(FieldRule.TWO_WAY, "old", "old")

    scenario.when(scenario.asks(50, "restore", field=NEXT_STEP, value="older"))

    assert (
        written(scenario, UpdateDeal),
        written(scenario, UpdateOpportunity),
    ) == ("older", "older")


def test_a_late_change_of_hubspot_does_not_undo_a_newer_one_of_salesforce() -> None:
    """`order`: H changed at 35, S between 31 and 40 is ambiguous, but S at 60 is newer."""
    scenario = in_step(FieldRule.TWO_WAY, "old", "old")
    scenario.given(scenario.opportunity(50, more={"NextStep": "old"}, description="touch"))
    scenario.when(scenario.opportunity(60, more={"NextStep": "newer"}, description="touch"))
    (write,) = scenario.asked(UpdateDeal)
    scenario.given(scenario.cancelled(write, 61, "overtaken", RuleId.ECHO))

    scenario.when(deal(scenario, 62, "late", 35))

    assert written(scenario, UpdateDeal) == "newer"
    assert written(scenario, UpdateOpportunity) == NOTHING


def test_the_losing_value_is_kept_in_the_event() -> None:
    scenario = in_step(FieldRule.TWO_WAY, "old", "old")
    scenario.given(scenario.opportunity(50, more={"NextStep": "old"}, description="touch"))
    scenario.when(scenario.opportunity(60, more={"NextStep": "newer"}, description="touch"))
    (write,) = scenario.asked(UpdateDeal)
    scenario.given(scenario.cancelled(write, 61, "overtaken", RuleId.ECHO))

    scenario.when(deal(scenario, 62, "late", 35))

    (settled,) = [e for e in scenario.told(events.FieldSettled) if e.field == NEXT_STEP]
    assert (settled.losing, settled.how) == ("late", "concurrent")


def test_deciding_the_same_fact_twice_writes_once() -> None:
    scenario = in_step(FieldRule.TWO_WAY, "old", "old")
    change = scenario.opportunity(40, more={"NextStep": "new"})

    scenario.given(change).when(change)

    assert scenario.writes() == ()
    assert scenario.pair(ids.deal(DEAL)).stream == scenario.pair().stream
    assert at(0) < at(1)
