"""JSON in and out of HTTP values, for what stands around a sandbox: knows no vendor shape."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from adapters.http_transport import HttpRequest, HttpResponse
from adapters.sandbox.tables import JsonValue


class BadRequestError(Exception):
    """What the caller sent cannot be used; the message says what was expected."""


def answer(status: int, body: JsonValue, headers: tuple[tuple[str, str], ...] = ()) -> HttpResponse:
    """Return a JSON response."""
    return HttpResponse(
        status,
        (("Content-Type", "application/json;charset=utf-8"), *headers),
        json.dumps(body, ensure_ascii=False).encode(),
    )


def path_of(request: HttpRequest) -> str:
    """Return the path, still percent-encoded, without the query."""
    return urlsplit(request.url).path


def target_of(request: HttpRequest) -> str:
    """Return the path with its query, as sent."""
    parts = urlsplit(request.url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def query_number(request: HttpRequest, name: str, default: int) -> int:
    """Return a whole number ≥ 0 from the query.

    Raises:
        BadRequestError: it is something else.
    """
    found = parse_qs(urlsplit(request.url).query).get(name)
    if found is None:
        return default
    if not (found[-1].isascii() and found[-1].isdigit()):
        raise BadRequestError(f"{name}={found[-1]} is no whole number; expected 0 or more")
    return int(found[-1])


def object_of(request: HttpRequest) -> Mapping[str, JsonValue]:
    """Return the JSON object in the body; an empty body is an empty object.

    Raises:
        BadRequestError: the body is something else.
    """
    if not request.body.strip():
        return {}
    try:
        value: JsonValue = json.loads(request.body)
    except ValueError as error:
        raise BadRequestError(f"the body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadRequestError("the body must be one JSON object")
    return value


def instant(at: datetime) -> str:
    """Return an instant as ISO 8601 in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
