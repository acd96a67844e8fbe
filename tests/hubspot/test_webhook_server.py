"""The endpoint over a socket, called by the sandbox itself and by callers that mean no good."""

import socket
from collections.abc import Iterator

import httpx2
import pytest

from adapters.http_transport import NetworkTransport
from adapters.hubspot.signature import HEADER_TIME, HEADER_V3, SignedBy
from adapters.hubspot.webhook import BODY_BYTES_MAX, Endpoint
from adapters.hubspot.webhook_server import WebhookServer
from adapters.memory.refresh import MemoryRefreshes
from adapters.sandbox.hubspot.actors import ENGINE_APP_ID
from adapters.sandbox.hubspot.deliveries import CLIENT_SECRET
from domain.ids import Crm, Kind
from tests.hubspot.portal import Portal
from tests.hubspot.test_signature import AT, NOW, PUBLIC_URL, SIGNED_BY, v3
from tests.hubspot.test_webhook import GOOD

PATH = "/hubspot"


def test_the_sandboxs_webhooks_are_taken() -> None:
    portal, inbox = Portal(), MemoryRefreshes()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    public_url = f"http://127.0.0.1:{port}{PATH}"
    endpoint = Endpoint(PATH, SignedBy((CLIENT_SECRET,), public_url), inbox)
    with WebhookServer(endpoint, lambda: portal.at, port=port) as server:
        assert server.url == public_url
        portal.act("set_webhook_target", url=public_url, app_id=ENGINE_APP_ID)
        deal_id = portal.deal(amount="5")
        contact_id = portal.create("contacts", email="ada@example.com")
        portal.associate(deal_id, "contacts", contact_id)
        transport = NetworkTransport()
        statuses = []
        for delivery in portal.box.due_webhooks(portal.at):
            status = transport.send(delivery.request, timeout_seconds=5).status
            portal.box.webhook_answered(delivery.number, status, portal.at)
            statuses.append(status)
        transport.close()

    assert set(statuses) == {204}
    assert portal.box.undelivered_webhooks() == 0
    wishes = inbox.claim(Crm.HUBSPOT, at=portal.at, limit=100, lease_seconds=60)
    assert {(wish.kind, wish.record_id) for wish in wishes} == {
        (Kind.DEAL, deal_id),
        (Kind.CONTACT, contact_id),
    }


@pytest.fixture(name="server")
def served() -> Iterator[WebhookServer]:
    with WebhookServer(Endpoint(PATH, SIGNED_BY, MemoryRefreshes()), lambda: AT) as server:
        yield server


def headers() -> dict[str, str]:
    return {HEADER_V3: v3(PUBLIC_URL, body=GOOD), HEADER_TIME: NOW}


def test_a_free_port_is_taken_and_told(server: WebhookServer) -> None:
    answer = httpx2.post(server.url, content=GOOD, headers=headers())

    assert answer.status_code == 204
    assert server.port > 0


def test_a_body_without_end_is_refused_at_the_limit(server: WebhookServer) -> None:
    answer = httpx2.post(server.url, content=b"x" * (2 * BODY_BYTES_MAX), headers=headers())

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", PATH, 405),
        ("POST", "/", 404),
        ("POST", "//[", 404),
        ("POST", f"{PATH}/", 404),
        ("POST", f"{PATH}?a[=%00#", 401),
        ("DELETE", PATH, 405),
    ],
)
def test_strange_requests_are_refused(
    server: WebhookServer, method: str, path: str, status: int
) -> None:
    line = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as caller:
        caller.sendall(f"{line}Content-Length: 2\r\n\r\n[]".encode())
        answer = caller.makefile("rb").readline().decode()

    assert answer.split()[1] == str(status)


def test_a_taken_port_is_an_error(server: WebhookServer) -> None:
    with pytest.raises(OSError, match="use"):
        WebhookServer(Endpoint(PATH, SIGNED_BY, MemoryRefreshes()), lambda: AT, port=server.port)
