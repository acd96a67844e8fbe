"""What HubSpot's refusals mean: one table from status and category to a verdict.

It keeps the vendor's code, message and the properties it blames. It neither retries nor waits.

| answer | verdict |
|---|---|
| 429 `DAILY` | throttled until the account's next midnight |
| 429 otherwise | throttled for the window that the answer names, 10 s at most |
| 477 | the account is being moved: throttled, `Retry-After` believed up to an hour |
| 401; 403 `MISSING_SCOPES` | nobody let us in, or a scope is missing |
| 404, `OBJECT_NOT_FOUND` | gone |
| 409, `CONFLICT` | the unique value, name or label is taken |
| 408, 423, 425, 5xx | try again; of 408 and 5xx but 503 nobody knows whether it had its effect |
| anything else | refused |
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.http_transport import HttpResponse
from domain.errors import PortError, RetryableError, ThrottledError, UnauthenticatedError

OK_STATUSES: Final = frozenset((200, 201, 202, 204, 207))
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_TIMED_OUT: Final = 408
_CONFLICT: Final = 409
_TOO_MANY: Final = 429
_MIGRATING: Final = 477
_UNAVAILABLE: Final = 503
_SERVER_ERRORS: Final = 500
#: locked, too early: it was certainly not done
_TRY_AGAIN: Final = frozenset((423, 425))

#: HubSpot's longest burst window
BURST_SECONDS_MAX: Final = 10.0
_SECONDLY_SECONDS: Final = 1.0
#: sources disagree on the unit of Retry-After, so it is never believed for longer
MIGRATION_SECONDS_MAX: Final = 3600.0
_MESSAGE_LENGTH_MAX: Final = 2000


class Verdict(StrEnum):
    """What a refusal means for whoever asked."""

    RETRY = "retry"
    THROTTLED = "throttled"
    UNAUTHENTICATED = "unauthenticated"
    GONE = "gone"
    CONFLICT = "conflict"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal: of a whole call, or of one record of a batch."""

    verdict: Verdict
    #: the vendor's own code
    code: str
    message: str
    #: internal names of the properties it blames
    fields: tuple[str, ...] = ()
    #: the record that has the unique value already
    existing_id: str | None = None
    #: which inputs of a batch it is about; empty: HubSpot does not say
    trace_ids: tuple[str, ...] = ()
    #: which record ids it is about
    record_ids: tuple[str, ...] = ()
    #: throttled: until when
    until: datetime | None = None
    #: whether the call may have had its effect all the same
    uncertain: bool = False


class _Envelope(BaseModel):
    """HubSpot's error body; every part may be absent, and `context` holds lists of texts."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    message: str = ""
    category: str | None = None
    sub_category: str | dict[str, object] | None = Field(default=None, alias="subCategory")
    error_type: str | None = Field(default=None, alias="errorType")
    policy_name: str | None = Field(default=None, alias="policyName")
    code: str | None = None
    context: dict[str, object] = Field(default_factory=dict)
    errors: list["_Envelope"] = Field(default_factory=list)


def problem_of(response: HttpResponse, *, at: datetime, zone: tzinfo = UTC) -> Problem:
    """Read the refusal of a whole call.

    Args:
        response: an answer whose status is none of `OK_STATUSES`.
        at: our clock.
        zone: the account's own zone, whose midnight renews the daily limit.
    """
    envelope = _envelope(response.body)
    verdict = _verdict(response.status, envelope)
    return Problem(
        verdict=verdict,
        code=_code(envelope) or f"HTTP_{response.status}",
        message=_message(envelope, response),
        fields=_fields(envelope),
        existing_id=next(iter(_texts(envelope, "existingId")), None),
        record_ids=_record_ids(envelope),
        until=_until(response, envelope, at, zone) if verdict is Verdict.THROTTLED else None,
        uncertain=verdict is Verdict.RETRY
        and response.status not in _TRY_AGAIN
        and response.status != _UNAVAILABLE,
    )


def problem_of_row(row: object) -> Problem:
    """Read one element of a batch answer's `errors`."""
    envelope = _envelope(json.dumps(row).encode())
    return Problem(
        verdict=_verdict_of_row(envelope),
        code=_code(envelope) or "ERROR",
        message=envelope.message[:_MESSAGE_LENGTH_MAX],
        fields=_fields(envelope),
        existing_id=next(iter(_texts(envelope, "existingId")), None),
        trace_ids=_texts(envelope, "objectWriteTraceId"),
        record_ids=_record_ids(envelope),
    )


def fail(problem: Problem) -> NoReturn:
    """Raise what a port promises for a call that has no use for a refusal.

    Raises:
        RetryableError: the same call may succeed later.
        ThrottledError: it will not before `until`.
        UnauthenticatedError: a token or a scope is missing.
        PortError: HubSpot will not answer this call as it is.
    """
    text = f"HubSpot answered {problem.code}: {problem.message}"
    match problem.verdict:
        case Verdict.RETRY:
            raise RetryableError(text, code=problem.code)
        case Verdict.THROTTLED:
            assert problem.until is not None, "a throttled answer says until when"
            raise ThrottledError(text, until=problem.until, code=problem.code)
        case Verdict.UNAUTHENTICATED:
            raise UnauthenticatedError(text, code=problem.code)
        case Verdict.GONE | Verdict.CONFLICT | Verdict.REJECTED:
            raise PortError(text, code=problem.code)


def _envelope(body: bytes) -> _Envelope:
    try:
        return _Envelope.model_validate_json(body)
    except ValidationError:
        return _Envelope(message=body[:_MESSAGE_LENGTH_MAX].decode("utf-8", "replace"))


def _verdict(status: int, envelope: _Envelope) -> Verdict:
    if status in (_TOO_MANY, _MIGRATING):
        return Verdict.THROTTLED
    if status == _UNAUTHORIZED:
        return Verdict.UNAUTHENTICATED
    if status == _FORBIDDEN and envelope.category in ("MISSING_SCOPES", "BANNED", None):
        return Verdict.UNAUTHENTICATED
    if status == _NOT_FOUND:
        return Verdict.GONE
    if status == _CONFLICT:
        return Verdict.CONFLICT
    if status == _TIMED_OUT or status in _TRY_AGAIN or status >= _SERVER_ERRORS:
        return Verdict.RETRY
    if status in OK_STATUSES or status < _SERVER_ERRORS:
        return _verdict_of_row(envelope)
    return Verdict.REJECTED


def _verdict_of_row(envelope: _Envelope) -> Verdict:
    match envelope.category:
        case "OBJECT_NOT_FOUND":
            return Verdict.GONE
        case "CONFLICT" | "OBJECT_ALREADY_EXISTS":
            return Verdict.CONFLICT
        case "RATE_LIMITS":
            return Verdict.RETRY
        case "INTERNAL_ERROR" | "UNAVAILABLE" | "TIMEOUT":
            return Verdict.RETRY
        case "MISSING_SCOPES":
            return Verdict.UNAUTHENTICATED
        case _:
            return Verdict.REJECTED


def _code(envelope: _Envelope) -> str:
    """Return the most telling code: of the throttle's policy, else the category."""
    sub = envelope.sub_category if isinstance(envelope.sub_category, str) else None
    return (
        envelope.policy_name or sub or envelope.category or envelope.error_type or envelope.code
    ) or ""


def _message(envelope: _Envelope, response: HttpResponse) -> str:
    text = envelope.message or f"status {response.status} without a message"
    missing = _texts(envelope, "requiredGranularScopes")
    if missing:
        text = f"{text} Missing: {', '.join(missing)}; give them to the private app."
    return text[:_MESSAGE_LENGTH_MAX]


def _fields(envelope: _Envelope) -> tuple[str, ...]:
    """Return the blamed properties, each once, in the order of the answer."""
    names = [*_texts(envelope, "propertyName"), *_texts(envelope, "properties")]
    for part in envelope.errors:
        names.extend(_texts(part, "propertyName"))
    names.extend(_names_in_message(envelope.message))
    return tuple(dict.fromkeys(names))


def _names_in_message(message: str) -> list[str]:
    """Return the names in a message that ends with a JSON list of refused values."""
    start = message.find("[{")
    if start < 0:
        return []
    try:
        rows = json.loads(message[start : message.rindex("]") + 1])
    except ValueError:
        return []
    return [row["name"] for row in rows if isinstance(row, dict) and isinstance(row["name"], str)]


def _texts(envelope: _Envelope, name: str) -> tuple[str, ...]:
    found = envelope.context.get(name)
    if isinstance(found, list):
        return tuple(str(part) for part in found)
    return () if found is None else (str(found),)


def _record_ids(envelope: _Envelope) -> tuple[str, ...]:
    ids = _texts(envelope, "ids") or _texts(envelope, "id")
    return ids or _texts(envelope, "fromObjectId")


def _until(response: HttpResponse, envelope: _Envelope, at: datetime, zone: tzinfo) -> datetime:
    if response.status == _MIGRATING:
        asked = _number(response.header("Retry-After"), MIGRATION_SECONDS_MAX)
        return at + timedelta(seconds=min(asked, MIGRATION_SECONDS_MAX))
    if envelope.policy_name == "DAILY":
        return _next_midnight(at, zone)
    if envelope.policy_name == "SECONDLY":
        return at + timedelta(seconds=_SECONDLY_SECONDS)
    window = _number(
        response.header("X-HubSpot-RateLimit-Interval-Milliseconds"), BURST_SECONDS_MAX * 1000
    )
    return at + timedelta(seconds=min(window / 1000, BURST_SECONDS_MAX))


def _next_midnight(at: datetime, zone: tzinfo) -> datetime:
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).astimezone(UTC)


def _number(text: str | None, default: float) -> float:
    return float(text) if text is not None and text.isascii() and text.isdigit() else default
