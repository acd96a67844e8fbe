"""A log line says counts and ids; what a record holds never gets into it."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

from adapters import telemetry
from adapters.clock import FixedClock

CLOCK = FixedClock(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_a_line_is_one_json_object_with_level_and_time() -> None:
    stream = StringIO()
    telemetry.to_stream(stream, CLOCK).info(
        "decided", facts=2, pair="0065g00000ABCDE", since=date(2026, 1, 1)
    )

    assert json.loads(stream.getvalue()) == {
        "event": "decided",
        "level": "info",
        "at": "2026-01-02T03:04:05.000+00:00",
        "facts": 2,
        "pair": "0065g00000ABCDE",
        "since": "2026-01-01",
    }


def test_content_is_replaced_by_its_type() -> None:
    stream = StringIO()
    telemetry.to_stream(stream, CLOCK).warning(
        "odd",
        name="Canary and Sons",
        email="canary@example.com",
        amount=Decimal("1234567.89"),
        record={"Name": "canary"},
        values=("one", "a canary sentence"),
    )

    said = stream.getvalue().lower()
    assert "canary" not in said
    assert "1234567" not in said
    assert json.loads(said)["values"] == ["one", "<str>"]


def test_an_exception_is_named_with_its_place_and_without_its_message() -> None:
    stream = StringIO()
    log = telemetry.to_stream(stream, CLOCK)
    try:
        int("canary")
    except ValueError as error:
        log.error("parked", error=error)  # noqa: TRY400  the message is what must not be said

    assert "canary" not in stream.getvalue()
    assert "ValueError at test_telemetry.py:" in json.loads(stream.getvalue())["error"]


def test_lines_are_added_to_the_home_at_once(tmp_path: Path) -> None:
    for facts in (1, 2):
        with telemetry.to_file(tmp_path, CLOCK) as log:
            log.info("decided", facts=facts)

    lines = (tmp_path / "logs" / "engine.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["facts"] for line in lines] == [1, 2]


def test_a_file_grown_too_large_is_put_aside(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    with (folder / "engine.jsonl").open("wb") as file:
        file.truncate(telemetry.LOG_BYTES_MAX + 1)
    with telemetry.to_file(tmp_path, CLOCK) as log:
        log.info("begun")

    assert len((folder / "engine.jsonl").read_text(encoding="utf-8").splitlines()) == 1
    assert (folder / "engine.jsonl.1").exists()
