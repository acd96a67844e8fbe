"""Property definitions and groups: creation, refusals, limits, what a new account has."""

import pytest

from adapters.sandbox.hubspot.rows import row_in, rows_in, text
from adapters.sandbox.tables import JsonValue, Row
from tests.sandbox_hubspot.account import Account, body_of

DEALS = "/crm/v3/properties/deals"


def _number(name: str, **more: JsonValue) -> Row:
    return {
        "name": name,
        "label": "Age",
        "groupName": "dealinformation",
        "type": "number",
        "fieldType": "number",
        "description": "In years",
        "formField": True,
        **more,
    }


def _names(account: Account, kind: str) -> set[str]:
    listed = account.ask("GET", f"/crm/v3/properties/{kind}")
    return {text(one, "name") for one in rows_in(listed, "results")}


def test_a_property_is_answered_as_it_was_captured() -> None:
    made = Account().ask("POST", DEALS, _number("age__c"))
    assert made == {
        "updatedAt": "2024-05-01T09:00:01Z",
        "createdAt": "2024-05-01T09:00:01Z",
        "name": "age__c",
        "label": "Age",
        "type": "number",
        "fieldType": "number",
        "description": "In years",
        "groupName": "dealinformation",
        "options": [],
        "createdUserId": "9000001",
        "updatedUserId": "9000001",
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        "archived": False,
        "hasUniqueValue": False,
        "hidden": False,
        "modificationMetadata": {
            "archivable": True,
            "readOnlyDefinition": False,
            "readOnlyValue": False,
        },
        "formField": True,
        "dataSensitivity": "non_sensitive",
    }


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"name": "amount"}, 409),
        ({"name": "Upper"}, 400),
        ({"type": "string"}, 400),
        ({"type": "enumeration", "fieldType": "select"}, 400),
        ({"groupName": "nowhere"}, 400),
        ({"label": ""}, 400),
    ],
)
def test_a_bad_definition_is_refused(changes: Row, status: int) -> None:
    assert Account().send("POST", DEALS, {**_number("age"), **changes}).response.status == status


def test_a_batch_names_those_that_exist() -> None:
    account = Account()
    account.ask("POST", DEALS, _number("age__c"))
    answered = account.send(
        "POST", f"{DEALS}/batch/create", {"inputs": [_number("age__c"), _number("size__c")]}
    )
    body = body_of(answered.response)
    assert answered.response.status == 207
    assert [one["name"] for one in rows_in(body, "results")] == ["size__c"]
    assert rows_in(body, "errors") == [
        {
            "status": "error",
            "category": "OBJECT_ALREADY_EXISTS",
            "subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS",
            "message": "A property named 'age__c' already exists.",
            "context": {"name": ["age__c"]},
        }
    ]


def test_ten_properties_of_a_kind_can_be_unique_from_their_creation() -> None:
    account = Account()
    for number in range(10):
        account.add_property("deals", f"key{number}", hasUniqueValue=True)
    eleventh = account.send("POST", DEALS, _number("key10", hasUniqueValue=True))
    assert eleventh.response.status == 400
    account.add_property("companies", "key10", hasUniqueValue=True)

    account.add_property("deals", "plain")
    assert account.send("PATCH", f"{DEALS}/plain", {"hasUniqueValue": True}).response.status == 400


def test_a_new_option_can_be_used_at_once() -> None:
    account = Account()
    account.add_property(
        "deals",
        "size",
        type="enumeration",
        fieldType="select",
        options=[{"label": "S", "value": "s"}],
    )
    deal_id = account.make("deals")
    assert account.change("deals", deal_id, size="m").response.status == 400
    both: JsonValue = [{"label": one.upper(), "value": one} for one in "sm"]
    account.send("PATCH", f"{DEALS}/size", {"options": both})
    assert account.change("deals", deal_id, size="m").response.status == 200


def test_an_archived_property_does_not_exist_for_values() -> None:
    account = Account()
    account.add_property("deals", "size")
    assert account.send("DELETE", f"{DEALS}/size").response.status == 204
    assert account.send("GET", f"{DEALS}/size").response.status == 404
    assert account.ask("GET", f"{DEALS}/size?archived=true")["archived"] is True
    refused = account.change("deals", account.make("deals"), size="1")
    assert refused.response.status == 400
    account.add_property("deals", "size")


def test_hubspots_own_properties_cannot_be_changed() -> None:
    account = Account()
    assert account.send("DELETE", f"{DEALS}/amount").response.status == 400
    assert account.send("PATCH", f"{DEALS}/amount", {"label": "Money"}).response.status == 400
    fixed = account.ask("GET", "/crm/v3/properties/contacts/total_revenue")
    assert fixed["calculated"] is True
    assert row_in(fixed, "modificationMetadata")["readOnlyValue"] is True


def test_a_new_account_has_links_of_the_connector_only_where_asked() -> None:
    account = Account()
    assert "salesforcecontactid" in _names(account, "contacts")
    assert "salesforceaccountid" in _names(account, "companies")
    assert not [one for one in _names(account, "deals") if one.startswith("dealsync")]
    assert "hs_salesforceopportunityid" not in _names(account, "deals")

    account.box.act("add_connector_properties", {}, account.at)
    assert {"hs_salesforceopportunityid", "salesforcelastsynctime"} <= _names(account, "deals")
    account.make("deals", hs_salesforceopportunityid="006A", salesforcedeleted="false")


def test_groups_are_made_and_dropped_when_empty() -> None:
    account = Account()
    made = account.ask("POST", f"{DEALS}/groups", {"name": "sync", "label": "Sync"})
    assert made == {"name": "sync", "label": "Sync", "displayOrder": 2, "archived": False}
    account.add_property("deals", "one", groupName="sync")
    again = account.send("POST", f"{DEALS}/groups", {"name": "sync", "label": "Sync"})
    used = account.send("DELETE", f"{DEALS}/groups/sync")
    account.send("DELETE", f"{DEALS}/one")
    unused = account.send("DELETE", f"{DEALS}/groups/sync")
    statuses = [one.response.status for one in (again, used, unused)]
    assert statuses == [409, 400, 204]
