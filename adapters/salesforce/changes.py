"""Where the polling of one object stands, as the text of a bookmark: values only.

Records are read in the order (SystemModstamp, Id). SystemModstamp has whole seconds and is set
before a transaction ends, so a poll begins a little before the newest record seen, and now and then
much before it, for as long as something there may still become visible; what was seen in that time
is remembered by its content, and left out when it comes again unchanged.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

#: two records of one second may become visible in two polls
OVERLAP: Final = timedelta(seconds=5)
#: a transaction lasts ten minutes at most
LATE_OVERLAP: Final = timedelta(minutes=11)
_SECOND: Final = timedelta(seconds=1)
#: more are forgotten, oldest first, and only cost a repetition
SEEN_MAX: Final = 20_000


class Seen(NamedTuple):
    """A record as it was last seen."""

    modified_at: datetime
    #: of what it showed
    fingerprint: str


class Keyset(NamedTuple):
    """The last row of a full page: the next page begins behind it."""

    modified_at: datetime
    record_id: str


class Changes(BaseModel):
    """The place in one object's changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the newest SystemModstamp when we first met the org; None: there was no record
    horizon: datetime | None
    #: the newest SystemModstamp read; None: none yet
    newest: datetime | None = None
    #: our clock when that was first read
    newest_at: datetime | None = None
    #: whether it was read again after all of its second, and all long transactions, had to show
    is_settled: bool = False
    is_late_settled: bool = False
    #: in the middle of several pages: where the next begins
    resume: Keyset | None = None
    #: by record id
    seen: Mapping[str, Seen] = {}

    def begin(self, *, is_late: bool) -> Keyset | datetime | None:
        """Return where the next page begins: behind a row, with an instant, or with all there is.

        Args:
            is_late: look for what long transactions made visible late.
        """
        if self.resume is not None:
            return self.resume
        if self.newest is None:
            return None
        if self.is_late_settled if is_late else self.is_settled:
            return self.newest + _SECOND
        return self.newest - (LATE_OVERLAP if is_late else OVERLAP)

    def is_known(self, record_id: str, fingerprint: str) -> bool:
        """Tell whether the record was last seen showing just this."""
        seen = self.seen.get(record_id)
        return seen is not None and seen.fingerprint == fingerprint

    def was(self, record_id: str) -> str:
        """Return the fingerprint that the record last had; blank: forgotten or never seen."""
        seen = self.seen.get(record_id)
        return "" if seen is None else seen.fingerprint

    def is_baseline(self, at: datetime) -> bool:
        """Tell whether what happened at that instant was there when we first met the org."""
        return self.horizon is not None and at <= self.horizon

    def after(
        self, rows: Mapping[str, Seen], resume: Keyset | None, at: datetime, *, is_late: bool
    ) -> Self:
        """Return the place behind a page.

        Args:
            rows: what the page showed, by record id.
            resume: its last row if it was full; None: it was the last page.
            at: our clock before it was read.
            is_late: whether it looked for what long transactions made visible late.
        """
        instants = [seen.modified_at for seen in rows.values()]
        newest = max([*instants, *([self.newest] if self.newest is not None else [])], default=None)
        if newest is None:
            return self
        if newest != self.newest or self.newest_at is None:
            moved = {"newest_at": at, "is_settled": False, "is_late_settled": False}
        else:
            moved = {
                "is_settled": self.is_settled or at > self.newest_at + OVERLAP,
                "is_late_settled": self.is_late_settled
                or (is_late and at > self.newest_at + LATE_OVERLAP),
            }
        seen = self._remembered(rows, newest) if rows else self.seen
        return self.model_copy(update={"newest": newest, "resume": resume, "seen": seen, **moved})

    def _remembered(self, rows: Mapping[str, Seen], newest: datetime) -> Mapping[str, Seen]:
        since = newest - LATE_OVERLAP
        kept = [entry for entry in {**self.seen, **rows}.items() if entry[1].modified_at >= since]
        return dict(sorted(kept, key=lambda entry: entry[1].modified_at)[-SEEN_MAX:])


class Deleted(BaseModel):
    """The place in one object's list of deletions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: up to when the list is known to be whole
    covered: datetime
    #: deletions reported already and still within the overlap: `id instant`
    seen: frozenset[str] = frozenset()
