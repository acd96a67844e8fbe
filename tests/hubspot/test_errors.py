"""Refusals become verdicts, with the vendor's code, message and blamed properties kept."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.http_transport import HttpResponse
from adapters.hubspot.errors import Problem, Verdict, fail, problem_of, problem_of_row
from domain.errors import PortError, RetryableError, ThrottledError, UnauthenticatedError
from tests.hubspot.samples import sample

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
CASES: list[dict[str, Any]] = json.loads(sample("errors"))


@pytest.mark.parametrize("case", CASES, ids=[case["about"] for case in CASES])
def test_a_refusal_is_classified(case: dict[str, Any]) -> None:
    response = HttpResponse(
        case["status"], tuple(case["headers"].items()), json.dumps(case["body"]).encode()
    )

    problem = problem_of(response, at=AT, zone=ZoneInfo("Asia/Tokyo"))

    assert problem.verdict == case["verdict"]
    assert problem.code == case["code"]
    assert list(problem.fields) == case.get("fields", [])
    assert problem.until == (datetime.fromisoformat(case["until"]) if "until" in case else None)
    assert problem.uncertain is case.get("uncertain", False)


def test_a_missing_scope_is_named() -> None:
    body = json.dumps(CASES[5]["body"]).encode()

    assert "crm.objects.deals.write" in problem_of(HttpResponse(403, (), body), at=AT).message


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"context": 3}', b'"text"', b"\xff"])
def test_a_body_that_is_no_envelope_is_still_a_refusal(body: bytes) -> None:
    assert problem_of(HttpResponse(502, (), body), at=AT).verdict is Verdict.RETRY
    assert problem_of(HttpResponse(400, (), body), at=AT).verdict is Verdict.REJECTED


def test_a_row_of_a_batch_names_its_input() -> None:
    problem = problem_of_row(
        {
            "category": "CONFLICT",
            "message": "taken",
            "context": {"objectWriteTraceId": ["w1"], "existingId": ["7"]},
        }
    )

    assert problem.verdict is Verdict.CONFLICT
    assert problem.trace_ids == ("w1",)
    assert problem.existing_id == "7"


@pytest.mark.parametrize(
    ("verdict", "error"),
    [
        (Verdict.RETRY, RetryableError),
        (Verdict.THROTTLED, ThrottledError),
        (Verdict.UNAUTHENTICATED, UnauthenticatedError),
        (Verdict.REJECTED, PortError),
        (Verdict.GONE, PortError),
        (Verdict.CONFLICT, PortError),
    ],
)
def test_a_call_without_use_for_a_refusal_raises(verdict: Verdict, error: type[PortError]) -> None:
    problem = Problem(verdict, "CODE", "message", until=AT)

    with pytest.raises(error, match="CODE") as raised:
        fail(problem)

    assert raised.value.code == "CODE"
