"""Single records: values taken and refused, history, the bin, unique values."""

from datetime import timedelta

import pytest

from adapters.sandbox.box import ActionRefusedError
from adapters.sandbox.hubspot.rows import row_in
from adapters.sandbox.tables import JsonValue
from tests.sandbox_hubspot.account import ENGINE, OTHER, PERSON, Account, body_of, codes


@pytest.mark.parametrize("name", ["deals", "0-3", "deal", "DEAL"])
def test_a_kind_is_known_by_name_and_type_id(name: str) -> None:
    account = Account()
    deal_id = account.make("deals", dealname="One")
    for path in (f"/crm/v3/objects/{name}", f"/crm/objects/2026-03/{name}"):
        read = account.ask("GET", f"{path}/{deal_id}")
        assert row_in(read, "properties")["dealname"] == "One"


def test_an_unknown_kind_is_told_without_a_category() -> None:
    body = Account().ask("GET", "/crm/v3/objects/butterflies/1")
    assert body["message"] == "Unable to infer object type from: butterflies"
    assert "category" not in body


def test_a_read_shows_blanks_as_null_and_leaves_out_what_does_not_exist() -> None:
    account = Account()
    deal_id = account.make("deals")
    assert account.values("deals", deal_id, "amount", "nonsense") == {
        "amount": None,
        "createdate": "2024-05-01T09:00:01Z",
        "hs_lastmodifieddate": "2024-05-01T09:00:01Z",
        "hs_object_id": deal_id,
    }


def test_history_tells_a_person_from_an_app() -> None:
    account = Account()
    deal_id = account.make("deals", amount="1")
    account.change("deals", deal_id, PERSON, amount="2")
    account.change("deals", deal_id, OTHER, amount=3)
    newest, person, engine = account.history("deals", deal_id, "amount")

    assert engine == {
        "value": "1",
        "timestamp": "2024-05-01T09:00:01Z",
        "sourceType": "INTEGRATION",
        "sourceId": "7654321",
        "sourceLabel": "INTEGRATION",
    }
    assert person["sourceType"] == "CRM_UI"
    assert person["sourceId"] == "userId:9000001"
    assert person["updatedByUserId"] == 9_000_001
    assert newest["value"] == "3"
    assert newest["sourceId"] not in {engine["sourceId"], person["sourceId"]}


def test_times_have_milliseconds() -> None:
    account = Account()
    account.at += timedelta(microseconds=123_456)
    deal_id = account.make("deals")
    read = account.ask("GET", f"/crm/v3/objects/deals/{deal_id}")
    assert read["createdAt"] == read["updatedAt"] == "2024-05-01T09:00:01.123Z"


def test_an_equal_value_changes_nothing() -> None:
    account = Account()
    deal_id = account.make("deals", amount="10")
    answered = account.change("deals", deal_id, amount="10")

    assert answered.response.status == 200
    assert not answered.changed
    assert len(account.history("deals", deal_id, "amount")) == 1
    assert account.values("deals", deal_id)["hs_lastmodifieddate"] == "2024-05-01T09:00:01Z"


def test_an_empty_text_blanks_and_stays_in_history() -> None:
    account = Account()
    deal_id = account.make("deals", description="words")
    answered = account.change("deals", deal_id, description="")

    assert row_in(body_of(answered.response), "properties")["description"] == ""
    assert account.values("deals", deal_id, "description")["description"] is None
    values = [one["value"] for one in account.history("deals", deal_id, "description")]
    assert values == ["", "words"]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("nonsense", "1", "PROPERTY_DOESNT_EXIST"),
        ("hs_object_id", "1", "READ_ONLY_VALUE"),
        ("num_associated_contacts", "1", "READ_ONLY_VALUE"),
        ("amount", "ten", "INVALID_DOUBLE"),
        ("amount", "NaN", "INVALID_DOUBLE"),
        ("closedate", "soon", "INVALID_LONG"),
        ("dealtype", "otherbusiness", "INVALID_OPTION"),
        ("hubspot_owner_id", "1", "INVALID_OPTION"),
        ("deal_currency_code", "XXX", "INVALID_OPTION"),
        ("dealstage", "nowhere", "INVALID_OPTION"),
        ("dealstage", "", "INVALID_OPTION"),
        ("pipeline", "nowhere", "INVALID_OPTION"),
        ("dealname", ["a"], "INVALID_VALUE"),
        ("dealname", "x" * 65_537, "PROPERTY_VALUE_TOO_LONG"),
    ],
)
def test_what_is_not_taken_is_named(name: str, value: str, code: str) -> None:
    account = Account()
    deal_id = account.make("deals", amount="1")
    answered = account.change("deals", deal_id, **{name: value, "amount": "2"} | {name: value})
    body = body_of(answered.response)

    assert answered.response.status == 400
    assert body["category"] == "VALIDATION_ERROR"
    assert codes(body) == [code]
    assert str(body["message"]).startswith('Property values were not valid: [{"isValid":false')
    assert not answered.changed
    assert account.values("deals", deal_id, "amount")["amount"] == "1"


def test_dates_are_kept_in_one_form() -> None:
    account = Account()
    account.add_property("deals", "day", type="date", fieldType="date")
    deal_id = account.make("deals", closedate="1714521600000", day="1714521600000")
    values = account.values("deals", deal_id, "closedate", "day")
    assert (values["closedate"], values["day"]) == ("2024-05-01T00:00:00Z", "2024-05-01")

    refused = account.change("deals", deal_id, day="2024-05-01T10:00:00Z")
    assert codes(body_of(refused.response)) == ["INVALID_DATE"]


def test_several_options_are_joined_by_semicolons() -> None:
    account = Account()
    options: JsonValue = [{"label": one, "value": one} for one in ("a", "b", "c")]
    account.add_property("deals", "tags", type="enumeration", fieldType="checkbox", options=options)
    deal_id = account.make("deals", tags="a;c")
    assert account.values("deals", deal_id, "tags")["tags"] == "a;c"
    assert codes(body_of(account.change("deals", deal_id, tags="a;d").response)) == [
        "INVALID_OPTION"
    ]


def test_an_email_address_is_lowercased_and_held_by_one() -> None:
    account = Account()
    first = account.make("contacts", email="Ada@Example.COM")
    again = account.send(
        "POST", "/crm/v3/objects/contacts", {"properties": {"email": "ada@example.com"}}
    )

    assert account.values("contacts", first, "email")["email"] == "ada@example.com"
    assert again.response.status == 409
    body = body_of(again.response)
    assert (body["message"], body["category"]) == ("Contact already exists", "CONFLICT")
    read = account.ask("GET", "/crm/v3/objects/contacts/ADA@example.com?idProperty=email")
    assert read["id"] == first


def test_a_unique_value_is_held_by_one_live_record() -> None:
    account = Account()
    account.add_property("deals", "key", hasUniqueValue=True)
    first = account.make("deals", key="006A")
    refused = account.send("POST", "/crm/v3/objects/deals", {"properties": {"key": "006A"}})
    assert refused.response.status == 400
    assert codes(body_of(refused.response)) == ["CONFLICTING_UNIQUE_VALUE"]

    account.send("DELETE", f"/crm/v3/objects/deals/{first}")
    second = account.make("deals", key="006A")
    path = "/crm/v3/objects/deals/006A?idProperty=key"
    assert account.ask("GET", path)["id"] == second
    assert account.ask("GET", f"{path}&archived=true")["id"] == first


def test_a_restored_record_loses_a_value_that_was_taken() -> None:
    account = Account()
    account.add_property("deals", "key", hasUniqueValue=True)
    first = account.make("deals", key="006A")
    account.send("DELETE", f"/crm/v3/objects/deals/{first}")
    second = account.make("deals", key="006A")
    account.box.act("restore", {"object": "deals", "id": first}, account.at)

    assert account.values("deals", first, "key")["key"] is None
    assert account.values("deals", second, "key")["key"] == "006A"


def test_a_restored_record_keeps_a_value_that_is_free() -> None:
    account = Account()
    account.add_property("deals", "key", hasUniqueValue=True)
    deal_id = account.make("deals", key="006A")
    account.send("DELETE", f"/crm/v3/objects/deals/{deal_id}")
    account.box.act("restore", {"object": "0-3", "id": deal_id}, account.at)
    assert account.ask("GET", "/crm/v3/objects/deals/006A?idProperty=key")["id"] == deal_id


def test_the_bin_keeps_a_record_for_ninety_days() -> None:
    account = Account()
    deal_id = account.make("deals")
    archived = account.send("DELETE", f"/crm/v3/objects/deals/{deal_id}", who=PERSON)
    assert (archived.response.status, archived.changed) == (204, True)
    path = f"/crm/v3/objects/deals/{deal_id}"
    assert account.send("GET", path).response.status == 404
    assert account.change("deals", deal_id, amount="1").response.status == 404
    binned = account.ask("GET", f"{path}?archived=true")
    assert (binned["archived"], binned["archivedAt"]) == (True, "2024-05-01T09:00:02Z")
    assert not account.send("DELETE", path).changed

    account.at += timedelta(days=91)
    assert account.send("GET", f"{path}?archived=true").response.status == 404
    with pytest.raises(ActionRefusedError, match="not in the bin"):
        account.box.act("restore", {"object": "deals", "id": deal_id}, account.at)


def test_a_live_record_is_not_among_the_archived() -> None:
    account = Account()
    deal_id = account.make("deals")
    assert account.send(
        "GET", f"/crm/v3/objects/deals/{deal_id}?archived=true"
    ).response.status == (404)


def test_a_privacy_deletion_leaves_nothing() -> None:
    account = Account()
    contact_id = account.make("contacts", email="ada@example.com")
    account.box.act("privacy_delete", {"id": contact_id}, account.at)
    for query in ("", "?archived=true"):
        path = f"/crm/v3/objects/contacts/{contact_id}{query}"
        assert account.send("GET", path).response.status == 404
    account.make("contacts", email="ada@example.com")


def test_a_list_pages_by_id() -> None:
    account = Account()
    made = [account.make("contacts") for _ in range(3)]
    first = account.ask("GET", "/crm/v3/objects/contacts?limit=2")
    following = row_in(row_in(first, "paging"), "next")
    assert following["after"] == made[2]
    assert str(following["link"]).startswith("https://api.hubapi.com/crm/v3/objects/contacts?")


def test_the_access_log_learns_who_touched_what() -> None:
    account = Account()
    created = account.send("POST", "/crm/v3/objects/deals", {"properties": {"dealname": "x"}})
    read = account.send("GET", f"/crm/v3/objects/deals/{created.records[0]}", who=PERSON)

    assert (created.who, created.changed, len(created.records)) == (ENGINE, True, 1)
    assert (read.who, read.changed, read.records) == (PERSON, False, created.records)


def test_the_vendors_connector_signs_as_salesforce() -> None:
    account = Account()
    account.box.act("add_connector_properties", {}, account.at)
    deal_id = account.make("deals")
    account.change("deals", deal_id, "pat-sandbox-connector", hs_salesforceopportunityid="006A")
    (only,) = account.history("deals", deal_id, "hs_salesforceopportunityid")
    assert only["sourceType"] == "SALESFORCE"
