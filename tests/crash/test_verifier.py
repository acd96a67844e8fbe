"""The verifier finds what it is there to find: each kind of difference between both logs."""

from typing import Any

import pytest

from tests.crash import verifier

SENT, AGAIN = "2026-11-24T09:00:02.000Z", "2026-11-24T09:00:03.000Z"


def line(kind: str, second: int, write_id: str = "w") -> dict[str, Any]:
    """Return an audit line about an update of a deal."""
    return {
        "kind": kind,
        "at": f"2026-11-24T09:00:0{second}.000Z",
        "write_id": write_id,
        "crm": "hubspot",
        "operation": "update",
        "record_id": "3000000001",
    }


def call(at: str = SENT, path: str = "/crm/v3/objects/deals/batch/update") -> dict[str, Any]:
    """Return an engine's call in the access log."""
    return {"at": at, "method": "POST", "path": path, "records": ["3000000001"], "changed": True}


DECIDED, DELIVERED = line("decided", 1), line("delivered", 5)

CASES = {
    "a call and its line": ([call()], [DECIDED, DELIVERED], ""),
    "two writes in one call": (
        [call()],
        [DECIDED, line("decided", 1, "x"), DELIVERED, line("delivered", 5, "x")],
        "",
    ),
    "a lost answer, settled": ([call()], [DECIDED, line("unknown", 4), DELIVERED], ""),
    "a lost answer, overtaken": ([call()], [DECIDED, line("unknown", 4), line("cancelled", 5)], ""),
    "a call without a line": ([call()], [], "without a write of its own"),
    "a refusal that changed nothing": (
        [{**call(), "changed": False}],
        [DECIDED, line("rejected", 5)],
        "",
    ),
    "a refusal that changed something": (
        [call()],
        [DECIDED, line("rejected", 5)],
        "without a write of its own",
    ),
    "a line without a call": ([], [DECIDED, DELIVERED], "changed nothing"),
    "a call for a cancelled write": (
        [call()],
        [DECIDED, line("cancelled", 5)],
        "without a write of its own",
    ),
    "a write sent twice": (
        [call(), call(AGAIN)],
        [DECIDED, DELIVERED],
        "without a write of its own",
    ),
    "a write without an end": ([], [DECIDED], "has no end"),
    "a call before its decision": (
        [call("2026-11-24T09:00:00.000Z")],
        [DECIDED, DELIVERED],
        "without a write of its own",
    ),
    "a change that no write makes": (
        [call(path="/crm/v3/objects/deals/merge")],
        [],
        "no write is for",
    ),
}


@pytest.mark.parametrize(("calls", "lines", "expected"), CASES.values(), ids=CASES)
def test_the_logs_are_compared_both_ways(
    calls: list[dict[str, Any]], lines: list[dict[str, Any]], expected: str
) -> None:
    wrong = list(verifier.audit({"hubspot": calls}, lines))

    assert bool(wrong) == bool(expected)
    assert expected in "; ".join(wrong)
