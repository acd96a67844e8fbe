"""Which faults a sandbox has been told to show, and which of them strike a given request.

Deterministic: whether a fault strikes depends on the seed, the fault's place in the list, and how
many requests it has matched, never on time or chance. What a fault does to an answer is `front`'s
and, for webhooks, the box's.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from adapters.sandbox.json_http import BadRequestError
from adapters.sandbox.tables import JsonValue, Row, Tables

RequestFault: TypeAlias = Literal[
    "delay", "error", "throttle", "timeout_after_commit", "reset_before", "partial"
]
WebhookFault: TypeAlias = Literal[
    "drop_webhook", "duplicate_webhook", "reorder_webhook", "delay_webhook"
]
REQUEST_KINDS: tuple[str, ...] = get_args(RequestFault)
WEBHOOK_KINDS: tuple[str, ...] = get_args(WebhookFault)

TABLE = "fault"
SEED_TABLE = "fault_seed"
#: each request is held against each fault
FAULTS_MAX = 100
#: an answer held back longer outlives every client
DELAY_SECONDS_MAX = 3_600.0
ERROR_STATUS_DEFAULT = 503
ERROR_STATUS_MIN = 400
ERROR_STATUS_MAX = 599
_KNOWN_KEYS = frozenset(
    {
        *("kind", "match", "count", "probability", "seconds"),
        *("status", "retry_after", "rows", "code", "message"),
    }
)
_KNOWN_MATCHES = frozenset({"method", "path", "who"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as it was asked for."""

    kind: str
    #: None matches every method
    method: str | None = None
    #: regular expression searched in path and query
    path: str | None = None
    #: user name or token; None matches everybody
    who: str | None = None
    #: strikes at most so often; None for ever
    count: int | None = None
    probability: float = 1.0
    #: of delay: how long the answer is held back, after the change was made
    seconds: float = 0.0
    #: of error
    status: int = ERROR_STATUS_DEFAULT
    #: of error and throttle: the header's value, in seconds
    retry_after: int | None = None
    #: of partial: how many rows fail
    rows: int = 1
    #: of error: the vendor's error code or category instead of the usual one
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that strikes one request; `draw` is where its further randomness comes from."""

    fault: Fault
    draw: str


def replace(tables: Tables, faults: Sequence[Fault], seed: int) -> None:
    """Forget the faults that stood, and let these stand from now on."""
    for key in list(tables.rows(TABLE)):
        tables.drop(TABLE, key)
    tables.put(SEED_TABLE, "seed", {"seed": seed})
    for index, fault in enumerate(faults):
        tables.put(TABLE, str(index), {"fault": as_json(fault), "matched": 0, "struck": 0})


def standing(tables: Tables, of_webhooks: Mapping[str, Row]) -> tuple[Row, ...]:
    """Return each fault with how many requests it matched and how many it struck.

    Args:
        tables: the sandbox's state.
        of_webhooks: `matched` and `struck` by kind of the faults that strike a webhook's events,
            which the box counts; of several of one kind the last one stands.
    """
    found: list[Row] = []
    counted = dict(of_webhooks)
    for row in reversed(list(tables.rows(TABLE).values())):
        fault = parsed_row(row)
        figures: Row = {"matched": row["matched"], "struck": row["struck"]}
        found.append({**fault, **counted.pop(str(fault["kind"]), figures)})
    return tuple(reversed(found))


def parsed_row(row: Row) -> Row:
    """Return the fault part of a stored row."""
    fault = row["fault"]
    assert isinstance(fault, dict), "a stored fault is a JSON object"
    return fault


def seed(tables: Tables) -> int:
    """Return the seed given with the standing faults; 0 if none was."""
    row = tables.get(SEED_TABLE, "seed")
    return 0 if row is None else int(str(row["seed"]))


def strikes(
    tables: Tables, method: str, target: str, who: str, batch_rows: int
) -> tuple[Strike, ...]:
    """Return the faults that strike this request, in their order, and count them.

    A fault after one that ends the request (error, throttle, reset before) is not reached, so it
    is not counted.

    Args:
        tables: the sandbox's state.
        method: of the request.
        target: path and query as sent.
        who: user name or token, "" if nobody is signed in.
        batch_rows: rows in the request's batch; `partial` needs two, since one must get through.
    """
    struck: list[Strike] = []
    for key, row in list(tables.rows(TABLE).items()):
        fault = from_json(parsed_row(row))
        if fault.kind in WEBHOOK_KINDS or not _matches(fault, method, target, who):
            continue
        if fault.kind == "partial" and batch_rows < 2:  # noqa: PLR2004 - see batch_rows
            continue
        matched, so_far = int(str(row["matched"])), int(str(row["struck"]))
        draw = f"{seed(tables)}:{key}:{matched}"
        spent = fault.count is not None and so_far >= fault.count
        hit = not spent and fraction(draw) < fault.probability
        tables.put(TABLE, key, {**row, "matched": matched + 1, "struck": so_far + int(hit)})
        if hit:
            struck.append(Strike(fault, draw))
            if fault.kind in {"error", "throttle", "reset_before"}:
                break
    return tuple(struck)


def fraction(draw: str) -> float:
    """Return a number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(draw.encode()).digest()[:7], "big") / 2**56


def chosen_rows(strike: Strike, rows: int) -> frozenset[int]:
    """Return which of a batch's rows a `partial` fault fails: at least one, never all."""
    by_draw = sorted(range(rows), key=lambda row: fraction(f"{strike.draw}:{row}"))
    return frozenset(by_draw[: min(strike.fault.rows, rows - 1)])


def of_webhooks(tables: Tables) -> dict[str, JsonValue]:
    """Return the standing webhook faults by kind, with the seed; {} if none stands."""
    found: dict[str, JsonValue] = {
        str(fault["kind"]): fault
        for fault in (parsed_row(row) for row in tables.rows(TABLE).values())
        if fault["kind"] in WEBHOOK_KINDS
    }
    return {**found, "seed": seed(tables)} if found else {}


def _matches(fault: Fault, method: str, target: str, who: str) -> bool:
    return (
        (fault.method is None or fault.method.upper() == method.upper())
        and (fault.path is None or re.search(fault.path, target) is not None)
        and (fault.who is None or fault.who == who)
    )


def as_json(fault: Fault) -> Row:
    """Return the fault in the shape it is asked for in, without what is not set."""
    match: Row = {
        name: value
        for name, value in (("method", fault.method), ("path", fault.path), ("who", fault.who))
        if value is not None
    }
    optional: Row = {
        name: value
        for name, value in (
            ("count", fault.count),
            ("retry_after", fault.retry_after),
            ("code", fault.code),
            ("message", fault.message),
        )
        if value is not None
    }
    return {
        "kind": fault.kind,
        "match": match,
        "probability": fault.probability,
        "seconds": fault.seconds,
        "status": fault.status,
        "rows": fault.rows,
        **optional,
    }


def from_json(asked: Mapping[str, JsonValue]) -> Fault:
    """Return the fault that a JSON object asks for.

    Raises:
        BadRequestError: an unknown key, kind or value; the message names it.
    """
    _refuse_unknown(asked, _KNOWN_KEYS, "a fault")
    kind = asked.get("kind")
    if kind not in REQUEST_KINDS + WEBHOOK_KINDS:
        known = ", ".join(REQUEST_KINDS + WEBHOOK_KINDS)
        raise BadRequestError(f"kind {kind!r} is unknown; expected one of {known}")
    match = asked.get("match", {})
    if not isinstance(match, dict):
        raise BadRequestError("match must be an object with method, path, who")
    _refuse_unknown(match, _KNOWN_MATCHES, "match")
    path = _text(match, "path")
    if path is not None:
        try:
            re.compile(path)
        except re.error as error:
            raise BadRequestError(f"path {path!r} is no regular expression: {error}") from error
    return Fault(
        kind=str(kind),
        method=_text(match, "method"),
        path=path,
        who=_text(match, "who"),
        count=_whole(asked, "count", 0, 2**31),
        probability=_number(asked, "probability", 1.0, 1.0),
        seconds=_number(asked, "seconds", 0.0, DELAY_SECONDS_MAX),
        status=_whole(asked, "status", ERROR_STATUS_MIN, ERROR_STATUS_MAX) or ERROR_STATUS_DEFAULT,
        retry_after=_whole(asked, "retry_after", 0, 2**31),
        rows=_whole(asked, "rows", 1, 2**31) or 1,
        code=_text(asked, "code"),
        message=_text(asked, "message"),
    )


def many_from_json(asked: Mapping[str, JsonValue]) -> tuple[tuple[Fault, ...], int]:
    """Return the faults and the seed that a request to the control API asks for.

    Raises:
        BadRequestError: as `from_json`, or there are too many.
    """
    _refuse_unknown(asked, frozenset({"faults", "seed"}), "the request")
    listed = asked.get("faults")
    if not isinstance(listed, list) or len(listed) > FAULTS_MAX:
        raise BadRequestError(f"faults must be a list of at most {FAULTS_MAX}; [] clears")
    found: list[Fault] = []
    for fault in listed:
        if not isinstance(fault, dict):
            raise BadRequestError("each fault must be an object with a kind")
        found.append(from_json(fault))
    return tuple(found), _whole(asked, "seed", -(2**63), 2**63) or 0


def _refuse_unknown(given: Mapping[str, JsonValue], known: frozenset[str], where: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise BadRequestError(
            f"{where} knows no {', '.join(unknown)}; expected {', '.join(sorted(known))}"
        )


def _text(given: Mapping[str, JsonValue], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise BadRequestError(f"{name} must be text")
    return value


def _whole(given: Mapping[str, JsonValue], name: str, lowest: int, highest: int) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise BadRequestError(f"{name} must be a whole number from {lowest} to {highest}")
    return value


def _number(given: Mapping[str, JsonValue], name: str, default: float, highest: float) -> float:
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
        raise BadRequestError(f"{name} must be a number from 0 to {highest}")
    return float(value)
