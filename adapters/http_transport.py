"""How a request reaches a CRM: one port, by network or by direct call.

The gateways and sources speak only to `HttpTransport`. In production it is httpx2; in the simulator
and in many tests it is a sandbox's `answer` called directly, so the real gateways meet the same
sandbox without a socket.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import httpx2
from typing_extensions import override


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request as it goes over the wire."""

    method: str
    #: absolute, with the query already encoded
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first header of that name, in any case, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One answer as it came over the wire."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first header of that name, in any case, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class NotSentError(Exception):
    """The request certainly had no effect: the connection was refused or never made."""


class NoAnswerError(Exception):
    """The request may have had its effect: it was sent, and no whole answer came back."""


class HttpTransport(Protocol):
    """Sends one request and waits for its answer."""

    def send(self, request: HttpRequest, *, timeout_seconds: float) -> HttpResponse:
        """Send `request`.

        Raises:
            NotSentError: it certainly had no effect.
            NoAnswerError: nobody knows whether it had one.
        """
        ...


class NetworkTransport(HttpTransport):
    """The real thing, on httpx2 with kept connections; never follows a redirect."""

    def __init__(self) -> None:
        self._client = httpx2.Client(follow_redirects=False, trust_env=False)

    @override
    def send(self, request: HttpRequest, *, timeout_seconds: float) -> HttpResponse:
        try:
            answer = self._client.request(
                request.method,
                request.url,
                headers=list(request.headers),
                content=request.body,
                timeout=timeout_seconds,
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise NotSentError(str(error)) from error
        except httpx2.TransportError as error:
            raise NoAnswerError(f"{type(error).__name__}: {error}") from error
        return HttpResponse(answer.status_code, tuple(answer.headers.multi_items()), answer.content)

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()


class DirectTransport(HttpTransport):
    """Calls a sandbox's `answer(request, at)` in this thread: no socket, no waiting."""

    def __init__(
        self, answer: Callable[[HttpRequest, datetime], HttpResponse], now: Callable[[], datetime]
    ) -> None:
        self._answer = answer
        self._now = now

    @override
    def send(self, request: HttpRequest, *, timeout_seconds: float) -> HttpResponse:
        return self._answer(request, self._now())
