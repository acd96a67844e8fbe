"""Finds records of one kind by id order and by time of change without looking at all of them.

Everything here follows from the rows: it is built when first needed, kept up by `records`, and
built again when the tables were loaded or emptied.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping

from adapters.sandbox.hubspot.rows import as_record
from adapters.sandbox.tables import Row

#: outdated entries are swept out once they are more than the current ones and this
_SLACK = 1_000


class RecordIndex:
    """The records of one kind, in two orders."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        """Read all rows once."""
        self.rows = rows
        self._ids: list[int] = sorted(map(int, rows))
        self._changed: list[tuple[int, int]] = sorted(
            (as_record(row)["updatedMs"], int(key)) for key, row in rows.items()
        )

    def added(self, record_id: str) -> None:
        """Take note of a new record; ids only grow, so this is nearly always an append."""
        insort(self._ids, int(record_id))

    def dropped(self, record_id: str) -> None:
        """Take note that a record is gone for good."""
        self._ids.remove(int(record_id))

    def changed(self, record_id: str, ms: int) -> None:
        """Take note that a record's time of change is now `ms`."""
        insort(self._changed, (ms, int(record_id)))
        if len(self._changed) > 2 * len(self._ids) + _SLACK:
            self._changed = [entry for entry in self._changed if self._is_current(*entry)]

    def after(self, record_id: int) -> Iterator[str]:
        """Yield ids above `record_id`, ascending."""
        for position in range(bisect_right(self._ids, record_id), len(self._ids)):
            yield str(self._ids[position])

    def changed_since(self, ms: int) -> Iterator[str]:
        """Yield the ids of records last changed at `ms` or later, earliest first."""
        seen_last = None
        for position in range(bisect_left(self._changed, (ms, 0)), len(self._changed)):
            entry = self._changed[position]
            if entry != seen_last and self._is_current(*entry):
                yield str(entry[1])
            seen_last = entry

    def _is_current(self, ms: int, record_id: int) -> bool:
        row = self.rows.get(str(record_id))
        return row is not None and as_record(row)["updatedMs"] == ms
