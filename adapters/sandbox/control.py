"""The control API of a sandbox, under `/sandbox/`: what no CRM offers and every test needs.

health, access log, reset, faults, record clock, screen actions, and its own documentation. Never
logged in the access log, except that a screen action is what a person did and so is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from adapters.http_transport import HttpRequest, HttpResponse
from adapters.sandbox import access_log, documentation, faults, json_http, record_clock
from adapters.sandbox.box import ActionRefusedError, Box
from adapters.sandbox.faults import WEBHOOK_KINDS
from adapters.sandbox.json_http import BadRequestError
from adapters.sandbox.tables import JsonValue, Row
from adapters.sandbox.vendor_errors import Crm

PREFIX = "/sandbox/"


@runtime_checkable
class SendsWebhooks(Protocol):
    """A box that sends webhooks, and can be told to send them badly."""

    def set_webhook_faults(self, asked: dict[str, JsonValue]) -> None:
        """Take these webhook faults, by kind, in place of those before."""
        ...

    def webhook_fault_figures(self) -> dict[str, Row]:
        """Return by kind how many events a standing fault `matched` and how many it `struck`."""
        ...

    def undelivered_webhooks(self) -> int:
        """Return how many events are waiting to be delivered."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One control call: what was asked, of which sandbox, when (real time)."""

    box: Box
    crm: Crm
    request: HttpRequest
    at: datetime


def answer(box: Box, crm: Crm, request: HttpRequest, at: datetime) -> HttpResponse:
    """Answer a request to the control API."""
    name = json_http.path_of(request).removeprefix("/sandbox").strip("/")
    method = "GET" if request.method == "HEAD" else request.method
    call = _CALLS.get((method, name))
    if call is None:
        return _error(404, f"no control call {method} {PREFIX}{name}; GET {PREFIX} lists them")
    try:
        return call(Asked(box, crm, request, at))
    except BadRequestError as error:
        return _error(400, str(error))


def _health(asked: Asked) -> HttpResponse:
    webhooks: Row = (
        {"undelivered_webhooks": asked.box.undelivered_webhooks()}
        if isinstance(asked.box, SendsWebhooks)
        else {}
    )
    return json_http.answer(
        200, {"status": "ok", "crm": asked.crm, "at": json_http.instant(asked.at), **webhooks}
    )


def _access_log(asked: Asked) -> HttpResponse:
    after = json_http.query_number(asked.request, "after", default=0)
    return json_http.answer(200, {"calls": access_log.calls_after(asked.box.tables, after)})


def _reset(asked: Asked) -> HttpResponse:
    last_number = access_log.last_number(asked.box.tables)
    asked.box.tables.clear()
    access_log.restart_after(asked.box.tables, last_number)
    asked.box.seed_basics(asked.at)
    if isinstance(asked.box, SendsWebhooks):
        asked.box.set_webhook_faults({})
    return json_http.answer(200, {"status": "reset"})


def _faults(asked: Asked) -> HttpResponse:
    box = asked.box
    of_webhooks = box.webhook_fault_figures() if isinstance(box, SendsWebhooks) else {}
    standing: list[JsonValue] = [*faults.standing(box.tables, of_webhooks)]
    return json_http.answer(200, {"faults": standing, "seed": faults.seed(box.tables)})


def _set_faults(asked: Asked) -> HttpResponse:
    wanted, seed = faults.many_from_json(json_http.object_of(asked.request))
    sends_webhooks = isinstance(asked.box, SendsWebhooks)
    if not sends_webhooks and any(fault.kind in WEBHOOK_KINDS for fault in wanted):
        raise BadRequestError("this CRM sends no webhooks; send webhook faults to HubSpot's port")
    faults.replace(asked.box.tables, wanted, seed)
    if isinstance(asked.box, SendsWebhooks):
        asked.box.set_webhook_faults(faults.of_webhooks(asked.box.tables))
    return _faults(asked)


def _clock(asked: Asked) -> HttpResponse:
    return json_http.answer(
        200,
        {
            "offset_seconds": record_clock.offset_seconds(asked.box.tables),
            "record_at": json_http.instant(record_clock.record_at(asked.box.tables, asked.at)),
        },
    )


def _set_clock(asked: Asked) -> HttpResponse:
    match dict(json_http.object_of(asked.request)):
        case {"offset_seconds": int() | float() as seconds, **rest} if not rest:
            offset = seconds
        case {"advance_seconds": int() | float() as seconds, **rest} if not rest:
            # asked by a limit first: a whole number in JSON can be too large for a float
            offset = record_clock.offset_seconds(asked.box.tables) + _limited(seconds)
        case _:
            raise BadRequestError('expected {"offset_seconds": x} or {"advance_seconds": x}')
    record_clock.set_offset(asked.box.tables, _limited(offset))
    return _clock(asked)


def _limited(seconds: float) -> float:
    if not abs(seconds) <= record_clock.OFFSET_SECONDS_MAX:  # so that NaN is refused too
        raise BadRequestError("the clock can be moved by a hundred years at most")
    return float(seconds)


def _act(asked: Asked) -> HttpResponse:
    arguments = dict(json_http.object_of(asked.request))
    action = arguments.pop("action", None)
    if not isinstance(action, str):
        raise BadRequestError('expected {"action": name, "as": user, …}')
    try:
        answered = asked.box.act(action, arguments, asked.at)
    except ActionRefusedError as error:
        return _error(400, str(error))
    access_log.append(asked.box.tables, access_log.ACTION_METHOD, action, answered, asked.at)
    return answered.response


def _documentation(asked: Asked) -> HttpResponse:
    return documentation.page(asked.crm)


def _error(status: int, message: str) -> HttpResponse:
    return json_http.answer(status, {"error": message})


_CALLS: Mapping[tuple[str, str], Callable[[Asked], HttpResponse]] = {
    ("GET", ""): _documentation,
    ("GET", "health"): _health,
    ("GET", "access-log"): _access_log,
    ("POST", "reset"): _reset,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _set_faults,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _set_clock,
    ("POST", "actions"): _act,
}
