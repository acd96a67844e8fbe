"""One signed-in line to a Salesforce org: every call goes through here.

It adds what every call carries, signs in when there is no session and once more when the session
has ended, and makes exceptions of what is wrong with a call as a whole. It knows no object, field
or rule.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from adapters.http_transport import (
    HttpRequest,
    HttpResponse,
    HttpTransport,
    NoAnswerError,
    NotSentError,
)
from adapters.salesforce import auth, wire
from adapters.salesforce.auth import Grant, Session
from adapters.salesforce.errors import Meaning, Refusal, port_error
from adapters.salesforce.wire import Json, Row
from domain.errors import RetryableError, UnauthenticatedError

API_VERSION: Final = "v62.0"
#: what change events and audit trails name us by
CLIENT: Final = "dealsync"
#: Salesforce itself gives up on most calls after this
TIMEOUT_SECONDS: Final = 30.0
#: pages of one reading: 2,000 rows each, more is a mistake in the query
PAGES_MAX: Final = 1_000
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_SUCCESS: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class Usage:
    """What `Sforce-Limit-Info` said last: calls of the rolling day."""

    used: int
    allowed: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer, whatever it says."""

    status: int
    body: Json
    #: empty: the call succeeded
    refusals: tuple[Refusal, ...]


class Connection:
    """A line to one org, as one user.

    Args:
        transport: how requests travel.
        url: the org's address, or the login server's; `http://` for loopback only.
        grant: what we prove at sign-in.
        version: of the REST API.
        timeout_seconds: how long an answer may take.

    Raises:
        ValueError: the address would send secrets in the clear.
    """

    def __init__(
        self,
        *,
        transport: HttpTransport,
        url: str,
        grant: Grant,
        version: str = API_VERSION,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._transport = transport
        self._timeout_seconds = timeout_seconds
        self._url = _checked(url)
        self._grant = grant
        self._base = f"/services/data/{version}"
        self._session: Session | None = None
        #: None: no call was answered yet
        self.usage: Usage | None = None

    def session(self, at: datetime) -> Session:
        """Return the session, signing in if there is none.

        Raises:
            PortError: the sign-in failed.
        """
        if self._session is None:
            self._session = self._sign_in(at)
        return self._session

    def get(self, path: str, at: datetime, query: Mapping[str, str] | None = None) -> Json:
        """Read a resource: `path` below the API's version, or a whole path.

        Raises:
            ReadRefusedError: Salesforce refused the request itself, or knows no such record.
            PortError: it did not answer.
        """
        return wire.parse(self.get_raw(path, at, query))

    def get_raw(self, path: str, at: datetime, query: Mapping[str, str] | None = None) -> bytes:
        """Read a resource as `get` does, and return its body as it came.

        Raises:
            ReadRefusedError: as `get`.
            PortError: as `get`.
        """
        target = self._target(path, query)
        try:
            response, refusals = self._exchanged("GET", target, None, at, {})
        except (NotSentError, NoAnswerError) as error:
            raise RetryableError(
                f"expected Salesforce to answer GET {path}, found {error}"
            ) from error
        if refusals:
            raise port_error(refusals[0], f"GET {path}", at)
        return response.body

    def query(self, soql: str, at: datetime, *, include_deleted: bool = False) -> tuple[Row, ...]:
        """Return all rows of a query, page by page.

        Raises:
            PortError: as `get`.
        """
        return tuple(self._pages(soql, at, "queryAll" if include_deleted else "query"))

    def send(
        self,
        method: str,
        path: str,
        body: Json,
        at: datetime,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """Send a request and return its answer, refusals included; None is no body.

        A refused session is renewed once: the refused request had no effect.

        Raises:
            ThrottledError: Salesforce serves nobody now; no effect.
            UnauthenticatedError: it lets us not in; no effect.
            NotSentError: it was not reached; no effect.
            NoAnswerError: nobody knows whether there was an effect.
        """
        response, refusals = self._exchanged(method, path, body, at, headers or {})
        answer = None if refusals else wire.parse(response.body)
        return Answered(response.status, answer, refusals)

    def _exchanged(
        self, method: str, path: str, body: Json, at: datetime, headers: Mapping[str, str]
    ) -> tuple[HttpResponse, tuple[Refusal, ...]]:
        for is_last in (False, True):
            response = self._request(method, path, body, at, headers)
            self._read_usage(response)
            if response.status in _SUCCESS:
                return response, ()
            found = wire.refusals(response.body, response.status)
            if found[0].meaning is Meaning.SIGN_IN:
                self._session = None
                if not is_last:
                    continue
            if found[0].meaning in (Meaning.SIGN_IN, Meaning.FORBIDDEN, Meaning.THROTTLED):
                raise port_error(
                    found[0], f"{method} {path}", at, retry_after_seconds=_retry_after(response)
                )
            return response, found
        raise AssertionError("unreachable: the last round returns or raises")

    def _pages(self, soql: str, at: datetime, resource: str) -> Iterator[Row]:
        page = wire.query_page(self.get(f"/{resource}", at, {"q": soql}))
        yield from page.rows
        for _ in range(PAGES_MAX):
            if page.next_path is None:
                return
            page = wire.query_page(self.get(page.next_path, at))
            yield from page.rows
        raise RetryableError(f"expected at most {PAGES_MAX} pages from a query, found more: {soql}")

    def _target(self, path: str, query: Mapping[str, str] | None) -> str:
        whole = path if path.startswith("/services/") else f"{self._base}{path}"
        return f"{whole}?{urlencode(query, quote_via=quote)}" if query else whole

    def _request(
        self, method: str, path: str, body: Json, at: datetime, headers: Mapping[str, str]
    ) -> HttpResponse:
        session = self.session(at)
        sent = {
            "Authorization": f"Bearer {session.token}",
            "Accept": "application/json",
            "Sforce-Call-Options": f"client={CLIENT}",
            **headers,
        }
        if body is not None:
            sent["Content-Type"] = "application/json; charset=UTF-8"
        request = HttpRequest(
            method,
            f"{session.instance_url}{self._target(path, None)}",
            tuple(sent.items()),
            b"" if body is None else wire.compose(body),
        )
        return self._transport.send(request, timeout_seconds=self._timeout_seconds)

    def _sign_in(self, at: datetime) -> Session:
        request = HttpRequest(
            "POST",
            f"{self._url}/services/oauth2/token",
            (
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Accept", "application/json"),
            ),
            urlencode(self._grant.form(at)).encode(),
        )
        try:
            response = self._transport.send(request, timeout_seconds=self._timeout_seconds)
        except (NotSentError, NoAnswerError) as error:
            raise RetryableError(
                f"expected Salesforce at {self._url} to sign us in, found {error}"
            ) from error
        if response.status not in _SUCCESS:
            refusal = wire.refusals(response.body, response.status)[0]
            if refusal.meaning is Meaning.REFUSED:
                raise UnauthenticatedError(
                    f"expected Salesforce at {self._url} to sign us in, found {refusal.text};"
                    " check the user name, the app and its approval",
                    code=refusal.code,
                )
            raise port_error(refusal, "the sign-in", at)
        session = auth.session_of(wire.parse(response.body))
        _checked(session.instance_url)
        return session

    def _read_usage(self, response: HttpResponse) -> None:
        for part in (response.header("Sforce-Limit-Info") or "").split(";"):
            name, _, figures = part.strip().partition("=")
            used, _, allowed = figures.partition("/")
            if name == "api-usage" and used.isdigit() and allowed.isdigit():
                self.usage = Usage(int(used), int(allowed))


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return url.rstrip("/")
    raise ValueError(
        f"expected an https:// address for Salesforce (http:// for loopback only), found {url!r}"
    )


def _retry_after(response: HttpResponse) -> float | None:
    text = response.header("Retry-After") or ""
    return float(text) if text.isdigit() else None
