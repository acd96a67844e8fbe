"""Associations: both directions, the primary company, labels, batches, refusals."""

import pytest

from adapters.sandbox.hubspot.rows import row_in, rows_in, text
from adapters.sandbox.tables import JsonValue, Row
from tests.sandbox_hubspot.account import Account, body_of

PRIMARY: JsonValue = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}]


def _linked(account: Account, kind: str, record_id: str, other: str) -> dict[int, set[int]]:
    """Return the type ids by associated id."""
    listed = account.ask("GET", f"/crm/v4/objects/{kind}/{record_id}/associations/{other}")
    found: dict[int, set[int]] = {}
    for one in rows_in(listed, "results"):
        assert isinstance(one["toObjectId"], int)
        found[one["toObjectId"]] = {
            int(text(kind_of_link, "typeId")) for kind_of_link in rows_in(one, "associationTypes")
        }
    return found


def test_a_default_association_is_seen_from_both_ends() -> None:
    account = Account()
    deal_id, contact_id = account.make("deals"), account.make("contacts")
    path = f"/crm/v4/objects/deals/{deal_id}/associations/default/contacts/{contact_id}"
    first, again = account.send("PUT", path), account.send("PUT", path)

    assert (first.changed, again.changed) == (True, False)
    assert first.records == (deal_id, contact_id)
    assert rows_in(body_of(first.response), "results")[0] == {
        "from": {"id": deal_id},
        "to": {"id": contact_id},
        "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3},
    }
    assert _linked(account, "deals", deal_id, "contacts") == {int(contact_id): {3}}
    assert _linked(account, "contacts", contact_id, "deals") == {int(deal_id): {4}}


def test_both_ends_count_as_changed() -> None:
    account = Account()
    deal_id, contact_id = account.make("deals"), account.make("contacts")
    path = f"/crm/v4/objects/deals/{deal_id}/associations/default/contacts/{contact_id}"
    account.send("PUT", path)
    assert account.values("deals", deal_id)["hs_lastmodifieddate"] == "2024-05-01T09:00:03Z"
    assert account.values("contacts", contact_id)["lastmodifieddate"] == "2024-05-01T09:00:03Z"


def test_there_is_one_primary_company_and_it_is_an_ordinary_one_too() -> None:
    account = Account()
    deal_id = account.make("deals")
    first, second = account.make("companies"), account.make("companies")
    made = account.send(
        "PUT", f"/crm/v4/objects/deals/{deal_id}/associations/companies/{first}", PRIMARY
    )
    assert made.response.status == 201
    assert body_of(made.response) == {
        "fromObjectTypeId": "0-3",
        "fromObjectId": int(deal_id),
        "toObjectTypeId": "0-2",
        "toObjectId": int(first),
        "labels": ["Primary"],
    }
    assert _linked(account, "deals", deal_id, "companies") == {int(first): {5, 341}}
    account.send("PUT", f"/crm/v4/objects/deals/{deal_id}/associations/companies/{second}", PRIMARY)

    assert _linked(account, "deals", deal_id, "companies") == {
        int(first): {341},
        int(second): {5, 341},
    }
    assert _linked(account, "companies", second, "deals") == {int(deal_id): {6, 342}}
    shown = account.values("deals", deal_id, "hs_primary_associated_company")
    assert shown["hs_primary_associated_company"] == second


def test_removing_a_label_leaves_the_association() -> None:
    account = Account()
    deal_id, company_id = account.make("deals"), account.make("companies")
    account.send(
        "PUT", f"/crm/v4/objects/deals/{deal_id}/associations/companies/{company_id}", PRIMARY
    )
    one: Row = {"from": {"id": deal_id}, "to": {"id": company_id}, "types": PRIMARY}
    path = "/crm/v4/associations/deals/companies/batch/labels/archive"
    assert account.send("POST", path, {"inputs": [one]}).response.status == 204
    assert _linked(account, "deals", deal_id, "companies") == {int(company_id): {341}}


def test_removing_the_unlabelled_one_removes_all() -> None:
    account = Account()
    deal_id, company_id = account.make("deals"), account.make("companies")
    path = f"/crm/v4/objects/deals/{deal_id}/associations/companies/{company_id}"
    account.send("PUT", path, PRIMARY)
    removed, again = account.send("DELETE", path), account.send("DELETE", path)
    assert (removed.response.status, removed.changed, again.changed) == (204, True, False)
    assert _linked(account, "deals", deal_id, "companies") == {}
    assert _linked(account, "companies", company_id, "deals") == {}


def test_users_labels_go_in_both_directions() -> None:
    account = Account()
    deal_id, contact_id = account.make("deals"), account.make("contacts")
    labels = "/crm/v4/associations/deals/contacts/labels"
    made = account.ask(
        "POST", labels, {"label": "Buyer", "name": "buyer", "inverseLabel": "Bought"}
    )
    there, back = (text(one, "typeId") for one in rows_in(made, "results"))
    types: JsonValue = [{"associationCategory": "USER_DEFINED", "associationTypeId": int(there)}]
    account.send(
        "PUT", f"/crm/v4/objects/deals/{deal_id}/associations/contacts/{contact_id}", types
    )

    assert [one["label"] for one in rows_in(account.ask("GET", labels), "results")] == [
        None,
        "Buyer",
    ]
    assert _linked(account, "contacts", contact_id, "deals") == {int(deal_id): {4, int(back)}}


def test_a_batch_read_tells_who_has_none() -> None:
    account = Account()
    deal_id, lonely = account.make("deals"), account.make("deals")
    contact_id = account.make("contacts")
    pair: Row = {"from": {"id": deal_id}, "to": {"id": contact_id}}
    made = account.send(
        "POST", "/crm/v4/associations/deals/contacts/batch/associate/default", {"inputs": [pair]}
    )
    assert made.changed
    answered = account.send(
        "POST",
        "/crm/v4/associations/deals/contacts/batch/read",
        {"inputs": [{"id": deal_id}, {"id": lonely}]},
    )
    body = body_of(answered.response)

    assert answered.response.status == 207
    assert rows_in(body, "results") == [
        {
            "from": {"id": deal_id},
            "to": [
                {
                    "toObjectId": int(contact_id),
                    "associationTypes": [
                        {"category": "HUBSPOT_DEFINED", "typeId": 3, "label": None}
                    ],
                }
            ],
        }
    ]
    assert rows_in(body, "errors") == [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "message": f"No contact is associated with deal {lonely}.",
            "context": {
                "fromObjectId": [lonely],
                "fromObjectType": ["deal"],
                "toObjectType": ["contact"],
            },
        }
    ]


def test_a_batch_create_fails_in_part() -> None:
    account = Account()
    deal_id, contact_id = account.make("deals"), account.make("contacts")
    types: JsonValue = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}]
    inputs: JsonValue = [
        {"from": {"id": deal_id}, "to": {"id": to}, "types": types}
        for to in (contact_id, "unknown_1", "404")
    ]
    body = account.ask(
        "POST", "/crm/v4/associations/deals/contacts/batch/create", {"inputs": inputs}
    )
    assert body["numErrors"] == 2
    assert rows_in(body, "errors")[0] == {
        "status": "error",
        "category": "VALIDATION_ERROR",
        "subCategory": "crm.associations.INVALID_IDENTIFIER",
        "message": "unknown_1 is not a valid ID",
        "context": {"id": ["unknown_1"]},
    }
    assert rows_in(body, "results")[0]["labels"] == []


def test_archived_records_are_left_out_and_come_back() -> None:
    account = Account()
    deal_id, contact_id = account.make("deals"), account.make("contacts")
    account.send(
        "PUT", f"/crm/v4/objects/deals/{deal_id}/associations/default/contacts/{contact_id}"
    )
    account.send("DELETE", f"/crm/v3/objects/contacts/{contact_id}")
    assert _linked(account, "deals", deal_id, "contacts") == {}
    account.box.act("restore", {"object": "contacts", "id": contact_id}, account.at)
    assert _linked(account, "deals", deal_id, "contacts") == {int(contact_id): {3}}


def test_a_long_list_is_paged() -> None:
    account = Account()
    deal_id = account.make("deals")
    contacts = [account.make("contacts") for _ in range(3)]
    for one in contacts:
        account.send("PUT", f"/crm/v4/objects/deals/{deal_id}/associations/default/contacts/{one}")
    path = f"/crm/v4/objects/deals/{deal_id}/associations/contacts?limit=2"
    first = account.ask("GET", path)
    after = text(row_in(row_in(first, "paging"), "next"), "after")
    second = account.ask("GET", f"{path}&after={after}")
    listed = [*rows_in(first, "results"), *rows_in(second, "results")]
    assert [str(one["toObjectId"]) for one in listed] == contacts


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/crm/v4/objects/deals/{deal}/associations/default/contacts/404", 404),
        ("/crm/v4/objects/deals/404/associations/default/contacts/{contact}", 404),
        ("/crm/v4/objects/deals/{deal}/associations/default/deals/{deal}", 400),
        ("/crm/v4/objects/deals/{deal}/associations/default/tickets/1", 400),
    ],
)
def test_what_cannot_be_associated_is_refused(path: str, status: int) -> None:
    account = Account()
    deal_id, contact_id = account.make("deals"), account.make("contacts")
    answered = account.send("PUT", path.format(deal=deal_id, contact=contact_id))
    assert (answered.response.status, answered.changed) == (status, False)
