"""What crosses a process is a frozen value: every class in the three unions, all the way down.

A frozen pydantic model with a `list` field is still mutable, so the types of the fields are checked
too. Topics are a promise to what is stored: they are compared with a golden file, whose lines are
only ever added to.
"""

import dataclasses
import re
import types
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, NewType, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import AwareDatetime, BaseModel

from domain.events import Event
from domain.facts import Fact
from domain.writes import Write

GOLDEN = Path(__file__).with_name("topics.txt")
SCALARS = (str, int, bytes, Decimal, date, Enum, type(None))


def _members(union: object) -> list[type[BaseModel]]:
    """Return the classes of a union, however it is nested."""
    if get_origin(union) is Annotated:
        return _members(get_args(union)[0])
    if get_origin(union) in {Union, types.UnionType}:
        return [member for part in get_args(union) for member in _members(part)]
    assert isinstance(union, type), union
    assert issubclass(union, BaseModel), union
    return [union]


UNIONS = {"fact": _members(Fact), "event": _members(Event), "write": _members(Write)}
CLASSES = [member for members in UNIONS.values() for member in members]


def _topic(member: type[BaseModel]) -> str:
    """Return the class's stored name: a constant, or a field where it lies in another value."""
    topic = vars(member).get("TOPIC")
    if topic is None:
        topic = member.model_fields["topic"].default
    assert isinstance(topic, str), f"{member.__name__} states no TOPIC of its own"
    return topic


def _problems(annotation: object, place: str, seen: set[type]) -> Iterator[str]:
    """Say what of a field's type can change after the value is made, or is no exact value."""
    if isinstance(annotation, NewType):
        annotation = annotation.__supertype__
    origin = get_origin(annotation)
    if origin is Literal or annotation is AwareDatetime:
        return
    if origin in {Union, types.UnionType, tuple, frozenset, Annotated}:
        parts = get_args(annotation)
        for part in parts[:1] if origin is Annotated else parts:
            if part is not Ellipsis:
                yield from _problems(part, place, seen)
    elif annotation is datetime:
        yield f"{place}: a naive time is accepted; use AwareDatetime"
    elif not isinstance(annotation, type):
        yield f"{place}: {annotation} is not known to be a value"
    elif issubclass(annotation, BaseModel):
        yield from _problems_of_model(annotation, seen)
    elif dataclasses.is_dataclass(annotation):
        yield from _problems_of_dataclass(annotation, seen)
    elif not issubclass(annotation, SCALARS):
        yield f"{place}: {annotation.__name__} can change, or is inexact"


def _problems_of_model(model: type[BaseModel], seen: set[type]) -> Iterator[str]:
    if model in seen:
        return
    seen.add(model)
    for key, wanted in (("frozen", True), ("extra", "forbid"), ("strict", True)):
        if model.model_config.get(key) != wanted:
            yield f"{model.__name__}: {key} is not {wanted}"
    for name, field in model.model_fields.items():
        yield from _problems(field.annotation, f"{model.__name__}.{name}", seen)


def _problems_of_dataclass(kind: type, seen: set[type]) -> Iterator[str]:
    if kind in seen:
        return
    seen.add(kind)
    parameters = vars(kind)["__dataclass_params__"]
    if not parameters.frozen:
        yield f"{kind.__name__}: not frozen"
    for name, annotation in get_type_hints(kind, include_extras=True).items():
        yield from _problems(annotation, f"{kind.__name__}.{name}", seen)


@pytest.mark.parametrize("member", CLASSES, ids=lambda member: member.__name__)
def test_a_member_of_a_union_is_a_frozen_exact_value(member: type[BaseModel]) -> None:
    assert list(_problems_of_model(member, set())) == []


def test_no_member_is_a_kind_of_another() -> None:
    """Matching by class must mean one class."""
    related = [
        (one.__name__, other.__name__)
        for one in CLASSES
        for other in CLASSES
        if one is not other and issubclass(one, other)
    ]

    assert related == []


def test_every_topic_is_unique_and_in_the_golden_file() -> None:
    topics = [
        f"{union} {_topic(member)}" for union, members in UNIONS.items() for member in members
    ]

    assert len({topic.partition(" ")[2] for topic in topics}) == len(topics)
    assert sorted(topics) == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_a_topic_is_two_words_and_names_no_module() -> None:
    """The second word ends the class's name; the first says whose it is."""
    wrong = [
        member.__name__
        for member in CLASSES
        if not re.fullmatch(r"[a-z]+\.[A-Za-z]+", _topic(member))
        or not member.__name__.endswith(_topic(member).partition(".")[2])
    ]

    assert wrong == []


def test_no_write_deletes_an_opportunity() -> None:
    """Deleting goes one way because the other way cannot be said."""
    said = [
        member.__name__
        for member in UNIONS["write"]
        if "Opportunity" in member.__name__ and not member.__name__.startswith(("Create", "Update"))
    ]

    assert said == []
