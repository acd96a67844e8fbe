"""What one poll has found so far: facts, and the bookmarks to write once they are durable.

Reading a bookmark through it shows what this poll means to write, so steps of one poll build on
each other.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from adapters.salesforce.changes import Changes, Deleted
from adapters.salesforce.known import Known
from domain.facts import Fact
from domain.ports import Bookmarks

PREFIX: Final = "salesforce"


class Piece:
    """The yield of one poll.

    Args:
        bookmarks: where the source resumes; only read here.
    """

    def __init__(self, bookmarks: Bookmarks) -> None:
        self._bookmarks = bookmarks
        self._written: dict[str, str] = {}
        self._known: dict[str, Known] = {}
        self.facts: list[Fact] = []

    def add(self, facts: Iterable[Fact]) -> None:
        """Take facts in."""
        self.facts.extend(facts)

    def read(self, name: str) -> str | None:
        """Return a bookmark of ours by its short name, as it will be."""
        full = f"{PREFIX}.{name}"
        return self._written[full] if full in self._written else self._bookmarks.read(full)

    def write(self, name: str, text: str) -> None:
        """Have a bookmark of ours written with the facts."""
        if self.read(name) != text:
            self._written[f"{PREFIX}.{name}"] = text

    def changes(self, of: str) -> Changes:
        """Return the place in an object's changes; before the first poll: an empty org's."""
        text = self.read(f"changes.{of}")
        return Changes(horizon=None) if text is None else _place(text)

    def move(self, of: str, place: Changes) -> None:
        """Have the place in an object's changes moved."""
        self.write(f"changes.{of}", place.model_dump_json())

    def deleted(self, of: str) -> Deleted | None:
        """Return the place in an object's deletions, or None before the first reading."""
        text = self.read(f"deleted.{of}")
        return None if text is None else Deleted.model_validate_json(text)

    def move_deleted(self, of: str, place: Deleted) -> None:
        """Have the place in an object's deletions moved."""
        self.write(f"deleted.{of}", place.model_dump_json())

    def known(self, of: str) -> Known:
        """Return the records of an object that we know."""
        if of not in self._known:
            self._known[of] = Known(self._bookmarks, f"{PREFIX}.known.{of}")
        return self._known[of]

    def bookmarks(self) -> Mapping[str, str]:
        """Return all bookmarks to write, name and text."""
        written = dict(self._written)
        for known in self._known.values():
            written.update(known.changed())
        return written


@lru_cache(maxsize=8)
def _place(text: str) -> Changes:
    """Read a place; large ones stay the same from poll to poll."""
    return Changes.model_validate_json(text)
