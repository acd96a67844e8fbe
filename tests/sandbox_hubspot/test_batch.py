"""Batches: limits, partial failures, what refuses the whole; merged records."""

import pytest

from adapters.sandbox.hubspot.rows import row_in, rows_in, text
from adapters.sandbox.tables import Row
from tests.sandbox_hubspot.account import Account, body_of, codes, ids

CONTACTS = "/crm/v3/objects/contacts/batch"
DEALS = "/crm/v3/objects/deals/batch"


def _new(email: str, trace: str | None = None) -> Row:
    one: Row = {"properties": {"email": email}}
    return one if trace is None else {**one, "objectWriteTraceId": trace}


def test_a_conflict_is_told_with_its_trace_and_the_existing_id() -> None:
    account = Account()
    existing = account.make("contacts", email="ada@example.com")
    answered = account.send(
        "POST",
        f"{CONTACTS}/create",
        {
            "inputs": [
                _new("bob@example.com", "0"),
                _new("ada@example.com", "1"),
                _new("c@d.ee", "2"),
            ]
        },
    )
    body = body_of(answered.response)

    assert answered.response.status == 207
    assert body["numErrors"] == 1
    assert rows_in(body, "errors") == [
        {
            "status": "error",
            "category": "CONFLICT",
            "message": f"Contact already exists. Existing ID: {existing}",
            "context": {"objectWriteTraceId": ["1"], "existingId": [existing]},
        }
    ]
    traces = [text(one, "objectWriteTraceId") for one in rows_in(body, "results")]
    assert traces == ["2", "0"]
    assert answered.changed


@pytest.mark.parametrize("emails", [("ada@example.com", "b@c.dd"), ("b@c.dd", "B@C.dd")])
def test_without_traces_one_conflict_refuses_all(emails: tuple[str, str]) -> None:
    account = Account()
    account.make("contacts", email="ada@example.com")
    answered = account.send(
        "POST", f"{CONTACTS}/create", {"inputs": [_new(email) for email in emails]}
    )

    body = body_of(answered.response)
    assert (answered.response.status, answered.changed) == (409, False)
    assert (body["message"], body["category"]) == ("Contact already exists", "CONFLICT")
    assert account.search("contacts")["total"] == 1


def test_an_unknown_property_refuses_all_even_with_traces() -> None:
    account = Account()
    inputs: list[Row] = [
        {"properties": {"first000name": "x"}, "objectWriteTraceId": "0"},
        _new("ada@example.com", "1"),
    ]
    answered = account.send("POST", f"{CONTACTS}/create", {"inputs": list(inputs)})
    assert answered.response.status == 400
    assert codes(body_of(answered.response)) == ["PROPERTY_DOESNT_EXIST"]
    assert account.search("contacts")["total"] == 0


def test_an_update_names_all_missing_ids_in_one_error() -> None:
    account = Account()
    contact_id = account.make("contacts")
    inputs: list[Row] = [
        {"id": one, "properties": {"firstname": "Ada"}} for one in ("77", contact_id, "88")
    ]
    answered = account.send("POST", f"{CONTACTS}/update", {"inputs": list(inputs)})
    body = body_of(answered.response)

    assert answered.response.status == 207
    assert ids(body) == [contact_id]
    assert rows_in(body, "errors") == [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some CONTACT objects, they may be deleted or not exist."
            " Check that ids are valid.",
            "context": {"ids": ["77", "88"]},
        }
    ]


def test_an_invalid_value_fails_its_own_record() -> None:
    account = Account()
    good, bad = account.make("deals"), account.make("deals")
    inputs: list[Row] = [
        {"id": bad, "objectWriteTraceId": "b", "properties": {"amount": "ten"}},
        {"id": good, "objectWriteTraceId": "g", "properties": {"amount": "10"}},
    ]
    body = account.ask("POST", f"{DEALS}/update", {"inputs": list(inputs)})
    assert ids(body) == [good]
    context = row_in(rows_in(body, "errors")[0], "context")
    assert context == {"ids": [bad], "objectWriteTraceId": ["b"]}


def test_the_newest_version_has_no_207() -> None:
    account = Account()
    answered = account.send(
        "POST", "/crm/objects/2026-09/0-1/batch/read", {"inputs": [{"id": "1"}]}
    )
    assert answered.response.status == 200
    assert body_of(answered.response)["numErrors"] == 1


def test_ids_given_twice_refuse_all() -> None:
    account = Account()
    contact_id = account.make("contacts")
    inputs: list[Row] = [{"id": contact_id, "properties": {"firstname": one}} for one in "ab"]
    body = account.ask("POST", f"{CONTACTS}/update", {"inputs": list(inputs)})
    assert body["message"] == (
        f"Duplicate IDs found in batch input: [{contact_id}]. IDs must be unique"
    )
    assert body["context"] == {"ids": [contact_id]}


@pytest.mark.parametrize("what", ["read", "create", "update", "upsert", "archive"])
def test_a_hundred_inputs_are_the_limit(what: str) -> None:
    account = Account()
    inputs: list[Row] = [{"id": str(number), "properties": {}} for number in range(101)]
    answered = account.send("POST", f"{DEALS}/{what}", {"inputs": list(inputs)})
    assert answered.response.status == 400


def test_a_batch_read_reads_by_unique_value_the_archived_too() -> None:
    account = Account()
    account.add_property("deals", "key", hasUniqueValue=True)
    live, binned = account.make("deals", key="a"), account.make("deals", key="b")
    account.send("DELETE", f"/crm/v3/objects/deals/{binned}")
    asked: Row = {"idProperty": "key", "inputs": [{"id": "a"}, {"id": "b"}], "properties": ["key"]}

    assert ids(account.ask("POST", f"{DEALS}/read", asked)) == [live]
    assert ids(account.ask("POST", f"{DEALS}/read?archived=true", asked)) == [binned]


def test_an_upsert_creates_with_the_value_that_names_it() -> None:
    account = Account()
    account.add_property("deals", "key", hasUniqueValue=True)
    one: Row = {"id": "k1", "idProperty": "key", "properties": {"dealname": "x"}}
    first = rows_in(account.ask("POST", f"{DEALS}/upsert", {"inputs": [one]}), "results")[0]
    again = rows_in(account.ask("POST", f"{DEALS}/upsert", {"inputs": [one]}), "results")[0]

    assert (first["new"], again["new"]) == (True, False)
    assert first["id"] == again["id"]
    assert account.values("deals", text(first, "id"), "key")["key"] == "k1"


def test_inline_associations_are_made_or_nothing_is() -> None:
    account = Account()
    contact_id = account.make("contacts")
    kind: Row = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}

    def with_contact(one: str) -> Row:
        return {
            "properties": {"dealname": "x"},
            "associations": [{"to": {"id": one}, "types": [kind]}],
        }

    made = account.send("POST", "/crm/v3/objects/deals", with_contact(contact_id))
    refused = account.send("POST", "/crm/v3/objects/deals", with_contact("99"))
    listed = account.ask("GET", f"/crm/v4/objects/deals/{made.records[0]}/associations/contacts")

    assert [one["toObjectId"] for one in rows_in(listed, "results")] == [int(contact_id)]
    assert (refused.response.status, refused.changed) == (400, False)
    assert account.search("deals")["total"] == 1


def test_merged_deals_become_a_new_one_with_everything() -> None:
    account = Account()
    account.add_property("deals", "key", hasUniqueValue=True)
    first = account.make("deals", dealname="First", key="006A")
    second = account.make("deals", dealname="Second", amount="7", key="006B")
    contact_id = account.make("contacts")
    path = f"/crm/v4/objects/deals/{second}/associations/default/contacts/{contact_id}"
    account.send("PUT", path)
    merged = account.ask(
        "POST",
        "/crm/v3/objects/deals/merge",
        {"primaryObjectId": first, "objectIdToMerge": second},
    )
    new_id = text(merged, "id")
    listed = account.ask("GET", f"/crm/v4/objects/contacts/{contact_id}/associations/deals")

    assert new_id not in {first, second}
    values = account.values("deals", first, "dealname", "amount", "key", "hs_merged_object_ids")
    assert values["hs_object_id"] == new_id
    assert (values["dealname"], values["amount"], values["key"]) == ("First", "7", "006A")
    assert values["hs_merged_object_ids"] == f"{first};{second}"
    assert [one["toObjectId"] for one in rows_in(listed, "results")] == [int(new_id)]
    read = account.ask("POST", f"{DEALS}/read", {"inputs": [{"id": first}, {"id": second}]})
    assert ids(read) == [new_id]
    assert account.ask("GET", "/crm/v3/objects/deals/006A?idProperty=key")["id"] == new_id
    # what was merged away is no record: archiving it leaves the survivor alone
    assert not account.send("DELETE", f"/crm/v3/objects/deals/{first}").changed
    assert account.send("GET", f"/crm/v3/objects/deals/{new_id}").response.status == 200
    account.make("deals", key="006B")


def test_a_merged_company_keeps_the_primary_id() -> None:
    account = Account()
    first, second = (
        account.make("companies", name="A"),
        account.make("companies", domain="b.example"),
    )
    merged = account.ask(
        "POST",
        "/crm/v3/objects/companies/merge",
        {"primaryObjectId": first, "objectIdToMerge": second},
    )
    assert merged["id"] == first
    assert account.values("companies", second, "domain")["domain"] == "b.example"
