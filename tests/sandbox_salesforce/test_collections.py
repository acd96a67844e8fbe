"""sObject Collections: an answer for each row, in order; all or none; at most 200."""

from typing import Any

from tests.sandbox_salesforce.org import DEAL_ID, DEAL_ID_FIELD, OPPORTUNITY, SalesforceOrg


def typed(name: str, **values: object) -> dict[str, Any]:
    return {"attributes": {"type": name}, **values}


def test_each_row_has_its_own_answer_in_order(org: SalesforceOrg) -> None:
    rows = [
        typed("Contact", LastName="One"),
        typed("Contact", FirstName="no last name"),
        typed("Nothing", Name="x"),
        typed("Account", Name="Two"),
    ]

    answers = org.done("POST", "composite/sobjects", {"allOrNone": False, "records": rows})

    assert [answer["success"] for answer in answers] == [True, False, False, True]
    assert answers[1] == {
        "success": False,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [LastName]",
                "fields": ["LastName"],
            }
        ],
    }
    assert answers[2]["errors"][0]["statusCode"] == "INVALID_TYPE"
    assert org.last.records == (answers[0]["id"], answers[3]["id"])
    assert org.last.changed


def test_all_or_none_takes_everything_back(org: SalesforceOrg) -> None:
    rows = [typed("Contact", LastName="One"), typed("Contact", unknownField="x")]

    answers = org.done("POST", "composite/sobjects", {"allOrNone": True, "records": rows})

    codes = [answer["errors"][0]["statusCode"] for answer in answers]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_FIELD"]
    assert org.query("SELECT Id FROM Contact") == []
    assert not org.last.changed


def test_what_was_taken_back_is_found_nowhere(org: SalesforceOrg) -> None:
    """Look-ups forget the row too: its unique value is free, its parent has no child."""
    org.add_field(DEAL_ID, DEAL_ID_FIELD)
    account = org.create("Account", Name="A")
    rows = [
        typed("Opportunity", **OPPORTUNITY, AccountId=account, **{DEAL_ID: "7"}),
        typed("Opportunity"),
    ]
    org.done("POST", "composite/sobjects", {"allOrNone": True, "records": rows})

    assert org.values("SELECT (SELECT Id FROM Opportunities) FROM Account") == [None]
    org.opportunity(**{DEAL_ID: "7"})


def test_update_says_what_is_wrong_with_each_id(org: SalesforceOrg) -> None:
    good, gone = org.opportunity(), org.opportunity()
    org.done("DELETE", f"sobjects/Opportunity/{gone}")
    rows = [
        typed("Opportunity", Id=gone, Name="B"),
        typed("Opportunity", Name="B"),
        typed("Opportunity", id="006SB0000000zzz", Name="B"),
        typed("Opportunity", id="006SB0000000001XXX", Name="B"),
        typed("Opportunity", id=good[:15], Name="B"),
    ]

    answers = org.done("PATCH", "composite/sobjects", {"records": rows})

    codes = [answer["errors"][0]["statusCode"] for answer in answers if answer["errors"]]
    assert codes == [
        "ENTITY_IS_DELETED",
        "MISSING_ARGUMENT",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
    ]
    assert answers[4] == {"id": good, "success": True, "errors": []}
    assert answers[0]["id"] == gone
    assert org.read("Opportunity", good)["Name"] == "B"


def test_upsert_creates_and_updates_by_the_external_id(org: SalesforceOrg) -> None:
    org.add_field(DEAL_ID, DEAL_ID_FIELD)
    first = org.opportunity(**{DEAL_ID: "1"})
    rows = [
        typed("Opportunity", **{DEAL_ID: "1"}, Name="renamed"),
        typed("Opportunity", **{DEAL_ID: "2"}, **OPPORTUNITY),
        typed("Opportunity", **{DEAL_ID: "2"}, **OPPORTUNITY),
        typed("Opportunity", **OPPORTUNITY),
    ]

    path = f"composite/sobjects/Opportunity/{DEAL_ID}"
    answers = org.done("PATCH", path, {"records": rows})

    assert answers[0] == {"id": first, "success": True, "errors": [], "created": False}
    assert answers[1]["created"] is True
    codes = [answer["errors"][0]["statusCode"] for answer in answers[2:]]
    assert codes == ["DUPLICATE_VALUE", "MISSING_ARGUMENT"]


def test_delete_by_ids(org: SalesforceOrg) -> None:
    contact, account = org.create("Contact", LastName="C"), org.create("Account", Name="A")

    answers = org.done("DELETE", f"composite/sobjects?ids={contact},{account},xyz&allOrNone=false")

    assert [answer["success"] for answer in answers] == [True, True, False]
    assert answers[2]["errors"][0]["statusCode"] == "MALFORMED_ID"


def test_read_gives_null_for_what_is_not_there(org: SalesforceOrg) -> None:
    record_id = org.opportunity()
    body = {"ids": ["006SB0000000zzz", record_id], "fields": ["Name", "Id"]}

    found = org.done("POST", "composite/sobjects/Opportunity", body)
    same = org.done("GET", f"composite/sobjects/Opportunity?ids={record_id}&fields=Name")

    assert found[0] is None
    assert {**found[1], "attributes": None} == {
        "attributes": None,
        "Id": record_id,
        "Name": "A chance",
    }
    assert same == found[1:]
    body["fields"] = ["Foo"]
    assert org.refused("POST", "composite/sobjects/Opportunity", body)[1] == "INVALID_FIELD"


def test_counts_have_limits(org: SalesforceOrg) -> None:
    too_many = [typed("Contact", LastName=str(number)) for number in range(201)]

    assert org.refused("POST", "composite/sobjects", {"records": []}) == (
        400,
        "REQUIRED_FIELD_MISSING",
        [],
    )
    assert org.refused("POST", "composite/sobjects", {"records": too_many})[1] == (
        "EXCEEDED_ID_LIMIT"
    )


def test_an_unreadable_value_refuses_the_whole_request(org: SalesforceOrg) -> None:
    rows = [typed("Opportunity", **OPPORTUNITY), typed("Opportunity", CloseDate="soon")]

    assert org.refused("POST", "composite/sobjects", {"records": rows})[1] == "JSON_PARSER_ERROR"
    assert org.query("SELECT Id FROM Opportunity") == []
