"""What a person asks of one pair, and what it answers."""

from domain import events
from domain.pair import PairState
from domain.rules import RuleId
from tests.support.scenario import OPPORTUNITY, Scenario


def test_unlinking_lets_nothing_cross() -> None:
    scenario = Scenario().adopted().live().given(Scenario().opportunity(35))
    scenario.given(scenario.asks(40, "unlink"))

    scenario.when(scenario.opportunity(50, amount="2"))

    assert scenario.pair().state == PairState.DETACHED
    assert scenario.writes() == ()


def test_discarding_closes_a_standing_issue() -> None:
    scenario = Scenario().adopted().live()
    scenario.when(scenario.opportunity(40, name="Acme Renewal", type="Barter"))
    assert {"DS401"} == scenario.issues()

    scenario.when(scenario.asks(50, "discard", field="DS401"))

    assert len(scenario.told(events.IssueClosed)) == 1


def test_an_unknown_field_is_answered_in_words() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.asks(40, "restore", field="nonsense", value="x"))

    assert scenario.why_not()[0] == RuleId.FIELD_RULE


def test_an_unknown_request_is_answered_in_words() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.asks(40, "dance"))

    assert "dance" in scenario.why_not()[1]


def test_resuming_a_live_pair_changes_nothing() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.asks(40, "resume"))

    assert scenario.writes() == ()
    assert scenario.pair().salesforce.current == OPPORTUNITY


def test_a_required_field_is_never_restored_to_blank() -> None:
    """Salesforce would refuse it, and the deal would stay blank."""
    scenario = Scenario().adopted().live()

    scenario.when(scenario.asks(40, "restore", field="name", value=None))

    assert scenario.why_not()[0] == RuleId.REQUIRED
    assert scenario.writes() == ()
