"""What was fetched of one partition and is not decided yet.

A reader asks for what comes behind an offset, and may ask for the same again: it crashed in between
and the store still has the old position, or its batch was refused. So records stay on the shelf
until the reader asks for what comes behind them.
"""

from collections import deque
from itertools import islice
from typing import Any


class Shelf:
    """Records of one partition, in order, without anything left out in between.

    Args:
        after: the offset behind which it begins.
    """

    def __init__(self, after: int) -> None:
        self._records: deque[Any] = deque()
        #: what was taken off: all up to here
        self._after = after
        #: the newest offset that was put on, or `after`
        self._last = after

    def __len__(self) -> int:
        return len(self._records)

    @property
    def next_offset(self) -> int:
        """Where fetching has to go on."""
        return self._last + 1

    def move_to(self, after: int) -> bool:
        """Begin behind an offset; return False if fetching has to go on elsewhere than it would."""
        if after < self._after or after > self._last:
            must_seek = after != self._last
            self._records.clear()
            self._after = self._last = after
            return not must_seek
        while self._records and self._records[0].offset <= after:
            self._records.popleft()
        self._after = after
        return True

    def put(self, records: list[Any]) -> None:
        """Add what was fetched; what stands here already, or came before it began, is dropped."""
        for record in records:
            if record.offset > self._last:
                self._records.append(record)
                self._last = record.offset

    def first(self, count: int) -> list[Any]:
        """Return the oldest records; they stay."""
        return list(islice(self._records, count))
