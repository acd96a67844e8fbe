"""What the rows of a record and an association set look like, and the one place that says so."""

from typing import TypedDict, cast

from adapters.sandbox.tables import JsonValue, Row

#: every id and offset is shorter
_DIGITS_MAX = 18


class Record(TypedDict):
    """A contact, company or deal."""

    id: str
    #: by property; blank ones are left out
    values: dict[str, str]
    #: by property, newest first, in the shape in which they are answered
    history: dict[str, list[Row]]
    createdAt: str
    updatedAt: str
    updatedMs: int
    #: epoch milliseconds, None while it is not in the bin
    archivedMs: int | None


class Links(TypedDict):
    """What one record is associated with, of one other kind."""

    #: association types by the other record's id; `H3` is HubSpot's type 3, `U7` a user's label 7
    to: dict[str, list[str]]


class Holder(TypedDict):
    """Who has a unique value."""

    #: the live record, None if there is none
    id: str | None
    #: records in the bin that had it
    archived: list[str]


def as_record(row: Row) -> Record:
    """Read a record's row; `Tables` knows rows only as JSON."""
    return cast("Record", row)


def as_links(row: Row) -> Links:
    """Read an association set's row; `Tables` knows rows only as JSON."""
    return cast("Links", row)


def as_holder(row: Row) -> Holder:
    """Read a unique value's row; `Tables` knows rows only as JSON."""
    return cast("Holder", row)


def as_row(typed: Record | Links | Holder) -> Row:
    """Return a typed row as `Tables` takes it."""
    return cast("Row", typed)


def text(row: Row, name: str, default: str = "") -> str:
    """Return a text of a JSON object, `default` where it is absent or null."""
    value = row.get(name)
    return default if value is None else str(value)


def number(row: Row, name: str, default: int = 0) -> int:
    """Return a whole number of a JSON object, `default` where it is something else."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return default
    try:
        return int(value)
    except ValueError:
        return default


def whole(value: str) -> int | None:
    """Return a whole number from 0 that a caller sent as text, None if it is none."""
    return int(value) if value.isascii() and value.isdigit() and len(value) <= _DIGITS_MAX else None


def row_in(row: Row, name: str) -> Row:
    """Return an object of a JSON object, empty where it is something else."""
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def rows_in(row: Row, name: str) -> list[Row]:
    """Return the objects in a list of a JSON object; other elements are left out."""
    value = row.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts_in(row: Row, name: str) -> list[str]:
    """Return the elements of a list of a JSON object, as texts."""
    value = row.get(name)
    return [_plain(one) for one in value] if isinstance(value, list) else []


def _plain(value: JsonValue) -> str:
    return value if isinstance(value, str) else str(value)
