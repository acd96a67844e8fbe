"""What a contact shows of its deals, and its lifecycle stage."""

import pytest

from domain import facts, ids
from domain.facts import Reading, Rollup, RollupChanged
from domain.ids import Crm, Kind, Ref
from domain.policy import Policy, Switches
from domain.rules import RuleId
from domain.rules.rollups import MIRROR
from domain.writes import UpdateContact
from tests.support.scenario import Scenario, at

HERE = Ref(Crm.HUBSPOT, Kind.CONTACT, "77")


def contact(scenario: Scenario, stage: str | None = "lead") -> Scenario:
    return scenario.given(read(scenario, 1, stage))


def read(
    scenario: Scenario, seconds: float, stage: str | None = "lead", **shown: str
) -> facts.HubSpotContactObserved:
    """Return a reading of the contact; its mirror properties by their names."""
    return facts.HubSpotContactObserved(
        id=scenario.fact_id(),
        at=at(seconds),
        read_begun_at=at(seconds),
        reason="poll",
        contact_id="77",
        email="ann@x.example",
        salesforce_contact_id=None,
        lifecycle_stage=stage,
        readings=tuple(Reading(name=name, value=value) for name, value in shown.items()),
    )


def rolled(scenario: Scenario, **values: object) -> RollupChanged:
    return RollupChanged(
        id=scenario.fact_id(),
        at=scenario.now,
        stream=ids.stream_of(HERE),
        rollup=Rollup.model_validate({"associated_deals": 1, **values}),
    )


def test_the_values_go_to_our_mirror_properties() -> None:
    scenario = contact(Scenario().adopted())

    scenario.when(
        rolled(
            scenario,
            first_deal_created_date=at(0),
            recent_deal_close_date="2026-12-31",
            recent_deal_amount="1200",
            total_revenue="0",
        )
    )

    (write,) = scenario.asked(UpdateContact)
    values = ("1", "2026-11-24T09:00:00.000Z", "2026-12-31", "1200", "0")
    assert dict(zip(MIRROR, values, strict=True)) == {c.name: c.wire for c in write.fields}
    assert {RuleId.CONTACT_ROLLUP, RuleId.ROLLUP_TARGET} <= set(RuleId)


def test_the_same_values_are_written_once() -> None:
    scenario = contact(Scenario().adopted())
    scenario.given(rolled(scenario, total_revenue="5"))

    scenario.when(rolled(scenario, total_revenue="5"))

    assert scenario.writes() == ()


@pytest.mark.parametrize(
    ("present", "values", "expected"),
    [
        ("lead", {"has_open": True}, ["opportunity"]),
        ("lead", {"has_won": True}, ["customer"]),
        (None, {"has_open": True}, ["opportunity"]),
        ("opportunity", {"has_won": True}, ["customer"]),
        ("customer", {"has_open": True}, []),
        ("evangelist", {"has_won": True}, []),
        ("a stage of their own", {"has_won": True}, []),
        ("lead", {}, []),
    ],
)
def test_the_lifecycle_only_moves_forward(
    present: str | None, values: dict[str, object], expected: list[str]
) -> None:
    scenario = contact(Scenario().adopted(), present)

    scenario.when(rolled(scenario, **values))

    (write,) = scenario.asked(UpdateContact)
    assert expected == [c.wire for c in write.fields if c.name == "lifecyclestage"]
    assert RuleId.LIFECYCLE


def test_policy_can_switch_the_lifecycle_off() -> None:
    scenario = contact(Scenario().adopted(Policy(switches=Switches(lifecycle=False))))

    scenario.when(rolled(scenario, has_won=True))

    (write,) = scenario.asked(UpdateContact)
    assert "lifecyclestage" not in {c.name for c in write.fields}


def test_nothing_is_written_while_deal_sync_is_off() -> None:
    scenario = contact(Scenario().adopted(Policy(switches=Switches(deal_sync=False))))

    scenario.when(rolled(scenario, has_won=True))

    assert scenario.writes() == ()


def test_values_whose_write_came_to_nothing_are_written_again() -> None:
    """Its answer was lost, and the contact does not show them: the write itself is over."""
    scenario = contact(Scenario().adopted())
    scenario.when(rolled(scenario, total_revenue="5"))
    (lost,) = scenario.asked(UpdateContact)

    scenario.when(scenario.cancelled(lost, 20, "lost: no effect was found", RuleId.ONCE))

    (again,) = scenario.asked(UpdateContact)
    assert again.fields == lost.fields
    assert again.id != lost.id


def test_values_that_a_later_write_asks_for_stand_when_an_earlier_one_is_given_up() -> None:
    scenario = contact(Scenario().adopted())
    scenario.when(rolled(scenario, total_revenue="5"))
    (first,) = scenario.asked(UpdateContact)
    scenario.given(rolled(scenario, total_revenue="6"))

    scenario.when(scenario.cancelled(first, 20, "superseded", RuleId.BUDGET))

    (rest,) = scenario.asked(UpdateContact)
    assert "dealsync_total_revenue" not in {c.name for c in rest.fields}


def test_a_reading_from_before_our_write_does_not_bring_its_values_back() -> None:
    """`order`, `echo`: what is on its way, or was answered after the reading began, stands."""
    for answer_first in (True, False):
        scenario = contact(Scenario().adopted())
        scenario.when(rolled(scenario))
        (one,) = scenario.asked(UpdateContact)
        scenario.given(scenario.done(one, 10))
        scenario.when(rolled(scenario, associated_deals=0))
        (none,) = scenario.asked(UpdateContact)
        stale = read(scenario, 15, **{MIRROR[0]: "1"})
        answer = scenario.done(none, 20)
        scenario.given(*((answer, stale) if answer_first else (stale, answer)))

        scenario.when(rolled(scenario))

        (again,) = scenario.asked(UpdateContact)
        assert {c.name: c.wire for c in again.fields} == {MIRROR[0]: "1"}


def test_hubspots_own_form_of_a_value_is_no_difference() -> None:
    scenario = contact(Scenario().adopted())
    values = {"first_deal_created_date": at(0), "recent_deal_amount": "1200"}
    scenario.when(rolled(scenario, **values))
    (write,) = scenario.asked(UpdateContact)
    scenario.given(scenario.done(write, 10))
    shown = {
        MIRROR[0]: "1",
        MIRROR[1]: "2026-11-24T09:00:00Z",
        MIRROR[3]: "1200.0",
    }
    scenario.given(read(scenario, 15, **shown))

    scenario.when(rolled(scenario, **values))

    assert scenario.writes() == ()
