"""Turns the WHERE of a query into a test of rows, and finds the rows worth testing.

Nulls as in SOQL: a null is unequal to every value, and neither less nor greater.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from operator import ge, gt, le, lt
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from adapters.sandbox.salesforce import ids, instants
from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.query_dates import span
from adapters.sandbox.salesforce.query_scope import Getter, Scope
from adapters.sandbox.salesforce.schema import ID_TYPES, NUMBER_TYPES, Field
from adapters.sandbox.salesforce.soql import (
    Comparison,
    Condition,
    Every,
    Lifted,
    Negation,
    Number,
    Query,
    Some,
    Subquery,
    Value,
    Word,
)
from adapters.sandbox.tables import JsonValue, Row

Test: TypeAlias = Callable[[Row], bool]
Scalar: TypeAlias = str | int | float | bool | None
#: runs the query inside IN and returns its ids
RunSubquery: TypeAlias = Callable[[Query], frozenset[str]]
#: fields of which the store keeps a look-up if a query wants one value of them
LOOKED_UP = frozenset({"Username", "ApiName", "DeveloperName", "Email", "SobjectType"})
ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, ">": gt, "<=": le, ">=": ge}


@dataclass(frozen=True, slots=True)
class Range:
    """A date word: from `low` on, and before `high`; both as the records carry them."""

    low: str
    high: str


Operand: TypeAlias = Scalar | Range


@dataclass(frozen=True, slots=True)
class Filter:
    """Reads conditions for one object in one query."""

    scope: Scope
    run: RunSubquery

    def test(self, condition: Condition) -> Test:
        """Return the test that a condition makes of a row."""
        match condition:
            case Every(conditions):
                tests = [self.test(each) for each in conditions]
                return lambda row: all(test(row) for test in tests)
            case Some(conditions):
                tests = [self.test(each) for each in conditions]
                return lambda row: any(test(row) for test in tests)
            case Negation(inner):
                test = self.test(inner)
                return lambda row: not test(row)
            case Comparison():
                return self._comparison(condition)

    def candidates(self, condition: Condition | None) -> Iterable[Row]:
        """Return rows among which are all that pass: by a look-up if there is one."""
        if self.scope.object_type.name == "UserPermissionAccess":
            return self.scope.rows()
        parts = condition.conditions if isinstance(condition, Every) else (condition,)
        found = [
            each
            for part in parts
            if isinstance(part, Comparison)
            and not isinstance(part.values, Subquery)
            and (each := self._look_up(part, part.values)) is not None
        ]
        return min(found, key=lambda each: each[0])[1] if found else self.scope.rows()

    def _look_up(
        self, comparison: Comparison, values: tuple[Value, ...]
    ) -> tuple[int, Iterable[Row]] | None:
        """Return how good a look-up is, least first, and its rows; None if there is none."""
        names = self.scope.steps(comparison.path)
        field = self.scope.object_type.field(names[0]) if len(names) == 1 else None
        if field is None:
            return None
        store = self.scope.call.org.store
        table = self.scope.object_type.name
        if field.name == "SystemModstamp" and comparison.operator in {">", ">="}:
            (operand,) = self._operands(field, comparison, values)
            stamp = operand.low if isinstance(operand, Range) else str(operand)
            return 2, store.changed_since(table, stamp)
        if comparison.operator not in {"=", "in"} or not (
            field.type in ID_TYPES or field.external_id or field.unique or field.name in LOOKED_UP
        ):
            return None
        operands = self._operands(field, comparison, values)
        if any(not isinstance(each, str) for each in operands):
            return None
        if field.name == "Id":
            keys: Iterable[str] = dict.fromkeys(str(each) for each in operands)
            return 0, _present(store.rows(table), keys)
        keys = dict.fromkeys(
            key
            for each in operands
            if isinstance(each, str)
            for key in store.find(table, field.name, each)
        )
        return 1, _present(store.rows(table), keys)

    def _comparison(self, comparison: Comparison) -> Test:
        field, read = self.scope.reader(comparison.path)
        if not field.filterable:
            raise RefusedError(
                "INVALID_FIELD",
                self.scope.pointed(
                    comparison.path.column,
                    f"field '{field.name}' can not be filtered in a query call",
                ),
            )
        if isinstance(comparison.values, Subquery):
            members = self.run(comparison.values.query)
            if comparison.operator == "in":
                return lambda row: read(row) in members
            return lambda row: read(row) not in members
        operands = self._operands(field, comparison, comparison.values)
        match comparison.operator:
            case "like":
                return _like(field, read, operands)
            case "includes" | "excludes":
                self._only(field, comparison, field.type == "multipicklist")
                included = _includes(read, operands)
                if comparison.operator == "includes":
                    return included
                return lambda row: not included(row)
            case "in" | "=":
                return _any_of(_folding(field, read), operands)
            case "not in" | "!=":
                equal = _any_of(_folding(field, read), operands)
                return lambda row: not equal(row)
            case operator:
                self._only(field, comparison, field.type not in {"boolean", "multipicklist"})
                return _ordered(_folding(field, read), operator, operands[0])

    def _only(self, field: Field, comparison: Comparison, holds: bool) -> None:  # noqa: FBT001
        if not holds:
            raise RefusedError(
                "INVALID_QUERY_FILTER_OPERATOR",
                self.scope.pointed(
                    comparison.path.column,
                    f"invalid operator on {field.type} field",
                ),
            )

    def _operands(
        self, field: Field, comparison: Comparison, values: tuple[Value, ...]
    ) -> list[Operand]:
        like = comparison.operator == "like"
        if like:
            unlike = NUMBER_TYPES | ID_TYPES | {"date", "datetime", "boolean"}
            self._only(field, comparison, field.type not in unlike)
        operands = [each for value in values for each in self._read(field, comparison, value)]
        single = comparison.operator not in {"in", "not in", "includes", "excludes"}
        if single and len(operands) != 1:
            raise RefusedError(
                "MALFORMED_QUERY",
                self.scope.pointed(comparison.path.column, "unexpected token: ','"),
            )
        return operands if like else [_fold(field, each) for each in operands]

    def _read(self, field: Field, comparison: Comparison, value: Value) -> Iterator[Operand]:
        """Yield what a value in the query stands for, as the field's values are kept."""
        match value:
            case Word(name="NULL"):
                yield None
            case Word():
                yield self._word(field, comparison, value)
            case Number(text):
                if field.type not in NUMBER_TYPES:
                    raise self._mistyped(field, comparison)
                yield float(text)
            case Lifted(kind="texts"):
                for text in self.scope.lifting.texts(value.number):
                    yield self._text(field, comparison, text)
            case Lifted(kind=kind):
                literal = self.scope.lifting.literals[value.number]
                if field.type != ("date" if kind == "date" else "datetime"):
                    raise self._mistyped(field, comparison)
                try:
                    if kind == "date":
                        yield date.fromisoformat(literal).isoformat()
                    else:
                        yield instants.written(instants.read(literal))
                except ValueError as error:
                    raise self._mistyped(field, comparison) from error

    def _text(self, field: Field, comparison: Comparison, text: str) -> Operand:
        if field.type in NUMBER_TYPES | {"date", "datetime", "boolean"}:
            raise self._mistyped(field, comparison, quoted=True)
        if field.type in ID_TYPES:
            try:
                return ids.normalise(text)
            except ids.MalformedIdError as error:
                raise RefusedError(
                    "INVALID_QUERY_FILTER_OPERATOR",
                    self.scope.pointed(comparison.path.column, f"invalid ID field: {text}"),
                ) from error
        return text or None

    def _word(self, field: Field, comparison: Comparison, word: Word) -> Operand:
        if field.type == "boolean" and word.name in {"TRUE", "FALSE"}:
            return word.name == "TRUE"
        if field.type in {"date", "datetime"}:
            zone = ZoneInfo(str(self.scope.call.user["TimeZoneSidKey"]))
            today = self.scope.call.at.astimezone(zone).date()
            try:
                days = span(word.name, word.count, today)
            except ValueError as error:
                raise self._mistyped(field, comparison) from error
            if days is not None:
                return Range(*(_boundary(field, day, zone) for day in days))
        raise self._mistyped(field, comparison)

    def _mistyped(
        self, field: Field, comparison: Comparison, *, quoted: bool = False
    ) -> RefusedError:
        kind = {"datetime": "dateTime", "picklist": "string"}.get(field.type, field.type)
        quotes = "should not be enclosed in quotes" if quoted else "has another type"
        return RefusedError(
            "INVALID_FIELD",
            self.scope.pointed(
                comparison.path.column,
                f"value of filter criterion for field '{field.name}' must be of type {kind} and"
                f" {quotes}",
            ),
        )


def _present(rows: Mapping[str, Row], keys: Iterable[str]) -> list[Row]:
    return [rows[key] for key in keys if key in rows]


def _boundary(field: Field, day: date, zone: ZoneInfo) -> str:
    if field.type == "date":
        return day.isoformat()
    return instants.written(datetime.combine(day, time(), zone).astimezone(UTC))


def folds(field: Field) -> bool:
    """Whether the field's texts compare and sort in any case."""
    return not (
        field.case_sensitive or field.type in ID_TYPES or field.type in {"date", "datetime"}
    )


def _fold(field: Field, operand: Operand) -> Operand:
    return operand.lower() if isinstance(operand, str) and folds(field) else operand


def _folding(field: Field, read: Getter) -> Getter:
    if not folds(field) or field.type in NUMBER_TYPES or field.type == "boolean":
        return read

    def folded(row: Row) -> JsonValue:
        value = read(row)
        return value.lower() if isinstance(value, str) else value

    return folded


def _any_of(read: Getter, operands: list[Operand]) -> Test:
    ranges = [each for each in operands if isinstance(each, Range)]
    scalars = frozenset(each for each in operands if not isinstance(each, Range))
    if not ranges:
        if len(scalars) == 1:
            (only,) = scalars
            return lambda row: read(row) == only
        return lambda row: read(row) in scalars

    def within(row: Row) -> bool:
        value = read(row)
        return value in scalars or (
            isinstance(value, str) and any(each.low <= value < each.high for each in ranges)
        )

    return within


def _ordered(read: Getter, operator: str, operand: Operand) -> Test:
    if operand is None:
        return lambda _row: False
    if isinstance(operand, Range):
        # Before the span, from its end on, up to its end, from its beginning on.
        limit, operator = {
            "<": (operand.low, "<"),
            ">": (operand.high, ">="),
            "<=": (operand.high, "<"),
            ">=": (operand.low, ">="),
        }[operator]
        return _ordered(read, operator, limit)
    compare = ORDERED[operator]

    def compared(row: Row) -> bool:
        value = read(row)
        return value is not None and compare(value, operand)

    return compared


def _like(field: Field, read: Getter, operands: list[Operand]) -> Test:
    pattern = ""
    escaped = False
    for character in str(operands[0] or ""):
        if escaped or character not in "\\%_":
            pattern += re.escape(character)
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            pattern += ".*" if character == "%" else "."
    flags = re.DOTALL if field.case_sensitive else re.DOTALL | re.IGNORECASE
    match = re.compile(pattern, flags).fullmatch

    def like(row: Row) -> bool:
        value = read(row)
        return isinstance(value, str) and match(value) is not None

    return like


def _includes(read: Getter, operands: list[Operand]) -> Test:
    wanted = [frozenset(str(each).split(";")) for each in operands if isinstance(each, str)]

    def included(row: Row) -> bool:
        value = read(row)
        chosen = value.lower().split(";") if isinstance(value, str) else []
        return any(group.issubset(chosen) for group in wanted)

    return included
