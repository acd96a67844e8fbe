"""Polls Salesforce: the baseline, then what changed and what was deleted, in passes.

A pass goes once over everything; a large one takes several polls. The first pass of all is the
baseline (rule `entry-salesforce`): what was there when we first met the org decides nothing. Each
poll reads, returns facts and the bookmarks that go with them, and keeps nothing that matters.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from adapters.salesforce import catalog, names
from adapters.salesforce.catalog import CatalogReader
from adapters.salesforce.connection import Connection
from adapters.salesforce.piece import Piece
from adapters.salesforce.poller import GAP, POLLED, Poller
from adapters.salesforce.reader import Reader
from adapters.salesforce.reconcile import Reconciler
from adapters.salesforce.schema import Schema
from adapters.source import Polled, Source, is_pass_wanted
from domain.facts import Fact
from domain.ids import Crm, Kind
from domain.ports import Bookmarks, Refresh

#: what seldom changes is read once in so many polls…
SELDOM: Final = 20
#: …and not more often than this, however fast the polls are
CATALOG_SECONDS_MIN: Final = 2.0
LATE_SECONDS_MIN: Final = 120.0
SWEEP_SECONDS: Final = 3_600.0

_PASSES: Final = "passes"
_CATALOG: Final = "catalog"
_CHANGES: Final = "changes"
_DELETED: Final = "deleted"


class _Pass(BaseModel):
    """Where the passes stand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    begun_at: datetime
    #: `changes Opportunity`, `deleted Contact`, `catalog`: empty between passes
    left: tuple[str, ...]
    #: whether this pass looks far back
    is_late: bool
    #: when each last began
    catalog_at: datetime
    late_at: datetime
    swept_at: datetime


class SalesforceSource(Source):
    """One org as ingest reads it.

    Args:
        connection: the org.
        schema: its describes, shared with the gateway.
        bookmarks: where we resume; only read here.
        fields: names of the opportunity's fields that policy maps or observes, as of now.
        seconds: between two polls, as of now.
        sweep_seconds: between two comparisons of everything.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        schema: Schema,
        bookmarks: Bookmarks,
        fields: Callable[[], Collection[str]],
        seconds: Callable[[], float],
        sweep_seconds: float = SWEEP_SECONDS,
    ) -> None:
        self.crm = Crm.SALESFORCE
        self.reader = Reader(connection, schema, fields)
        self._bookmarks = bookmarks
        self._seconds = seconds
        self._sweep_seconds = sweep_seconds
        self._schema = schema
        #: the schema's at the last reading of the catalog
        self._generation = schema.generation
        self._catalog = CatalogReader(connection, schema)
        self._poller = Poller(connection, self.reader)
        self._reconciler = Reconciler(connection, self.reader, self._poller, self._catalog)

    @override
    def due(self, at: datetime) -> bool:
        state = _state(Piece(self._bookmarks))
        return (
            state is None
            or bool(state.left)
            or self._is_pass_due(state, at)
            or self._is_sweep_due(state, at)
        )

    @override
    def poll(self, at: datetime) -> Polled:
        piece = Piece(self._bookmarks)
        state = _state(piece)
        if state is None:
            self._poller.begin(piece, at)
            state = _Pass(
                begun_at=at,
                left=_steps(with_catalog=True, with_deletions=True),
                is_late=False,
                catalog_at=at,
                late_at=at,
                swept_at=at,
            )
        elif not state.left:
            wanted = is_pass_wanted(self._bookmarks, self.crm)
            if not wanted and not self._is_pass_due(state, at):
                return self._sweep(piece, state, at)
            state = self._next_pass(state, at, wanted=wanted)
        return self._continue(piece, state, at)

    @override
    def read(self, refreshes: Sequence[Refresh], at: datetime) -> tuple[Fact, ...]:
        return (
            *self.reader.refreshed(refreshes, at),
            # One reading answers all that ask for it.
            *(
                self._catalog.read(self.reader.look(at, "refresh", wish.cause))
                for wish in [wish for wish in refreshes if wish.kind is Kind.CATALOG][:1]
            ),
        )

    def _continue(self, piece: Piece, state: _Pass, at: datetime) -> Polled:
        """Make steps of the pass until one of them says that there is more of it."""
        left = state.left
        while left:
            if not self._step(left[0], piece, state, at):
                break
            left = left[1:]
        state = state.model_copy(update={"left": left})
        if piece.read(GAP) not in (None, self._bookmarks.read(f"{self.crm}.{GAP}")):
            self._reconciler.begin()
        piece.write(_PASSES, state.model_dump_json())
        return Polled(
            facts=tuple(piece.facts),
            bookmarks=piece.bookmarks(),
            more=bool(left),
            pass_begun_at=None if left else state.begun_at,
        )

    def _step(self, step: str, piece: Piece, state: _Pass, at: datetime) -> bool:
        """Make one step; return whether it is complete."""
        kind, _, of = step.partition(" ")
        match kind:
            case "changes":
                return self._poller.read_changes(of, piece, at, is_late=state.is_late)
            case "deleted":
                self._poller.read_deletions(of, piece, at)
            case _:
                self._read_catalog(piece, at)
        return True

    def _read_catalog(self, piece: Piece, at: datetime) -> None:
        fact = self._catalog.read(self.reader.look(at, "poll"))
        self._generation = self._schema.generation
        print_ = catalog.fingerprint(fact)
        if piece.read(_CATALOG) != print_:
            piece.add([fact])
            piece.write(_CATALOG, print_)

    def _next_pass(self, state: _Pass, at: datetime, *, wanted: bool) -> _Pass:
        with_catalog = (
            wanted
            or self._generation != self._schema.generation
            or self._is_seldom_due(state.catalog_at, CATALOG_SECONDS_MIN, at)
        )
        is_late = self._is_seldom_due(state.late_at, LATE_SECONDS_MIN, at)
        return _Pass(
            begun_at=at,
            left=_steps(with_catalog=with_catalog, with_deletions=is_late or wanted),
            is_late=is_late,
            catalog_at=at if with_catalog else state.catalog_at,
            late_at=at if is_late else state.late_at,
            swept_at=state.swept_at,
        )

    def _sweep(self, piece: Piece, state: _Pass, at: datetime) -> Polled:
        if not self._reconciler.is_running:
            if not self._is_sweep_due(state, at):
                return Polled()
            self._reconciler.begin()
        if self._reconciler.step(piece, at):
            piece.write(_PASSES, state.model_copy(update={"swept_at": at}).model_dump_json())
        return Polled(
            facts=tuple(piece.facts),
            bookmarks=piece.bookmarks(),
            more=self._reconciler.is_running,
        )

    def _is_pass_due(self, state: _Pass, at: datetime) -> bool:
        return not state.begun_at <= at < state.begun_at + timedelta(seconds=self._seconds())

    def _is_seldom_due(self, last: datetime, seconds_min: float, at: datetime) -> bool:
        return at >= last + timedelta(seconds=max(seconds_min, SELDOM * self._seconds()))

    def _is_sweep_due(self, state: _Pass, at: datetime) -> bool:
        is_old = at >= state.swept_at + timedelta(seconds=self._sweep_seconds)
        return is_old or self._reconciler.is_running


def _steps(*, with_catalog: bool, with_deletions: bool) -> tuple[str, ...]:
    """Return the steps of a pass.

    A deleted record shows as a change, except a role: its list of deletions is always read. The
    other lists find what was purged before it was seen.
    """
    lists = POLLED if with_deletions else (names.ROLE,)
    return (
        *((_CATALOG,) if with_catalog else ()),
        *(f"{_CHANGES} {of}" for of in POLLED),
        *(f"{_DELETED} {of}" for of in lists),
    )


def _state(piece: Piece) -> _Pass | None:
    text = piece.read(_PASSES)
    return None if text is None else _Pass.model_validate_json(text)
