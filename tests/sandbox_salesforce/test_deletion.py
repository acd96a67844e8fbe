"""Deleting, the recycle bin, and the two lists of what changed in a span of time."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from adapters.sandbox.box import ActionRefusedError
from tests.sandbox_salesforce.org import DEAL_ID, DEAL_ID_FIELD, START, SalesforceOrg


def listed(org: SalesforceOrg, kind: str, object_name: str, start: datetime) -> Any:  # noqa: ANN401
    span = f"start={quote(start.isoformat())}&end={quote(org.at.isoformat())}"
    return org.done("GET", f"sobjects/{object_name}/{kind}/?{span}")


def with_role(org: SalesforceOrg) -> tuple[str, str]:
    opportunity = org.opportunity()
    contact = org.create("Contact", LastName="One")
    role = org.create("OpportunityContactRole", OpportunityId=opportunity, ContactId=contact)
    return opportunity, role


def test_a_deleted_opportunity_takes_its_roles_along(org: SalesforceOrg) -> None:
    opportunity, role = with_role(org)
    org.later()
    org.done("DELETE", f"sobjects/Opportunity/{opportunity}")

    assert org.query("SELECT Id FROM Opportunity") == []
    assert org.query("SELECT Id FROM OpportunityContactRole") == []
    for name, record_id in (("Opportunity", opportunity), ("OpportunityContactRole", role)):
        soql = f"SELECT Id, IsDeleted, SystemModstamp FROM {name}"  # noqa: S608 - no SQL
        (row,) = org.query(soql, deleted_too=True)
        assert (row["Id"], row["IsDeleted"]) == (record_id, True)
        assert row["SystemModstamp"] == "2026-01-05T12:00:01.000+0000"


def test_undelete_brings_the_roles_back(org: SalesforceOrg) -> None:
    opportunity, role = with_role(org)
    org.done("DELETE", f"sobjects/Opportunity/{opportunity}")
    org.later()

    org.act("undelete", id=opportunity)

    assert org.values("SELECT Id FROM OpportunityContactRole") == [role]
    assert org.read("Opportunity", opportunity)["SystemModstamp"] == "2026-01-05T12:00:01.000+0000"
    assert listed(org, "deleted", "Opportunity", START)["deletedRecords"] == []


def test_a_role_deleted_by_itself_leaves_only_its_deletion(org: SalesforceOrg) -> None:
    _, role = with_role(org)
    org.later(5)
    org.done("DELETE", f"sobjects/OpportunityContactRole/{role}")

    assert org.query("SELECT Id FROM OpportunityContactRole", deleted_too=True) == []
    found = listed(org, "deleted", "OpportunityContactRole", START)
    assert found["deletedRecords"] == [{"id": role, "deletedDate": "2026-01-05T12:00:05.000+0000"}]
    refused = org.refused("GET", f"sobjects/OpportunityContactRole/{role}")
    assert refused[:2] == (404, "ENTITY_IS_DELETED")


def test_updated_lists_what_lives_and_changed(org: SalesforceOrg) -> None:
    changed, deleted = org.opportunity(), org.opportunity()
    org.later(90)
    org.change("Opportunity", changed, Name="B")
    org.done("DELETE", f"sobjects/Opportunity/{deleted}")

    found = listed(org, "updated", "Opportunity", START + timedelta(seconds=60))

    assert found == {"ids": [changed], "latestDateCovered": "2026-01-05T12:01:00.000+0000"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("start=2026-01-05T12:00:00Z", "MISSING_ARGUMENT"),
        ("start=x&end=y", "INVALID_REPLICATION_DATE"),
        ("start=2026-01-05T12:00:00Z&end=2026-01-05T11:00:00Z", "INVALID_REPLICATION_DATE"),
        ("start=2025-01-05T12:00:00Z&end=2026-01-05T11:00:00Z", "INVALID_REPLICATION_DATE"),
    ],
)
def test_a_span_must_be_sound(org: SalesforceOrg, query: str, code: str) -> None:
    assert org.refused("GET", f"sobjects/Opportunity/deleted?{query}")[:2] == (400, code)


def test_only_some_objects_are_listed(org: SalesforceOrg) -> None:
    span = "start=2026-01-05T12:00:00Z&end=2026-01-05T13:00:00Z"

    assert org.refused("GET", f"sobjects/RecordType/deleted?{span}")[1] == (
        "INVALID_TYPE_FOR_OPERATION"
    )


def test_an_account_takes_contacts_and_opportunities_along(org: SalesforceOrg) -> None:
    account = org.create("Account", Name="A")
    org.create("Contact", LastName="C", AccountId=account)
    opportunity = org.opportunity(AccountId=account)
    org.done("DELETE", f"sobjects/Account/{account}")

    assert org.query("SELECT Id FROM Contact") == []
    org.act("undelete", id=account)
    assert org.values("SELECT Id FROM Opportunity") == [opportunity]


def test_an_account_with_a_won_opportunity_stays(org: SalesforceOrg) -> None:
    account = org.create("Account", Name="A")
    org.opportunity(AccountId=account, StageName="Closed Won")

    assert org.refused("DELETE", f"sobjects/Account/{account}")[1] == "DELETE_FAILED"


def test_a_contact_in_a_role_can_go_and_the_role_still_names_it(org: SalesforceOrg) -> None:
    _, role = with_role(org)
    contact = org.read("OpportunityContactRole", role)["ContactId"]
    org.done("DELETE", f"sobjects/Contact/{contact}")

    assert org.read("OpportunityContactRole", role)["ContactId"] == contact


def test_undelete_is_refused_where_the_unique_value_is_taken(org: SalesforceOrg) -> None:
    org.add_field(DEAL_ID, DEAL_ID_FIELD)
    first = org.opportunity(**{DEAL_ID: "7"})
    org.done("DELETE", f"sobjects/Opportunity/{first}")
    org.opportunity(**{DEAL_ID: "7"})

    with pytest.raises(ActionRefusedError, match="DUPLICATE_VALUE"):
        org.act("undelete", id=first)
    assert len(org.query("SELECT Id FROM Opportunity")) == 1
