"""The sandboxes over HTTP on loopback, with the smallest boxes: what the network adds."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import httpx2
import pytest
from typing_extensions import override

from adapters.clock import SystemClock
from adapters.http_transport import HttpRequest
from adapters.sandbox.front import Front
from adapters.sandbox.http_skin import PortTakenError, SandboxServer
from adapters.sandbox.store import Store
from adapters.sandbox.tables import Tables
from tests.sandbox_front.notebook import Notebook


@contextmanager
def serving(
    hubspot: Notebook | None = None, stores: tuple[Store, Store] | None = None
) -> Iterator[SandboxServer]:
    fronts = (Front(Notebook(), "salesforce"), Front(hubspot or Notebook(), "hubspot"))
    server = SandboxServer(fronts, (0, 0), SystemClock(), stores)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_a_request_reaches_its_box_whole() -> None:
    with serving() as server, httpx2.Client(base_url=server.salesforce_url) as client:
        answered = client.post("/a%2Fb?q=x%20y", json={"text": "ü"}, headers={"X-One": "1"})
        calls = client.get("/sandbox/access-log").json()["calls"]

    assert (answered.status_code, answered.json()) == (201, {"id": "1"})
    assert [(call["method"], call["path"]) for call in calls] == [("POST", "/a%2Fb")]


def test_the_two_sandboxes_are_apart() -> None:
    with serving() as server:
        httpx2.post(f"{server.salesforce_url}/notes", json={})

        assert httpx2.get(f"{server.hubspot_url}/notes").json() == {"notes": 0}
        assert httpx2.get(f"{server.hubspot_url}/sandbox/health").json()["crm"] == "hubspot"


def test_a_dropped_connection_is_no_answer_and_the_next_request_works() -> None:
    with serving() as server, httpx2.Client(base_url=server.hubspot_url) as client:
        client.post(
            "/sandbox/faults", json={"faults": [{"kind": "timeout_after_commit", "count": 1}]}
        )
        with pytest.raises(httpx2.RemoteProtocolError):
            client.post("/notes", json={})

        assert client.get("/notes").json() == {"notes": 1}


def test_a_delayed_answer_keeps_nobody_else_waiting() -> None:
    with serving() as server, httpx2.Client(base_url=server.hubspot_url) as client:
        delay = {"kind": "delay", "seconds": 30, "match": {"path": "slow"}}
        client.post("/sandbox/faults", json={"faults": [delay]})
        with pytest.raises(httpx2.ReadTimeout):
            client.post("/slow", json={}, timeout=0.3)

        assert client.get("/notes", timeout=5).json() == {"notes": 1}


def test_a_body_that_is_too_large_is_refused() -> None:
    with serving() as server:
        answered = httpx2.post(f"{server.hubspot_url}/notes", content=bytes(33 * 1024 * 1024))

    assert answered.status_code == 413


def test_an_answered_write_is_saved_before_its_answer(tmp_path: Path) -> None:
    stores = (Store(tmp_path / "one.sqlite"), Store(tmp_path / "two.sqlite"))
    with serving(stores=stores) as server:
        httpx2.post(f"{server.hubspot_url}/notes", json={"text": "milk"})
    reopened = Store(tmp_path / "two.sqlite")
    tables = Tables()
    reopened.load(tables)
    reopened.close()
    note = tables.get("note", "1")
    assert note is not None

    assert note["note"] == {"text": "milk"}
    assert len(tables.rows("access_log")) == 1


def test_a_taken_port_is_named_and_nothing_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        fronts = (Front(Notebook(), "salesforce"), Front(Notebook(), "hubspot"))
        with pytest.raises(PortTakenError, match=str(port)):
            SandboxServer(fronts, (0, port), SystemClock())


@dataclass(frozen=True)
class Delivery:
    number: int
    request: HttpRequest


class Calling(Notebook):
    """A notebook that calls a target once for each note, and again while it gets no 200."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self.target = target
        self.told: list[int | None] = []

    def due_webhooks(self, at: datetime, signed_at: datetime) -> tuple[Delivery, ...]:
        del at, signed_at
        delivered = self.told.count(200)
        return tuple(
            Delivery(number, HttpRequest("POST", self.target, body=b"note"))
            for number in range(delivered, len(self.tables.rows("note")))
        )

    def webhook_answered(self, number: int, status: int | None, at: datetime) -> None:
        del number, at
        self.told.append(status)


class _Target(BaseHTTPRequestHandler):
    """Refuses its first call and takes the others."""

    statuses: ClassVar[list[int]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.statuses.pop(0))
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        del format, args


def test_webhooks_are_sent_and_their_answers_told_to_the_box() -> None:
    class Target(_Target):
        statuses: ClassVar[list[int]] = [503, 200, 200]

    with HTTPServer(("127.0.0.1", 0), Target) as target:
        listening = threading.Thread(target=target.serve_forever)
        listening.start()
        box = Calling(f"http://127.0.0.1:{target.server_port}/hook")
        with serving(box) as server:
            httpx2.post(f"{server.hubspot_url}/notes", json={})
            httpx2.post(f"{server.hubspot_url}/notes", json={})
            deadline = time.monotonic() + 10
            while box.told.count(200) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
        target.shutdown()
        listening.join()

    assert box.told == [503, 200, 200]


def test_a_target_that_is_not_there_counts_as_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    box = Calling(f"http://127.0.0.1:{port}/hook")
    with serving(box) as server:
        httpx2.post(f"{server.hubspot_url}/notes", json={})
        deadline = time.monotonic() + 10
        while not box.told and time.monotonic() < deadline:
            time.sleep(0.01)

    assert box.told[0] is None
