"""The AsyncAPI document is one, is of this program, and says what its messages obey."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from domain.events import EVENTS
from domain.facts import FACTS
from domain.ports import Topic
from projections.publishing import EVENTS_TOPIC, NOTES
from tests.wire import asyncapi_document, schemas

OFFICIAL = Path(__file__).parent / "asyncapi" / "3.1.0.schema.json"
TEXT = asyncapi_document.PATH.read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = yaml.safe_load(TEXT)


def test_the_document_is_that_of_the_types() -> None:
    """`python -m tests.wire.schemas` writes it."""
    assert schemas.document_text() == TEXT


def _official() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8")))


def test_it_obeys_the_schema_of_asyncapi() -> None:
    assert [error.message for error in _official().iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize("spoilt", [{"operations": {"a": {"action": "shout"}}}, {"asyncapi": "2"}])
def test_the_schema_of_asyncapi_bites(spoilt: dict[str, Any]) -> None:
    assert not _official().is_valid(DOCUMENT | spoilt)


def test_every_topic_is_a_channel_and_every_type_a_message_of_one() -> None:
    told = {name for channel in DOCUMENT["channels"].values() for name in channel["messages"]}

    assert DOCUMENT["channels"].keys() == {*Topic, EVENTS_TOPIC}
    assert told == {kind.TOPIC for kind in (*FACTS, *EVENTS, *NOTES)}


def test_every_reference_leads_somewhere() -> None:
    wrong = [reference for reference in _references(DOCUMENT) if not _leads_somewhere(reference)]

    assert wrong == []


def test_the_examples_obey_the_schemas() -> None:
    for name, message in DOCUMENT["components"]["messages"].items():
        path = asyncapi_document.PATH.parent / message["payload"]["$ref"]
        obeyed = jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))
        for example in message.get("examples", []):
            assert list(obeyed.iter_errors(example["payload"])) == [], name


def _references(value: object) -> Iterator[str]:
    match value:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for below in value.values():
                yield from _references(below)
        case list():
            for below in value:
                yield from _references(below)
        case _:
            return


def _leads_somewhere(reference: str) -> bool:
    if not reference.startswith("#/"):
        return (asyncapi_document.PATH.parent / reference).is_file()
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        if step not in found:
            return False
        found = found[step]
    return True
