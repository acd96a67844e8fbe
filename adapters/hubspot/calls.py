"""One request to HubSpot and its answer: signed, in JSON, with refusals turned into verdicts.

It knows no path and retries nothing: whether a request may go again depends on what it was.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final
from urllib.parse import urlencode

from adapters.http_transport import (
    HttpRequest,
    HttpResponse,
    HttpTransport,
    NoAnswerError,
    NotSentError,
)
from adapters.hubspot.auth import Token
from adapters.hubspot.errors import OK_STATUSES, Problem, fail, problem_of
from adapters.hubspot.wire import Json
from domain.errors import RetryableError

#: HubSpot answers or gives up within this
TIMEOUT_SECONDS: Final = 30.0


class Calls:
    """A HubSpot account over a transport.

    Args:
        transport: the network, or a sandbox called directly.
        base_url: without a final slash.
        token: asked before every request.
        timeout_seconds: how long an answer may take.
    """

    def __init__(
        self,
        transport: HttpTransport,
        *,
        base_url: str,
        token: Token,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._timeout_seconds = timeout_seconds
        #: the account's own zone, once it is known: its midnight renews the daily limit
        self.zone: Callable[[], tzinfo] = lambda: UTC

    def token(self) -> str:
        """Return the token in use."""
        return self._token()

    def read(
        self,
        method: str,
        path: str,
        *,
        at: datetime,
        query: Sequence[tuple[str, str]] = (),
        body: Json = None,
    ) -> bytes:
        """Ask for something; return the answer's body.

        Raises:
            PortError: HubSpot did not answer, or not with what was asked for.
        """
        found = self.try_read(method, path, at=at, query=query, body=body)
        return found if isinstance(found, bytes) else fail(found)

    def try_read(
        self,
        method: str,
        path: str,
        *,
        at: datetime,
        query: Sequence[tuple[str, str]] = (),
        body: Json = None,
    ) -> bytes | Problem:
        """Ask for something; return the answer's body, or why there is none.

        Raises:
            RetryableError: no whole answer came.
        """
        try:
            response = self._send(method, path, query, body)
        except NoAnswerError as error:
            raise RetryableError(f"expected an answer to {method} {path}, found {error}") from error
        return response.body if response.status in OK_STATUSES else self._problem(response, at)

    def write(
        self,
        method: str,
        path: str,
        *,
        at: datetime,
        query: Sequence[tuple[str, str]] = (),
        body: Json = None,
    ) -> bytes | Problem | None:
        """Change something; return the answer's body, why it was refused, or None.

        None: it was sent, and no whole answer came.

        Raises:
            RetryableError: it was certainly not sent.
        """
        try:
            response = self._send(method, path, query, body)
        except NoAnswerError:
            return None
        return response.body if response.status in OK_STATUSES else self._problem(response, at)

    def _send(
        self, method: str, path: str, query: Sequence[tuple[str, str]], body: Json
    ) -> HttpResponse:
        url = self._base_url + path + (f"?{urlencode(query)}" if query else "")
        headers = [("Authorization", f"Bearer {self._token()}"), ("Accept", "application/json")]
        payload = b""
        if body is not None:
            headers.append(("Content-Type", "application/json"))
            payload = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        request = HttpRequest(method, url, tuple(headers), payload)
        try:
            return self._transport.send(request, timeout_seconds=self._timeout_seconds)
        except NotSentError as error:
            raise RetryableError(
                f"expected HubSpot at {self._base_url}, found nothing that answers: {error}"
            ) from error

    def _problem(self, response: HttpResponse, at: datetime) -> Problem:
        return problem_of(response, at=at, zone=self.zone())
