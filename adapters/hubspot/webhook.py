"""What HubSpot sends by itself: a signed list of events, each naming a record to read.

`accept` is the whole judgement, without a socket: it answers 2xx only after the raw body and the
wishes to read are durable, and never 5xx for what a caller sends. Nothing in a body is believed but
which record to look at, and when: every fact comes from the read.

| request | answer |
|---|---|
| another path; another method | 404; 405 |
| a body above `BODY_BYTES_MAX` | 413 |
| no valid signature | 401 |
| signed, but no list of events | 400 |
| a delivery that was taken before, word for word | 204, and nothing is stored again |
| signed and stored | 204 |
| our store does not answer | 503: HubSpot sends it again |
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from adapters.http_transport import HttpRequest, HttpResponse
from adapters.hubspot import names
from adapters.hubspot.hints import hint_of
from adapters.hubspot.signature import SignedBy, delivery_of
from adapters.source import WebhookInbox
from domain.errors import PortError
from domain.ids import Crm, Kind
from domain.ports import Refresh

BODY_BYTES_MAX: Final = 1024 * 1024
#: HubSpot sends at most a hundred
EVENTS_MAX: Final = 1_000
REASON: Final = "webhook"
_DIGITS_MAX: Final = 20
#: the last instant that can be told: 9999-12-31
_OCCURRED_MAX: Final = 253_402_300_799_999
_SINGULARS: Final = {names.SINGULAR[kind]: kind for kind in names.KINDS}


def _as_digits(found: object) -> object:
    """Take a number where HubSpot writes record ids now as numbers, now as texts."""
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else found


_Id: TypeAlias = Annotated[
    str, BeforeValidator(_as_digits), Field(pattern=r"^[0-9]+$", max_length=_DIGITS_MAX)
]


class _Event(BaseModel):
    """One event, as far as it names records."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True
    )

    subscription_type: str = Field(max_length=100)
    occurred_at: int = Field(ge=0, le=_OCCURRED_MAX, strict=True)
    event_id: Annotated[str, BeforeValidator(_as_digits)] = Field(default="", max_length=40)
    object_id: _Id | None = None
    object_type_id: str | None = None
    #: merges
    primary_object_id: _Id | None = None
    merged_object_ids: tuple[_Id, ...] = Field(default=(), max_length=EVENTS_MAX)
    new_object_id: _Id | None = None
    #: changes of associations
    association_type: str | None = None
    from_object_id: _Id | None = None
    to_object_id: _Id | None = None
    from_object_type_id: str | None = None
    to_object_type_id: str | None = None


_EVENTS: Final = TypeAdapter(Annotated[list[_Event], Field(max_length=EVENTS_MAX)])
#: of several events about one record in one body, the one that says most about how to read it
_Rank: TypeAlias = Literal[0, 1, 2, 3]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where webhooks arrive.

    Args:
        path: of the requests as they reach us, without a query.
        signed_by: the secrets and the public address.
        inbox: where they are kept.
    """

    path: str
    signed_by: SignedBy
    inbox: WebhookInbox


def accept(request: HttpRequest, path: str, endpoint: Endpoint, at: datetime) -> HttpResponse:
    """Judge one request, store what it says, and answer.

    Args:
        request: as received; the body whole, or longer than `BODY_BYTES_MAX`.
        path: the request's path, as received.
        endpoint: where it arrived.
        at: our clock.
    """
    if path != endpoint.path:
        return _refusal(404, "no such path")
    if request.method != "POST":
        return _refusal(405, "webhooks are posted", ("Allow", "POST"))
    if len(request.body) > BODY_BYTES_MAX:
        return _refusal(413, f"expected at most {BODY_BYTES_MAX} bytes")
    delivery = delivery_of(request, endpoint.signed_by, at)
    if delivery is None:
        return _refusal(401, "the signature does not hold")
    try:
        wishes = wishes_of(request.body)
    except ValueError:
        return _refusal(400, "expected a list of webhook events")
    try:
        endpoint.inbox.receive(request.body, signature_hash=delivery, at=at, wishes=wishes)
    except PortError:
        return _refusal(503, "not stored; send it again", ("Retry-After", "10"))
    return HttpResponse(204)


def wishes_of(body: bytes) -> tuple[Refresh, ...]:
    """Return one wish for each record that a body names, in the body's order.

    Events of types that concern no record of ours name none.

    Raises:
        ValueError: the body is no list of events.
    """
    try:
        events = _EVENTS.validate_python(json.loads(body), strict=False)
    except (ValidationError, RecursionError) as error:
        raise ValueError("expected a list of webhook events") from error
    chosen: dict[tuple[Kind, str], tuple[tuple[_Rank, int], Refresh]] = {}
    for event in events:
        rank = (_rank(event), event.occurred_at)
        for kind, record_id in _named(event):
            before = chosen.get((kind, record_id))
            if before is None or rank > before[0]:
                chosen[kind, record_id] = (rank, _wish(event, kind, record_id))
    return tuple(wish for _, wish in chosen.values())


def _wish(event: _Event, kind: Kind, record_id: str) -> Refresh:
    return Refresh(
        crm=Crm.HUBSPOT,
        kind=kind,
        record_id=record_id,
        reason=REASON,
        cause=f"webhook:{event.event_id}",
        at=datetime.fromtimestamp(event.occurred_at / 1_000, UTC),
        hint=hint_of(event.subscription_type, event.primary_object_id),
    )


def _named(event: _Event) -> tuple[tuple[Kind, str], ...]:
    """Return the records that should be read because of an event."""
    family, _, what = event.subscription_type.partition(".")
    kind = _SINGULARS.get(family)
    if family == "object":
        kind = names.KIND_OF_TYPE_ID.get(event.object_type_id or "")
    if what == "associationChange":
        return _deal_of(event)
    if kind is None:
        return ()
    if what == "merge":
        ids = (event.primary_object_id, *event.merged_object_ids, event.new_object_id)
        return tuple((kind, one) for one in dict.fromkeys(ids) if one is not None)
    return () if event.object_id is None else ((kind, event.object_id),)


def _deal_of(event: _Event) -> tuple[tuple[Kind, str], ...]:
    """Return the deal's end of an association; each change sends an event for either end."""
    near, _, far = (event.association_type or "").partition("_TO_")
    near_kind = names.KIND_OF_TYPE_ID.get(event.from_object_type_id or "")
    far_kind = names.KIND_OF_TYPE_ID.get(event.to_object_type_id or "")
    if (near == "DEAL" or near_kind is Kind.DEAL) and event.from_object_id is not None:
        return ((Kind.DEAL, event.from_object_id),)
    if (far == "DEAL" or far_kind is Kind.DEAL) and event.to_object_id is not None:
        return ((Kind.DEAL, event.to_object_id),)
    return ()


_RANKS: Final[Mapping[str, _Rank]] = {
    "merge": 3,
    "deletion": 2,
    "privacyDeletion": 2,
    "associationChange": 1,
}


def _rank(event: _Event) -> _Rank:
    return _RANKS.get(event.subscription_type.rpartition(".")[2], 0)


def _refusal(status: int, message: str, *headers: tuple[str, str]) -> HttpResponse:
    """Return a refusal that says no more than its status: callers need not be friends."""
    body = json.dumps({"message": message}).encode()
    return HttpResponse(status, (("Content-Type", "application/json"), *headers), body)
