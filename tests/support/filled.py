"""A value of any type of the unions with every field filled, made from its annotations alone.

For tests of the wire: what counts is that each field is there and of its type, not what it means.
"""

import types
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

#: with microseconds, and in the range where a float would lose them
AT = datetime(2026, 11, 24, 9, 30, 15, 123456, tzinfo=UTC)


def filled(kind: type[BaseModel]) -> BaseModel:
    """Make a value; texts are named after their field."""
    return kind(**{name: _value(f.annotation, name) for name, f in kind.model_fields.items()})


def _value(annotation: Any, name: str) -> object:  # noqa: ANN401  an annotation is anything
    if isinstance(annotation, NewType):
        annotation = annotation.__supertype__
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is AwareDatetime or annotation is datetime:
        return AT
    if origin is Annotated:
        return _value(arguments[0], name)
    if origin is Literal:
        return arguments[0]
    if origin in {Union, types.UnionType}:
        return _value(arguments[0], name)
    if origin is tuple:
        return (_value(arguments[0], name),)
    return _plain(annotation, name)


def _plain(kind: type, name: str) -> object:
    if issubclass(kind, BaseModel):
        return filled(kind)
    if issubclass(kind, Enum):
        return next(iter(kind))
    plain: Mapping[type, object] = {
        str: f"{name} – ü",
        int: 7,
        float: 0.25,
        bool: True,
        Decimal: Decimal("0.25"),
    }
    return plain[kind]
