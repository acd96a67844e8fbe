"""Facts and events as stored text: read back whole, old ones too, nothing guessed."""

import json
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from adapters import codec
from adapters.codec import UndecodableError, UnknownTopicError
from domain.events import EVENTS, Event
from domain.facts import FACTS, Fact
from domain.writes import WRITES, Write
from tests.support.filled import filled
from tests.support.store_samples import nothing, reconsider, write_decided
from tests.wire import schemas


def _names(kind: type[BaseModel]) -> str:
    return kind.__name__


@pytest.mark.parametrize("kind", FACTS, ids=_names)
def test_a_fact_is_read_back_as_it_was(kind: type[Fact]) -> None:
    fact = filled(kind)
    assert isinstance(fact, kind)

    assert codec.decode_fact(*codec.encode_fact(fact)) == fact


@pytest.mark.parametrize("kind", EVENTS, ids=_names)
def test_an_event_is_read_back_as_it_was(kind: type[Event]) -> None:
    event = filled(kind)
    assert isinstance(event, kind)

    assert codec.decode_event(*codec.encode_event(event)) == event


@pytest.mark.parametrize("kind", WRITES, ids=_names)
def test_a_write_is_read_back_out_of_its_event(kind: type[Write]) -> None:
    write = filled(kind)
    assert isinstance(write, kind)
    decided = write_decided("a").model_copy(update={"write": write})

    assert codec.decode_event(*codec.encode_event(decided)) == decided


def still_says(now: object, then: object) -> bool:
    """Tell whether everything that was stored is said still; new fields may stand beside it."""
    match now, then:
        case dict(), dict():
            return all(name in now and still_says(now[name], then[name]) for name in then)
        case list(), list():
            return len(now) == len(then) and all(map(still_says, now, then))
        case _:
            return now == then


@pytest.mark.parametrize("line", schemas.golden_lines("facts"), ids=lambda line: line["topic"])
def test_a_fact_that_was_once_stored_can_be_read(line: dict[str, Any]) -> None:
    fact = codec.decode_fact(line["topic"], json.dumps(line["body"]))

    _, body = codec.encode_fact(fact)
    assert still_says(json.loads(body), line["body"])


@pytest.mark.parametrize("line", schemas.golden_lines("events"), ids=lambda line: line["topic"])
def test_an_event_that_was_once_stored_can_be_read(line: dict[str, Any]) -> None:
    event = codec.decode_event(line["topic"], json.dumps(line["body"]))

    _, body = codec.encode_event(event)
    assert still_says(json.loads(body), line["body"])


@pytest.mark.parametrize("what", ["facts", "events"])
def test_every_type_has_a_golden_line(what: str) -> None:
    """`python -m tests.wire.schemas` adds those that are missing."""
    there = {line["topic"] for line in schemas.golden_lines(what)}

    assert schemas.TOPICS[what].keys() - there == set()


def test_the_schemas_are_those_of_the_types() -> None:
    """`python -m tests.wire.schemas` writes them."""
    found = {path: path.read_text(encoding="utf-8") for path in schemas.SCHEMAS.glob("*/*.json")}

    assert schemas.schema_texts() == found


@pytest.mark.parametrize("what", ["facts", "events"])
def test_golden_lines_obey_the_schemas(what: str) -> None:
    for line in schemas.golden_lines(what):
        path = schemas.SCHEMAS / what / f"{line['topic']}.json"
        jsonschema.validate(line["body"], json.loads(path.read_text(encoding="utf-8")))


def test_an_unknown_topic_says_that_the_program_is_too_old() -> None:
    with pytest.raises(UnknownTopicError, match="newer program"):
        codec.decode_event("pair.NotInventedYet", b"{}")
    with pytest.raises(UnknownTopicError, match="newer program"):
        codec.decode_fact("any.NothingDecided", b"{}")


@pytest.mark.parametrize(
    ("field", "value"),
    [("surplus", 1), ("policy_version", "0"), ("at", "2026-11-24T09:00:00"), ("reason", None)],
)
def test_what_does_not_fit_its_topic_is_refused(field: str, value: object) -> None:
    topic, body = codec.encode_event(nothing("a"))
    spoilt = json.dumps(json.loads(body) | {field: value})

    with pytest.raises(UndecodableError):
        codec.decode_event(topic, spoilt)


def test_an_old_form_is_lifted_step_by_step() -> None:
    def to_second(_topic: str, value: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return "signal.Second", {"because": value["why"]}

    def to_third(_topic: str, value: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return "signal.Third", value | {"loud": True}

    lifts = {"signal.First": to_second, "signal.Second": to_third}

    topic, body = codec.lift("signal.First", b'{"why": "x"}', lifts)

    assert (topic, json.loads(body)) == ("signal.Third", {"because": "x", "loud": True})


def test_upcasters_in_a_circle_are_found() -> None:
    def same(topic: str, value: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return topic, value

    with pytest.raises(UndecodableError, match="circle"):
        codec.lift("signal.First", b"{}", {"signal.First": same})


def test_text_of_any_script_survives() -> None:
    fact = reconsider("a", '商談 – \u2028 \U0001f600 \\ " \t')

    assert codec.decode_fact(*codec.encode_fact(fact)) == fact
