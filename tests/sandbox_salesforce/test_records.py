"""Single records: what is saved, what is refused and in which words."""

import pytest

from tests.sandbox_salesforce.org import INTEGRATION, OPPORTUNITY, SalesforceOrg


def test_a_new_opportunity_has_what_salesforce_fills_in(org: SalesforceOrg) -> None:
    row = org.read("Opportunity", org.opportunity(Amount=1000))

    assert row["OwnerId"] == org.values("SELECT Id FROM User ORDER BY Id LIMIT 1")[0]
    assert row["RecordTypeId"] == org.record_type("New Business")
    assert (row["IsClosed"], row["IsWon"], row["Probability"]) == (False, False, 10.0)
    assert row["ExpectedRevenue"] == 100.0
    assert row["SystemModstamp"] == "2026-01-05T12:00:00.000+0000"
    assert row["attributes"]["type"] == "Opportunity"


def test_create_answers_like_the_real_one(org: SalesforceOrg) -> None:
    status, body = org.ask("POST", "sobjects/Opportunity", OPPORTUNITY)

    assert (status, body["success"], body["errors"]) == (201, True, [])
    assert org.last.changed
    assert org.last.records == (body["id"],)
    assert org.last.who == "admin@sandbox.example"


@pytest.mark.parametrize(
    ("values", "code", "fields"),
    [
        ({"Name": None}, "REQUIRED_FIELD_MISSING", ["Name"]),
        ({"Name": "  "}, "REQUIRED_FIELD_MISSING", ["Name"]),
        ({"Name": "x" * 121}, "STRING_TOO_LONG", ["Name"]),
        ({"StageName": "Nowhere"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["StageName"]),
        ({"Foo": 1}, "INVALID_FIELD", []),
        ({"IsWon": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["IsWon"]),
        ({"OwnerId": "nobody"}, "MALFORMED_ID", []),
        ({"OwnerId": "005SB0000000zzz"}, "INVALID_CROSS_REFERENCE_KEY", ["OwnerId"]),
        ({"AccountId": "003SB0000000001"}, "FIELD_INTEGRITY_EXCEPTION", ["AccountId"]),
        ({"RecordTypeId": "012SB0000000zzz"}, "INVALID_CROSS_REFERENCE_KEY", ["RecordTypeId"]),
        ({"CloseDate": "soon"}, "JSON_PARSER_ERROR", []),
        ({"Amount": "many"}, "JSON_PARSER_ERROR", []),
        ({"Amount": 10**17}, "NUMBER_OUTSIDE_VALID_RANGE", ["Amount"]),
    ],
)
def test_a_value_that_cannot_be_saved(
    org: SalesforceOrg, values: dict[str, object], code: str, fields: list[str]
) -> None:
    refused = org.refused("POST", "sobjects/Opportunity", {**OPPORTUNITY, **values})

    assert refused == (400, code, fields)
    assert not org.last.changed
    assert org.query("SELECT Id FROM Opportunity") == []


def test_text_is_trimmed_and_blank_text_is_null(org: SalesforceOrg) -> None:
    row = org.read("Opportunity", org.opportunity(Name="  A  ", NextStep="   "))

    assert (row["Name"], row["NextStep"]) == ("A", None)


def test_numbers_are_rounded_half_up(org: SalesforceOrg) -> None:
    row = org.read("Opportunity", org.opportunity(Amount=10.125))

    assert row["Amount"] == 10.13


def test_every_change_moves_the_stamp_even_without_a_difference(org: SalesforceOrg) -> None:
    record_id = org.opportunity()
    org.later(5)
    org.change("Opportunity", record_id, Name=OPPORTUNITY["Name"])

    row = org.read("Opportunity", record_id)

    assert row["SystemModstamp"] == "2026-01-05T12:00:05.000+0000"
    assert row["CreatedDate"] == "2026-01-05T12:00:00.000+0000"


def test_the_stage_says_closed_won_and_probability(org: SalesforceOrg) -> None:
    record_id = org.opportunity(Amount=50)
    org.change("Opportunity", record_id, StageName="Closed Won")

    row = org.read("Opportunity", record_id)

    assert (row["IsClosed"], row["IsWon"], row["Probability"]) == (True, True, 100.0)
    assert row["ExpectedRevenue"] == 50.0


def test_a_probability_given_with_the_stage_stays(org: SalesforceOrg) -> None:
    record_id = org.opportunity()
    org.change("Opportunity", record_id, StageName="Negotiation/Review", Probability=35)

    assert org.read("Opportunity", record_id)["Probability"] == 35.0


def test_a_stage_must_be_one_of_the_record_type(org: SalesforceOrg) -> None:
    renewal = org.record_type("Renewal")
    values = {**OPPORTUNITY, "RecordTypeId": renewal, "StageName": "Prospecting"}

    refused = org.refused("POST", "sobjects/Opportunity", values)

    assert refused == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["StageName"])


def test_moving_to_another_record_type_needs_a_stage_of_it(org: SalesforceOrg) -> None:
    renewal = org.record_type("Renewal")
    record_id = org.opportunity(StageName="Prospecting")
    path = f"sobjects/Opportunity/{record_id}"

    assert org.refused("PATCH", path, {"RecordTypeId": renewal})[1] == (
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    )
    org.change("Opportunity", record_id, RecordTypeId=renewal, StageName="Qualification")


def test_ids_of_15_and_18_characters_name_one_record(org: SalesforceOrg) -> None:
    record_id = org.opportunity()

    assert org.read("Opportunity", record_id[:15])["Id"] == record_id


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("006SB0000000zzz", 404, "NOT_FOUND"),
        ("003SB0000000001", 404, "NOT_FOUND"),
        ("77", 404, "NOT_FOUND"),
        ("006SB0000000001XXX", 400, "MALFORMED_ID"),
    ],
)
def test_an_id_of_nothing(org: SalesforceOrg, text: str, status: int, code: str) -> None:
    assert org.refused("GET", f"sobjects/Opportunity/{text}")[:2] == (status, code)


def test_a_deleted_record_is_said_to_be_deleted(org: SalesforceOrg) -> None:
    record_id = org.opportunity()
    org.done("DELETE", f"sobjects/Opportunity/{record_id}")

    for method, body in (("GET", None), ("PATCH", {"Name": "B"}), ("DELETE", None)):
        refused = org.refused(method, f"sobjects/Opportunity/{record_id}", body)
        assert refused == (404, "ENTITY_IS_DELETED", [])


def test_unknown_paths_and_methods(org: SalesforceOrg) -> None:
    assert org.refused("GET", "sobjects/Nothing/describe")[:2] == (404, "NOT_FOUND")
    assert org.refused("GET", "nowhere")[:2] == (404, "NOT_FOUND")
    assert org.refused("PUT", "limits")[:2] == (405, "METHOD_NOT_ALLOWED")
    assert org.ask("POST", "sobjects/Account", "not an object")[1][0]["errorCode"] == (
        "JSON_PARSER_ERROR"
    )


def test_people_have_a_full_name(org: SalesforceOrg) -> None:
    contact = org.read("Contact", org.create("Contact", FirstName="Ada", LastName="Byron"))

    assert contact["Name"] == "Ada Byron"
    assert org.refused("POST", "sobjects/Contact", {"FirstName": "Ada"}) == (
        400,
        "REQUIRED_FIELD_MISSING",
        ["LastName"],
    )
    assert org.refused("POST", "sobjects/Contact", {"LastName": "B", "Email": "nobody"})[1] == (
        "INVALID_EMAIL_ADDRESS"
    )


def test_an_opportunity_has_one_primary_contact(org: SalesforceOrg) -> None:
    opportunity = org.opportunity()
    contacts = [org.create("Contact", LastName=name) for name in ("One", "Two")]
    roles = [
        org.create(
            "OpportunityContactRole", OpportunityId=opportunity, ContactId=contact, IsPrimary=True
        )
        for contact in contacts
    ]

    primary = org.values("SELECT Id FROM OpportunityContactRole WHERE IsPrimary = true")

    assert primary == [roles[1]]
    refused = org.refused(
        "PATCH", f"sobjects/OpportunityContactRole/{roles[0]}", {"OpportunityId": opportunity}
    )
    assert refused[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_an_inactive_user_can_own_nothing_new(org: SalesforceOrg) -> None:
    seller = org.create("User", Username="s@sandbox.example", Email="s@x.example", LastName="S")
    record_id = org.opportunity(OwnerId=seller)
    org.act("set_user_active", user="s@sandbox.example", value=False)

    refused = org.refused("POST", "sobjects/Opportunity", {**OPPORTUNITY, "OwnerId": seller})

    assert refused[1] == "INACTIVE_OWNER_OR_USER"
    org.change("Opportunity", record_id, Name="Kept by him")


def test_the_integration_user_owns_what_it_creates(org: SalesforceOrg) -> None:
    org.token = org.sign_in(INTEGRATION)
    row = org.read("Opportunity", org.opportunity())

    assert row["OwnerId"] == org.user_id(INTEGRATION)


def test_an_org_without_record_types_has_the_master_one_alone() -> None:
    org = SalesforceOrg(record_types=())
    row = org.read("Opportunity", org.opportunity(StageName="Id. Decision Makers"))
    infos = org.done("GET", "sobjects/Opportunity/describe")["recordTypeInfos"]

    assert row["RecordTypeId"] is None
    assert [info["recordTypeId"] for info in infos] == ["012000000000000AAA"]


def test_a_currency_exists_only_with_several(org: SalesforceOrg) -> None:
    record_id = org.opportunity()
    assert "CurrencyIsoCode" not in org.read("Opportunity", record_id)

    org.act("enable_multicurrency")

    org.change("Opportunity", record_id, CurrencyIsoCode="EUR")
    assert org.read("Opportunity", record_id)["CurrencyIsoCode"] == "EUR"
    assert (
        org.refused("PATCH", f"sobjects/Opportunity/{record_id}", {"CurrencyIsoCode": "XXX"})[1]
        == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    )


def test_half_a_character_is_no_text(org: SalesforceOrg) -> None:
    values = {**OPPORTUNITY, "NextStep": "\ud800"}

    assert org.refused("POST", "sobjects/Opportunity", values)[1] == "JSON_PARSER_ERROR"
    assert org.read("Opportunity", org.opportunity(NextStep="a\0b\u00e9"))["NextStep"] == "ab\u00e9"
