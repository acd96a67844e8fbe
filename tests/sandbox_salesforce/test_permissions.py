"""Who may see and change what, and how custom fields come to be seen."""

from typing import Any

import pytest

from tests.sandbox_salesforce.org import (
    DEAL_ID,
    DEAL_ID_FIELD,
    INTEGRATION,
    OPPORTUNITY,
    SalesforceOrg,
)

OWN = "SELECT PermissionsModifyAllData, PermissionsModifyMetadata FROM UserPermissionAccess"


def own(org: SalesforceOrg) -> tuple[Any, Any]:
    (row,) = org.query(OWN)
    return row["PermissionsModifyAllData"], row["PermissionsModifyMetadata"]


def test_a_user_can_ask_for_his_own_permissions(org: SalesforceOrg) -> None:
    org.token = org.sign_in(INTEGRATION)
    assert own(org) == (True, True)

    org.act("set_permission", user=INTEGRATION, permission="ModifyAllData", value=False)
    assert own(org) == (False, True)
    org.act("set_permission", user=INTEGRATION, permission="ModifyMetadata", value=False)
    assert own(org) == (False, False)

    org.act("set_permission", user=INTEGRATION, permission="ModifyAllData", value=True)
    assert own(org) == (True, False)


def test_a_permission_set_gives_what_it_says(org: SalesforceOrg) -> None:
    seller = org.create("User", Username="s@sandbox.example", Email="s@x.example", LastName="S")
    given = org.create("PermissionSet", Name="Sync", Label="Sync", PermissionsModifyMetadata=True)
    assignment = {"AssigneeId": seller, "PermissionSetId": given}
    org.create("PermissionSetAssignment", **assignment)

    assert org.refused("POST", "sobjects/PermissionSetAssignment", assignment)[1:] == (
        "DUPLICATE_VALUE",
        ["AssigneeId", "PermissionSetId"],
    )
    org.token = org.sign_in("s@sandbox.example")
    assert own(org) == (False, True)
    assert org.refused("POST", "sobjects/User", {"LastName": "x"})[:2] == (
        403,
        "INSUFFICIENT_ACCESS_OR_READONLY",
    )


def test_without_api_access_nothing_is_answered(org: SalesforceOrg) -> None:
    org.token = org.sign_in(INTEGRATION)
    org.act("set_permission", user=INTEGRATION, permission="ApiEnabled", value=False)

    assert org.refused("GET", "limits")[:2] == (403, "API_DISABLED_FOR_ORG")


def test_a_new_field_is_seen_by_nobody_until_it_is_opened(org: SalesforceOrg) -> None:
    org.add_field(DEAL_ID, DEAL_ID_FIELD, visible=False)

    assert org.query_refused("SELECT DealSync_Deal_Id__c FROM Opportunity")[0] == "INVALID_FIELD"
    assert org.refused("POST", "sobjects/Opportunity", {**OPPORTUNITY, DEAL_ID: "1"})[1] == (
        "INVALID_FIELD"
    )
    (own_set,) = org.values(
        "SELECT PermissionSetId FROM PermissionSetAssignment"
        " WHERE Assignee.Username = 'integration@sandbox.example'"
    )
    org.create(
        "FieldPermissions",
        ParentId=own_set,
        SobjectType="Opportunity",
        Field=f"Opportunity.{DEAL_ID}",
        PermissionsRead=True,
        PermissionsEdit=True,
    )

    assert org.query_refused("SELECT DealSync_Deal_Id__c FROM Opportunity")[0] == "INVALID_FIELD"
    org.token = org.sign_in(INTEGRATION)
    org.opportunity(**{DEAL_ID: "1"})
    assert org.values("SELECT DealSync_Deal_Id__c FROM Opportunity") == ["1"]


def test_setup_without_the_permission_is_refused(org: SalesforceOrg) -> None:
    org.token = org.sign_in(INTEGRATION)
    for permission in ("ModifyAllData", "ModifyMetadata", "CustomizeApplication"):
        org.act("set_permission", user=INTEGRATION, permission=permission, value=False)
    body = {"FullName": f"Opportunity.{DEAL_ID}", "Metadata": DEAL_ID_FIELD}

    assert org.refused("POST", "tooling/sobjects/CustomField", body)[:2] == (
        403,
        "INSUFFICIENT_ACCESS_OR_READONLY",
    )


def test_fields_made_by_the_tooling_api_can_be_found_and_removed(org: SalesforceOrg) -> None:
    org.add_field(DEAL_ID, DEAL_ID_FIELD)
    body = {"FullName": f"Opportunity.{DEAL_ID}", "Metadata": DEAL_ID_FIELD}
    soql = (
        "SELECT+Id,DeveloperName+FROM+CustomField+WHERE+TableEnumOrId='Opportunity'"
        "+AND+DeveloperName='DealSync_Deal_Id'"
    )

    (found,) = org.done("GET", f"tooling/query?q={soql}")["records"]
    path = f"tooling/sobjects/CustomField/{found['Id']}"

    assert org.refused("POST", "tooling/sobjects/CustomField", body)[1] == (
        "DUPLICATE_DEVELOPER_NAME"
    )
    assert org.done("GET", path)["Metadata"] == DEAL_ID_FIELD
    org.done("DELETE", path)
    assert org.query_refused("SELECT DealSync_Deal_Id__c FROM Opportunity")[0] == "INVALID_FIELD"


@pytest.mark.parametrize(
    ("name", "metadata"),
    [
        ("Opportunity.Plain", {"type": "Text", "length": 10}),
        ("Nothing.Foo__c", {"type": "Text", "length": 10}),
        ("Opportunity.Foo__c", {"type": "Text"}),
        ("Opportunity.Foo__c", {"type": "Text", "length": 256}),
        ("Opportunity.Foo__c", {"type": "Odd"}),
        ("Opportunity.Foo__c", {"type": "Checkbox"}),
        ("Opportunity.Foo__c", {"type": "Date", "unique": True}),
        ("Opportunity.Foo__c", None),
    ],
)
def test_metadata_must_be_sound(
    org: SalesforceOrg, name: str, metadata: dict[str, Any] | None
) -> None:
    body = {"FullName": name, "Metadata": metadata}

    assert org.refused("POST", "tooling/sobjects/CustomField", body)[0] == 400


@pytest.mark.parametrize(
    ("metadata", "value", "read"),
    [
        ({"type": "Text", "length": 10}, " x ", "x"),
        ({"type": "LongTextArea", "length": 1000, "visibleLines": 3}, "a\r\nb", "a\r\nb"),
        ({"type": "Number", "precision": 6, "scale": 1}, 12.25, 12.3),
        ({"type": "Percent", "precision": 5, "scale": 0}, "7", 7.0),
        ({"type": "Date"}, "2026-02-03", "2026-02-03"),
        ({"type": "DateTime"}, "2026-02-03T04:05:06Z", "2026-02-03T04:05:06.000+0000"),
        ({"type": "Checkbox", "defaultValue": "true"}, False, False),
        ({"type": "Picklist"}, "Anything", "Anything"),
        ({"type": "Email"}, "a@b.example", "a@b.example"),
        ({"type": "Url"}, "https://x.example", "https://x.example"),
        ({"type": "Lookup", "referenceTo": "Account"}, None, None),
    ],
)
def test_a_custom_field_of_every_type(
    org: SalesforceOrg, metadata: dict[str, Any], value: object, read: object
) -> None:
    org.add_field("Foo__c", {"label": "Foo", **metadata})
    record_id = org.opportunity(Foo__c=value)

    assert org.read("Opportunity", record_id)["Foo__c"] == read


def test_a_field_can_be_narrowed_for_one_user(org: SalesforceOrg) -> None:
    record_id = org.opportunity(Amount=5)
    path = f"sobjects/Opportunity/{record_id}"
    org.token = org.sign_in(INTEGRATION)

    org.act("set_permission", user=INTEGRATION, permission="Opportunity.Amount", value="read")
    assert org.read("Opportunity", record_id)["Amount"] == 5.0
    assert org.refused("PATCH", path, {"Amount": 6}) == (
        400,
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        ["Amount"],
    )
    described = org.done("GET", "sobjects/Opportunity/describe")["fields"]
    (amount,) = [field for field in described if field["name"] == "Amount"]
    assert amount["updateable"] is False

    org.act("set_permission", user=INTEGRATION, permission="Opportunity.Amount", value="none")
    assert "Amount" not in org.read("Opportunity", record_id)
    assert org.refused("PATCH", path, {"Amount": 6})[1] == "INVALID_FIELD"


def test_an_object_can_be_narrowed_for_one_user(org: SalesforceOrg) -> None:
    record_id = org.opportunity()
    org.token = org.sign_in(INTEGRATION)

    org.act("set_permission", user=INTEGRATION, permission="Opportunity", value="read")
    assert org.refused("PATCH", f"sobjects/Opportunity/{record_id}", {"Name": "B"})[0] == 403
    org.act("set_permission", user=INTEGRATION, permission="Opportunity", value="none")
    assert org.refused("GET", f"sobjects/Opportunity/{record_id}")[:2] == (404, "NOT_FOUND")
    assert org.query_refused("SELECT Id FROM Opportunity")[0] == "INVALID_TYPE"


def test_a_record_type_can_be_taken_from_one_user(org: SalesforceOrg) -> None:
    org.token = org.sign_in(INTEGRATION)
    renewal = org.record_type("Renewal")
    org.act("set_permission", user=INTEGRATION, permission="RecordType.Renewal", value=False)

    infos = org.done("GET", "sobjects/Opportunity/describe")["recordTypeInfos"]
    (info,) = [info for info in infos if info["recordTypeId"] == renewal]
    values = {**OPPORTUNITY, "RecordTypeId": renewal}

    assert (info["active"], info["available"]) == (True, False)
    assert org.refused("POST", "sobjects/Opportunity", values)[1:] == (
        "INVALID_CROSS_REFERENCE_KEY",
        ["RecordTypeId"],
    )


def test_a_permission_set_takes_nothing_away(org: SalesforceOrg) -> None:
    given = org.create("PermissionSet", Name="Sync", Label="Sync")
    org.create(
        "PermissionSetAssignment", AssigneeId=org.user_id(INTEGRATION), PermissionSetId=given
    )
    values = {"ParentId": given, "SobjectType": "Opportunity", "Field": "opportunity.amount"}
    org.create("FieldPermissions", **values, PermissionsRead=True)
    org.token = org.sign_in(INTEGRATION)

    assert org.read("Opportunity", org.opportunity(Amount=5))["Amount"] == 5.0
    assert org.refused("POST", "sobjects/FieldPermissions", values)[1] == "DUPLICATE_VALUE"
    assert org.refused("POST", "sobjects/PermissionSet", {"Name": "sync", "Label": "x"})[1] == (
        "DUPLICATE_VALUE"
    )
    unknown = {**values, "Field": "Opportunity.Nothing__c"}
    assert org.refused("POST", "sobjects/FieldPermissions", unknown)[2] == ["Field"]
