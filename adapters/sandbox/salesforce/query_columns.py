"""What a query shows of a row: fields, parents' fields, child records, or aggregates of rows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.query_scope import Getter, Scope, getter
from adapters.sandbox.salesforce.records import ATTRIBUTES, attributes
from adapters.sandbox.salesforce.schema import ChildRelationship, ObjectType
from adapters.sandbox.salesforce.soql import Call as Function
from adapters.sandbox.salesforce.soql import Children, Column, Path, Query
from adapters.sandbox.tables import JsonValue, Row

Show: TypeAlias = Callable[[Row], JsonValue]
#: shows the child records of a row: (query inside, object, its field that refers here)
ShowChildren: TypeAlias = Callable[[Query, ObjectType, str], Show]
#: how many rows FIELDS() may ask for
FIELDS_LIMIT_MAX = 200
NAMED_SETS = frozenset({"ALL", "STANDARD", "CUSTOM"})


@dataclass(slots=True)
class Shape:
    """The columns of one object, in the order in which the query names them."""

    scope: Scope
    shows: dict[str, Show] = field(default_factory=dict)
    parents: dict[str, "Shape"] = field(default_factory=dict)

    def add(self, names: tuple[str, ...], column: int) -> None:
        """Add a field of this object, or of a parent.

        Raises:
            RefusedError: there is no such field, or it is there already.
        """
        if len(names) == 1:
            found = self.scope.field(names[0], column)
            self._put(found.name, getter(found), column)
            return
        reference, target = self.scope.parent(names[0], column)
        shape = self.parents.get(reference.relationship)
        if shape is None:
            shape = self.parents[reference.relationship] = Shape(self.scope.within(target))
            self.shows[reference.relationship] = _show_parent(shape, target, reference.name)
        shape.add(names[1:], column)

    def add_show(self, name: str, show: Show, column: int) -> None:
        """Add something else under a name."""
        self._put(name, show, column)

    def show(self, row: Row) -> dict[str, JsonValue]:
        """Return a row as the query shows it."""
        body: dict[str, JsonValue] = {
            ATTRIBUTES: attributes(self.scope.call, self.scope.object_type, str(row["Id"]))
        }
        for name, show in self.shows.items():
            body[name] = show(row)
        return body

    def _put(self, name: str, show: Show, column: int) -> None:
        if name in self.shows:
            raise RefusedError(
                "INVALID_FIELD", self.scope.pointed(column, f"duplicate field selected: {name}")
            )
        self.shows[name] = show


def shape_of(scope: Scope, query: Query, show_children: ShowChildren) -> Shape:
    """Return how a query without aggregates shows a row."""
    shape = Shape(scope)
    for each in query.columns:
        match each:
            case Column(path):
                shape.add(scope.steps(path), path.column)
            case Function():
                _add_named_set(shape, each, query.limit)
            case Children(inner):
                child = _child_relationship(scope, inner)
                target = scope.object_named(child.object_name, inner.column)
                show = show_children(inner, target, child.field_name)
                shape.add_show(child.name, show, inner.column)
    return shape


def is_aggregate(query: Query) -> bool:
    """Whether a query answers with aggregates, not with records."""
    return bool(query.group) or any(
        isinstance(each, Function) and each.function != "FIELDS" for each in query.columns
    )


def aggregates(scope: Scope, query: Query, rows: Iterable[Row]) -> list[JsonValue]:
    """Return one AggregateResult per group; one altogether without GROUP BY."""
    keys = [scope.reader(path)[1] for path in query.group]
    groups: dict[tuple[JsonValue, ...], list[Row]] = {} if keys else {(): []}
    for row in rows:
        groups.setdefault(tuple(read(row) for read in keys), []).append(row)
    columns = _aggregate_columns(scope, query)
    results: list[JsonValue] = []
    for members in groups.values():
        result: Row = {ATTRIBUTES: {"type": "AggregateResult"}}
        result.update((name, compute(members)) for name, compute in columns.items())
        results.append(result)
    return results


def _aggregate_columns(scope: Scope, query: Query) -> dict[str, Callable[[list[Row]], JsonValue]]:
    grouped = {tuple(name.lower() for name in path.names) for path in query.group}
    columns: dict[str, Callable[[list[Row]], JsonValue]] = {}
    unnamed = 0
    for each in query.columns:
        match each:
            case Column(path, alias):
                if tuple(name.lower() for name in path.names) not in grouped:
                    raise _not_grouped(scope, path)
                found, read = scope.reader(path)
                columns[alias or found.name] = _first(read)
            case Function():
                name = each.alias or f"expr{unnamed}"
                unnamed += each.alias is None
                columns[name] = _aggregate(scope, each)
            case Children(inner):
                raise RefusedError(
                    "MALFORMED_QUERY",
                    scope.pointed(inner.column, "a grouped query has no child records"),
                )
    return columns


def _first(read: Getter) -> Callable[[list[Row]], JsonValue]:
    return lambda members: read(members[0])


def _not_grouped(scope: Scope, path: Path) -> RefusedError:
    name = ".".join(path.names)
    return RefusedError(
        "MALFORMED_QUERY",
        scope.pointed(path.column, f"Field must be grouped or aggregated: {name}"),
    )


def _aggregate(scope: Scope, function: Function) -> Callable[[list[Row]], JsonValue]:
    if function.argument is None:
        if function.function == "COUNT":
            return len
        raise _unknown_function(scope, function)
    _, read = scope.reader(function.argument)

    def values(members: list[Row]) -> list[JsonValue]:
        return [value for row in members if (value := read(row)) is not None]

    def numbers(members: list[Row]) -> list[float]:
        return [value for value in values(members) if isinstance(value, (int, float))]

    def total(members: list[Row]) -> JsonValue:
        return sum(found) if (found := numbers(members)) else None

    def average(members: list[Row]) -> JsonValue:
        return sum(found) / len(found) if (found := numbers(members)) else None

    known: dict[str, Callable[[list[Row]], JsonValue]] = {
        "COUNT": lambda members: len(values(members)),
        "COUNT_DISTINCT": lambda members: len({str(each) for each in values(members)}),
        "SUM": total,
        "AVG": average,
        "MIN": lambda members: min(values(members), default=None, key=_comparable),
        "MAX": lambda members: max(values(members), default=None, key=_comparable),
    }
    if function.function not in known:
        raise _unknown_function(scope, function)
    return known[function.function]


def _comparable(value: JsonValue) -> tuple[float, str]:
    return (value, "") if isinstance(value, (int, float)) else (0, str(value))


def _unknown_function(scope: Scope, function: Function) -> RefusedError:
    return RefusedError(
        "MALFORMED_QUERY",
        scope.pointed(function.column, f"unexpected token: '{function.function}'"),
    )


def _show_parent(shape: Shape, target: ObjectType, key: str) -> Show:
    rows = shape.scope.call.org.store.rows(target.name)

    def show(row: Row) -> JsonValue:
        parent = rows.get(str(row.get(key)))
        return None if parent is None else shape.show(parent)

    return show


def _add_named_set(shape: Shape, function: Function, limit: int | None) -> None:
    scope = shape.scope
    argument = None if function.argument is None else function.argument.names[0].upper()
    if function.function != "FIELDS" or argument not in NAMED_SETS:
        raise _unknown_function(scope, function)
    if argument != "STANDARD" and (limit is None or limit > FIELDS_LIMIT_MAX):
        raise RefusedError(
            "MALFORMED_QUERY",
            scope.pointed(
                function.column,
                f"The SOQL FIELDS function must have a LIMIT of at most {FIELDS_LIMIT_MAX}",
            ),
        )
    for each in scope.call.access.readable(scope.object_type):
        if argument == "ALL" or each.custom == (argument == "CUSTOM"):
            shape.add((each.name,), function.column)


def _child_relationship(scope: Scope, inner: Query) -> ChildRelationship:
    for each in scope.object_type.children:
        if each.name.lower() == inner.name.lower():
            return each
    raise RefusedError(
        "INVALID_TYPE",
        scope.pointed(
            inner.column,
            f"Didn't understand relationship '{inner.name}' in FROM part of query call. If you are"
            " attempting to use a custom relationship, be sure to append the '__r' after the custom"
            " relationship name.",
        ),
    )
