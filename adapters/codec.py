"""Facts and events as JSON, by explicit topic.

A topic names a type; no stored text contains a module path, so code can move. Decoding is strict:
what does not fit its type is refused and never guessed at. Old forms are lifted by `UPCASTERS`.
This module must not know where the JSON is kept.
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast

from pydantic import TypeAdapter, ValidationError

from domain.errors import SyncError
from domain.events import EVENTS, Event
from domain.facts import FACTS, Fact

#: turns an old topic and its JSON object into the next newer form
Upcaster: TypeAlias = Callable[[str, dict[str, Any]], tuple[str, dict[str, Any]]]

#: old topic → what lifts it; a new field with a default needs none
UPCASTERS: Final[Mapping[str, Upcaster]] = MappingProxyType({})
#: more lifts than this for one text mean that two upcasters call each other
LIFTS_MAX: Final = 100


class UndecodableError(SyncError):
    """A stored text is not what its topic says."""


class UnknownTopicError(UndecodableError):
    """This program is too old for what is stored: it must stop, and park nothing."""


def encode_fact(fact: Fact) -> tuple[str, bytes]:
    """Return a fact's topic and its JSON, UTF-8."""
    return fact.TOPIC, fact.__pydantic_serializer__.to_json(fact)


def encode_event(event: Event) -> tuple[str, bytes]:
    """Return an event's topic and its JSON, UTF-8."""
    return event.TOPIC, event.__pydantic_serializer__.to_json(event)


def decode_fact(topic: str, body: str | bytes) -> Fact:
    """Read a fact.

    Raises:
        UnknownTopicError: no such fact exists in this program.
        UndecodableError: the text does not fit the topic.
    """
    return cast("Fact", _decode("fact", _FACTS, UPCASTERS, topic, body))


def decode_event(topic: str, body: str | bytes) -> Event:
    """Read an event.

    Raises:
        UnknownTopicError: no such event exists in this program.
        UndecodableError: the text does not fit the topic.
    """
    return cast("Event", _decode("event", _EVENTS, UPCASTERS, topic, body))


def lift(
    topic: str, body: str | bytes, upcasters: Mapping[str, Upcaster]
) -> tuple[str, str | bytes]:
    """Bring an old form to the newest, step by step; a newest one comes back as it is.

    Raises:
        UndecodableError: the upcasters lead in a circle, or the text is no JSON object.
    """
    if topic not in upcasters:
        return topic, body
    try:
        value = json.loads(body)
    except ValueError as error:
        message = f"expected the JSON of an old {topic}, found: {error}"
        raise UndecodableError(message) from error
    for _ in range(LIFTS_MAX):
        if topic not in upcasters:
            return topic, json.dumps(value)
        topic, value = upcasters[topic](topic, value)
    message = f"expected upcasters to end, found a circle through {topic}"
    raise UndecodableError(message)


def schemas() -> Mapping[str, dict[str, Any]]:
    """Return the JSON Schema of every fact and event, by `facts/TOPIC` and `events/TOPIC`."""
    return {
        f"{folder}/{topic}": TypeAdapter(kind).json_schema(mode="serialization")
        for folder, kinds in (("facts", _FACTS), ("events", _EVENTS))
        for topic, kind in kinds.items()
    }


def _decode(
    what: str,
    kinds: Mapping[str, Any],
    upcasters: Mapping[str, Upcaster],
    topic: str,
    body: str | bytes,
) -> object:
    if topic in upcasters:
        topic, body = lift(topic, body, upcasters)
    kind = kinds.get(topic)
    if kind is None:
        message = (
            f"expected a {what} that this program knows, found {topic!r}; a newer program wrote "
            "it: stop this one and start the newer"
        )
        raise UnknownTopicError(message)
    try:
        return kind.__pydantic_validator__.validate_json(body)
    except ValidationError as error:
        message = f"expected the JSON of a {topic}, found: {error}"
        raise UndecodableError(message) from error


_FACTS: Final = MappingProxyType({kind.TOPIC: kind for kind in FACTS})
_EVENTS: Final = MappingProxyType({kind.TOPIC: kind for kind in EVENTS})
