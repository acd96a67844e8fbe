"""One signed-in request on its way through the account, and what is learned on that way."""

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

from adapters.http_transport import HttpRequest
from adapters.sandbox.hubspot.errors import ApiError, invalid_json
from adapters.sandbox.hubspot.portal import Edit
from adapters.sandbox.hubspot.rows import text, whole
from adapters.sandbox.tables import JsonValue, Row


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer; no body is an empty one."""

    status: int
    body: Row | None = None


NO_CONTENT = Reply(204)


@dataclass(slots=True)
class Call:
    """A request, read; `records` and `changed` are filled in for the access log."""

    method: str
    #: percent-decoded, without empty ones
    segments: tuple[str, ...]
    query: dict[str, list[str]]
    raw_body: bytes
    edit: Edit
    #: scheme and host as asked for, for links to the next page
    origin: str
    records: list[str] = field(default_factory=list)
    changed: bool = False

    @property
    def path(self) -> str:
        """Return the path as it reads."""
        return "/" + "/".join(self.segments)

    def body(self) -> Row:
        """Return the JSON object that was sent; numbers with a point keep their text.

        Raises:
            ApiError: something else was sent.
        """
        try:
            value: JsonValue = json.loads(self.raw_body, parse_float=str)
        except (ValueError, RecursionError) as error:
            raise invalid_json("JSON") from error
        if not isinstance(value, dict):
            raise invalid_json("one object")
        return value

    def one(self, name: str, default: str = "") -> str:
        """Return a query parameter, the last if it was sent twice."""
        found = self.query.get(name)
        return found[-1] if found else default

    def flag(self, name: str) -> bool:
        """Return whether a query parameter is `true`."""
        return self.one(name).lower() == "true"

    def many(self, name: str) -> list[str]:
        """Return a query parameter that may be repeated or joined by commas."""
        return [part for value in self.query.get(name, ()) for part in value.split(",") if part]

    def limit(self, default: int, highest: int) -> int:
        """Return the page size asked for.

        Raises:
            ApiError: it is no number or too high.
        """
        asked = self.one("limit", str(default))
        limit = whole(asked)
        if limit is None or not 1 <= limit <= highest:
            raise ApiError(400, f"limit={asked} must be a number from 1 to {highest}")
        return limit

    def after(self) -> int:
        """Return where the page asked for begins; 0 without it.

        Raises:
            ApiError: it is no number.
        """
        asked = self.one("after", "0")
        after = whole(asked)
        if after is None:
            raise ApiError(400, f"after={asked} is not valid")
        return after


def split(request: HttpRequest) -> tuple[str, tuple[str, ...], dict[str, list[str]]]:
    """Return origin, path segments and query of a request."""
    scheme_end = request.url.find("://")
    path_start = request.url.find("/", scheme_end + 3 if scheme_end >= 0 else 0)
    origin, target = request.url[:path_start], request.url[path_start:]
    target = target.partition("#")[0]
    path, _, query = target.partition("?")
    decoded = unquote if "%" in path else str
    segments = tuple(decoded(part) for part in path.split("/") if part)
    return origin, segments, parse_qs(query, keep_blank_values=True) if query else {}


def needed(body: Row, name: str) -> str:
    """Return a text that a body must have.

    Raises:
        ApiError: it has none.
    """
    value = text(body, name)
    if not value:
        raise invalid_json(f"{name}")
    return value
