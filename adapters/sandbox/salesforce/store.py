"""Records by object and id over the sandbox's tables, with the look-ups that make them fast.

The look-ups are derived: they are built when first asked for, kept up by `put` and `drop`, and
thrown away when the tables were loaded or cleared from outside. Nothing else writes these tables.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping

from adapters.sandbox.tables import JsonValue, Row, Tables

#: a change in one of these changes what objects, fields and permissions there are
SCHEMA_TABLES = frozenset(
    {
        "CustomField",
        "FieldPermissions",
        "OpportunityStage",
        "PermissionSet",
        "PermissionSetAssignment",
        "RecordType",
        "access",
        "sales_process",
        "setting",
    }
)
#: the table whose presence shows that the state was loaded or cleared from outside
SETTING = "setting"


class Store:
    """The rows of one sandbox."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        #: moves whenever a schema table does
        self.generation = 0
        self._seen: Mapping[str, Row] = tables.rows(SETTING)
        self._by_value: dict[str, dict[str, dict[JsonValue, dict[str, None]]]] = {}
        self._by_stamp: dict[str, list[tuple[str, str]]] = {}
        self._journal: list[tuple[str, str, Row | None]] = []

    def begin(self) -> None:
        """Start a request: forget the last one's journal, and look-ups of a state that is gone."""
        self._journal.clear()
        rows = self.tables.rows(SETTING)
        if rows is not self._seen:
            self._seen = rows
            self._by_value.clear()
            self._by_stamp.clear()
            self.generation += 1

    def get(self, table: str, key: str) -> Row | None:
        """Return the row, or None; not to be changed in place."""
        return self.tables.get(table, key)

    def rows(self, table: str) -> Mapping[str, Row]:
        """Return the rows of a table by key."""
        return self.tables.rows(table)

    def setting(self, name: str) -> JsonValue:
        """Return a setting of the org, or None."""
        row = self.tables.get(SETTING, name)
        return None if row is None else row["value"]

    def set(self, name: str, value: JsonValue) -> None:
        """Change a setting of the org."""
        self.put(SETTING, name, {"value": value})

    def put(self, table: str, key: str, row: Row) -> None:
        """Insert or replace a row."""
        before = self.tables.get(table, key)
        self._journal.append((table, key, before))
        self._write(table, key, before, row)

    def drop(self, table: str, key: str) -> None:
        """Forget a row."""
        before = self.tables.get(table, key)
        if before is not None:
            self._journal.append((table, key, before))
            self._write(table, key, before, None)

    def mark(self) -> int:
        """Return a point to which `roll_back` can return within this request."""
        return len(self._journal)

    def roll_back(self, mark: int) -> None:
        """Take back every change since the mark; numbers that were drawn stay drawn."""
        while len(self._journal) > mark:
            table, key, before = self._journal.pop()
            self._write(table, key, self.tables.get(table, key), before)

    def find(self, table: str, field: str, value: JsonValue) -> tuple[str, ...]:
        """Return the keys of the rows with that value; texts compare in any case.

        Deleted rows are among them.
        """
        return tuple(self._index(table, field).get(_folded(value), ()))

    def changed_since(self, table: str, stamp: str) -> Iterator[Row]:
        """Yield the rows whose SystemModstamp is `stamp` or later, oldest first, then by id."""
        entries = self._stamps(table)
        rows = self.tables.rows(table)
        last = ("", "")
        for entry in entries[bisect_left(entries, (stamp, "")) :]:
            row = rows.get(entry[1])
            # A row that changed again, or changed back to an instant it had, has older entries.
            if row is not None and row["SystemModstamp"] == entry[0] and entry != last:
                yield row
            last = entry

    def _write(self, table: str, key: str, before: Row | None, after: Row | None) -> None:
        if after is None:
            self.tables.drop(table, key)
        else:
            self.tables.put(table, key, after)
        if table in SCHEMA_TABLES:
            self.generation += 1
        if table == SETTING:
            self._seen = self.tables.rows(SETTING)
        for field, index in self._by_value.get(table, {}).items():
            _move(index, key, None if before is None else before.get(field), after, field)
        stamps = self._by_stamp.get(table)
        if stamps is not None and after is not None:
            insort(stamps, (str(after.get("SystemModstamp", "")), key))

    def _index(self, table: str, field: str) -> dict[JsonValue, dict[str, None]]:
        of_table = self._by_value.setdefault(table, {})
        index = of_table.get(field)
        if index is None:
            index = of_table[field] = {}
            for key, row in self.tables.rows(table).items():
                _move(index, key, None, row, field)
        return index

    def _stamps(self, table: str) -> list[tuple[str, str]]:
        entries = self._by_stamp.get(table)
        rows = self.tables.rows(table)
        # Entries of rows that changed again stay until they outnumber the living.
        if entries is None or len(entries) > 2 * len(rows) + 64:
            entries = sorted((str(row["SystemModstamp"]), key) for key, row in rows.items())
            self._by_stamp[table] = entries
        return entries


def _move(
    index: dict[JsonValue, dict[str, None]],
    key: str,
    before: JsonValue,
    after: Row | None,
    field: str,
) -> None:
    value = None if after is None else after.get(field)
    if before is not None and before != value:
        keys = index.get(_folded(before), {})
        keys.pop(key, None)
        if not keys:
            index.pop(_folded(before), None)
    if value is not None:
        index.setdefault(_folded(value), {})[key] = None


def _folded(value: JsonValue) -> JsonValue:
    return value.lower() if isinstance(value, str) else value
