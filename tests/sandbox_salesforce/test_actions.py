"""What people do in screens: merging, converting, stages, record types, flows and rules."""

from typing import Any

import pytest

from adapters.sandbox.box import ActionRefusedError
from tests.sandbox_salesforce.org import INTEGRATION, OPPORTUNITY, SalesforceOrg


def test_merged_contacts_move_their_roles_unseen(org: SalesforceOrg) -> None:
    winner, loser = (org.create("Contact", LastName=name) for name in ("W", "L"))
    opportunity = org.opportunity()
    role = org.create("OpportunityContactRole", OpportunityId=opportunity, ContactId=loser)
    before = org.read("OpportunityContactRole", role)["SystemModstamp"]
    org.later(60)

    org.act("merge_contacts", winner=winner, losers=[loser])

    moved = org.read("OpportunityContactRole", role)
    assert (moved["ContactId"], moved["SystemModstamp"]) == (winner, before)
    soql = "SELECT Id, MasterRecordId FROM Contact WHERE IsDeleted = true"
    (gone,) = org.query(soql, deleted_too=True)
    assert (gone["Id"], gone["MasterRecordId"]) == (loser, winner)
    assert org.read("Contact", winner)["SystemModstamp"] == "2026-01-05T12:01:00.000+0000"
    with pytest.raises(ActionRefusedError):
        org.act("merge_contacts", winner=winner, losers=[winner])


def test_merged_accounts_move_opportunities_and_contacts(org: SalesforceOrg) -> None:
    winner, loser = (org.create("Account", Name=name) for name in ("W", "L"))
    opportunity = org.opportunity(AccountId=loser)
    org.later(60)

    org.act("merge_accounts", winner=winner, losers=[loser])

    row = org.read("Opportunity", opportunity)
    assert (row["AccountId"], row["SystemModstamp"]) == (winner, "2026-01-05T12:00:00.000+0000")


def test_a_converted_lead_becomes_contact_account_and_opportunity(org: SalesforceOrg) -> None:
    lead = org.create("Lead", LastName="L", Company="Acme", Email="l@acme.example")

    made = org.act(
        "convert_lead",
        id=lead,
        opportunity_name="First",
        stage="Prospecting",
        close_date="2026-02-01",
    )

    row = org.read("Lead", lead)
    assert (row["IsConverted"], row["ConvertedContactId"]) == (True, made["contact"])
    assert org.read("Contact", made["contact"])["AccountId"] == made["account"]
    assert org.values("SELECT ContactId FROM OpportunityContactRole") == [made["contact"]]
    assert org.refused("PATCH", f"sobjects/Lead/{lead}", {"LastName": "M"})[1] == (
        "CANNOT_UPDATE_CONVERTED_LEAD"
    )
    with pytest.raises(ActionRefusedError, match="converted already"):
        org.act("convert_lead", id=lead)


def test_a_conversion_that_fails_changes_nothing(org: SalesforceOrg) -> None:
    lead = org.create("Lead", LastName="L", Company="Acme")

    with pytest.raises(ActionRefusedError):
        org.act("convert_lead", id=lead, opportunity_name="First", stage="Nowhere", close_date="x")

    assert org.query("SELECT Id FROM Account") == []


def test_record_types_come_and_go(org: SalesforceOrg) -> None:
    made = org.act("create_record_type", name="Partner Deals", stages=["Prospecting", "Closed Won"])
    record_id = org.opportunity(RecordTypeId=made["id"], StageName="Prospecting")
    (row,) = org.query("SELECT DeveloperName FROM RecordType WHERE Name = 'Partner Deals'")
    assert row["DeveloperName"] == "Partner_Deals"

    org.act("deactivate_record_type", id=made["id"])
    values = {**OPPORTUNITY, "RecordTypeId": made["id"], "StageName": "Prospecting"}
    assert org.refused("POST", "sobjects/Opportunity", values)[1] == "INVALID_CROSS_REFERENCE_KEY"
    org.change("Opportunity", record_id, StageName="Closed Won")

    org.act("delete_record_type", id=made["id"])
    assert org.read("Opportunity", record_id)["RecordTypeId"] == made["id"]
    assert "Partner Deals" not in org.values("SELECT Name FROM RecordType")


def test_a_deleted_record_type_can_be_replaced(org: SalesforceOrg) -> None:
    record_id = org.opportunity(StageName="Qualification")
    org.later()

    org.act("delete_record_type", id="New Business", replace_with="Renewal")

    row = org.read("Opportunity", record_id)
    assert row["RecordTypeId"] == org.record_type("Renewal")
    assert row["SystemModstamp"] == "2026-01-05T12:00:01.000+0000"


def test_stages_come_change_and_go(org: SalesforceOrg) -> None:
    org.act("create_stage", record_type="Renewal", stage="Legal", probability=80)
    renewal = org.record_type("Renewal")
    record_id = org.opportunity(RecordTypeId=renewal, StageName="Legal")
    assert org.read("Opportunity", record_id)["Probability"] == 80.0
    org.later()

    org.act("rename_stage", record_type="Renewal", stage="Legal", label="Law")
    row = org.read("Opportunity", record_id)
    assert (row["StageName"], row["SystemModstamp"]) == ("Law", "2026-01-05T12:00:01.000+0000")
    assert row["LastModifiedDate"] == "2026-01-05T12:00:00.000+0000"

    org.act("rename_stage", stage="Law", label="Lawyers", label_only=True)
    assert org.values("SELECT ApiName FROM OpportunityStage WHERE MasterLabel = 'Lawyers'") == [
        "Law"
    ]
    assert org.read("Opportunity", record_id)["StageName"] == "Law"

    org.act("deactivate_stage", record_type="Renewal", stage="Law")
    values = {**OPPORTUNITY, "RecordTypeId": renewal, "StageName": "Law"}
    assert org.refused("POST", "sobjects/Opportunity", values)[2] == ["StageName"]
    org.change("Opportunity", record_id, Name="Kept in a stage that is gone")

    org.act("deactivate_stage", stage="Prospecting")
    assert org.values("SELECT ApiName FROM OpportunityStage WHERE IsActive = false") == [
        "Prospecting"
    ]


def test_a_validation_rule_refuses_and_names_its_field(org: SalesforceOrg) -> None:
    org.act(
        "add_validation_rule",
        object="Opportunity",
        name="cap",
        field="Amount",
        operator=">",
        value=100,
        message="Too much",
    )

    status, body = org.ask("POST", "sobjects/Opportunity", {**OPPORTUNITY, "Amount": 101})

    assert status == 400
    assert body == [
        {
            "message": "Too much",
            "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "fields": ["Amount"],
        }
    ]
    org.opportunity(Amount=100)
    org.act("remove_validation_rule", name="cap")
    org.opportunity(Amount=101)


@pytest.mark.parametrize(
    ("rule", "values", "is_refused"),
    [
        ({"operator": "blank", "field": "NextStep"}, {}, True),
        ({"operator": "not_blank", "field": "NextStep"}, {}, False),
        ({"operator": "=", "field": "Type", "value": "New Business"}, {"Type": "X"}, False),
        ({"operator": "!=", "field": "Type", "value": "New Business"}, {"Type": "X"}, True),
        ({"operator": "<", "field": "CloseDate", "value": "2026-04-01"}, {}, True),
        ({"operator": "always", "field": "Name", "only_for": INTEGRATION}, {}, False),
        ({"operator": "always", "field": "Name", "unnamed": True}, {}, True),
    ],
)
def test_rules_of_each_kind(
    org: SalesforceOrg, rule: dict[str, Any], values: dict[str, object], *, is_refused: bool
) -> None:
    org.act("add_validation_rule", object="Opportunity", name="rule", **rule)

    status, body = org.ask("POST", "sobjects/Opportunity", {**OPPORTUNITY, **values})

    assert (status == 400) is is_refused
    if is_refused:
        assert body[0]["fields"] == ([] if rule.get("unnamed") else [rule["field"]])


def test_a_flow_rewrites_what_was_written(org: SalesforceOrg) -> None:
    org.act("add_flow", object="Opportunity", field="NextStep", value="Call back")
    org.act("add_flow", object="Opportunity", field="Name", operation="upper")
    record_id = org.opportunity(NextStep="Write")
    org.act("add_flow", object="Opportunity", field="Amount", operation="keep")
    org.change("Opportunity", record_id, Amount=5)

    row = org.read("Opportunity", record_id)

    assert (row["NextStep"], row["Name"], row["Amount"]) == ("Call back", "A CHANCE", None)


def test_with_products_the_amount_is_silently_kept(org: SalesforceOrg) -> None:
    record_id = org.opportunity(Amount=5)
    org.act("make_amount_rollup", id=record_id)

    org.change("Opportunity", record_id, Amount=9, Name="B")

    row = org.read("Opportunity", record_id)
    assert (row["Amount"], row["Name"], row["HasOpportunityLineItem"]) == (5.0, "B", True)


def test_an_action_is_done_as_someone(org: SalesforceOrg) -> None:
    record_id = org.opportunity()
    org.done("DELETE", f"sobjects/Opportunity/{record_id}")

    answered = org.box.act("undelete", {"id": record_id, "as": INTEGRATION}, org.at)

    assert (answered.who, answered.records, answered.changed) == (INTEGRATION, (record_id,), True)
    assert org.read("Opportunity", record_id)["LastModifiedById"] == org.user_id(INTEGRATION)


@pytest.mark.parametrize(
    ("action", "arguments", "says"),
    [
        ("dance", {}, "there is no action 'dance'"),
        ("undelete", {}, "needs 'id'"),
        ("undelete", {"id": "x"}, "no Salesforce id"),
        ("undelete", {"id": "006SB0000000zzz"}, "there is no record"),
        ("undelete", {"id": "x", "as": "nobody"}, "no user 'nobody'"),
        ("create_record_type", {"name": "Renewal"}, "exists already"),
        ("create_record_type", {"name": "New", "stages": ["Nowhere"]}, "no stage is named"),
        ("rename_stage", {"stage": "Prospecting", "label": "Qualification"}, "exists already"),
        ("set_permission", {"user": INTEGRATION, "permission": "Fly", "value": True}, "Fly"),
        ("set_permission", {"user": "x", "permission": "Fly", "value": True}, "no user"),
        ("add_flow", {"object": "Opportunity", "field": "Foo"}, "needs a field"),
        ("set_daily_limit", {"count": "many"}, "whole number"),
    ],
)
def test_a_wrong_action_says_what_is_wrong(
    org: SalesforceOrg, action: str, arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(ActionRefusedError, match=says):
        org.act(action, **arguments)
