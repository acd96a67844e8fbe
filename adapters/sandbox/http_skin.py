"""Speaks HTTP for both sandboxes on this machine: loopback sockets, threads, one lock per CRM.

Requests of one CRM are answered one after the other, and a change is saved before its answer
leaves. Decides nothing about what is answered: that is `front`'s and the boxes'.
"""

import asyncio
import errno
import logging
import socket
import threading
from collections.abc import Callable
from datetime import datetime

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from adapters.clock import Clock
from adapters.http_transport import HttpRequest
from adapters.sandbox.front import Front, FrontAnswer
from adapters.sandbox.store import Store
from adapters.sandbox.webhook_sender import WebhookBox, WebhookSender

LOOPBACK = "127.0.0.1"
#: larger than any batch that a vendor takes
BODY_BYTES_MAX = 32 * 1024 * 1024
#: connections that the system holds for us while one is being answered
BACKLOG = 512
#: how long a stop waits for answers that are under way
STOP_SECONDS = 1


class PortTakenError(Exception):
    """Another program listens on the port; the message says which port and what to do."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"port {port} on {LOOPBACK} is taken by another program; stop that one, or choose"
            " another port (0 takes a free one)"
        )
        self.port = port


class _DroppedOnPurpose(logging.Filter):
    """Keeps quiet about the connections that a fault closed; uvicorn takes each for our bug."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        return "without completing response" not in record.getMessage()


logging.getLogger("uvicorn.error").addFilter(_DroppedOnPurpose())


class Skin:
    """One CRM as an ASGI application."""

    def __init__(
        self, front: Front, store: Store | None, clock: Clock, answered: Callable[[], None]
    ) -> None:
        """Take the front; without a store nothing outlives the process."""
        self._front = front
        self._store = store
        self._clock = clock
        self._answered = answered
        self.lock = threading.Lock()

    def save(self) -> None:
        """Save what changed; the caller holds the lock."""
        if self._store is not None:
            self._store.save(self._front.box.tables)

    def answer(self, request: HttpRequest, at: datetime) -> FrontAnswer:
        """Answer one request, and save what it changed before that is known to anybody."""
        with self.lock:
            answered = self._front.answer(request, at)
            self.save()
        self._answered()
        return answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak HTTP for `answer`; the box is asked in this thread, it waits for nothing."""
        assert scope["type"] == "http", "the sandbox speaks HTTP only"
        body = await _body(Request(scope, receive))
        if body is None:
            await Response("the body is too large", 413)(scope, receive, send)
            return
        answered = self.answer(_request(scope, body), self._clock.now())
        if answered.delay_seconds:
            await asyncio.sleep(answered.delay_seconds)
        if answered.drop_connection:
            # A length is promised and nothing sent: the server closes such a connection, and no
            # client takes what came for an answer.
            cut_off = [(b"content-length", b"1")]
            await send({"type": "http.response.start", "status": 200, "headers": cut_off})
            return
        response = Response(answered.response.body, answered.response.status)
        response.raw_headers.extend(
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in answered.response.headers
            if name.lower() != "content-length"
        )
        await response(scope, receive, send)


async def _body(request: Request) -> bytes | None:
    """Return the whole body, None if it is too large."""
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > BODY_BYTES_MAX:
            return None
    return bytes(chunks)


def _request(scope: Scope, body: bytes) -> HttpRequest:
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    )
    host = next((value for name, value in headers if name == "host"), LOOPBACK)
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    url = f"http://{host}{path}" + (f"?{query}" if query else "")
    return HttpRequest(scope["method"], url, headers, body)


class _Listener:
    """One port with its uvicorn server in a thread."""

    def __init__(self, skin: Skin, port: int) -> None:
        self._socket = _listening(port)
        self.url = f"http://{LOOPBACK}:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=[Mount("/", app=skin)]),
                lifespan="off",
                ws="none",
                loop="asyncio",
                http="h11",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name=f"sandbox-{self.url}",
            daemon=True,
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=2 * STOP_SECONDS)
        self._socket.close()


def _listening(port: int) -> socket.socket:
    """Return a socket that listens on the port already, so a connection made now is answered.

    Raises:
        PortTakenError: another program has the port.
    """
    # asyncio sends small packets at once only where the protocol is named; else each answer of two
    # packets waits 40 ms for the client's delayed acknowledgement
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(port) from error
        raise
    return listening


class SandboxServer:
    """Both sandboxes on their ports. Ports are taken at once, answers come after `start`."""

    def __init__(
        self,
        fronts: tuple[Front, Front],
        ports: tuple[int, int],
        clock: Clock,
        stores: tuple[Store, Store] | None = None,
    ) -> None:
        """Take Salesforce's and HubSpot's part of each pair, in this order.

        Raises:
            PortTakenError: another program has one of the ports.
        """
        self._stores = stores
        salesforce_store, hubspot_store = stores or (None, None)
        hubspot = fronts[1].box
        self._sender: WebhookSender | None = None
        self._salesforce = Skin(fronts[0], salesforce_store, clock, answered=lambda: None)
        self._hubspot = Skin(fronts[1], hubspot_store, clock, answered=self._wake_sender)
        if isinstance(hubspot, WebhookBox):
            self._sender = WebhookSender(hubspot, self._hubspot.lock, self._hubspot.save, clock)
        listeners: list[_Listener] = []
        try:
            listeners.append(_Listener(self._salesforce, ports[0]))
            listeners.append(_Listener(self._hubspot, ports[1]))
        except PortTakenError:
            for listener in listeners:
                listener.stop()
            raise
        self._listeners = listeners

    @property
    def salesforce_url(self) -> str:
        """Return the base URL of the Salesforce sandbox, without a final slash."""
        return self._listeners[0].url

    @property
    def hubspot_url(self) -> str:
        """Return the base URL of the HubSpot sandbox, without a final slash."""
        return self._listeners[1].url

    def start(self) -> None:
        """Begin to answer, in threads of its own; returns at once."""
        for listener in self._listeners:
            listener.start()
        if self._sender is not None:
            self._sender.start()

    def stop(self) -> None:
        """End: answer what is under way, free the ports, close the files."""
        if self._sender is not None:
            self._sender.stop()
        for listener in self._listeners:
            listener.stop()
        for store in self._stores or ():
            store.close()

    def _wake_sender(self) -> None:
        if self._sender is not None:
            self._sender.wake()
