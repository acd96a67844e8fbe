"""The bounded pieces that rounds and sweeps are made of; when each is due is the source's matter.

What a sweep has read so far is only in memory: a restart, or a piece whose facts did not become
durable, begins it again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from adapters.hubspot import names
from adapters.hubspot.account import Account
from adapters.hubspot.association_memory import AssociationMemory
from adapters.hubspot.baseline import Baseline
from adapters.hubspot.calls import Calls
from adapters.hubspot.catalog import fingerprint, read_catalog, zone_of
from adapters.hubspot.cursor import Cursor, changes_bookmark
from adapters.hubspot.reader import Reader, Wanted
from adapters.hubspot.records import Records, Wish
from domain import facts
from domain.facts import Fact
from domain.ids import Kind
from domain.ports import Bookmarks

#: a sweep looks this far behind the newest deletion that the last one saw: longer than it takes
SWEEP_OVERLAP_SECONDS: Final = 900
#: records whose last reading is remembered, so that the poll does not read them again
FRESH_MAX: Final = 5_000
_CATALOG: Final = "hubspot.catalog"
_POLL: Final = "poll"


@dataclass(frozen=True, slots=True)
class Piece:
    """What one piece found."""

    facts: tuple[Fact, ...] = ()
    bookmarks: Mapping[str, str] = field(default_factory=dict)
    #: whether the same step has more to do
    more: bool = False


#: takes our clock, before any request goes out
Step: TypeAlias = Callable[[datetime], Piece]


class Steps:
    """Makes steps over one account."""

    def __init__(
        self,
        calls: Calls,
        reader: Reader,
        account: Account,
        records: Records,
        baseline: Baseline,
        bookmarks: Bookmarks,
    ) -> None:
        self._calls = calls
        self._reader = reader
        self._account = account
        self._records = records
        self._baseline = baseline
        self._bookmarks = bookmarks
        self._memory = AssociationMemory(bookmarks)
        #: when the catalog was last read; None: not yet
        self.catalog_at: datetime | None = None
        self._fresh: dict[tuple[Kind, str], int] = {}
        #: deletions of the overlap that an earlier sweep told
        self._buried: dict[tuple[Kind, str], datetime] = {}

    # -- the catalog ----------------------------------------------------------------------------

    def catalog(self, rest_seconds: float, reason: str = _POLL) -> Step:
        """Read the catalog unless that was done a moment ago; tell it where it changed."""

        def step(at: datetime) -> Piece:
            rest = timedelta(seconds=rest_seconds)
            if self.catalog_at is not None and at - self.catalog_at < rest:
                return Piece()
            catalog = self.read_catalog(reason, None, at)
            mark = fingerprint(catalog)
            if self._bookmarks.read(_CATALOG) == mark:
                return Piece()
            return Piece((catalog,), {_CATALOG: mark})

        return step

    def read_catalog(
        self, reason: str, cause: str | None, at: datetime
    ) -> facts.HubSpotCatalogObserved:
        """Read the catalog.

        Raises:
            PortError: HubSpot did not answer all of it.
        """
        catalog = read_catalog(self._reader, self._account, reason, cause, at)
        zone = zone_of(catalog)
        if zone is not None:
            self._calls.zone = lambda: zone
        self.catalog_at = at
        return catalog

    # -- changes --------------------------------------------------------------------------------

    def remember(self, found: Sequence[Fact]) -> None:
        """Take note of records that a refresh has read: the poll need not read them again."""
        self._fresh |= stamps(found)
        while len(self._fresh) > FRESH_MAX:
            del self._fresh[next(iter(self._fresh))]

    def changes(self, kind: Kind) -> Step:
        """Read a page of what changed, by the search, and each of it again by id."""
        bookmark = changes_bookmark(kind)

        def step(at: datetime) -> Piece:
            text = self._bookmarks.read(bookmark)
            cursor = Cursor() if text is None else Cursor.model_validate_json(text)
            filters, sort = cursor.filters(kind)
            page = self._reader.search(kind, filters, sort, (names.MODIFIED[kind],), at)
            hits = cursor.fresh(kind, page.results)
            wish = Wish(_POLL, at)
            unread = {
                record_id: (wish,)
                for record_id, stamp in hits.items()
                if self._fresh.get((kind, record_id), -1) < stamp
            }
            found = self._records.read(kind, unread, at)
            self._memory.stage(found)
            read = {record_id: stamp for (_, record_id), stamp in stamps(found).items()}
            after = cursor.remembering(hits).remembering(read).past(kind, page)
            bookmarks = {} if after == cursor else {bookmark: after.model_dump_json()}
            return Piece(found, bookmarks, more=after.stamp is not None)

        return step

    def baseline(self, at: datetime) -> Piece:
        """Read the next page of the baseline.

        Raises:
            PortError: HubSpot did not answer; the same page is read again.
        """
        found, bookmarks = self._baseline.piece(at)
        self._memory.stage(found)
        return Piece(found, bookmarks, more=True)

    # -- sweeps ---------------------------------------------------------------------------------

    def sweep(self) -> list[Step]:
        """Return the steps that look for lost deletions and lost changes of associations."""
        return [*(self._archived(kind) for kind in names.KINDS), self._associations()]

    def forget(self) -> None:
        """Forget what was told by a piece that did not become durable."""
        self._memory.forget()
        self._buried.clear()

    def keep(self) -> None:
        """Know that what was told is durable."""
        self._memory.keep()

    def _archived(self, kind: Kind) -> Step:
        bookmark = f"hubspot.archived.{kind}"
        after: str | None = None
        newest = self._newest_archived(kind, bookmark)
        since = newest - timedelta(seconds=SWEEP_OVERLAP_SECONDS)

        def step(at: datetime) -> Piece:
            nonlocal after, newest
            plain = Wanted((names.OBJECT_ID,))
            page = self._reader.page(kind, plain, at, after=after, archived=True)
            archived = {row.id: row.archived_at or at for row in page.results}
            new = {
                record_id: archived_at
                for record_id, archived_at in archived.items()
                if archived_at > since and self._buried.get((kind, record_id)) != archived_at
            }
            wishes = {record_id: (Wish(_POLL, new[record_id]),) for record_id in new}
            found = self._records.read(kind, wishes, at)
            self._buried |= {(kind, record_id): new[record_id] for record_id in new}
            newest = max([newest, *archived.values()])
            after = page.after
            if after is not None:
                return Piece(found, more=True)
            return Piece(found, {bookmark: newest.isoformat()})

        return step

    def _newest_archived(self, kind: Kind, bookmark: str) -> datetime:
        """Return up to when deletions are known: at first, up to the baseline."""
        text = self._bookmarks.read(bookmark)
        return self._baseline.stamp_at(kind) if text is None else datetime.fromisoformat(text)

    def _associations(self) -> Step:
        after: str | None = None

        def step(at: datetime) -> Piece:
            nonlocal after
            page = self._reader.page(Kind.DEAL, Wanted((names.OBJECT_ID,)), at, after=after)
            deal_ids = [row.id for row in page.results]
            wish = Wish(_POLL, at)
            found = self._records.associations(dict.fromkeys(deal_ids, (wish,)), deal_ids, at)
            changed = self._memory.stage(found)
            after = page.after
            if after is not None:
                return Piece(changed, more=True)
            return Piece(changed, self._memory.texts())

        return step


def stamps(found: Sequence[Fact]) -> dict[tuple[Kind, str], int]:
    """Return when the records observed were last changed, in epoch milliseconds."""
    known: dict[tuple[Kind, str], int] = {}
    for fact in found:
        match fact:
            case facts.DealObserved():
                key = (Kind.DEAL, fact.deal_id)
            case facts.HubSpotContactObserved():
                key = (Kind.CONTACT, fact.contact_id)
            case facts.CompanyObserved():
                key = (Kind.COMPANY, fact.company_id)
            case _:
                continue
        known[key] = round(fact.at.timestamp() * 1000)
    return known
