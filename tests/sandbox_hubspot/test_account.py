"""The account around the records: sign-in, scopes, limits, owners, actions, restart."""

import json
from datetime import datetime, timedelta

import pytest

from adapters.http_transport import HttpRequest
from adapters.sandbox import record_clock
from adapters.sandbox.box import ActionRefusedError
from adapters.sandbox.hubspot.box import HubSpotSandbox
from adapters.sandbox.hubspot.rows import row_in, rows_in, text
from adapters.sandbox.tables import Row
from tests.sandbox_hubspot.account import ENGINE, OTHER, PERSON, Account, body_of, ids


@pytest.mark.parametrize("token", ["", "pat-", "secret"])
def test_nobody_else_gets_in(token: str) -> None:
    answered = Account().send("GET", "/crm/v3/objects/deals", who=token)
    assert answered.response.status == 401
    assert body_of(answered.response)["category"] == "INVALID_AUTHENTICATION"


def test_a_missing_scope_is_named() -> None:
    account = Account()
    account.box.act(
        "set_scopes", {"token": ENGINE, "scopes": ["crm.objects.deals.read"]}, account.at
    )
    assert account.send("GET", "/crm/v3/objects/deals").response.status == 200
    refused = account.send("POST", "/crm/v3/objects/deals", {"properties": {}})
    body = body_of(refused.response)

    assert refused.response.status == 403
    assert body["category"] == "MISSING_SCOPES"
    assert row_in(body, "context")["requiredGranularScopes"] == ["crm.objects.deals.write"]
    for path in ("/crm/v3/owners", "/crm/v3/pipelines/deals", "/crm/v3/properties/deals"):
        assert account.send("GET", path).response.status == 403
    assert account.send("GET", "/crm/v3/owners", who=OTHER).response.status == 200


def test_a_token_tells_what_it_may_do_without_another_one() -> None:
    account = Account()
    path = "/oauth/v2/private-apps/get/access-token-info"
    bare = HttpRequest(
        "POST", f"https://api.hubapi.com{path}", (), json.dumps({"tokenKey": ENGINE}).encode()
    )
    told = body_of(account.box.answer(bare, account.at).response)

    assert (told["appId"], told["hubId"]) == (7_654_321, 44_100_100)
    assert "crm.objects.deals.write" in str(told["scopes"])
    assert account.ask("POST", path, {"tokenKey": ENGINE}) == told


def test_the_account_tells_its_zone_and_currency() -> None:
    account = Account()
    account.box.act("set_account", {"timeZone": "Asia/Tokyo", "currency": "JPY"}, account.at)
    told = account.ask("GET", "/account-info/v3/details")
    assert (told["timeZone"], told["companyCurrency"]) == ("Asia/Tokyo", "JPY")
    assert told["dataHostingLocation"] == "na1"


def test_what_is_left_of_the_limits_is_told() -> None:
    account = Account()
    account.box.set_rate_limit({"burst": 190})
    answered = account.send("GET", "/crm/v3/objects/deals", who=OTHER).response
    assert answered.header("X-HubSpot-RateLimit-Max") == "190"
    assert answered.header("X-HubSpot-RateLimit-Remaining") == "189"
    assert answered.header("X-HubSpot-RateLimit-Interval-Milliseconds") == "10000"
    assert answered.header("X-HubSpot-RateLimit-Daily") == "650000"
    assert answered.header("X-HubSpot-RateLimit-Daily-Remaining") == "649999"


def test_a_burst_is_refused_for_its_app_until_the_window_is_over() -> None:
    account = Account()
    account.box.set_rate_limit({"burst": 2})
    statuses = [account.send("GET", "/crm/v3/owners").response.status for _ in range(3)]
    refused = account.ask("GET", "/crm/v3/owners")

    assert statuses == [200, 200, 429]
    assert refused["policyName"] == "TEN_SECONDLY_ROLLING"
    assert refused["errorType"] == "RATE_LIMIT"
    assert refused["message"] == "You have reached your ten_secondly_rolling limit."
    assert "category" not in refused
    assert account.send("GET", "/crm/v3/owners", who=OTHER).response.status == 200
    account.at += timedelta(seconds=10)
    assert account.send("GET", "/crm/v3/owners").response.status == 200


def test_the_day_ends_at_midnight_in_the_account() -> None:
    account = Account()
    account.box.act("set_account", {"timeZone": "Asia/Tokyo"}, account.at)
    account.box.act("set_rate_limit", {"daily": 1}, account.at)
    account.send("GET", "/crm/v3/owners", who=OTHER)
    assert account.ask("GET", "/crm/v3/owners")["policyName"] == "DAILY"
    account.at = account.at.replace(hour=14, minute=59)
    assert account.send("GET", "/crm/v3/owners").response.status == 429
    account.at = account.at.replace(hour=15, minute=0)
    assert account.send("GET", "/crm/v3/owners").response.status == 200


def test_searches_are_counted_by_the_second_over_all_apps_but_not_screens() -> None:
    account = Account()
    account.box.set_rate_limit({"search_per_second": 1})

    def search(who: str) -> int:
        account.at -= timedelta(seconds=1)
        return account.send("POST", "/crm/v3/objects/deals/search", {}, who).response.status

    assert [search(who) for who in (ENGINE, OTHER, PERSON)] == [200, 429, 200]


def test_owners_are_added_found_and_archived() -> None:
    account = Account()
    added = account.box.act(
        "add_owner",
        {"email": "grace@example.com", "firstName": "Grace", "lastName": "Hopper"},
        account.at,
    )
    (owner_id,) = added.records
    first = account.ask("GET", "/crm/v3/owners?limit=1")
    after = row_in(row_in(first, "paging"), "next")["after"]
    assert ids(account.ask("GET", f"/crm/v3/owners?limit=1&after={after}")) == [owner_id]
    found = rows_in(account.ask("GET", "/crm/v3/owners?email=GRACE@example.com"), "results")[0]
    assert (found["firstName"], found["lastName"], found["archived"]) == ("Grace", "Hopper", False)
    deal_id = account.make("deals", hubspot_owner_id=owner_id)

    account.box.act("archive_owner", {"email": "grace@example.com"}, account.at)
    assert account.send("GET", f"/crm/v3/owners/{owner_id}").response.status == 404
    assert account.ask("GET", f"/crm/v3/owners/{owner_id}?archived=true")["archived"] is True
    again = account.send(
        "PATCH",
        f"/crm/v3/objects/deals/{deal_id}",
        {"properties": {"hubspot_owner_id": owner_id, "amount": "1"}},
    )
    assert again.response.status == 400


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("explode", {}),
        ("restore", {"object": "deals", "id": "1"}),
        ("restore", {"object": "boats", "id": "1"}),
        ("set_pipeline_limit", {"count": 0}),
        ("set_webhook_target", {"url": "nowhere"}),
        ("set_webhook_target", {}),
        ("add_owner", {}),
        ("archive_owner", {"id": "1"}),
        ("set_account", {"timeZone": "Mars/Olympus"}),
        ("set_rate_limit", {"burst": -1}),
        ("set_rate_limit", {"bursts": 1}),
        ("set_scopes", {"token": ENGINE}),
        ("privacy_delete", {"id": "1"}),
        ("set_close_date_habit", {"whose": "mine"}),
    ],
)
def test_what_no_screen_offers_is_refused(action: str, arguments: Row) -> None:
    account = Account()
    with pytest.raises(ActionRefusedError, match=action):
        account.box.act(action, arguments, account.at)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/crm/v3/nothing", 404),
        ("GET", "/crm/objects/2031-03/deals", 404),
        ("PUT", "/crm/v3/objects/deals", 405),
        ("GET", "/crm/v3/objects/deals/1", 404),
        ("GET", "/crm/v3/objects/deals?limit=101", 400),
        ("GET", "/crm/v3/objects/deals/1?idProperty=dealname", 400),
        ("POST", "/crm/v3/objects/deals", 400),
        ("POST", "/crm/v3/objects/deals/batch/nothing", 404),
    ],
)
def test_what_is_not_there_is_told(method: str, path: str, status: int) -> None:
    answered = Account().send(method, path)
    assert answered.response.status == status
    body = body_of(answered.response)
    assert body["status"] == "error"
    assert text(body, "correlationId")


def test_the_record_clock_moves_records_only() -> None:
    account = Account()
    record_clock.set_offset(account.box.tables, -86_400)
    account.box.set_rate_limit({"burst": 1})
    deal_id = account.make("deals")
    account.at += timedelta(seconds=10)
    read = account.ask("GET", f"/crm/v3/objects/deals/{deal_id}")
    assert read["createdAt"] == "2024-04-30T09:00:01Z"


def _restarted(account: Account) -> HubSpotSandbox:
    """Return another box over what was saved, as text, in the order of the changes."""
    rows: dict[tuple[str, str], str] = {}
    for table, key, row in account.box.tables.take_dirty():
        if row is None:
            rows.pop((table, key), None)
        else:
            rows[table, key] = json.dumps(row)
    box = HubSpotSandbox()
    box.tables.load(iter([(table, key, json.loads(saved)) for (table, key), saved in rows.items()]))
    return box


def test_everything_survives_a_restart() -> None:
    account = Account()
    account.box.act("set_webhook_target", {"url": "http://127.0.0.1:1/x"}, account.at)
    account.add_property("deals", "key", hasUniqueValue=True)
    deal_id, contact_id = account.make("deals", key="006A"), account.make("contacts")
    path = f"/crm/v4/objects/deals/{deal_id}/associations/default/contacts/{contact_id}"
    account.send("PUT", path)
    account.change("deals", deal_id, amount="5")
    paths = (
        f"/crm/v3/objects/deals/{deal_id}?propertiesWithHistory=amount&associations=contacts",
        "/crm/v3/objects/deals/006A?idProperty=key",
        "/crm/v3/objects/contacts",
        f"/crm/v4/objects/contacts/{contact_id}/associations/deals",
    )
    before = [account.ask("GET", one) for one in paths]
    waiting = account.box.undelivered_webhooks()
    account.box = _restarted(account)

    assert [account.ask("GET", one) for one in paths] == before
    assert account.box.undelivered_webhooks() == waiting
    assert int(account.make("deals")) == int(deal_id) + 1
    since: Row = {
        "propertyName": "hs_lastmodifieddate",
        "operator": "GTE",
        "value": "2024-05-01T09:00:06Z",
    }
    assert deal_id not in ids(account.search("deals", since))
    assert len(account.box.due_webhooks(datetime.fromisoformat("2030-01-01T00:00:00Z"))) == 1


def test_an_emptied_account_starts_anew() -> None:
    account = Account()
    account.make("deals")
    account.box.tables.clear()
    account.box.seed_basics(account.at)
    assert account.ask("GET", "/crm/v3/objects/deals")["results"] == []
    assert account.make("deals") == "3000000001"
