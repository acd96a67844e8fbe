"""What is stored is read back as it was, whatever people write (rule `nothing-lost`)."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from adapters import codec
from domain.events import EVENTS
from domain.facts import FACTS
from tests.support.filled import filled

#: anything that a CRM can hold; a lone half of a surrogate pair is no text
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


def with_texts(kind: type[BaseModel], texts: list[str]) -> BaseModel:
    """Return a value of a type, its plain texts replaced."""
    whole = filled(kind)
    plain = [
        name
        for name, field in kind.model_fields.items()
        if field.annotation in (str, str | None) and name != "topic"
    ]
    changed: dict[str, Any] = dict(zip(plain, texts * len(plain), strict=False))
    return whole.model_copy(update=changed)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FACTS), st.lists(TEXT, min_size=1, max_size=4))
def test_any_fact_is_read_back_as_it_was(kind: type[Any], texts: list[str]) -> None:
    fact: Any = with_texts(kind, texts)

    topic, body = codec.encode_fact(fact)

    assert codec.decode_fact(topic, body) == fact
    assert codec.encode_fact(codec.decode_fact(topic, body)) == (topic, body)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(EVENTS), st.lists(TEXT, min_size=1, max_size=4))
def test_any_event_is_read_back_as_it_was(kind: type[Any], texts: list[str]) -> None:
    event: Any = with_texts(kind, texts)

    topic, body = codec.encode_event(event)

    assert codec.decode_event(topic, body) == event
    assert codec.encode_event(codec.decode_event(topic, body)) == (topic, body)
