"""Answers a SOQL query: finds rows, orders them, shows them page by page.

A page's address names a locator: the ids that the query found, kept in the tables, so that a later
page shows the records as they are then, and a restart in between loses nothing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from adapters.sandbox.salesforce import ids
from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.query_columns import (
    Shape,
    Show,
    aggregates,
    is_aggregate,
    shape_of,
)
from adapters.sandbox.salesforce.query_filter import Filter, folds
from adapters.sandbox.salesforce.query_scope import Getter, Scope
from adapters.sandbox.salesforce.schema import ObjectType
from adapters.sandbox.salesforce.soql import Call as Function
from adapters.sandbox.salesforce.soql import Column, Query, Sort
from adapters.sandbox.salesforce.soql_parser import parse
from adapters.sandbox.salesforce.soql_text import lift
from adapters.sandbox.tables import JsonValue, Row

#: how many records a page holds, by default and at most, and at least
PAGE = 2_000
PAGE_MIN = 200
OFFSET_MAX = 2_000
#: how many locators a user may have open; the oldest goes first
LOCATORS_MAX = 10
#: the table of locators
LOCATOR = "locator"
LOCATOR_PREFIX = "01g"
BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and how it was asked."""

    text: str
    with_deleted: bool
    tooling: bool
    #: how many records a page holds
    page: int


def run(call: Call, asked: Asked) -> dict[str, JsonValue]:
    """Return the first page of a query's answer.

    Raises:
        RefusedError: it is not SOQL, or names what the caller does not see.
    """
    search = _Search(call, asked)
    query = search.query
    if is_aggregate(query):
        rows = search.rows(search.scope, query)
        first = query.columns[0]
        if len(query.columns) == 1 and isinstance(first, Function) and first.argument is None:
            return {"totalSize": len(rows), "done": True, "records": []}
        records = aggregates(search.scope, query, rows)
        return {"totalSize": len(records), "done": True, "records": records}
    shape = search.shape(search.scope, query)
    rows = search.rows(search.scope, query)
    shown: list[JsonValue] = [shape.show(row) for row in rows[: asked.page]]
    answer: dict[str, JsonValue] = {"totalSize": len(rows), "done": True, "records": shown}
    if len(rows) > asked.page:
        locator = _keep(call, asked, [str(row["Id"]) for row in rows])
        answer["done"] = False
        answer["nextRecordsUrl"] = _address(call, asked, locator, asked.page)
    return answer


def more(call: Call, name: str) -> dict[str, JsonValue]:
    """Return a later page.

    Args:
        call: who asks.
        name: the end of `nextRecordsUrl`: locator, hyphen, how many were shown.

    Raises:
        RefusedError: INVALID_QUERY_LOCATOR.
    """
    locator, _, shown_text = name.partition("-")
    saved = call.org.store.get(LOCATOR, locator)
    if saved is None or saved["user"] != call.user_id or not shown_text.isdigit():
        raise RefusedError("INVALID_QUERY_LOCATOR", "invalid query locator")
    found = saved["ids"]
    assert isinstance(found, list), "a locator keeps its ids in a list"
    asked = Asked(
        str(saved["text"]),
        with_deleted=bool(saved["with_deleted"]),
        tooling=bool(saved["tooling"]),
        page=int(str(saved["page"])),
    )
    start, end = int(shown_text), int(shown_text) + asked.page
    search = _Search(call, asked)
    shape = search.shape(search.scope, search.query)
    rows = call.org.store.rows(search.scope.object_type.name)
    shown: list[JsonValue] = [
        shape.show(rows[str(key)]) for key in found[start:end] if str(key) in rows
    ]
    answer: dict[str, JsonValue] = {"totalSize": len(found), "done": True, "records": shown}
    if end < len(found):
        answer["done"] = False
        answer["nextRecordsUrl"] = _address(call, asked, locator, end)
    return answer


def page_size(options: str | None) -> int:
    """Return the page that `Sforce-Query-Options` asks for, within what Salesforce allows."""
    found = BATCH_SIZE.search(options or "")
    return PAGE if found is None else min(max(int(found[1]), PAGE_MIN), PAGE)


class _Search:
    """One query while it is answered."""

    def __init__(self, call: Call, asked: Asked) -> None:
        lifting = lift(asked.text)
        self.query = parse(asked.text, lifting)
        with_deleted = asked.with_deleted or self.query.all_rows
        bare = Scope(call, _NO_OBJECT, asked.text, lifting, with_deleted, asked.tooling)
        self.scope = bare.within(bare.object_named(self.query.name, self.query.column))
        if self.query.offset > OFFSET_MAX:
            raise RefusedError(
                "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {OFFSET_MAX}"
            )

    def shape(self, scope: Scope, query: Query) -> Shape:
        """Return how the query shows a row."""
        return shape_of(scope, query, lambda *child: self._show_children(scope, *child))

    def rows(self, scope: Scope, query: Query, among: Iterable[Row] | None = None) -> list[Row]:
        """Return the rows that the query finds, in its order."""
        reader = Filter(scope, lambda inner: self._ids(scope, inner))
        test = None if query.where is None else reader.test(query.where)
        candidates = reader.candidates(query.where) if among is None else among
        found = [
            row
            for row in candidates
            if (scope.with_deleted or not row.get("IsDeleted")) and (test is None or test(row))
        ]
        if not is_aggregate(query):
            _sort(scope, query.order, found)
        end = None if query.limit is None else query.offset + query.limit
        return found[query.offset : end]

    def _ids(self, scope: Scope, inner: Query) -> frozenset[str]:
        within = scope.within(scope.object_named(inner.name, inner.column))
        (column,) = inner.columns
        if not isinstance(column, Column):
            raise RefusedError(
                "MALFORMED_QUERY", scope.pointed(inner.column, "a query inside IN names one field")
            )
        _, read = within.reader(column.path)
        values = (read(row) for row in self.rows(within, inner))
        return frozenset(str(value) for value in values if value is not None)

    def _show_children(
        self, scope: Scope, inner: Query, target: ObjectType, reference: str
    ) -> Show:
        within = scope.within(target)
        shape = self.shape(within, inner)
        store = scope.call.org.store

        def show(row: Row) -> JsonValue:
            children = store.rows(target.name)
            keys = store.find(target.name, reference, row["Id"])
            rows = self.rows(within, inner, [children[key] for key in keys])
            if not rows:
                return None
            records: list[JsonValue] = [shape.show(each) for each in rows]
            return {"totalSize": len(rows), "done": True, "records": records}

        return show


_NO_OBJECT = ObjectType("", "", "", "", ())


def _sort(scope: Scope, order: tuple[Sort, ...], rows: list[Row]) -> None:
    for each in reversed(order):
        field, read = scope.reader(each.path)
        if not field.filterable:
            raise RefusedError(
                "INVALID_FIELD",
                scope.pointed(
                    each.path.column, f"field '{field.name}' can not be sorted in a query call"
                ),
            )
        # Nulls come first unless the query says otherwise, whichever way the values run.
        null_rank = 0 if each.descending == each.nulls_last else 2

        fold = folds(field)

        def key(
            row: Row, read: Getter = read, null_rank: int = null_rank, *, fold: bool = fold
        ) -> tuple[int, float, str]:
            value = read(row)
            if value is None:
                return null_rank, 0, ""
            if isinstance(value, (int, float)):
                return 1, value, ""
            return 1, 0, str(value).lower() if fold else str(value)

        rows.sort(key=key, reverse=each.descending)


def _address(call: Call, asked: Asked, locator: str, shown: int) -> str:
    tooling = "tooling/" if asked.tooling else ""
    return f"/services/data/v{call.version}/{tooling}query/{locator}-{shown}"


def _keep(call: Call, asked: Asked, found: list[str]) -> str:
    store = call.org.store
    own = [key for key, row in store.rows(LOCATOR).items() if row["user"] == call.user_id]
    for key in own[: len(own) - LOCATORS_MAX + 1]:
        store.drop(LOCATOR, key)
    locator = ids.numbered(LOCATOR_PREFIX, store.tables.next_number(f"id:{LOCATOR_PREFIX}"))
    kept: list[JsonValue] = list(found)
    store.put(
        LOCATOR,
        locator,
        {
            "user": call.user_id,
            "text": asked.text,
            "ids": kept,
            "page": asked.page,
            "with_deleted": asked.with_deleted,
            "tooling": asked.tooling,
        },
    )
    return locator
