"""Serves the webhook endpoint on this machine: a thin skin over `webhook.accept`.

Bodies are read up to the limit and no further; the judgement and the store run in a worker thread,
so a slow store holds up no other request.
"""

import socket
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final, Self

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.http_transport import HttpRequest
from adapters.hubspot.webhook import BODY_BYTES_MAX, Endpoint, accept

LOOPBACK: Final = "127.0.0.1"
#: connections that the system holds for us while others are being answered
BACKLOG: Final = 128
#: how long a stop waits for requests that are under way
STOP_SECONDS: Final = 5
#: requests served at one time; HubSpot sends ten
CONCURRENCY_MAX: Final = 200
KEEP_ALIVE_SECONDS: Final = 30


class WebhookApplication:
    """The endpoint as an ASGI application.

    Args:
        endpoint: where webhooks arrive.
        now: our clock.
    """

    def __init__(self, endpoint: Endpoint, now: Callable[[], datetime]) -> None:
        self._endpoint = endpoint
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak HTTP for `accept`."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            body = await _body(request)
        except ClientDisconnect:
            return
        path = scope["raw_path"].decode("latin-1")
        answer = await run_in_threadpool(
            accept, _request(scope, path, body), path, self._endpoint, self._now()
        )
        response = Response(answer.body, answer.status, dict(answer.headers))
        await response(scope, receive, send)


class WebhookServer:
    """The endpoint on a port, served by a thread of its own.

    The port is taken at once, answers come after `start`.

    Args:
        endpoint: where webhooks arrive.
        now: our clock.
        port: 0 takes a free one.
        host: the address to listen on.

    Raises:
        OSError: the port is taken.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        now: Callable[[], datetime],
        *,
        port: int = 0,
        host: str = LOOPBACK,
    ) -> None:
        self._socket = _listening(host, port)
        self.port = int(self._socket.getsockname()[1])
        #: where it can be called on this machine
        self.url = f"http://{host}:{self.port}{endpoint.path}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                WebhookApplication(endpoint, now),
                lifespan="off",
                ws="none",
                loop="asyncio",
                http="h11",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=CONCURRENCY_MAX,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name="hubspot-webhooks",
            daemon=True,
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End after the requests under way, and free the port."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=2 * STOP_SECONDS)
        self._socket.close()


async def _body(request: Request) -> bytes:
    """Return the body; of one that is too large, just more than the limit."""
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > BODY_BYTES_MAX:
            break
    return bytes(chunks[: BODY_BYTES_MAX + 1])


def _request(scope: Scope, path: str, body: bytes) -> HttpRequest:
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    )
    query = scope["query_string"].decode("latin-1")
    return HttpRequest(scope["method"], f"{path}?{query}" if query else path, headers, body)


def _listening(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
