"""The place of a kind's reconciling poll in the order of its changes: pure, and kept as a text.

A search sees at most 10,000 results and the index lags, so the poll never pages: it asks for what
changed at or after a stamp, oldest first, and goes on from the last stamp it saw. Where one stamp
fills a whole page it goes on by record id within it. Every round begins a little before the newest
stamp (`OVERLAP_SECONDS`); what was already read at that stamp is remembered and not read again.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

from adapters.hubspot import names
from adapters.hubspot.reader import Filter
from adapters.hubspot.wire import RecordPage, RecordRow
from domain.canonical import NotCanonicalError, parse_instant
from domain.ids import Kind

#: how long the index may take to show a change
OVERLAP_SECONDS: Final = 120
#: remembered records; of what is forgotten the same fact is made again, which is harmless
MEMORY_MAX: Final = 5_000
_MILLISECONDS: Final = 1_000


class Cursor(BaseModel):
    """Where a kind's poll stands; stamps are epoch milliseconds of HubSpot's clock."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the newest stamp read so far
    newest: int = 0
    #: the stamp that the next page begins at; None: a new round begins
    stamp: int | None = None
    #: within that stamp, the last id read; None: by stamps
    after_id: str | None = None
    #: record id → the stamp at which it was read
    seen: Mapping[str, int] = {}

    @property
    def start(self) -> int:
        """Return the stamp that the next page begins at."""
        if self.stamp is not None:
            return self.stamp
        return max(0, self.newest - OVERLAP_SECONDS * _MILLISECONDS)

    def filters(self, kind: Kind) -> tuple[tuple[Filter, ...], str]:
        """Return the conditions of the next page and what it is sorted by."""
        modified = names.MODIFIED[kind]
        if self.after_id is None:
            return (Filter(modified, "GTE", str(self.start)),), modified
        within = Filter(modified, "EQ", str(self.start))
        return (within, Filter(names.OBJECT_ID, "GT", self.after_id)), names.OBJECT_ID

    def fresh(self, kind: Kind, rows: Sequence[RecordRow]) -> dict[str, int]:
        """Return the ids on a page that were not read at their stamp yet, with that stamp."""
        stamps = {row.id: stamp_of(kind, row) for row in rows}
        return {
            record_id: stamp
            for record_id, stamp in stamps.items()
            if self.seen.get(record_id, -1) < stamp
        }

    def remembering(self, read: Mapping[str, int]) -> "Cursor":
        """Return the cursor that knows that these were read at these stamps, or later."""
        newer = {
            record_id: stamp
            for record_id, stamp in read.items()
            if self.seen.get(record_id, -1) < stamp
        }
        return self.model_copy(update={"seen": {**self.seen, **newer}}) if newer else self

    def past(self, kind: Kind, page: RecordPage) -> "Cursor":
        """Return the cursor behind a page; `stamp` is None when the round is over."""
        stamps = [stamp_of(kind, row) for row in page.results]
        newest = max([self.newest, *stamps])
        moved = self.model_copy(update={"newest": newest})
        is_last = page.after is None or not page.results
        if self.after_id is not None:
            if is_last:
                return moved.model_copy(update={"stamp": self.start + 1, "after_id": None})
            return moved.model_copy(update={"after_id": page.results[-1].id})
        if is_last:
            return moved.over()
        if stamps[-1] > self.start:
            return moved.model_copy(update={"stamp": stamps[-1]})
        # the whole page has one stamp: its records are read again in the order of their ids
        return moved.model_copy(update={"stamp": self.start, "after_id": "0"})

    def over(self) -> "Cursor":
        """Return the cursor at rest, with a memory that reaches over the overlap."""
        floor = self.newest - OVERLAP_SECONDS * _MILLISECONDS
        kept = sorted(
            ((stamp, record_id) for record_id, stamp in self.seen.items() if stamp >= floor),
            reverse=True,
        )
        seen = {record_id: stamp for stamp, record_id in kept[:MEMORY_MAX]}
        return self.model_copy(update={"stamp": None, "after_id": None, "seen": seen})


def changes_bookmark(kind: Kind) -> str:
    """Return the name of the bookmark that holds a kind's cursor."""
    return f"hubspot.changes.{kind}"


def stamp_of(kind: Kind, row: RecordRow) -> int:
    """Return when a record was last changed, in epoch milliseconds."""
    text = row.properties.get(names.MODIFIED[kind])
    try:
        at = row.updated_at if text is None else parse_instant(text)
    except NotCanonicalError:
        at = row.updated_at
    return round(at.timestamp() * _MILLISECONDS)
