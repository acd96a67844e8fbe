"""The whole state of one sandbox: named tables of JSON rows, in memory, and what changed.

A row is never changed in place: it is read, copied, and put back. So whoever saves it needs
only `take_dirty()`, and a reader never sees half a change.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
Row: TypeAlias = dict[str, JsonValue]


class Tables:
    """Rows by table and key; both are text, and a table exists once it has a row."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, Row]] = {}
        self._dirty: dict[tuple[str, str], None] = {}

    def get(self, table: str, key: str) -> Row | None:
        """Return the row, or None. Do not change it: put a new one."""
        return self._tables.get(table, {}).get(key)

    def rows(self, table: str) -> Mapping[str, Row]:
        """Return the rows of a table by key, in order of first insertion."""
        return self._tables.get(table, {})

    def put(self, table: str, key: str, row: Row) -> None:
        """Insert or replace a row."""
        self._tables.setdefault(table, {})[key] = row
        self._dirty[table, key] = None

    def drop(self, table: str, key: str) -> None:
        """Forget a row; nothing happens where there is none."""
        if self._tables.get(table, {}).pop(key, None) is not None:
            self._dirty[table, key] = None

    def clear(self) -> None:
        """Forget everything; every row counts as changed."""
        for table, rows in self._tables.items():
            for key in rows:
                self._dirty[table, key] = None
        self._tables = {}

    def is_empty(self) -> bool:
        """Return whether there is no row at all: a sandbox that was never seeded."""
        return not any(self._tables.values())

    def next_number(self, counter: str) -> int:
        """Return 1, 2, 3, … per counter, kept with the state."""
        row = self.get("counter", counter)
        number = 1 if row is None else int(str(row["value"])) + 1
        self.put("counter", counter, {"value": number})
        return number

    def take_dirty(self) -> tuple[tuple[str, str, Row | None], ...]:
        """Return (table, key, row or None if dropped) changed since the last call, in order."""
        taken = tuple((table, key, self.get(table, key)) for table, key in self._dirty)
        self._dirty = {}
        return taken

    def load(self, saved: Iterator[tuple[str, str, Row]]) -> None:
        """Replace everything by saved rows; nothing counts as changed."""
        self._tables = {}
        self._dirty = {}
        for table, key, row in saved:
            self._tables.setdefault(table, {})[key] = row
