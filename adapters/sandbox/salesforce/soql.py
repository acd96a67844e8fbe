"""A SOQL query as a tree of values: what was asked, before anyone looks at the org."""

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Path:
    """A field, possibly of a parent: `Account.Name`; `column` counts from 0 in the lifted text."""

    names: tuple[str, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Lifted:
    """A literal that was lifted out, by its number."""

    kind: Literal["texts", "instant", "date"]
    number: int


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it stands in the query."""

    text: str


@dataclass(frozen=True, slots=True)
class Word:
    """A word for a value: `TRUE`, `NULL`, `TODAY`, `LAST_N_DAYS:30`; in capitals."""

    name: str
    count: int | None


Value: TypeAlias = Lifted | Number | Word


@dataclass(frozen=True, slots=True)
class Subquery:
    """The ids that another query gives, for IN."""

    query: "Query"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test of a field against one value, a list of values, or a subquery."""

    path: Path
    operator: str
    values: tuple[Value, ...] | Subquery


@dataclass(frozen=True, slots=True)
class Every:
    """All of the conditions."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of the conditions."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """Not the condition."""

    condition: "Condition"


Condition: TypeAlias = Comparison | Every | Some | Negation


@dataclass(frozen=True, slots=True)
class Column:
    """A field in the answer."""

    path: Path
    alias: str | None


@dataclass(frozen=True, slots=True)
class Call:
    """`COUNT(Id)`, `MAX(Amount)`, `FIELDS(ALL)`; the argument is None in `COUNT()`."""

    function: str
    argument: Path | None
    alias: str | None
    column: int


@dataclass(frozen=True, slots=True)
class Children:
    """A query of child records inside a query: `(SELECT Id FROM Contacts)`."""

    query: "Query"


@dataclass(frozen=True, slots=True)
class Sort:
    """One part of the order."""

    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query; `name` is an object, or a child relationship inside `Children`."""

    columns: tuple[Column | Call | Children, ...]
    name: str
    column: int
    where: Condition | None
    group: tuple[Path, ...]
    order: tuple[Sort, ...]
    limit: int | None
    offset: int
    all_rows: bool
