"""Salesforce's JSON as typed values: the border behind which shapes are trusted.

Numbers never pass through a float: a decimal keeps the text it came with. A body that is not what
the vendor documents is an `UnexpectedBodyError`, which can be tried again, never a guess.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from adapters.salesforce.errors import Refusal
from domain.canonical import NotCanonicalError, Value, parse_instant
from domain.errors import RetryableError
from domain.ids import is_salesforce_id, salesforce_id

Json: TypeAlias = "str | int | Decimal | bool | list[Json] | dict[str, Json] | None"


class UnexpectedBodyError(RetryableError):
    """Salesforce, or something in between, answered with what it never should."""


def parse(body: bytes) -> Json:
    """Read a JSON body; an empty one is None.

    Raises:
        UnexpectedBodyError: it is no JSON.
    """
    if not body.strip():
        return None
    try:
        parsed: Json = json.loads(body, parse_float=Decimal)
    except ValueError as error:
        message = f"expected JSON from Salesforce, found {body[:120]!r}"
        raise UnexpectedBodyError(message) from error
    return parsed


def compose(value: Json) -> bytes:
    """Write a JSON body; a decimal is written with its own digits, which `json` cannot."""
    return _composed(value).encode()


def _composed(value: Json) -> str:
    match value:
        case Decimal():
            return f"{value:f}"
        case dict():
            inner = (f"{json.dumps(key)}:{_composed(each)}" for key, each in value.items())
            return "{" + ",".join(inner) + "}"
        case list():
            return "[" + ",".join(_composed(each) for each in value) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def mapping(value: Json, what: str) -> dict[str, Json]:
    """Return a JSON object.

    Raises:
        UnexpectedBodyError: it is none; `what` names it in the message.
    """
    if not isinstance(value, dict):
        raise _unexpected(f"{what} as an object", value)
    return value


def sequence(value: Json, what: str) -> list[Json]:
    """Return a JSON array.

    Raises:
        UnexpectedBodyError: it is none.
    """
    if not isinstance(value, list):
        raise _unexpected(f"{what} as an array", value)
    return value


def text_of(value: Json) -> Value:
    """Return a field's value as text: `true`, `1200.5`, `2026-11-24`; null is None."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case dict() | list():
            return _composed(value)


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a query or a retrieve."""

    values: Mapping[str, Json]

    def has(self, name: str) -> bool:
        """Tell whether the field was read."""
        return name in self.values

    def text(self, name: str) -> Value:
        """Return a field's text; null or not read: None."""
        return text_of(self.values.get(name))

    def required(self, name: str) -> str:
        """Return the text of a field that is never null.

        Raises:
            UnexpectedBodyError: it is.
        """
        text = self.text(name)
        if text is None:
            raise _unexpected(f"a value of {name}", dict(self.values))
        return text

    def flag(self, name: str) -> bool:
        """Return a checkbox; not read: False."""
        return self.values.get(name) is True

    def number(self, name: str) -> int:
        """Return a number cut to its whole part; null or not read: 0."""
        value = self.values.get(name)
        return int(value) if isinstance(value, int | Decimal) else 0

    def reference(self, name: str) -> Value:
        """Return the 18-character id in a field, or None."""
        text = self.text(name)
        return salesforce_id(text) if text is not None and is_salesforce_id(text) else None

    def instant(self, name: str) -> datetime:
        """Return the instant in a field that is never null.

        Raises:
            UnexpectedBodyError: it is, or it is no instant.
        """
        return instant_of(self.required(name))

    def parent(self, name: str) -> "Row | None":
        """Return a parent record that was read along (`LastModifiedBy.Name`), or None."""
        value = self.values.get(name)
        return Row(value) if isinstance(value, dict) else None

    @property
    def id(self) -> str:
        """Return the record's id, 18 characters."""
        return record_id(self.values.get("Id"))


@dataclass(frozen=True, slots=True)
class QueryPage:
    """One page of a query's answer."""

    rows: tuple[Row, ...]
    #: path of the next page; None: this is the last
    next_path: str | None


@dataclass(frozen=True, slots=True)
class Deletions:
    """Deletions of one object within a window."""

    #: record id and when it was deleted
    records: tuple[tuple[str, datetime], ...]
    earliest_available: datetime
    latest_covered: datetime


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """What a collections call did with one record."""

    id: str | None
    success: bool
    created: bool
    refusals: tuple[Refusal, ...]


def query_page(body: Json) -> QueryPage:
    """Read a page of a query."""
    page = mapping(body, "a query's answer")
    rows = tuple(
        Row(mapping(each, "a record")) for each in sequence(page.get("records"), "records")
    )
    next_path = page.get("nextRecordsUrl")
    return QueryPage(rows, next_path if isinstance(next_path, str) else None)


def deletions(body: Json) -> Deletions:
    """Read the answer of `/sobjects/…/deleted`."""
    answer = mapping(body, "a list of deletions")
    records = []
    for each in sequence(answer.get("deletedRecords"), "deletedRecords"):
        row = Row(mapping(each, "a deletion"))
        records.append((record_id(row.required("id")), row.instant("deletedDate")))
    whole = Row(answer)
    return Deletions(
        records=tuple(records),
        earliest_available=whole.instant("earliestDateAvailable"),
        latest_covered=whole.instant("latestDateCovered"),
    )


def row_answers(body: Json) -> tuple[RowAnswer, ...]:
    """Read the answer of a collections call, one element a record."""
    return tuple(row_answer(each) for each in sequence(body, "a collections answer"))


def row_answer(body: Json) -> RowAnswer:
    """Read what a create or one row of a collections call answered."""
    row = mapping(body, "a row's answer")
    errors = row.get("errors")
    found = row.get("id")
    return RowAnswer(
        id=record_id(found) if isinstance(found, str) and is_salesforce_id(found) else None,
        success=row.get("success") is True,
        created=row.get("created") is True,
        refusals=tuple(_refusal(each, 0) for each in errors) if isinstance(errors, list) else (),
    )


def refusals(body: bytes, status: int) -> tuple[Refusal, ...]:
    """Read the errors of an answer that refuses a whole call; never empty.

    Understands the REST form (a list), the OAuth form, and pages of something in between.
    """
    try:
        parsed = parse(body)
    except UnexpectedBodyError:
        parsed = None
    match parsed:
        case [dict(), *_]:
            return tuple(_refusal(each, status) for each in parsed)
        case {"error": str(code), **rest}:
            message = rest.get("error_description")
            return (Refusal(code, message if isinstance(message, str) else "", (), status),)
        case dict():
            return (_refusal(parsed, status),)
        case _:
            return (Refusal("", f"HTTP {status}", (), status),)


def _refusal(body: Json, status: int) -> Refusal:
    if not isinstance(body, dict):
        return Refusal("", text_of(body) or f"HTTP {status}", (), status)
    code = body.get("errorCode") or body.get("statusCode")
    message = body.get("message")
    fields = body.get("fields")
    return Refusal(
        code=code if isinstance(code, str) else "",
        message=message if isinstance(message, str) else "",
        fields=tuple(each for each in fields if isinstance(each, str))
        if isinstance(fields, list)
        else (),
        status=status,
    )


def record_id(value: Json) -> str:
    """Return a record's id, 18 characters.

    Raises:
        UnexpectedBodyError: it is no Salesforce id.
    """
    if not isinstance(value, str) or not is_salesforce_id(value):
        raise _unexpected("a record id", value)
    return salesforce_id(value)


def instant_of(text: str) -> datetime:
    """Read `2013-05-07T22:07:19.000+0000`.

    Raises:
        UnexpectedBodyError: it is no instant.
    """
    try:
        return parse_instant(text)
    except NotCanonicalError as error:
        raise UnexpectedBodyError(str(error)) from error


def _unexpected(expected: str, found: Json) -> UnexpectedBodyError:
    return UnexpectedBodyError(
        f"expected {expected} from Salesforce, found {_composed(found)[:120]}"
    )
