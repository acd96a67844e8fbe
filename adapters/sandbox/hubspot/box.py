"""The HubSpot sandbox itself: sign-in, limits, routing, errors; and its webhooks.

Record times are those of the sandbox's record clock; limits, retries and signatures keep real
time. Nothing is remembered outside `tables`.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from typing_extensions import override

from adapters.http_transport import HttpRequest, HttpResponse
from adapters.sandbox import record_clock
from adapters.sandbox.box import Answer, Box
from adapters.sandbox.hubspot import (
    account,
    actions,
    actors,
    default_properties,
    deliveries,
    instants,
    limits,
    owners,
    pipelines,
    router,
)
from adapters.sandbox.hubspot.actors import PERSON
from adapters.sandbox.hubspot.call import Call, Reply, split
from adapters.sandbox.hubspot.deliveries import WebhookDelivery
from adapters.sandbox.hubspot.errors import ApiError
from adapters.sandbox.hubspot.portal import Edit, Portal, edit_of
from adapters.sandbox.tables import JsonValue, Row, Tables

_JSON = ("Content-Type", "application/json;charset=utf-8")
#: larger requests are refused, as by HubSpot's own front
BODY_BYTES_MAX = 20_000_000


class HubSpotSandbox(Box):
    """One HubSpot account."""

    def __init__(self, tables: Tables | None = None) -> None:
        """Take the state; without one, an account that `seed_basics` has to fill."""
        self.tables = Tables() if tables is None else tables
        self._portal = Portal(self.tables)

    @override
    def answer(self, request: HttpRequest, at: datetime) -> Answer:
        authorization = request.header("Authorization") or account.token_in_body(request)
        token = actors.token_of(authorization)
        headers: limits.Headers = ()
        call: Call | None = None
        try:
            actor = actors.signed_in(authorization)
            origin, segments, query = split(request)
            headers = limits.count(
                self._portal,
                actor,
                instants.milliseconds(at),
                is_search=segments[-1:] == ("search",),
            )
            _refuse_too_large(request)
            call = Call(
                request.method, segments, query, request.body, self._edit(actor, at), origin
            )
            reply = router.answer(self._portal, call)
            response = _response(reply, headers)
        except ApiError as error:
            response = _refusal(error, request, at, headers)
        if call is None:
            return Answer(response, who=token)
        return Answer(response, token, tuple(dict.fromkeys(call.records)), call.changed)

    @override
    def act(self, action: str, arguments: Mapping[str, JsonValue], at: datetime) -> Answer:
        done = actions.act(self._portal, action, arguments, self._edit(PERSON, at))
        response = _response(Reply(200, done.body), ())
        return Answer(response, PERSON.token, done.records, changed=True)

    @override
    def who(self, request: HttpRequest, at: datetime) -> str:
        authorization = request.header("Authorization") or account.token_in_body(request)
        return actors.token_of(authorization)

    @override
    def seed_basics(self, at: datetime) -> None:
        account.seed(self.tables)
        default_properties.seed(self.tables)
        pipelines.seed(self.tables)
        owners.add(
            self.tables,
            {"email": "admin@sandbox.example", "firstName": "Ada", "lastName": "Admin"},
            self._edit(PERSON, at).iso,
        )

    def due_webhooks(
        self, at: datetime, signed_at: datetime | None = None
    ) -> tuple[WebhookDelivery, ...]:
        """Return the webhook requests to make at real time `at`.

        Args:
            at: real time; what is handed out counts as failed until `webhook_answered`.
            signed_at: the time stamped into the signature, `at` if left out.
        """
        signed_ms = instants.milliseconds(at if signed_at is None else signed_at)
        return deliveries.due(self._portal, instants.milliseconds(at), signed_ms)

    def webhook_answered(self, number: int, status: int | None, at: datetime) -> None:
        """Take what a target answered; None if it did not answer."""
        deliveries.answered(self._portal, number, status, instants.milliseconds(at))

    def set_webhook_faults(self, asked: Mapping[str, JsonValue]) -> None:
        """Take these webhook faults in place of those before; see `deliveries.set_faults`.

        Raises:
            ValueError: an unknown fault.
        """
        deliveries.set_faults(self.tables, dict(asked))

    def webhook_fault_figures(self) -> dict[str, Row]:
        """Return how many events each standing webhook fault matched and struck, by kind."""
        return deliveries.fault_figures(self.tables)

    def set_rate_limit(self, wanted: Mapping[str, JsonValue]) -> None:
        """Set `burst`, `interval_ms`, `daily`, `search_per_second`; the others stay.

        Raises:
            ValueError: an unknown limit or no whole number.
        """
        limits.configure(self.tables, dict(wanted))

    def undelivered_webhooks(self) -> int:
        """Return how many webhook events no target has taken yet."""
        return deliveries.undelivered(self.tables)

    def _edit(self, actor: actors.Actor, at: datetime) -> Edit:
        return edit_of(actor, instants.milliseconds(record_clock.record_at(self.tables, at)))


def _refuse_too_large(request: HttpRequest) -> None:
    if len(request.body) > BODY_BYTES_MAX:
        raise ApiError(413, "Request entity too large")


def _response(reply: Reply, headers: limits.Headers) -> HttpResponse:
    if reply.body is None:
        return HttpResponse(reply.status, headers)
    return HttpResponse(reply.status, (_JSON, *headers), _encoded(reply.body))


def _refusal(
    error: ApiError, request: HttpRequest, at: datetime, headers: limits.Headers
) -> HttpResponse:
    correlation_id = str(uuid5(NAMESPACE_URL, f"{at.isoformat()} {request.method} {request.url}"))
    body = _encoded(error.body(correlation_id))
    return HttpResponse(error.status, (_JSON, *(error.headers or headers)), body)


def _encoded(body: Row) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")
