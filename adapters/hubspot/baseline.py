"""The first reading of everything: it decides nothing, and later edits are differences from it.

All deals with their associations, then all contacts, then all companies, by ascending id. A crash
goes on at the page that was next. Before a kind's first page its newest stamp is noted: the polls
begin there, so what changes while the pages are read is found after them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from adapters.hubspot import names
from adapters.hubspot.cursor import Cursor, changes_bookmark, stamp_of
from adapters.hubspot.reader import Reader
from adapters.hubspot.records import Records, Wish
from domain.facts import Fact
from domain.ids import Kind
from domain.ports import Bookmarks

BOOKMARK: Final = "hubspot.baseline"
REASON: Final = "baseline"


class _Place(BaseModel):
    """Where the baseline stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    begun_at: datetime
    #: None: all kinds are read
    kind: Kind | None
    after: str | None = None
    #: kind → its newest stamp before its first page, in epoch milliseconds
    newest: Mapping[Kind, int] = {}


class Baseline:
    """The baseline of one account."""

    def __init__(self, reader: Reader, records: Records, bookmarks: Bookmarks) -> None:
        self._reader = reader
        self._records = records
        self._bookmarks = bookmarks
        #: a baseline that is done stays so: the bookmark is read no more
        self._done: _Place | None = None

    def is_done(self) -> bool:
        """Tell whether everything was read once."""
        place = self._place()
        return place is not None and place.kind is None

    def begun_at(self) -> datetime | None:
        """Return when it began, by our clock; None: it did not."""
        place = self._place()
        return None if place is None else place.begun_at

    def stamp_at(self, kind: Kind) -> datetime:
        """Return the newest stamp of a kind when it began, by HubSpot's clock."""
        place = self._place()
        stamp = 0 if place is None else place.newest.get(kind, 0)
        return datetime.fromtimestamp(stamp / 1000, UTC)

    def piece(self, at: datetime) -> tuple[tuple[Fact, ...], Mapping[str, str]]:
        """Read the next page; return its facts and the bookmarks to write.

        Raises:
            PortError: HubSpot did not answer; the same page is read again.
        """
        place = self._place()
        if place is None:
            place = _Place(begun_at=at, kind=names.KINDS[0])
        assert place.kind is not None, "the baseline is over"
        kind = place.kind
        if place.after is None:
            cursor = self._newest(kind, at)
            newest = {**place.newest, kind: cursor.newest}
            place = place.model_copy(update={"newest": newest})
        else:
            cursor = self._cursor(kind)
        page = self._reader.page(kind, self._records.wanted(kind), at, after=place.after)
        wish = Wish(REASON, at)
        wishes = {row.id: (wish,) for row in page.results}
        found = self._records.observed(kind, page.results, wishes, at)
        read = {row.id: stamp_of(kind, row) for row in page.results}
        cursor = cursor.remembering(read).over()
        if page.after is not None:
            place = place.model_copy(update={"after": page.after})
        else:
            place = place.model_copy(update={"kind": _behind(kind), "after": None})
        bookmarks = {
            BOOKMARK: place.model_dump_json(),
            changes_bookmark(kind): cursor.model_dump_json(),
        }
        return found, bookmarks

    def _place(self) -> _Place | None:
        if self._done is not None:
            return self._done
        text = self._bookmarks.read(BOOKMARK)
        place = None if text is None else _Place.model_validate_json(text)
        if place is not None and place.kind is None:
            self._done = place
        return place

    def _cursor(self, kind: Kind) -> Cursor:
        text = self._bookmarks.read(changes_bookmark(kind))
        return Cursor() if text is None else Cursor.model_validate_json(text)

    def _newest(self, kind: Kind, at: datetime) -> Cursor:
        modified = names.MODIFIED[kind]
        page = self._reader.search(kind, (), modified, (modified,), at, descending=True, limit=1)
        return Cursor(newest=max((stamp_of(kind, row) for row in page.results), default=0))


def _behind(kind: Kind) -> Kind | None:
    place = names.KINDS.index(kind) + 1
    return names.KINDS[place] if place < len(names.KINDS) else None
