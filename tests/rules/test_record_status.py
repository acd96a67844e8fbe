"""What the deal shows of its sync (rule `record-status`)."""

from domain.copying import replace
from domain.ids import StreamId
from domain.policy import Policy, Switches
from domain.rules import RuleId
from domain.writes import CreateDeal, UpdateDeal
from tests.support.scenario import OPPORTUNITY, Scenario


def test_the_status_rides_along_with_other_writes() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, name="Acme Renewal", amount="3"))

    (write,) = scenario.asked(UpdateDeal)
    assert {
        "dealsync_link",
        "dealsync_state",
        "dealsync_synced_at",
        "dealsync_issue",
    } == {c.name for c in write.fields if not c.guarded}


def test_it_goes_alone_on_a_change_of_state() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.asks(40, "unlink"))

    (write,) = scenario.asked(UpdateDeal)
    assert "detached" in [c.after for c in write.fields if c.name == "dealsync_state"]
    assert write.for_stopped


def test_policy_can_switch_it_off() -> None:
    scenario = Scenario().adopted(Policy(switches=Switches(record_status=False)))

    scenario.when(scenario.opportunity(10))

    (create,) = scenario.asked(CreateDeal)
    assert "dealsync_state" not in {c.name for c in create.fields}


def test_it_is_never_a_trigger() -> None:
    scenario = Scenario().adopted().live()
    shown = {"dealsync_state": "something else"}

    scenario.when(scenario.deal(40, link=OPPORTUNITY, more=shown, set_at={"dealsync_state": 39}))

    assert scenario.writes() == ()
    assert RuleId.RECORD_STATUS


def test_a_pair_that_another_took_in_asks_for_nothing_more() -> None:
    """The late answer of a write that was withdrawn would have it written once more."""
    scenario = Scenario().adopted().live()
    scenario.when(scenario.opportunity(40, amount="9", name="Acme Renewal"))
    (write,) = scenario.asked(UpdateDeal)
    pair = scenario.pair()
    scenario.states[pair.stream] = replace(pair, absorbed_into=StreamId("another"))

    scenario.when(scenario.cancelled(write, 41, "its pair ended", "adopt"))

    assert not scenario.writes()


def test_a_pair_that_another_took_in_shows_nothing() -> None:
    """Its deal is the other's by now: a write of its own would find no record and wait for ever."""
    scenario = Scenario().adopted().live()
    pair = scenario.pair()
    scenario.states[pair.stream] = replace(pair, absorbed_into=StreamId("another"))

    scenario.when(scenario.asks(40, "unlink"))

    assert not scenario.writes()
