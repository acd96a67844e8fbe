"""The client from PyPI, `simple-salesforce`, works against the sandbox unchanged."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from simple_salesforce.api import Salesforce, SFType
from simple_salesforce.exceptions import (
    SalesforceError,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)

from adapters.sandbox.salesforce.box import SalesforceSandbox
from tests.support.sandbox_requests import BoxAdapter

URL = "http://127.0.0.1:8101"
SIGN_IN = {
    "grant_type": "password",
    "client_id": "sandbox",
    "client_secret": "sandbox",
    "username": "admin@sandbox.example",
    "password": "sandbox",
}
OPPORTUNITY = {"Name": "A chance", "StageName": "Qualification", "CloseDate": "2026-03-31"}
DEAL_ID = "DealSync_Deal_Id__c"


class Clock:
    """The time that the sandbox is asked by."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 5, 12, tzinfo=UTC)

    def now(self) -> datetime:
        """Return it."""
        return self.at


@pytest.fixture
def clock() -> Clock:
    """Return a clock that tests move."""
    return Clock()


@pytest.fixture
def session(clock: Clock) -> requests.Session:
    """Return a session of `requests` that reaches a new sandbox."""
    box = SalesforceSandbox()
    box.seed_basics(clock.now())
    found = requests.Session()
    for scheme in ("http://", "https://"):
        found.mount(scheme, BoxAdapter(box, clock.now))
    return found


@pytest.fixture
def salesforce(session: requests.Session) -> Salesforce:
    """Return the client, signed in."""
    token = session.post(f"{URL}/services/oauth2/token", data=SIGN_IN).json()["access_token"]
    return Salesforce(instance_url=URL, session_id=token, session=session)


def opportunities(salesforce: Salesforce) -> SFType:
    found = salesforce.Opportunity
    assert isinstance(found, SFType)
    return found


def created(kind: SFType, values: Mapping[str, Any]) -> str:
    answered: Any = kind.create(dict(values))
    assert answered["success"] is True
    return str(answered["id"])


def code(error: SalesforceError) -> str:
    content: Any = error.content
    return str(content[0]["errorCode"])


def test_create_read_update_delete(salesforce: Salesforce) -> None:
    kind = opportunities(salesforce)
    record_id = created(kind, OPPORTUNITY)

    assert kind.update(record_id, {"Amount": 12.5}) == 204
    row: Any = kind.get(record_id)
    assert (row["Amount"], row["StageName"]) == (12.5, "Qualification")
    assert kind.delete(record_id) == 204
    with pytest.raises(SalesforceResourceNotFound) as raised:
        kind.get(record_id)
    assert code(raised.value) == "ENTITY_IS_DELETED"


def test_refusals_are_raised(salesforce: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest) as raised:
        opportunities(salesforce).create({"Name": "x"})

    assert code(raised.value) == "REQUIRED_FIELD_MISSING"


def test_an_ended_session_is_raised(session: requests.Session) -> None:
    stranger = Salesforce(instance_url=URL, session_id="made up", session=session)

    with pytest.raises(SalesforceExpiredSession):
        stranger.query("SELECT Id FROM Account")


def test_queries_follow_their_pages(salesforce: Salesforce) -> None:
    for _ in range(11):
        records = [{"attributes": {"type": "Account"}, "Name": "A"} for _ in range(200)]
        salesforce.restful("composite/sobjects", method="POST", json={"records": records})

    first = salesforce.query("SELECT Id, Owner.Name FROM Account ORDER BY Id")
    whole = salesforce.query_all("SELECT Id, Owner.Name FROM Account ORDER BY Id")

    assert (len(first["records"]), first["done"], first["totalSize"]) == (2000, False, 2200)
    assert len({row["Id"] for row in whole["records"]}) == 2200
    assert whole["records"][0]["Owner"]["Name"] == "Ada Admin"


def test_deleted_records_are_queried_with_include_deleted(salesforce: Salesforce) -> None:
    kind = opportunities(salesforce)
    kind.delete(created(kind, OPPORTUNITY))

    seen = salesforce.query_all("SELECT Id, IsDeleted FROM Opportunity", include_deleted=True)

    assert [row["IsDeleted"] for row in seen["records"]] == [True]


def test_upsert_by_a_field_made_through_the_tooling_api(salesforce: Salesforce) -> None:
    metadata = {"type": "Text", "label": "Deal", "length": 30, "externalId": True, "unique": True}
    salesforce.toolingexecute(
        "sobjects/CustomField",
        method="POST",
        data={"FullName": f"Opportunity.{DEAL_ID}", "Metadata": metadata},
    )
    own = salesforce.query(
        "SELECT PermissionSetId FROM PermissionSetAssignment"
        " WHERE Assignee.Username = 'admin@sandbox.example'"
    )["records"][0]["PermissionSetId"]
    permissions = salesforce.FieldPermissions
    assert isinstance(permissions, SFType)
    permissions.create(
        {
            "ParentId": own,
            "SobjectType": "Opportunity",
            "Field": f"Opportunity.{DEAL_ID}",
            "PermissionsRead": True,
            "PermissionsEdit": True,
        }
    )
    kind = opportunities(salesforce)

    assert kind.upsert(f"{DEAL_ID}/77", OPPORTUNITY) == 201
    assert kind.upsert(f"{DEAL_ID}/77", {"Name": "B"}) == 200
    row: Any = kind.get_by_custom_id(DEAL_ID, "77")
    assert row["Name"] == "B"


def test_several_matches_are_raised(salesforce: Salesforce) -> None:
    metadata = {"type": "Text", "label": "Code", "length": 30, "externalId": True}
    salesforce.toolingexecute(
        "sobjects/CustomField",
        method="POST",
        data={"FullName": "Opportunity.Code__c", "Metadata": metadata},
    )
    own = salesforce.query("SELECT PermissionSetId FROM PermissionSetAssignment LIMIT 1")
    permissions = salesforce.FieldPermissions
    assert isinstance(permissions, SFType)
    permissions.create(
        {
            "ParentId": own["records"][0]["PermissionSetId"],
            "SobjectType": "Opportunity",
            "Field": "Opportunity.Code__c",
            "PermissionsRead": True,
            "PermissionsEdit": True,
        }
    )
    kind = opportunities(salesforce)
    for _ in range(2):
        created(kind, {**OPPORTUNITY, "Code__c": "x"})

    with pytest.raises(SalesforceMoreThanOneRecord):
        kind.upsert("Code__c/x", {"Name": "B"})


def test_describe(salesforce: Salesforce) -> None:
    described: Any = opportunities(salesforce).describe()
    every: Any = salesforce.describe()
    metadata: Any = opportunities(salesforce).metadata()

    assert {field["name"] for field in described["fields"]} >= {"Amount", "StageName", "OwnerId"}
    assert "Opportunity" in {each["name"] for each in every["sobjects"]}
    assert metadata["objectDescribe"]["name"] == "Opportunity"


def test_what_changed_and_what_was_deleted(salesforce: Salesforce, clock: Clock) -> None:
    kind = opportunities(salesforce)
    changed, deleted = (created(kind, OPPORTUNITY) for _ in range(2))
    kind.delete(deleted)
    start, end = clock.at - timedelta(hours=1), clock.at + timedelta(hours=1)

    updates: Any = kind.updated(start, end)
    deletions: Any = kind.deleted(start, end)

    assert updates["ids"] == [changed]
    assert [row["id"] for row in deletions["deletedRecords"]] == [deleted]


def test_limits_and_usage(salesforce: Salesforce) -> None:
    limits: Any = salesforce.limits()

    assert limits["DailyApiRequests"]["Remaining"] == limits["DailyApiRequests"]["Max"] - 1
    assert salesforce.api_usage["api-usage"].used == 1
    assert salesforce.is_sandbox() is True


def test_who_am_i(salesforce: Salesforce) -> None:
    info: Any = salesforce.oauth2("userinfo")

    assert info["preferred_username"] == "admin@sandbox.example"
