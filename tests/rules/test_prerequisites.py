"""Permission, another connector, and the order of the switches."""

from domain import ids
from domain.policy import Policy, Switches
from domain.rules import RuleId
from domain.rules.prerequisites import company_sync_is_late, missing_permission
from domain.writes import CreateOpportunity
from tests.support.scenario import DEAL, Scenario, at, salesforce_catalog


def test_either_permission_is_enough() -> None:
    for permission in ("ModifyAllData", "ModifyMetadata"):
        scenario = Scenario().adopted().given(salesforce_catalog(permissions=(permission,)))

        assert missing_permission(scenario.catalog) is None


def test_the_missing_permission_and_the_user_are_named() -> None:
    scenario = Scenario().adopted().given(salesforce_catalog(permissions=("ApiEnabled",)))

    text = missing_permission(scenario.catalog) or ""

    assert "integration@example.com" in text
    assert "Modify All Data" in text
    assert ("DS102", "integration@example.com") in scenario.catalog.issues
    assert RuleId.PERMISSION


def test_creates_wait_while_another_connector_syncs_the_deal() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.deal(0, reason="baseline", vendor_synced_at=at(-10)))

    scenario.when(scenario.deal(10, amount="3", set_at={"amount": 9}, vendor_synced_at=at(5)))

    assert scenario.asked(CreateOpportunity) == ()
    assert {"DS103"} == scenario.issues(ids.deal(DEAL))
    assert RuleId.OTHER_CONNECTOR


def test_creates_go_on_when_the_other_connector_is_quiet() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.deal(0, reason="baseline", vendor_synced_at=at(-10)))

    scenario.when(scenario.deal(10, amount="3", set_at={"amount": 9}, vendor_synced_at=at(-10)))

    assert len(scenario.asked(CreateOpportunity)) == 1


def test_turning_company_sync_on_late_is_warned_about() -> None:
    before = Policy(switches=Switches(company_sync=False))

    assert "import accounts" in (company_sync_is_late(before, Policy()) or "")
    assert company_sync_is_late(Policy(), Policy()) is None
    assert company_sync_is_late(None, Policy()) is None
    assert RuleId.COMPANY_SYNC_ORDER
