"""Where the polling of one object stands, as the text of a bookmark: values only.

Records are read in the order (SystemModstamp, Id). SystemModstamp has whole seconds and is set
before a transaction ends, so a poll begins a little before the newest record seen, and now and then
much before it; what was seen in that time is remembered by its content, and left out when it comes
again unchanged.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

#: two records of one second may become visible in two polls
OVERLAP: Final = timedelta(seconds=5)
#: a transaction lasts ten minutes at most
LATE_OVERLAP: Final = timedelta(minutes=11)
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

    def after(self, rows: Mapping[str, Seen], resume: Keyset | None) -> Self:
        """Return the place behind a page.

        Args:
            rows: what the page showed, by record id.
            resume: its last row if it was full; None: it was the last page.
        """
        instants = [seen.modified_at for seen in rows.values()]
        newest = max([*instants, *([self.newest] if self.newest is not None else [])], default=None)
        seen = {**self.seen, **rows}
        if newest is not None:
            kept = {
                key: each for key, each in seen.items() if each.modified_at > newest - LATE_OVERLAP
            }
            seen = dict(sorted(kept.items(), key=lambda entry: entry[1].modified_at)[-SEEN_MAX:])
        return self.model_copy(update={"newest": newest, "resume": resume, "seen": seen})


class Deleted(BaseModel):
    """The place in one object's list of deletions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: up to when the list is known to be whole
    covered: datetime
    #: deletions reported already and still within the overlap: `id instant`
    seen: frozenset[str] = frozenset()
