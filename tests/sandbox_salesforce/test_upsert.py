"""Single records by external id."""

import pytest

from tests.sandbox_salesforce.org import DEAL_ID, DEAL_ID_FIELD, OPPORTUNITY, SalesforceOrg


@pytest.fixture
def linked(org: SalesforceOrg) -> SalesforceOrg:
    """Return an org whose opportunities have a unique external id."""
    org.add_field(DEAL_ID, DEAL_ID_FIELD)
    return org


PATH = f"sobjects/Opportunity/{DEAL_ID}"


def test_the_first_upsert_creates_and_the_second_updates(linked: SalesforceOrg) -> None:
    status, created = linked.ask("PATCH", f"{PATH}/77", OPPORTUNITY)
    again, updated = linked.ask("PATCH", f"{PATH}/77", {"Name": "B"})

    assert (status, created["created"]) == (201, True)
    assert (again, updated) == (
        200,
        {"id": created["id"], "success": True, "errors": [], "created": False},
    )
    assert linked.done("GET", f"{PATH}/77")["Name"] == "B"
    assert linked.read("Opportunity", created["id"])[DEAL_ID] == "77"


def test_a_deleted_record_is_not_met_again(linked: SalesforceOrg) -> None:
    first = linked.done("PATCH", f"{PATH}/77", OPPORTUNITY)["id"]
    linked.done("DELETE", f"{PATH}/77")

    second = linked.done("PATCH", f"{PATH}/77", OPPORTUNITY)["id"]

    assert second != first


def test_a_unique_value_can_be_had_once(linked: SalesforceOrg) -> None:
    first = linked.opportunity(**{DEAL_ID: "Abc"})

    refused = linked.refused("POST", "sobjects/Opportunity", {**OPPORTUNITY, DEAL_ID: "aBC"})

    assert refused == (400, "DUPLICATE_VALUE", [DEAL_ID])
    assert (
        first
        in linked.ask("POST", "sobjects/Opportunity", {**OPPORTUNITY, DEAL_ID: "aBC"})[1][0][
            "message"
        ]
    )


def test_several_matches_are_listed(org: SalesforceOrg) -> None:
    org.add_field("Code__c", {**DEAL_ID_FIELD, "unique": False})
    ids = [org.opportunity(Code__c="x") for _ in range(2)]

    status, body = org.ask("PATCH", "sobjects/Opportunity/Code__c/x", {"Name": "B"})

    assert status == 300
    assert body == [f"/services/data/v62.0/sobjects/Opportunity/{each}" for each in ids]
    assert not org.last.changed


def test_what_is_no_external_id(linked: SalesforceOrg) -> None:
    assert linked.refused("PATCH", "sobjects/Opportunity/Name/x", {})[:2] == (404, "NOT_FOUND")
    assert linked.refused("PATCH", f"{PATH}/7", {DEAL_ID: "7"})[:2] == (400, "INVALID_FIELD")
    assert linked.refused("GET", f"{PATH}/none")[:2] == (404, "NOT_FOUND")
