"""Injected faults: what each does to the caller, the records and the log; the same each time."""

import pytest

from adapters.http_transport import HttpRequest, NoAnswerError
from adapters.sandbox.front import front_transport
from adapters.sandbox.tables import JsonValue
from adapters.sandbox.vendor_errors import Crm
from tests.sandbox_front.notebook import AT, Book, rows_of


def test_an_error_changes_nothing_and_is_logged() -> None:
    book = Book()
    book.set_faults({"kind": "error", "status": 502, "count": 1})
    answered = book.ask("POST", "/notes", {"text": "milk"})

    assert answered.response.status == 502
    assert [(call["status"], call["changed"]) for call in book.calls()] == [(502, False)]
    assert book.read("/notes") == {"notes": 0}


def test_a_fault_strikes_as_often_as_it_was_told_and_counts() -> None:
    book = Book()
    book.set_faults({"kind": "error", "count": 2, "match": {"method": "post"}})
    statuses = [book.ask("POST", "/notes", {}).response.status for _ in range(3)]
    book.ask("GET", "/notes")
    listed = book.read("/sandbox/faults")["faults"]
    assert isinstance(listed, list)
    assert isinstance(listed[0], dict)

    assert statuses == [503, 503, 201]
    assert (listed[0]["matched"], listed[0]["struck"]) == (3, 2)


def test_a_fault_strikes_only_whom_it_names_where_it_says() -> None:
    book = Book()
    book.set_faults({"kind": "error", "match": {"path": r"^/notes\?a=1$", "who": "pat-a"}})

    assert book.ask("GET", "/notes?a=1", who="pat-b").response.status == 200
    assert book.ask("GET", "/notes?a=2", who="pat-a").response.status == 200
    assert book.ask("GET", "/notes?a=1", who="pat-a").response.status == 503


@pytest.mark.parametrize(
    ("crm", "status", "found"),
    [("hubspot", 429, b"TEN_SECONDLY_ROLLING"), ("salesforce", 403, b"REQUEST_LIMIT_EXCEEDED")],
)
def test_a_throttle_has_the_vendors_shape(crm: Crm, status: int, found: bytes) -> None:
    book = Book(crm)
    book.set_faults({"kind": "throttle", "retry_after": 7})
    answered = book.told("GET", "/notes")

    assert (answered.status, answered.header("retry-after")) == (status, "7")
    assert found in answered.body


def test_an_error_can_carry_the_code_that_was_asked_for() -> None:
    book = Book("salesforce")
    book.set_faults({"kind": "error", "status": 400, "code": "UNABLE_TO_LOCK_ROW"})

    assert rows_of(book.ask("GET", "/notes")) == [
        {
            "message": "unable to obtain exclusive access to this record",
            "errorCode": "UNABLE_TO_LOCK_ROW",
        }
    ]


def test_a_timeout_after_commit_keeps_the_change_and_the_answer() -> None:
    book = Book()
    book.set_faults({"kind": "timeout_after_commit", "count": 1})
    answered = book.ask("POST", "/notes", {"text": "milk"})

    assert answered.drop_connection
    assert [(call["status"], call["changed"]) for call in book.calls()] == [(201, True)]
    assert book.read("/notes") == {"notes": 1}


def test_a_reset_before_changes_nothing_and_is_logged_without_a_status() -> None:
    book = Book()
    book.set_faults({"kind": "reset_before", "count": 1})
    answered = book.ask("POST", "/notes", {"text": "milk"})

    assert answered.drop_connection
    assert [(call["status"], call["changed"]) for call in book.calls()] == [(0, False)]
    assert book.read("/notes") == {"notes": 0}


def test_the_direct_transport_meets_the_same_faults() -> None:
    book = Book()
    transport = front_transport(book.front, lambda: AT)
    book.set_faults(
        {"kind": "timeout_after_commit", "count": 1},
        {"kind": "delay", "seconds": 30, "count": 2},
    )
    request = HttpRequest("POST", "http://127.0.0.1/notes", body=b"{}")

    with pytest.raises(NoAnswerError):
        transport.send(request, timeout_seconds=60)
    with pytest.raises(NoAnswerError):
        transport.send(request, timeout_seconds=10)
    assert transport.send(request, timeout_seconds=10).status == 201
    assert book.read("/notes") == {"notes": 3}


def test_the_same_seed_strikes_the_same_requests_and_another_does_not() -> None:
    def struck(seed: int) -> list[int]:
        book = Book()
        book.set_faults({"kind": "error", "probability": 0.3}, seed=seed)
        return [book.told("GET", "/notes").status for _ in range(200)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 30 < struck(1).count(503) < 90


def test_no_faults_clears_them() -> None:
    book = Book()
    book.set_faults({"kind": "error"})
    book.set_faults()

    assert book.told("GET", "/notes").status == 200


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "flood"},
        {"kind": "error", "status": 200},
        {"kind": "error", "probability": 1.5},
        {"kind": "error", "match": {"path": "("}},
        {"kind": "error", "match": {"body": "x"}},
        {"kind": "delay", "seconds": -1},
        {"kind": "error", "counts": 1},
        {"kind": "drop_webhook"},
        "error",
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_and_the_old_ones_stand(fault: JsonValue) -> None:
    book = Book()
    book.set_faults({"kind": "error", "match": {"path": "^/x"}})
    refused = book.told("POST", "/sandbox/faults", {"faults": [fault]})
    standing = book.read("/sandbox/faults")["faults"]
    assert isinstance(standing, list)

    assert (refused.status, len(standing)) == (400, 1)
