"""The real boxes behind the front: faults, sign-in, webhooks and reset as a caller meets them."""

import json
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typing_extensions import override

from adapters.sandbox.http_skin import SandboxServer
from tests.sandbox_front.test_restart import API, PERSON, signed_in
from tests.support.sandboxes import running_sandboxes

DEALS = "/crm/v3/objects/deals"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SandboxServer]:
    with running_sandboxes(tmp_path) as running:
        yield running


def hubspot(server: SandboxServer) -> httpx2.Client:
    return httpx2.Client(base_url=server.hubspot_url, headers=PERSON)


def set_faults(url: str, *faults: dict[str, object]) -> None:
    answered = httpx2.post(f"{url}/sandbox/faults", json={"faults": list(faults)})
    assert answered.status_code == 200, answered.text


def test_a_partial_batch_of_deals_names_its_failed_rows(server: SandboxServer) -> None:
    set_faults(server.hubspot_url, {"kind": "partial", "count": 1, "match": {"path": "/deals/"}})
    deal = {"dealname": "One", "dealstage": "qualifiedtobuy"}
    inputs = [{"objectWriteTraceId": str(one), "properties": deal} for one in range(3)]
    with hubspot(server) as client:
        answered = client.post(f"{DEALS}/batch/create", json={"inputs": inputs})
        kept = client.get(DEALS).json()["results"]
    body = answered.json()
    seen = {row["objectWriteTraceId"] for row in body["results"]} | {
        one for error in body["errors"] for one in error["context"]["objectWriteTraceId"]
    }

    assert (answered.status_code, body["numErrors"], len(kept)) == (207, 1, 2)
    assert seen == {"0", "1", "2"}


def test_webhook_faults_are_counted_as_they_strike(server: SandboxServer) -> None:
    set_faults(server.hubspot_url, {"kind": "drop_webhook", "count": 2}, {"kind": "delay"})
    with hubspot(server) as client:
        target = {"action": "set_webhook_target", "url": "http://127.0.0.1:9/nobody"}
        client.post("/sandbox/actions", json=target).raise_for_status()
        client.post(DEALS, json={"properties": {"dealname": "One"}}).raise_for_status()
        deadline = time.monotonic() + 5
        while True:
            drop, delay = client.get("/sandbox/faults").json()["faults"]
            if drop["struck"] == 2 or time.monotonic() > deadline:
                break

    assert (drop["kind"], drop["struck"]) == ("drop_webhook", 2)
    assert drop["matched"] >= 2
    assert {"matched", "struck"} <= set(delay)


def test_a_partial_collection_keeps_its_order(server: SandboxServer) -> None:
    set_faults(server.salesforce_url, {"kind": "partial", "count": 1})
    records = [{"attributes": {"type": "Account"}, "Name": f"Account {one}"} for one in range(4)]
    with httpx2.Client(
        base_url=server.salesforce_url, headers=signed_in(server.salesforce_url)
    ) as client:
        answered = client.post(f"{API}/composite/sobjects", json={"records": records})
        found = client.get(
            f"{API}/query", params={"q": "SELECT Name FROM Account ORDER BY Name"}
        ).json()["records"]
    rows = answered.json()
    done = [f"Account {one}" for one, row in enumerate(rows) if row["success"]]

    assert (answered.status_code, len(rows), len(done)) == (200, 4, 3)
    assert [row["Name"] for row in found] == done


def test_a_fault_can_name_a_salesforce_user(server: SandboxServer) -> None:
    admin = signed_in(server.salesforce_url)
    engine = signed_in(server.salesforce_url, "integration@sandbox.example")
    set_faults(
        server.salesforce_url, {"kind": "throttle", "match": {"who": "integration@sandbox.example"}}
    )
    url = f"{server.salesforce_url}{API}/limits"
    refused = httpx2.get(url, headers=engine)

    assert httpx2.get(url, headers=admin).status_code == 200
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")


def test_a_write_whose_answer_is_lost_is_made(server: SandboxServer) -> None:
    set_faults(server.hubspot_url, {"kind": "timeout_after_commit", "match": {"method": "POST"}})
    deal = {"properties": {"dealname": "Lost answer", "dealstage": "qualifiedtobuy"}}
    with hubspot(server) as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            client.post(DEALS, json=deal)
        found = client.get(DEALS).json()["results"]

    assert [row["properties"]["dealname"] for row in found] == ["Lost answer"]


def test_a_reset_account_can_be_used_at_once(server: SandboxServer) -> None:
    headers = signed_in(server.salesforce_url)
    account = {"Name": "Old Quarry Stone"}
    httpx2.post(
        f"{server.salesforce_url}{API}/sobjects/Account", headers=headers, json=account
    ).raise_for_status()
    httpx2.post(f"{server.salesforce_url}/sandbox/reset").raise_for_status()
    query = f"{server.salesforce_url}{API}/query"
    count = {"q": "SELECT COUNT() FROM Account"}

    assert httpx2.get(query, params=count, headers=headers).status_code == 401
    again = signed_in(server.salesforce_url)
    assert httpx2.get(query, params=count, headers=again).json()["totalSize"] == 0


@contextmanager
def listening() -> Iterator[tuple[str, "queue.Queue[tuple[dict[str, str], Any]]"]]:
    """Take webhooks; yields where, and what came: headers and items."""
    taken: queue.Queue[tuple[dict[str, str], Any]] = queue.Queue()

    class Target(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.put((dict(self.headers), json.loads(body)))
            self.send_response(204)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with HTTPServer(("127.0.0.1", 0), Target) as target:
        thread = threading.Thread(target=target.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{target.server_port}/hook", taken
        target.shutdown()
        thread.join()


def set_target(server: SandboxServer, url: str) -> None:
    httpx2.post(
        f"{server.hubspot_url}/sandbox/actions",
        json={"action": "set_webhook_target", "as": "person", "url": url},
    ).raise_for_status()


def test_a_deal_made_in_a_screen_reaches_the_target_signed(server: SandboxServer) -> None:
    with listening() as (url, taken), hubspot(server) as client:
        set_target(server, url)
        deal = {"properties": {"dealname": "New", "dealstage": "qualifiedtobuy"}}
        deal_id = client.post(DEALS, json=deal).json()["id"]
        headers, items = taken.get(timeout=10)
        waiting = _undelivered(client, until=0)

    assert "X-HubSpot-Signature-v3" in headers
    assert {item["objectId"] for item in items} == {int(deal_id)}
    assert "deal.creation" in {item["subscriptionType"] for item in items}
    assert waiting == 0


def test_webhooks_can_be_dropped(server: SandboxServer) -> None:
    set_faults(server.hubspot_url, {"kind": "drop_webhook"})
    with listening() as (url, taken), hubspot(server) as client:
        set_target(server, url)
        client.post("/crm/v3/objects/contacts", json={"properties": {"email": "a@b.example"}})
        waiting = _undelivered(client, until=0)

    assert (waiting, taken.empty()) == (0, True)


def test_events_wait_for_a_target_that_is_away(tmp_path: Path) -> None:
    with running_sandboxes(tmp_path) as first, hubspot(first) as client:
        set_target(first, "http://127.0.0.1:9/nobody")
        client.post("/crm/v3/objects/contacts", json={"properties": {"email": "a@b.example"}})
        before = client.get("/sandbox/health").json()["undelivered_webhooks"]
    with running_sandboxes(tmp_path) as second, hubspot(second) as client:
        after = client.get("/sandbox/health").json()["undelivered_webhooks"]

    assert before == after > 0


def _undelivered(client: httpx2.Client, until: int) -> int:
    deadline = time.monotonic() + 10
    while True:
        waiting = int(client.get("/sandbox/health").json()["undelivered_webhooks"])
        if waiting <= until or time.monotonic() > deadline:
            return waiting
        time.sleep(0.01)
