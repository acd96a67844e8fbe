"""The control API: health, reset, record clock, documentation, and what it says to nonsense."""

import re

import pytest

from adapters.sandbox.box import ActionRefusedError
from adapters.sandbox.documentation import page
from adapters.sandbox.front import Front
from adapters.sandbox.server import new_fronts
from adapters.sandbox.tables import JsonValue
from tests.sandbox_front.notebook import AT, Book


def test_health_says_which_sandbox_answers() -> None:
    assert Book("salesforce").read("/sandbox/health") == {
        "status": "ok",
        "crm": "salesforce",
        "at": "2026-03-02T09:30:00.000Z",
    }


def test_a_reset_leaves_what_a_new_account_has() -> None:
    book = Book()
    book.set_faults({"kind": "error"})
    book.ask("POST", "/sandbox/clock", {"offset_seconds": 60})
    book.ask("POST", "/sandbox/reset")

    assert book.read("/notes") == {"notes": 0}
    assert book.box.tables.get("cover", "title") == {"text": "Notebook"}
    assert book.read("/sandbox/faults")["faults"] == []
    assert book.read("/sandbox/clock")["offset_seconds"] == 0


def test_the_clock_moves_record_times_and_not_the_log() -> None:
    book = Book()
    book.ask("POST", "/sandbox/clock", {"offset_seconds": 3_600})
    book.ask("POST", "/sandbox/clock", {"advance_seconds": 0.5})
    book.ask("POST", "/notes", {"text": "milk"})
    note = book.box.tables.get("note", "1")
    assert note is not None

    assert note["written_at"] == "2026-03-02T10:30:00.500Z"
    assert book.calls()[0]["at"] == "2026-03-02T09:30:00.000Z"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"offset_seconds": "1"},
        {"offset_seconds": 1, "advance_seconds": 1},
        {"offset_seconds": 1e12},
        {"advance_seconds": 10**400},
        [1],
    ],
)
def test_a_clock_setting_that_makes_no_sense_is_refused(body: JsonValue) -> None:
    assert Book().told("POST", "/sandbox/clock", body).status == 400


def test_the_documentation_names_every_control_call() -> None:
    text = page("hubspot").body.decode()

    for name in ("health", "access-log", "reset", "faults", "clock", "actions", "drop_webhook"):
        assert name in text


@pytest.mark.parametrize("front", new_fronts(), ids=lambda front: front.crm)
def test_the_documentation_names_every_screen_action(front: Front) -> None:
    front.box.seed_basics(AT)
    with pytest.raises(ActionRefusedError) as refused:
        front.box.act("no_such_action", {}, AT)
    known = re.split(r"there are: |expected one of ", str(refused.value))[1].split(", ")
    text = page(front.crm).body.decode()

    assert [name for name in known if f"<dt>{name}</dt>" not in text] == []


def test_an_unknown_control_call_says_where_the_known_ones_are() -> None:
    answered = Book().told("POST", "/sandbox/health")

    assert (answered.status, b"GET /sandbox/ lists them" in answered.body) == (404, True)


def test_a_body_that_is_no_json_is_refused() -> None:
    assert Book().told("POST", "/sandbox/actions", "tear_out").status == 400
