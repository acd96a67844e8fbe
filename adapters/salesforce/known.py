"""Which records we have seen alive, in bookmarks: what a comparison of id sets compares with.

A role that is deleted leaves nothing but its id, so the opportunity of every role is kept too. The
ids are spread over many small texts, so that one change rewrites only one of them.
"""

import json
from collections.abc import Mapping
from typing import Final
from zlib import crc32

from domain.ports import Bookmarks

SHARDS: Final = 64


class Known:
    """The ids of one object, each with a text; for one step, then thrown away.

    Args:
        bookmarks: read only: what is to be written is returned by `changed`.
        name: what the bookmarks' names begin with.
    """

    def __init__(self, bookmarks: Bookmarks, name: str) -> None:
        self._bookmarks = bookmarks
        self._name = name
        self._shards: dict[int, dict[str, str]] = {}
        self._changed: set[int] = set()

    def get(self, record_id: str) -> str | None:
        """Return the text of a record, or None if it is not known."""
        return self._shard(record_id)[1].get(record_id)

    def put(self, record_id: str, text: str = "") -> None:
        """Know a record."""
        number, shard = self._shard(record_id)
        if shard.get(record_id) != text:
            shard[record_id] = text
            self._changed.add(number)

    def drop(self, record_id: str) -> None:
        """Know a record no more."""
        number, shard = self._shard(record_id)
        if shard.pop(record_id, None) is not None:
            self._changed.add(number)

    def all(self) -> Mapping[str, str]:
        """Return every record known, by id."""
        return {
            record_id: text
            for number in range(SHARDS)
            for record_id, text in self._numbered(number).items()
        }

    def changed(self) -> Mapping[str, str]:
        """Return the bookmarks to write, name and text."""
        return {
            self._bookmark(number): json.dumps(self._shards[number], separators=(",", ":"))
            for number in sorted(self._changed)
        }

    def _shard(self, record_id: str) -> tuple[int, dict[str, str]]:
        number = crc32(record_id.encode()) % SHARDS
        return number, self._numbered(number)

    def _numbered(self, number: int) -> dict[str, str]:
        shard = self._shards.get(number)
        if shard is None:
            text = self._bookmarks.read(self._bookmark(number))
            shard = self._shards[number] = {} if text is None else json.loads(text)
        return shard

    def _bookmark(self, number: int) -> str:
        return f"{self._name}.{number:02d}"
