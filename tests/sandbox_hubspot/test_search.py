"""Search: operators, order, window, and the shortcuts that must find the same."""

import pytest

from adapters.sandbox.hubspot.rows import row_in, rows_in
from adapters.sandbox.tables import JsonValue, Row
from tests.sandbox_hubspot.account import Account, ids


def _filter(name: str, operator: str, value: JsonValue = None, **more: JsonValue) -> Row:
    found: Row = {"propertyName": name, "operator": operator, **more}
    return found if value is None else {**found, "value": value}


@pytest.fixture
def account() -> Account:
    account = Account()
    for name, amount, closed in (
        ("Red kite", "100", "2024-01-01"),
        ("Blue kite", "20", "2024-02-01"),
        ("Green boat", "3", "2024-03-01"),
    ):
        account.make("deals", dealname=name, amount=amount, closedate=closed)
    account.make("deals", dealname="Blank")
    return account


@pytest.mark.parametrize(
    ("condition", "places"),
    [
        (_filter("dealname", "EQ", "red KITE"), [0]),
        (_filter("dealname", "NEQ", "Red kite"), [1, 2, 3]),
        (_filter("amount", "GT", "20"), [0]),
        (_filter("amount", "GTE", "20"), [0, 1]),
        (_filter("amount", "LT", "20"), [2]),
        (_filter("amount", "LTE", "20.0"), [1, 2]),
        (_filter("amount", "BETWEEN", "3", highValue="20"), [1, 2]),
        (_filter("amount", "HAS_PROPERTY"), [0, 1, 2]),
        (_filter("amount", "NOT_HAS_PROPERTY"), [3]),
        (_filter("amount", "IN", values=["3", "100"]), [0, 2]),
        (_filter("amount", "NOT_IN", values=["3", "100"]), [1, 3]),
        (_filter("dealname", "CONTAINS_TOKEN", "kite"), [0, 1]),
        (_filter("dealname", "CONTAINS_TOKEN", "b*"), [1, 2, 3]),
        (_filter("dealname", "NOT_CONTAINS_TOKEN", "kite"), [2, 3]),
        (_filter("closedate", "GTE", "1706745600000"), [1, 2, 3]),
        (_filter("closedate", "LT", "2024-02-01T00:00:00Z"), [0]),
        (_filter("hs_lastmodifieddate", "GTE", "2024-05-01T01:00:03-08:00"), [2, 3]),
        (_filter("hs_lastmodifieddate", "GT", "2024-05-01T09:00:03Z"), [3]),
        (_filter("hs_object_id", "GT", "3000000002"), [2, 3]),
        (_filter("hs_is_closed", "EQ", "false"), [0, 1, 2, 3]),
    ],
)
def test_an_operator_finds_what_it_says(
    account: Account, condition: Row, places: list[int]
) -> None:
    everything = ids(account.search("deals"))
    found = account.search("deals", condition)
    assert ids(found) == [everything[place] for place in places]
    assert found["total"] == len(places)


def test_groups_are_alternatives_and_filters_conditions(account: Account) -> None:
    groups: JsonValue = [
        {"filters": [_filter("amount", "GT", "50"), _filter("dealname", "EQ", "Blue kite")]},
        {"filters": [_filter("amount", "LT", "5")]},
    ]
    found = account.search("deals", filterGroups=groups, properties=["dealname"])
    assert [row_in(one, "properties")["dealname"] for one in rows_in(found, "results")] == [
        "Green boat"
    ]


@pytest.mark.parametrize(
    ("sorts", "places"),
    [
        ([{"propertyName": "amount", "direction": "ASCENDING"}], [3, 2, 1, 0]),
        ([{"propertyName": "amount", "direction": "DESCENDING"}], [0, 1, 2, 3]),
        (["-dealname"], [0, 2, 1, 3]),
        ([{"propertyName": "hs_object_id", "direction": "DESCENDING"}], [3, 2, 1, 0]),
        ([{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}], [0, 1, 2, 3]),
    ],
)
def test_results_are_sorted(account: Account, sorts: JsonValue, places: list[int]) -> None:
    everything = ids(account.search("deals"))
    assert ids(account.search("deals", sorts=sorts)) == [everything[place] for place in places]


def test_pages_follow_by_offset(account: Account) -> None:
    first = account.search("deals", limit="2")
    assert first["paging"] == {"next": {"after": "2"}}
    last = account.search("deals", limit=2, after="2")
    assert "paging" not in last
    assert [*ids(first), *ids(last)] == ids(account.search("deals"))


def test_text_is_looked_for_in_names(account: Account) -> None:
    assert account.search("deals", query="kite red")["total"] == 1


def test_blanks_are_null(account: Account) -> None:
    shown = rows_in(account.search("deals", _filter("dealname", "EQ", "Blank")), "results")[0]
    assert row_in(shown, "properties")["amount"] is None


def test_a_changed_record_is_found_at_its_new_time_only(account: Account) -> None:
    first = ids(account.search("deals"))[0]
    account.change("deals", first, amount="1")
    since = _filter("hs_lastmodifieddate", "GTE", "2024-05-01T09:00:04Z")
    assert ids(account.search("deals", since, limit=200)) == [
        first,
        ids(account.search("deals"))[3],
    ]


def test_a_unique_value_finds_its_record(account: Account) -> None:
    account.add_property("deals", "key", hasUniqueValue=True)
    made = account.make("deals", key="006A")
    assert ids(account.search("deals", _filter("key", "EQ", "006A"))) == [made]
    assert ids(account.search("deals", _filter("key", "IN", values=["006A", "x"]))) == [made]
    assert account.search("deals", _filter("key", "EQ", "x"))["total"] == 0


def test_archived_records_are_not_found(account: Account) -> None:
    first = ids(account.search("deals"))[0]
    account.send("DELETE", f"/crm/v3/objects/deals/{first}")
    assert account.search("deals")["total"] == 3


def test_the_index_can_lag_behind(account: Account) -> None:
    account.box.act("set_search_lag", {"milliseconds": 3_000}, account.at)
    assert account.search("deals")["total"] == 2
    account.box.act("set_search_lag", {"milliseconds": 0}, account.at)
    assert account.search("deals")["total"] == 4


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 201},
        {"after": "9990", "limit": 11},
        {"query": "x" * 3_001},
        {"sorts": ["amount", "dealname"]},
        {"sorts": ["nonsense"]},
        {"filters": [_filter("nonsense", "EQ", "1")]},
        {"filters": [_filter("amount", "NEAR", "1")]},
        {"filters": [_filter("amount", "EQ")]},
        {"filters": [_filter("amount", "IN")]},
        {"filters": [_filter("amount", "EQ", "1")] * 7},
        {"filterGroups": [{"filters": [_filter("amount", "EQ", "1")]}] * 6},
    ],
)
def test_what_search_does_not_do_is_refused(account: Account, asked: Row) -> None:
    answered = account.send("POST", "/crm/v3/objects/deals/search", asked)
    assert answered.response.status == 400
