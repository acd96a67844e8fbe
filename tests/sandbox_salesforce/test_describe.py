"""Describe and picklist values: what a client learns of the org before it writes."""

from tests.sandbox_salesforce.org import SalesforceOrg


def test_describe_names_fields_and_record_types(org: SalesforceOrg) -> None:
    described = org.done("GET", "sobjects/Opportunity/describe")
    fields = {field["name"]: field for field in described["fields"]}
    infos = {info["name"]: info for info in described["recordTypeInfos"]}

    assert described["keyPrefix"] == "006"
    assert fields["Name"]["length"] == 120
    assert fields["Name"]["nillable"] is False
    assert fields["Amount"]["type"] == "currency"
    assert (fields["Amount"]["precision"], fields["Amount"]["scale"]) == (18, 2)
    assert fields["OwnerId"]["referenceTo"] == ["User"]
    assert fields["OwnerId"]["relationshipName"] == "Owner"
    assert fields["IsWon"]["createable"] is False
    assert [each["value"] for each in fields["Type"]["picklistValues"]] == [
        "Existing Business",
        "New Business",
    ]
    assert len(fields["StageName"]["picklistValues"]) == 10
    assert list(infos) == ["New Business", "Renewal", "Master"]
    assert infos["New Business"]["defaultRecordTypeMapping"] is True


def test_objects_are_listed_without_those_of_the_tooling_api(org: SalesforceOrg) -> None:
    names = [each["name"] for each in org.done("GET", "sobjects")["sobjects"]]

    assert "OpportunityContactRole" in names
    assert "CustomField" not in names
    assert org.done("GET", "sobjects/Account")["objectDescribe"]["keyPrefix"] == "001"


def test_each_record_type_offers_its_own_stages(org: SalesforceOrg) -> None:
    renewal = org.record_type("Renewal")
    base = "ui-api/object-info/Opportunity/picklist-values"

    stages = org.done("GET", f"{base}/{renewal}/StageName")["values"]
    whole = org.done("GET", f"{base}/{renewal}")["picklistFieldValues"]
    master = org.done("GET", f"{base}/012000000000000AAA/StageName")["values"]

    assert [each["value"] for each in stages] == [
        "Qualification",
        "Proposal/Price Quote",
        "Negotiation/Review",
        "Closed Won",
        "Closed Lost",
    ]
    assert stages[3]["attributes"] == {
        "closed": True,
        "defaultProbability": 100.0,
        "forecastCategoryName": "Closed",
        "picklistAtrributesValueType": "OpportunityStage",
        "won": True,
    }
    assert whole["StageName"]["values"] == stages
    assert [each["value"] for each in whole["Type"]["values"]] == [
        "Existing Business",
        "New Business",
    ]
    assert len(master) == 10
    assert org.refused("GET", f"{base}/012SB0000000zzz/StageName")[:2] == (404, "NOT_FOUND")
    assert org.done("GET", "ui-api/object-info/Opportunity")["recordTypeInfos"][renewal][
        "name"
    ] == ("Renewal")


def test_the_org_says_what_it_is(org: SalesforceOrg) -> None:
    (row,) = org.query(
        "SELECT Id, IsSandbox, TimeZoneSidKey, DefaultCurrencyIsoCode FROM Organization"
    )

    assert row["IsSandbox"] is True
    assert row["TimeZoneSidKey"] == "America/New_York"
    assert row["DefaultCurrencyIsoCode"] == "USD"
