"""Fields of one's own, by every type and every rule, and what the CRMs refuse or rewrite."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.user import User
from tests.support.program import running

#: our name: the type in Salesforce, the type and field type in HubSpot, our type, the rule
FIELDS: dict[str, tuple[dict[str, Any], str, str, str, str]] = {
    "note": ({"type": "Text", "length": 80}, "string", "text", "text", "prefer_salesforce"),
    "seats": (
        {"type": "Number", "precision": 18, "scale": 2},
        "number",
        "number",
        "decimal",
        "always_salesforce",
    ),
    "start": ({"type": "Date"}, "date", "date", "date", "two_way"),
    "called": ({"type": "DateTime"}, "datetime", "date", "datetime", "two_way"),
    "trial": (
        {"type": "Checkbox", "defaultValue": "false"},
        "bool",
        "booleancheckbox",
        "boolean",
        "two_way",
    ),
    "tier": ({"type": "Picklist"}, "enumeration", "select", "picklist", "two_way"),
    "parts": (
        {"type": "MultiselectPicklist", "visibleLines": 4},
        "enumeration",
        "checkbox",
        "multi_picklist",
        "two_way",
    ),
    "asked": ({"type": "Text", "length": 80}, "string", "text", "text", "hold"),
    "private": ({"type": "Text", "length": 80}, "string", "text", "text", "dont_sync"),
}
OPTIONS = ("gold", "silver", "bronze")


def _policy() -> str:
    return "".join(
        f'[fields.{name}]\nsalesforce = "{name.title()}__c"\nhubspot = "own_{name}"\n'
        f'type = "{type_}"\nrule = "{rule}"\n'
        for name, (_, _, _, type_, rule) in FIELDS.items()
    )


def _make_fields(user: User) -> None:
    assigned = user.query(
        "SELECT PermissionSetId FROM PermissionSetAssignment"
        " WHERE Assignee.Username IN ('admin@sandbox.example', 'integration@sandbox.example')"
    )
    sets = {str(one["PermissionSetId"]) for one in assigned}
    for name, (metadata, type_, field_type, _, _) in FIELDS.items():
        listed = {
            "valueSet": {
                "valueSetDefinition": {
                    "value": [{"fullName": one, "label": one} for one in OPTIONS]
                }
            }
        }
        user.salesforce.toolingexecute(
            "sobjects/CustomField",
            method="POST",
            json={
                "FullName": f"Opportunity.{name.title()}__c",
                "Metadata": {
                    "label": name,
                    **metadata,
                    **(listed if "icklist" in metadata["type"] else {}),
                },
            },
        )
        for permission_set in sets:
            user.create(
                "FieldPermissions",
                ParentId=permission_set,
                SobjectType="Opportunity",
                Field=f"Opportunity.{name.title()}__c",
                PermissionsRead=True,
                PermissionsEdit=True,
            )
        values = {"bool": ("true", "false"), "enumeration": OPTIONS}.get(type_, ())
        user.hubspot.crm.properties.core_api.create(
            "deals",
            {
                "name": f"own_{name}",
                "label": name,
                "type": type_,
                "fieldType": field_type,
                "groupName": "dealinformation",
                "options": [
                    {"label": one, "value": one, "displayOrder": place, "hidden": False}
                    for place, one in enumerate(values)
                ],
            },
        )


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """Run a program in whose CRMs an admin makes fields and automation."""
    with running(tmp_path_factory.mktemp("mappings") / "home", "--empty") as program:
        user = User(program)
        _make_fields(user)
        yield user


def _in_salesforce(user: User, opportunity_id: str) -> dict[str, Any]:
    names = ", ".join(f"{name.title()}__c" for name in FIELDS)
    row = user.opportunity(opportunity_id, names)
    return {key.removesuffix("__c").lower(): value for key, value in row.items()}


def _in_hubspot(user: User, deal_id: str) -> dict[str, Any]:
    deal = user.living(deal_id, *(f"own_{name}" for name in FIELDS))
    return {name: deal[f"own_{name}"] for name in FIELDS}


def test_a_new_mapping_acts_only_on_what_changes_afterwards(admin: User) -> None:
    """Rules `no-retroactive`, `field-rule`, `canonical`: all types, both ways; or by import."""
    opportunity_id, deal = admin.synced("Before the mapping", Note__c="old", Seats__c=5)
    other_id, other_deal = admin.synced("Before the mapping as well")
    admin.adopt(_policy())
    admin.until_quiet()
    assert _in_hubspot(admin, deal["id"])["note"] is None

    admin.edit_opportunity(
        opportunity_id,
        Note__c="new",
        Start__c="2026-12-24",
        Called__c="2026-11-30T09:30:00.000+0000",
        Trial__c=True,
        Tier__c="gold",
        Parts__c="silver;gold",
        Private__c="s",
    )
    admin.edit_deal(other_deal["id"], own_note="first edit")
    admin.until_quiet()
    assert _in_salesforce(admin, other_id)["note"] == "first edit"
    seen = _in_hubspot(admin, deal["id"])
    assert (seen["note"], seen["seats"], seen["private"]) == ("new", None, None)
    assert (seen["start"], seen["called"][:16]) == ("2026-12-24", "2026-11-30T09:30")
    assert (seen["trial"], seen["tier"]) == ("true", "gold")
    assert set(seen["parts"].split(";")) == {"gold", "silver"}

    admin.done("import", "opportunities", "--ids", opportunity_id, "--fields", "seats")
    admin.edit_deal(
        deal["id"],
        own_start="2027-01-02",
        own_called="2026-12-01T10:00:00Z",
        own_trial="false",
        own_tier="bronze",
        own_parts="bronze",
    )
    admin.until_quiet()
    assert _in_hubspot(admin, deal["id"])["seats"] == "5"
    back = _in_salesforce(admin, opportunity_id)
    assert (back["start"], back["called"][:16]) == ("2027-01-02", "2026-12-01T10:00")
    assert (back["trial"], back["tier"], back["parts"]) == (False, "bronze", "bronze")


def test_who_may_overwrite_whom(admin: User) -> None:
    """Rule `field-rule`: `prefer_salesforce`, `always_salesforce`, `dont_sync`."""
    admin.adopt(_policy())
    opportunity_id, deal = admin.synced("By the rules", Seats__c=5, Private__c="s")

    admin.edit_deal(deal["id"], own_note="filled", own_seats="6", own_private="h")
    admin.until_quiet()
    seen = _in_salesforce(admin, opportunity_id)
    assert (seen["note"], seen["seats"], seen["private"]) == ("filled", 5, "s")
    there = _in_hubspot(admin, deal["id"])
    assert (there["seats"], there["private"]) == ("5", "h")

    admin.edit_deal(deal["id"], own_note="again")
    admin.edit_opportunity(opportunity_id, Seats__c=None)
    admin.until_quiet()
    assert _in_salesforce(admin, opportunity_id)["note"] == "filled"
    there = _in_hubspot(admin, deal["id"])
    assert (there["note"], there["seats"] or None) == ("filled", None)


def test_concurrent_changes_wait_for_a_person(admin: User) -> None:
    """Rules `field-rule`, `value-time`, `who-wins`: `hold` asks; `two_way` lets Salesforce win."""
    admin.adopt(_policy())
    opportunity_id, deal = admin.synced("Held", Asked__c="first", Description="first")

    admin.edit_opportunity(opportunity_id, Asked__c="there", Description="there")
    admin.edit_deal(deal["id"], own_asked="here", description="here")
    admin.until_quiet()
    assert _in_hubspot(admin, deal["id"])["asked"] == "here"
    assert _in_salesforce(admin, opportunity_id)["asked"] == "there"
    assert admin.issues(opportunity_id) == ["DS408"]
    assert admin.living(deal["id"])["description"] == "there"
    assert any(one["ambiguous"] for one in admin.audit("--id", opportunity_id))

    admin.done("issues", "decide", opportunity_id, "hubspot")
    admin.until_quiet()
    assert _in_salesforce(admin, opportunity_id)["asked"] == "here"
    assert admin.issues(opportunity_id) == []

    admin.done("pairs", "restore", opportunity_id, "description")
    admin.until_quiet()
    assert admin.opportunity(opportunity_id)["Description"] == "here"
    assert admin.living(deal["id"])["description"] == "here"


def test_what_a_flow_rewrites_is_no_ping_pong(admin: User) -> None:
    """Rule `not-taken`: Salesforce's value stands; the second time it is an issue."""
    opportunity_id, deal = admin.synced("Shouted", Description="quiet")
    admin.act("salesforce", "add_flow", object="Opportunity", field="Description", operation="keep")
    try:
        admin.edit_deal(deal["id"], description="one")
        admin.until_quiet()
        assert admin.opportunity(opportunity_id)["Description"] == "quiet"
        assert admin.living(deal["id"])["description"] == "quiet"

        admin.edit_deal(deal["id"], description="two")
        admin.until_quiet()
        assert admin.issues(opportunity_id) == ["DS405"]
    finally:
        admin.act("salesforce", "remove_flow", name="Opportunity.Description")


def test_what_salesforce_refuses_is_held_and_the_rest_goes(admin: User) -> None:
    """Rule `partial-reject`: it goes again when its value changes, or on retry."""
    opportunity_id, deal = admin.synced("Refused", Amount=10)
    rule: dict[str, Any] = {"object": "Opportunity", "field": "Amount", "name": "Not too much"}
    admin.act("salesforce", "add_validation_rule", **rule, operator=">", value=1000)

    admin.edit_deal(deal["id"], amount="2000", description="goes")
    admin.until_quiet()
    seen = admin.opportunity(opportunity_id)
    assert (seen["Amount"], seen["Description"]) == (10, "goes")
    assert admin.issues(opportunity_id) == ["DS406"]

    admin.edit_deal(deal["id"], amount="900")
    admin.until_quiet()
    assert admin.opportunity(opportunity_id)["Amount"] == 900
    assert admin.issues(opportunity_id) == []

    admin.edit_deal(deal["id"], amount="3000")
    admin.until_quiet()
    admin.act("salesforce", "remove_validation_rule", name="Not too much")
    admin.done("issues", "retry", opportunity_id)
    admin.until_quiet()
    assert admin.opportunity(opportunity_id)["Amount"] == 3000
    assert admin.issues(opportunity_id) == []


def test_what_salesforce_refuses_without_a_field_is_held_whole(admin: User) -> None:
    """Rule `partial-reject`: until any trigger field changes."""
    opportunity_id, deal = admin.synced("Refused whole", Amount=10)
    rule: dict[str, Any] = {"object": "Opportunity", "field": "Amount", "name": "Says nothing"}
    admin.act("salesforce", "add_validation_rule", **rule, operator=">", value=1000, unnamed=True)

    admin.edit_deal(deal["id"], amount="2000", description="waits")
    admin.until_quiet()
    assert admin.opportunity(opportunity_id)["Description"] is None
    assert admin.issues(opportunity_id) == ["DS407"]

    admin.act("salesforce", "remove_validation_rule", name="Says nothing")
    admin.edit_deal(deal["id"], amount="3000")
    admin.until_quiet()
    seen = admin.opportunity(opportunity_id)
    assert (seen["Amount"], seen["Description"]) == (3000, "waits")
    assert admin.issues(opportunity_id) == []
