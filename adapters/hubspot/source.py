"""HubSpot as ingest reads it: a baseline once, then rounds of changes, and slower sweeps.

Webhooks only ever ask for reads; that none is lost is the work of the rounds here (rule `gap`). A
*round* reads the catalog when that is due and searches each kind for what changed. A *sweep* looks
for what no search shows: archived records, and associations that changed. Everything found is read
again by id before it becomes a fact. A full pass that somebody waits for is a round that sweeps.

Places are bookmarks: `hubspot.baseline`, `hubspot.changes.<kind>`, `hubspot.catalog`,
`hubspot.archived.<kind>`, `hubspot.associations.<n>`, `hubspot.swept`. `hubspot.piece` tells if
the facts of the last piece became durable; where they did not, round and sweep begin again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from typing_extensions import override

from adapters.hubspot import names
from adapters.hubspot.account import Account
from adapters.hubspot.baseline import Baseline
from adapters.hubspot.calls import Calls
from adapters.hubspot.hints import primary_of, tells_association
from adapters.hubspot.reader import Reader
from adapters.hubspot.records import Records, Wish
from adapters.hubspot.steps import Step, Steps
from adapters.hubspot.translate import reason_of
from adapters.source import Polled, Source, is_pass_wanted
from domain.facts import Fact
from domain.ids import Crm, Kind, is_hubspot_id
from domain.policy import Policy
from domain.ports import Bookmarks, Refresh

CATALOG_SECONDS: Final = 300.0
SWEEP_SECONDS: Final = 3_600.0
_SWEPT: Final = "hubspot.swept"
_PIECE: Final = "hubspot.piece"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often the account is read."""

    #: a round of changes; None: as the policy says
    poll_seconds: float | None = None
    catalog_seconds: float = CATALOG_SECONDS
    sweep_seconds: float = SWEEP_SECONDS


_USUAL: Final = Rhythm()


@dataclass(slots=True)
class _Round:
    """Steps to do in turn."""

    begun_at: datetime
    steps: list[Step]
    #: whether its end is the end of a full pass
    is_pass: bool
    sweeps: bool


class HubSpotSource(Source):
    """The source.

    Args:
        calls: the account.
        bookmarks: read here, written by ingest.
        policy: the policy in force.
        rhythm: how often to read.
    """

    crm = Crm.HUBSPOT

    def __init__(
        self,
        calls: Calls,
        bookmarks: Bookmarks,
        policy: Callable[[], Policy],
        rhythm: Rhythm = _USUAL,
    ) -> None:
        self._bookmarks = bookmarks
        self._policy = policy
        self._rhythm = rhythm
        reader = Reader(calls)
        account = Account(reader)
        self._records = Records(reader, account, policy)
        self._baseline = Baseline(reader, self._records, bookmarks)
        self._steps = Steps(calls, reader, account, self._records, self._baseline, bookmarks)
        self._round: _Round | None = None
        self._sweep: _Round | None = None
        self._passed_at: datetime | None = None
        self._swept_at: datetime | None = None
        #: what `hubspot.piece` says once the last piece is durable; None: nothing is awaited
        self._awaited: str | None = None
        self._count = 0

    @override
    def due(self, at: datetime) -> bool:
        return (
            self._round is not None
            or self._sweep is not None
            or self._is_round_due(at)
            or self._is_sweep_due(at)
        )

    @override
    def poll(self, at: datetime) -> Polled:
        self._settle_last_piece()
        polled = self._next(at)
        if not polled.facts:
            return polled
        self._count += 1
        self._awaited = f"{at.isoformat()} {self._count}"
        return replace(polled, bookmarks={**polled.bookmarks, _PIECE: self._awaited})

    @override
    def read(self, refreshes: Sequence[Refresh], at: datetime) -> tuple[Fact, ...]:
        found: list[Fact] = []
        for one in refreshes:
            if one.kind is Kind.CATALOG:
                # one reading answers all of them
                found.append(self._steps.read_catalog(reason_of(one.reason), one.cause, at))
                break
        for kind in names.KINDS:
            wishes: dict[str, list[Wish]] = {}
            for one in refreshes:
                if one.kind is kind and is_hubspot_id(one.record_id):
                    wishes.setdefault(one.record_id, []).append(_wish(one))
            read = self._records.read(kind, wishes, at)
            self._steps.remember(read)
            found.extend(read)
        return tuple(found)

    def _settle_last_piece(self) -> None:
        if self._awaited is None:
            return
        if self._bookmarks.read(_PIECE) == self._awaited:
            self._steps.keep()
        else:
            self._steps.forget()
            self._round = self._sweep = self._swept_at = None
        self._awaited = None

    def _next(self, at: datetime) -> Polled:
        if not self._baseline.is_done():
            return self._baseline_piece(at)
        if self._round is None and (self._is_round_due(at) or self._is_round_wanted()):
            self._round = self._new_round(at)
        if self._round is not None:
            return self._go_on(self._round, at)
        if self._sweep is None:
            self._sweep = _Round(at, self._steps.sweep(), is_pass=False, sweeps=True)
        return self._go_on(self._sweep, at)

    def _baseline_piece(self, at: datetime) -> Polled:
        if self._steps.catalog_at is None:
            piece = self._steps.catalog(0, "baseline")(at)
        else:
            piece = self._steps.baseline(at)
        return Polled(piece.facts, piece.bookmarks, more=True)

    def _new_round(self, at: datetime) -> _Round:
        steps = [self._steps.catalog(self._rhythm.catalog_seconds)]
        steps += [self._steps.changes(kind) for kind in names.KINDS]
        sweeps = is_pass_wanted(self._bookmarks, self.crm)
        if sweeps:
            self._sweep = None
            steps += self._steps.sweep()
        self._passed_at = at
        return _Round(at, steps, is_pass=True, sweeps=sweeps)

    def _go_on(self, doing: _Round, at: datetime) -> Polled:
        piece = doing.steps[0](at)
        if not piece.more:
            del doing.steps[0]
        if doing.steps:
            return Polled(piece.facts, piece.bookmarks, more=True)
        if doing is self._round:
            self._round = None
        else:
            self._sweep = None
        bookmarks = dict(piece.bookmarks)
        if doing.sweeps:
            self._swept_at = doing.begun_at
            bookmarks[_SWEPT] = doing.begun_at.isoformat()
        begun_at = doing.begun_at if doing.is_pass else None
        return Polled(piece.facts, bookmarks, pass_begun_at=begun_at)

    def _is_round_due(self, at: datetime) -> bool:
        seconds = self._rhythm.poll_seconds
        if seconds is None:
            seconds = float(self._policy().polling.hubspot_seconds)
        return self._passed_at is None or at - self._passed_at >= timedelta(seconds=seconds)

    def _is_round_wanted(self) -> bool:
        return is_pass_wanted(self._bookmarks, self.crm)

    def _is_sweep_due(self, at: datetime) -> bool:
        if self._swept_at is None:
            text = self._bookmarks.read(_SWEPT)
            # what the baseline has just read needs no sweep
            self._swept_at = self._baseline.begun_at() if text is None else _instant(text)
        if self._swept_at is None:
            return False
        return at - self._swept_at >= timedelta(seconds=self._rhythm.sweep_seconds)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _wish(refresh: Refresh) -> Wish:
    return Wish(
        reason=reason_of(refresh.reason),
        at=refresh.at,
        cause=refresh.cause or None,
        primary_id=primary_of(refresh.hint),
        is_association=tells_association(refresh.hint),
    )
