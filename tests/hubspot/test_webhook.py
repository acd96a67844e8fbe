"""What a webhook asks to be read, and how each kind of request is answered."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.http_transport import HttpRequest
from adapters.hubspot.hints import primary_of, tells_association
from adapters.hubspot.signature import HEADER_TIME, HEADER_V3, SignedBy
from adapters.hubspot.webhook import BODY_BYTES_MAX, Endpoint, accept, wishes_of
from adapters.memory.refresh import MemoryRefreshes
from domain.errors import RetryableError
from domain.ids import Crm, Kind
from domain.ports import Refresh
from tests.hubspot.test_signature import AT, NOW, PUBLIC_URL, SIGNED_BY, v3

OCCURRED = 1_772_452_000_123


def event(subscription_type: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "eventId": 31,
        "subscriptionId": 1,
        "portalId": 9,
        "appId": 4242,
        "occurredAt": OCCURRED,
        "subscriptionType": subscription_type,
        "attemptNumber": 0,
        **fields,
    }


def named(*events: dict[str, Any]) -> list[tuple[Kind, str]]:
    return [(wish.kind, wish.record_id) for wish in wishes_of(json.dumps(events).encode())]


@pytest.mark.parametrize(
    ("body", "records"),
    [
        (event("deal.creation", objectId=5), [(Kind.DEAL, "5")]),
        (event("deal.propertyChange", objectId="5", propertyName="amount"), [(Kind.DEAL, "5")]),
        (event("deal.deletion", objectId=5), [(Kind.DEAL, "5")]),
        (event("deal.restore", objectId=5), [(Kind.DEAL, "5")]),
        (event("contact.propertyChange", objectId=6), [(Kind.CONTACT, "6")]),
        (event("contact.privacyDeletion", objectId=6), [(Kind.CONTACT, "6")]),
        (event("company.creation", objectId=7), [(Kind.COMPANY, "7")]),
        (event("object.creation", objectTypeId="0-3", objectId=5), [(Kind.DEAL, "5")]),
        (event("object.creation", objectTypeId="2-77", objectId=5), []),
        (event("ticket.creation", objectId=5), []),
        (event("deal.creation"), []),
        (
            event(
                "deal.merge",
                objectId=5,
                primaryObjectId=5,
                mergedObjectIds=[8, 9],
                newObjectId=11,
            ),
            [(Kind.DEAL, "5"), (Kind.DEAL, "8"), (Kind.DEAL, "9"), (Kind.DEAL, "11")],
        ),
        (
            event(
                "deal.associationChange",
                associationType="DEAL_TO_CONTACT",
                fromObjectId=5,
                toObjectId=6,
            ),
            [(Kind.DEAL, "5")],
        ),
        (
            event(
                "contact.associationChange",
                associationType="CONTACT_TO_DEAL",
                fromObjectId=6,
                toObjectId=5,
            ),
            [(Kind.DEAL, "5")],
        ),
        (
            event(
                "object.associationChange",
                objectTypeId="0-2",
                fromObjectTypeId="0-2",
                toObjectTypeId="0-3",
                fromObjectId=7,
                toObjectId=5,
            ),
            [(Kind.DEAL, "5")],
        ),
        (
            event(
                "contact.associationChange",
                associationType="CONTACT_TO_COMPANY",
                fromObjectId=6,
                toObjectId=7,
            ),
            [],
        ),
    ],
    ids=lambda value: value["subscriptionType"] if isinstance(value, dict) else None,
)
def test_an_event_names_records(body: dict[str, Any], records: list[tuple[Kind, str]]) -> None:
    assert named(body) == records


def test_a_wish_says_why_and_when() -> None:
    (wish,) = wishes_of(json.dumps([event("deal.propertyChange", objectId=5)]).encode())

    assert wish == Refresh(
        crm=Crm.HUBSPOT,
        kind=Kind.DEAL,
        record_id="5",
        reason="webhook",
        cause="webhook:31",
        at=datetime.fromtimestamp(OCCURRED / 1000, UTC),
        hint="deal.propertyChange",
    )


def test_one_record_is_wished_for_once_with_what_says_most() -> None:
    body = [
        event("deal.propertyChange", objectId=5, occurredAt=OCCURRED + 9),
        event("deal.merge", primaryObjectId=5, mergedObjectIds=[8], newObjectId=5),
        event("deal.deletion", objectId=8),
    ]

    wishes = {wish.record_id: wish for wish in wishes_of(json.dumps(body).encode())}

    assert set(wishes) == {"5", "8"}
    assert primary_of(wishes["8"].hint) == "5"
    assert wishes["8"].hint.startswith("deal.merge")


def test_a_hint_tells_a_change_of_associations() -> None:
    body = event(
        "contact.associationChange",
        associationType="CONTACT_TO_DEAL",
        fromObjectId=6,
        toObjectId=5,
    )

    (wish,) = wishes_of(json.dumps([body]).encode())

    assert tells_association(wish.hint)
    assert primary_of(wish.hint) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"[1]",
        b"[{}]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'[{"subscriptionType":"deal.creation","occurredAt":"soon","objectId":1}]',
        b'[{"subscriptionType":"deal.creation","occurredAt":-1,"objectId":1}]',
        b'[{"subscriptionType":"deal.creation","occurredAt":1e400,"objectId":1}]',
        b'[{"subscriptionType":"deal.creation","occurredAt":' + b"9" * 5000 + b',"objectId":1}]',
        b'[{"subscriptionType":"deal.creation","occurredAt":1,"objectId":"../1"}]',
        b'[{"subscriptionType":"deal.creation","occurredAt":1,"objectId":true}]',
        b'[{"subscriptionType":"deal.creation","occurredAt":1,"objectId":-5}]',
        b'[{"subscriptionType":7,"occurredAt":1,"objectId":5}]',
        json.dumps([event("deal.creation", objectId=1)] * 1001).encode(),
    ],
)
def test_a_body_that_is_no_list_of_events_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        wishes_of(body)


class FullInbox:
    """An inbox whose database is away."""

    def receive(
        self, body: bytes, *, signature_hash: str, at: datetime, wishes: Sequence[Refresh]
    ) -> bool:
        raise RetryableError(
            f"no database for {len(body)} bytes, {signature_hash}, {at}, {len(wishes)}"
        )


def endpoint(inbox: MemoryRefreshes | FullInbox) -> Endpoint:
    return Endpoint("/inside", SIGNED_BY, inbox)


def posted(body: bytes, signature: str | None = None, method: str = "POST") -> HttpRequest:
    signed = v3(PUBLIC_URL, body=body) if signature is None else signature
    return HttpRequest(method, "/inside", ((HEADER_V3, signed), (HEADER_TIME, NOW)), body)


GOOD = json.dumps([event("deal.creation", objectId=5)]).encode()


def test_a_signed_delivery_is_stored_before_it_is_answered() -> None:
    inbox = MemoryRefreshes()

    answer = accept(posted(GOOD), "/inside", endpoint(inbox), AT)

    assert answer.status == 204
    (wish,) = inbox.claim(Crm.HUBSPOT, at=AT, limit=10, lease_seconds=60)
    assert (wish.kind, wish.record_id) == (Kind.DEAL, "5")


def test_a_delivery_sent_again_word_for_word_is_answered_and_not_stored_again() -> None:
    inbox = MemoryRefreshes()
    accept(posted(GOOD), "/inside", endpoint(inbox), AT)
    inbox.done(inbox.claim(Crm.HUBSPOT, at=AT, limit=10, lease_seconds=60))

    answer = accept(posted(GOOD), "/inside", endpoint(inbox), AT)

    assert answer.status == 204
    assert inbox.waiting() == 0


def test_a_delivery_about_nothing_of_ours_is_taken() -> None:
    inbox = MemoryRefreshes()
    body = json.dumps([event("ticket.creation", objectId=5)]).encode()

    assert accept(posted(body), "/inside", endpoint(inbox), AT).status == 204
    assert inbox.waiting() == 0


@pytest.mark.parametrize(
    ("request_", "path", "status"),
    [
        (posted(GOOD), "/elsewhere", 404),
        (posted(GOOD, method="GET"), "/inside", 405),
        (posted(b"x" * (BODY_BYTES_MAX + 1)), "/inside", 413),
        (posted(GOOD, "wrong"), "/inside", 401),
        (posted(b"not json", "wrong"), "/inside", 401),
        (posted(b"not json"), "/inside", 400),
    ],
)
def test_a_refusal_stores_nothing(request_: HttpRequest, path: str, status: int) -> None:
    inbox = MemoryRefreshes()

    assert accept(request_, path, endpoint(inbox), AT).status == status
    assert inbox.waiting() == 0


def test_without_a_store_hubspot_is_asked_to_send_again() -> None:
    assert accept(posted(GOOD), "/inside", endpoint(FullInbox()), AT).status == 503


@settings(max_examples=200, deadline=None)
@given(
    body=st.one_of(
        st.binary(max_size=80),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["subscriptionType", "occurredAt", "objectId", "x"]),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_whatever_is_signed_is_taken_or_refused_and_never_an_error_of_ours(body: bytes) -> None:
    answer = accept(posted(body), "/inside", endpoint(MemoryRefreshes()), AT)

    assert answer.status in {204, 400}


def test_the_public_address_is_what_is_signed() -> None:
    elsewhere = Endpoint(
        "/inside", SignedBy(SIGNED_BY.secrets, "https://other.example/hubspot"), MemoryRefreshes()
    )

    assert accept(posted(GOOD), "/inside", elsewhere, AT).status == 401
