"""Sends webhook events: in batches of up to 100, again until the target has taken them.

What is handed out is planned again at once, so an answer that never comes (or a stop in between)
is the same as a failed one. Faults are drawn when an event is first looked at, from a counter that
is kept with the state: the same faults strike the same events in every run.
"""

import hashlib
import json
from dataclasses import dataclass

from adapters.http_transport import HttpRequest
from adapters.sandbox.hubspot import instants, signature, webhooks
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import number, row_in, text, texts_in
from adapters.sandbox.tables import JsonValue, Row, Tables

CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - a sandbox's, published
BATCH_MAX = 100
RETRIES_MAX = 10
#: HubSpot waits so long for an answer
TIMEOUT_MILLISECONDS = 5_000
#: the n-th retry comes 3^n seconds after the last attempt, ten of them within 24 hours
_RETRY_FACTOR = 3
#: how much of a delay is drawn
_JITTER = 0.2
_DELIVERIES = "webhook_delivery"
_FAULTS = "webhook_faults"
_FAULT_NAMES = ("drop", "duplicate", "reorder", "delay")
_DELAY_SECONDS_DEFAULT = 30.0
#: a delivery whose answer is not there by then was made by a process that is gone
_FORGOTTEN_MILLISECONDS = 600_000


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """One request to a webhook's target."""

    number: int
    request: HttpRequest


def set_faults(tables: Tables, wanted: Row) -> None:
    """Take these faults in place of those before.

    Args:
        tables: the state.
        wanted: `drop`, `duplicate`, `reorder`, `delay` (or the same with `_webhook`), each with a
            probability (a number with a point), a count (a whole number), or an object with
            `probability`, `count`, `seconds`; and `seed`, `delay_seconds`.

    Raises:
        ValueError: an unknown fault.
    """
    faults: Row = {"seed": wanted.get("seed", 0)}
    for name, value in wanted.items():
        if name in {"seed", "delay_seconds"}:
            continue
        short = name.removesuffix("_webhook")
        if short not in _FAULT_NAMES:
            raise ValueError(f"{name} is no webhook fault; expected {', '.join(_FAULT_NAMES)}")
        faults[short] = _fault(value, wanted)
    tables.put(_FAULTS, "standing", faults)


def _fault(value: JsonValue, wanted: Row) -> Row:
    seconds = wanted.get("delay_seconds", _DELAY_SECONDS_DEFAULT)
    if not isinstance(value, dict | int | float) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no probability or count of a webhook fault")  # noqa: TRY004
    if isinstance(value, dict):
        return {
            "probability": value.get("probability", 1.0),
            "count": value.get("count"),
            "seconds": value.get("seconds") or seconds,
        }
    if isinstance(value, int):
        return {"probability": 1.0, "count": value, "seconds": seconds}
    return {"probability": value, "count": None, "seconds": seconds}


def fault_figures(tables: Tables) -> dict[str, Row]:
    """Return by kind how many events each standing fault looked at and how many it struck."""
    standing = tables.get(_FAULTS, "standing") or {}
    return {
        f"{name}_webhook": {
            figure: number(row_in(standing, name), figure) for figure in ("matched", "struck")
        }
        for name in _FAULT_NAMES
        if name in standing
    }


def undelivered(tables: Tables) -> int:
    """Return how many events wait for their target."""
    return len(tables.rows(webhooks.EVENTS))


def due(portal: Portal, ms: int, signed_ms: int) -> tuple[WebhookDelivery, ...]:
    """Return what is to be sent at real time `ms`, stamped `signed_ms`."""
    tables = portal.tables
    if not tables.rows(webhooks.EVENTS):
        return ()
    _forget_abandoned(tables, ms)
    by_app: dict[str, list[str]] = {}
    twice: list[tuple[str, str]] = []
    for key, event in list(tables.rows(webhooks.EVENTS).items()):
        app = text(event, "app")
        if event["due_ms"] is None:
            planned = _first_look(tables, key, event, ms)
            if planned is None:
                continue
            event = planned  # noqa: PLW2901 - the row as it is now
            if event["due_ms"] == ms and _strikes(tables, "duplicate"):
                twice.append((app, key))
        due_ms = event["due_ms"]
        assert isinstance(due_ms, int)
        if due_ms <= ms and number(event, "attempt") > RETRIES_MAX:
            tables.drop(webhooks.EVENTS, key)
        elif due_ms <= ms:
            by_app.setdefault(app, []).append(key)
    deliveries = []
    for app, keys in by_app.items():
        ordered = _reordered(tables, keys)
        for start in range(0, len(ordered), BATCH_MAX):
            batch = ordered[start : start + BATCH_MAX]
            deliveries.append(_delivery(tables, app, batch, ms, signed_ms))
    # the second copies go out in deliveries of their own
    for app in by_app:
        copies = [key for owner, key in twice if owner == app]
        for start in range(0, len(copies), BATCH_MAX):
            batch = copies[start : start + BATCH_MAX]
            deliveries.append(_delivery(tables, app, batch, ms, signed_ms))
    _plan_again(tables, [key for keys in by_app.values() for key in keys], ms)
    return tuple(one for one in deliveries if one is not None)


def answered(portal: Portal, delivery: int, status: int | None, ms: int) -> None:
    """Take what a target answered: 2xx ends it, anything else is tried again later."""
    tables = portal.tables
    row = tables.get(_DELIVERIES, str(delivery))
    if row is None:
        return
    tables.drop(_DELIVERIES, str(delivery))
    is_taken = status is not None and 200 <= status < 300  # noqa: PLR2004 - success
    for key in texts_in(row, "events"):
        event = tables.get(webhooks.EVENTS, key)
        if event is None:
            continue
        attempt = number(event, "attempt")
        if is_taken or attempt > RETRIES_MAX:
            tables.drop(webhooks.EVENTS, key)
        else:
            due_ms = ms + _retry_delay(tables, attempt)
            tables.put(webhooks.EVENTS, key, {**event, "due_ms": due_ms})


def _first_look(tables: Tables, key: str, event: Row, ms: int) -> Row | None:
    """Plan an event that was just made; None if a fault loses it."""
    if _strikes(tables, "drop"):
        tables.drop(webhooks.EVENTS, key)
        return None
    due_ms = ms
    if _strikes(tables, "delay"):
        fault = row_in(tables.get(_FAULTS, "standing") or {}, "delay")
        due_ms += int(float(text(fault, "seconds")) * instants.MILLISECONDS)
    planned: Row = {**event, "due_ms": due_ms}
    tables.put(webhooks.EVENTS, key, planned)
    return planned


def _reordered(tables: Tables, keys: list[str]) -> list[str]:
    """Return the events as they are sent: where `reorder` strikes, an event changes its place."""
    standing = tables.get(_FAULTS, "standing")
    if standing is None or "reorder" not in standing:
        return keys
    places = [
        (len(keys) * _draw(tables) if _strikes(tables, "reorder") else float(place), key)
        for place, key in enumerate(keys)
    ]
    return [key for _, key in sorted(places, key=lambda placed: placed[0])]


def _plan_again(tables: Tables, keys: list[str], ms: int) -> None:
    for key in keys:
        event = tables.get(webhooks.EVENTS, key)
        if event is None:
            continue
        attempt = number(event, "attempt")
        due_ms = ms + TIMEOUT_MILLISECONDS + _retry_delay(tables, attempt + 1)
        tables.put(webhooks.EVENTS, key, {**event, "attempt": attempt + 1, "due_ms": due_ms})


def _retry_delay(tables: Tables, attempt: int) -> int:
    drawn = 1 - _JITTER + 2 * _JITTER * _draw(tables)
    return int(instants.MILLISECONDS * _RETRY_FACTOR ** (attempt - 1) * drawn)


def _delivery(
    tables: Tables, app: str, keys: list[str], ms: int, signed_ms: int
) -> WebhookDelivery | None:
    target = tables.get(webhooks.APPS, app)
    if target is None:
        for key in keys:
            tables.drop(webhooks.EVENTS, key)
        return None
    events = [tables.get(webhooks.EVENTS, key) or {} for key in keys]
    items: list[JsonValue] = [
        {**row_in(event, "item"), "attemptNumber": number(event, "attempt")} for event in events
    ]
    body = json.dumps(items, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")
    delivery = tables.next_number(_DELIVERIES)
    tables.put(_DELIVERIES, str(delivery), {"events": list[JsonValue](keys), "sent_ms": ms})
    return WebhookDelivery(delivery, _request(target, body, str(signed_ms)))


def _request(target: Row, body: bytes, timestamp: str) -> HttpRequest:
    url = text(target, "targetUrl")
    headers: list[tuple[str, str]] = [
        ("Content-Type", "application/json;charset=utf-8"),
        ("User-Agent", "HubSpot Connect 2.0 (sandbox)"),
    ]
    versions = texts_in(target, "signatures")
    if "v1" in versions:
        headers += [
            ("X-HubSpot-Signature", signature.v1(CLIENT_SECRET, body)),
            ("X-HubSpot-Signature-Version", "v1"),
        ]
    if "v3" in versions:
        headers += [
            ("X-HubSpot-Signature-v3", signature.v3(CLIENT_SECRET, "POST", url, body, timestamp)),
            ("X-HubSpot-Request-Timestamp", timestamp),
        ]
    return HttpRequest("POST", url, tuple(headers), body)


def _strikes(tables: Tables, name: str) -> bool:
    standing = tables.get(_FAULTS, "standing")
    if standing is None or name not in standing:
        return False
    fault = row_in(standing, name)
    left = fault.get("count")
    matched: Row = {**fault, "matched": number(fault, "matched") + 1}
    is_spent = isinstance(left, int) and left <= 0
    if is_spent or _draw(tables) >= float(text(fault, "probability", "1")):
        tables.put(_FAULTS, "standing", {**standing, name: matched})
        return False
    struck: Row = {**matched, "struck": number(fault, "struck") + 1}
    if isinstance(left, int):
        struck["count"] = left - 1
    tables.put(_FAULTS, "standing", {**standing, name: struck})
    return True


def _draw(tables: Tables) -> float:
    """Return the next number in [0, 1) of the seeded row."""
    seed = text(tables.get(_FAULTS, "standing") or {}, "seed", "0")
    text_drawn = f"webhook:{seed}:{tables.next_number('webhook_draw')}"
    return int.from_bytes(hashlib.sha256(text_drawn.encode()).digest()[:7], "big") / 2**56


def _forget_abandoned(tables: Tables, ms: int) -> None:
    for key, row in list(tables.rows(_DELIVERIES).items()):
        if ms - number(row, "sent_ms") > _FORGOTTEN_MILLISECONDS:
            tables.drop(_DELIVERIES, key)
