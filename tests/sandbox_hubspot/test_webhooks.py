"""Webhooks: what is told, signed how, sent again when, and badly when asked to."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hubspot.utils.signature import Signature  # type: ignore[import-untyped]  # the vendor's

from adapters.sandbox.hubspot import signature
from adapters.sandbox.hubspot.deliveries import CLIENT_SECRET, WebhookDelivery
from adapters.sandbox.hubspot.rows import rows_in
from adapters.sandbox.tables import JsonValue, Row
from tests.sandbox_hubspot.account import PERSON, Account, body_of

URL = "http://127.0.0.1:9999/webhooks/hubspot"
APP = 7_654_321


class Listener:
    """An account whose webhooks are taken, or not, at a real time of their own."""

    def __init__(self) -> None:
        self.account = Account()
        self.now = datetime(2024, 6, 1, tzinfo=UTC)
        self.account.box.act("set_webhook_target", {"url": URL}, self.account.at)

    def due(self) -> tuple[WebhookDelivery, ...]:
        """Return what is sent now."""
        return self.account.box.due_webhooks(self.now, self.now)

    def take(self, status: int | None = 200) -> list[Row]:
        """Answer everything that is sent now with a status; returns the items."""
        items: list[Row] = []
        for delivery in self.due():
            items += _items(delivery)
            self.account.box.webhook_answered(delivery.number, status, self.now)
        return items

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


def _items(delivery: WebhookDelivery) -> list[Row]:
    return rows_in({"items": json.loads(delivery.request.body)}, "items")


def test_a_creation_is_told_with_its_values() -> None:
    listener = Listener()
    deal_id = listener.account.make("deals", PERSON, amount="12500.50")
    created, *changes = listener.take()

    assert created == {
        "eventId": created["eventId"],
        "subscriptionId": created["subscriptionId"],
        "portalId": 44_100_100,
        "appId": APP,
        "attemptNumber": 0,
        "occurredAt": 1_714_554_001_000,
        "subscriptionType": "deal.creation",
        "objectId": int(deal_id),
        "changeFlag": "CREATED",
        "changeSource": "CRM_UI",
        "sourceId": "userId:9000001",
    }
    told = {str(one["propertyName"]): one["propertyValue"] for one in changes}
    assert told["amount"] == "12500.50"
    # instants are told in epoch milliseconds
    assert told["closedate"] == "1717146001000"
    assert "hs_lastmodifieddate" not in told
    assert listener.take() == []


def test_an_apps_change_names_the_app() -> None:
    listener = Listener()
    deal_id = listener.account.make("deals")
    listener.take()
    listener.account.change("deals", deal_id, dealname="New")
    (changed,) = listener.take()
    assert (changed["changeSource"], changed["sourceId"]) == ("INTEGRATION", str(APP))
    assert (changed["propertyName"], changed["propertyValue"]) == ("dealname", "New")


def test_an_association_is_told_from_both_sides() -> None:
    listener = Listener()
    account = listener.account
    deal_id, company_id = account.make("deals"), account.make("companies")
    listener.take()
    primary: JsonValue = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}]
    account.send(
        "PUT",
        f"/crm/v4/objects/deals/{deal_id}/associations/companies/{company_id}",
        primary,
        PERSON,
    )
    told = listener.take()

    # the primary one and the unlabelled one, each from both sides
    assert [
        (one["associationType"], one["isPrimaryAssociation"], one["associationRemoved"])
        for one in told
    ] == [
        ("DEAL_TO_COMPANY", False, False),
        ("COMPANY_TO_DEAL", False, False),
        ("DEAL_TO_COMPANY", True, False),
        ("COMPANY_TO_DEAL", True, False),
    ]
    assert (told[1]["fromObjectId"], told[1]["toObjectId"]) == (int(company_id), int(deal_id))
    assert {one["changeSource"] for one in told} == {"USER"}
    assert "objectId" not in told[0]


def test_deletion_restore_merge_and_privacy_deletion_are_told() -> None:
    listener = Listener()
    account = listener.account
    first, second = account.make("contacts"), account.make("contacts")
    account.send("DELETE", f"/crm/v3/objects/contacts/{first}")
    account.box.act("restore", {"object": "contacts", "id": first}, account.at)
    listener.take()
    merged = account.ask(
        "POST",
        "/crm/v3/objects/contacts/merge",
        {"primaryObjectId": first, "objectIdToMerge": second},
        PERSON,
    )
    merge, deletion = listener.take()
    account.box.act("privacy_delete", {"id": merged["id"]}, account.at)

    assert merge["subscriptionType"] == "contact.merge"
    assert merge["primaryObjectId"] == int(first)
    assert merge["mergedObjectIds"] == [int(second)]
    assert merge["newObjectId"] == int(str(merged["id"]))
    assert (deletion["subscriptionType"], deletion["objectId"]) == ("contact.deletion", int(second))
    assert [one["subscriptionType"] for one in listener.take()] == [
        "contact.deletion",
        "contact.privacyDeletion",
    ]


def test_a_request_is_signed_as_hubspots_own_client_expects() -> None:
    listener = Listener()
    listener.account.make("deals", dealname="日本語 ✓")
    (delivery,) = listener.due()
    request = delivery.request
    body = request.body.decode()
    stamp = str(int(listener.now.timestamp() * 1000))

    assert request.method == "POST"
    assert request.url == URL
    assert request.header("X-HubSpot-Request-Timestamp") == stamp
    assert request.header("X-HubSpot-Signature-v3") == Signature.get_signature(
        CLIENT_SECRET, body, "v3", URL, "POST", stamp
    )
    assert request.header("X-HubSpot-Signature") == Signature.get_signature(
        CLIENT_SECRET, body, "v1"
    )
    assert "日本語 ✓" in body


def test_a_private_app_signs_with_the_first_version_only() -> None:
    listener = Listener()
    account = listener.account
    account.box.act("set_webhook_target", {"url": URL, "signatures": ["v1"]}, account.at)
    account.make("deals")
    (delivery,) = listener.due()
    assert delivery.request.header("X-HubSpot-Signature-v3") is None
    assert delivery.request.header("X-HubSpot-Signature") is not None


def test_some_escapes_are_undone_before_signing() -> None:
    assert signature.decoded("http://x/a?b=c%2Fd%3a%20%2B") == "http://x/a?b=c/d:%20%2B"


def test_what_is_not_taken_is_sent_again_ten_times_ever_later() -> None:
    listener = Listener()
    listener.account.make("companies")
    attempts, gaps, waited = [], [], 0.0
    while listener.account.box.undelivered_webhooks():
        taken = listener.take(status=500)
        if taken:
            attempts.append(taken[0]["attemptNumber"])
            gaps.append(waited)
            waited = 0.0
        step = max(0.5, waited / 20)
        listener.later(step)
        waited += step

    assert attempts == list(range(11))
    assert gaps == sorted(gaps)
    assert sum(gaps) < 24 * 3_600


def test_an_answer_that_never_comes_is_a_failure() -> None:
    listener = Listener()
    listener.account.make("companies")
    assert len(listener.due()) == 1
    assert listener.due() == ()
    listener.later(10)
    (again,) = listener.due()
    assert {one["attemptNumber"] for one in _items(again)} == {1}
    listener.account.box.webhook_answered(again.number, 204, listener.now)
    listener.later(100_000)
    assert listener.due() == ()


def test_batches_hold_a_hundred() -> None:
    listener = Listener()
    for _ in range(60):
        listener.account.make("companies", name="x")
    assert [len(_items(one)) for one in listener.due()] == [100, 20]


def test_nothing_is_told_without_a_target() -> None:
    account = Account()
    account.make("deals")
    assert account.box.undelivered_webhooks() == 0


@pytest.mark.parametrize("counted", [{"drop": 1}, {"drop_webhook": {"count": 1}}])
def test_a_dropped_event_never_comes(counted: Row) -> None:
    listener = Listener()
    listener.account.box.set_webhook_faults(counted)
    listener.account.make("companies", name="x")
    assert [one["subscriptionType"] for one in listener.take()] == ["company.propertyChange"]
    listener.later(100_000)
    assert listener.take() == []


def test_a_duplicate_comes_in_a_delivery_of_its_own() -> None:
    listener = Listener()
    listener.account.box.set_webhook_faults({"duplicate": 1})
    listener.account.make("companies", name="x")
    first, copy = listener.due()
    assert _items(copy) == _items(first)[:1]


def test_a_delayed_event_comes_later() -> None:
    listener = Listener()
    listener.account.box.set_webhook_faults({"delay": 1, "delay_seconds": 60})
    listener.account.make("companies", name="x")
    assert len(listener.take()) == 1
    listener.later(61)
    assert [one["subscriptionType"] for one in listener.take()] == ["company.creation"]


def test_order_can_be_mixed_up_the_same_way_each_time() -> None:
    orders = []
    for _ in range(2):
        listener = Listener()
        listener.account.box.set_webhook_faults({"reorder": 1.0, "seed": 7})
        for _number in range(10):
            listener.account.make("companies")
        orders.append([one["objectId"] for one in listener.take()])
    assert orders[0] == orders[1]
    assert orders[0] != sorted(orders[0], key=str)


def test_faults_are_replaced_and_unknown_ones_refused() -> None:
    box = Listener().account.box
    box.set_webhook_faults({"drop": 1.0})
    box.set_webhook_faults({})
    with pytest.raises(ValueError, match="no webhook fault"):
        box.set_webhook_faults({"explode": 1})


def test_an_app_chooses_its_target_and_subscriptions() -> None:
    account = Account()
    put = account.send("PUT", f"/webhooks/v3/{APP}/settings", {"targetUrl": URL})
    assert put.response.status == 200
    path = f"/webhooks/v3/{APP}/subscriptions"
    wanted: Row = {"eventType": "deal.propertyChange", "propertyName": "amount"}
    paused = account.ask("POST", path, wanted)
    assert paused["active"] is False
    assert account.send("POST", path, wanted).response.status == 409
    generic: Row = {
        "eventType": "object.propertyChange",
        "objectTypeId": "0-3",
        "propertyName": "dealname",
        "active": True,
    }
    account.ask("POST", path, generic)
    account.make("deals", amount="1")
    account.send("PATCH", f"{path}/{paused['id']}", {"active": True})
    account.make("deals", amount="2")

    listed = rows_in(account.ask("GET", path), "results")
    assert [one["active"] for one in listed] == [True, True]
    items = [one for delivery in account.box.due_webhooks(account.at) for one in _items(delivery)]
    told = [
        (one["subscriptionType"], one["propertyName"], one.get("objectTypeId")) for one in items
    ]
    assert told == [
        ("object.propertyChange", "dealname", "0-3"),
        ("object.propertyChange", "dealname", "0-3"),
        ("deal.propertyChange", "amount", None),
    ]
    assert body_of(account.send("DELETE", f"/webhooks/v3/{APP}/settings").response) == {}
