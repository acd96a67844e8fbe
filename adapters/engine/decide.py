"""Decide: facts from the change log become events in the store.

One step is one batch: read what waits, load in bulk what it needs, decide fact by fact in memory,
store all of it in one transaction. What another worker stored meanwhile is folded in under the
store's lock, and only the facts that had read something of it are decided again.

| stopped here | after the restart |
|---|---|
| before the commit | the positions stand where they stood: the same facts are decided again |
| the commit's answer was lost | the memory is dropped and the store's positions are read again |
| after the commit | the next batch begins behind it |

It never sends anything to a CRM and never reads one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final, Generic

from structlog.typing import FilteringBoundLogger

from adapters.engine.known import BOUNDS, Bounds, Known
from adapters.engine.rules import Rules, State
from adapters.engine.sheet import (
    CONTEXT_STREAMS,
    POISON,
    ROUNDS_MAX,
    Decision,
    NotKnownError,
    Sheet,
)
from domain.events import Event, FactParked, PairAbsorbed
from domain.facts import Fact, FactsRetried
from domain.ids import Ref, StreamId
from domain.ports import (
    Advance,
    Batch,
    ChangeLog,
    Decisions,
    Fenced,
    LoggedFact,
    StoredEvent,
)
from projections import record_identity

#: tries of one step: another worker was faster, or a re-decision wanted more than was read
ATTEMPTS_MAX: Final = 5


@dataclass(slots=True)
class _Drawn(Generic[State]):
    """A batch on its way: the sheet it is decided on, and what was decided."""

    sheet: Sheet[State]
    decisions: list[Decision]
    redecided: int = 0


@dataclass(slots=True)
class _Foreseen:
    """Where a fact will probably be decided, and what was read for it so far."""

    fact: Fact
    stream: StreamId
    refs: set[Ref] = field(default_factory=set)
    streams: set[StreamId] = field(default_factory=set)


class Decide(Generic[State]):
    """The decide loop of one worker.

    Args:
        log: where facts come from.
        decisions: where events go.
        rules: what follows from a fact.
        logger: one line a step.
        epoch: counts recoveries of the store; part of every event.
        bounds: how much is taken and kept at a time.
    """

    def __init__(
        self,
        *,
        log: ChangeLog,
        decisions: Decisions,
        rules: Rules[State],
        logger: FilteringBoundLogger,
        epoch: int = 0,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._log = log
        self._decisions = decisions
        self._rules = rules
        self._logger = logger
        self._epoch = epoch
        self._bounds = bounds
        self._known: Known[State] | None = None
        self._positions: dict[str, int] | None = None

    def take_over(self) -> None:
        """Read positions again: some sources were another worker's until now."""
        self._positions = None

    def step(self, at: datetime) -> int:
        """Decide what waits, at most one batch.

        Args:
            at: our clock.

        Returns:
            How many facts were decided; 0 if none wait, or if other workers were faster each time.

        Raises:
            RetryableError: the log or the store does not answer; the step can be repeated.
            UnknownTopicError: a newer program wrote what this one does not know: it must stop.
        """
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                decided = self._attempt(at, attempt)
            except NotKnownError:
                # Under the lock a fact wanted more than was read for it. What came meanwhile is
                # folded in by now, so the next attempt reads the rest outside.
                continue
            except BaseException:
                self._forget()
                raise
            if decided is not None:
                return decided
        return 0

    def _attempt(self, at: datetime, attempt: int) -> int | None:
        if self._positions is None:
            self._positions = dict(self._decisions.positions())
        positions = self._positions
        facts = self._log.read(positions, limit=self._bounds.facts)
        if not facts:
            return 0
        known = self._up_to_date()
        self._load(known, [logged.fact for logged in facts])
        drawn = self._draw(known, facts, at)
        advances = _advances(facts, positions)
        outcome = self._decisions.commit(
            _batch(known.as_of, advances, drawn),
            partial(self._redecide, known, drawn, advances, at),
        )
        if isinstance(outcome, Fenced):
            self._logger.info("fenced", source=outcome.source, found=outcome.found)
            self._forget()
            return None
        known.adopt(
            drawn.sheet.streams,
            drawn.sheet.identities,
            drawn.sheet.absorbed,
            as_of=outcome.last_event_id,
        )
        known.forget_oldest()
        positions.update((advance.source, advance.new) for advance in advances)
        self._logger.info(
            "decided",
            facts=len(facts),
            events=len(outcome.stored),
            parked=sum(isinstance(stored.event, FactParked) for stored in outcome.stored),
            redecided=drawn.redecided,
            attempt=attempt,
        )
        return len(facts)

    # -- what is known

    def _forget(self) -> None:
        self._known = None
        self._positions = None

    def _up_to_date(self) -> Known[State]:
        """Return what is known, with what others stored since the last step."""
        if self._known is not None:
            newer = self._decisions.tail(self._known.as_of, limit=self._bounds.tail)
            if len(newer) < self._bounds.tail:
                self._known.follow(newer)
                return self._known
        self._known = Known(self._rules, as_of=self._decisions.last_event_id(), bounds=self._bounds)
        return self._known

    def _load(self, known: Known[State], facts: Sequence[Fact]) -> None:
        """Read in bulk what the facts need, as far as it can be told before they are decided."""
        self._read(known, CONTEXT_STREAMS, {ref for fact in facts for ref in self._refs_of(fact)})
        foreseen = [way for fact in facts for way in self._routed(known, fact)]
        self._read(known, {way.stream for way in foreseen}, ())
        for _ in range(ROUNDS_MAX):
            foreseen = [way for way in foreseen if self._wants_more(known, way)]
            self._read(
                known,
                {stream for way in foreseen for stream in way.streams},
                {ref for way in foreseen for ref in way.refs},
            )

    def _read(
        self, known: Known[State], streams: Collection[StreamId], refs: Collection[Ref]
    ) -> None:
        unknown = known.missing(streams, refs)
        if any(unknown):
            known.learn(self._decisions.load(*unknown))

    # A fact that cannot even be routed is parked when its turn comes.

    def _refs_of(self, fact: Fact) -> tuple[Ref, ...]:
        try:
            return self._rules.refs_to_route(fact)
        except POISON:
            return ()

    def _routed(self, known: Known[State], fact: Fact) -> tuple[_Foreseen, ...]:
        if isinstance(fact, FactsRetried):
            return (_Foreseen(fact, fact.stream),)
        try:
            refs = set(self._rules.refs_to_route(fact))
            stream = self._rules.stream_for(fact, {ref: known.identities[ref] for ref in refs})
        except POISON:
            return ()
        return (_Foreseen(fact, stream, refs),)

    def _wants_more(self, known: Known[State], way: _Foreseen) -> bool:
        """Ask what a fact needs, given what was read for it; return whether that is more."""
        try:
            needs = self._rules.needs(
                known.streams[way.stream].aggregate,
                way.fact,
                {ref: known.identities[ref] for ref in way.refs},
            )
        except POISON:
            return False
        more = not (needs.refs <= way.refs and needs.streams <= way.streams)
        way.refs |= needs.refs
        way.streams |= needs.streams
        return more

    # -- deciding

    def _draw(
        self, known: Known[State], facts: Sequence[LoggedFact], at: datetime
    ) -> _Drawn[State]:
        sheet = Sheet(self._rules, known, at=at, epoch=self._epoch)
        decisions = []
        for logged in facts:
            while True:
                try:
                    decisions.append(sheet.decide(logged))
                except NotKnownError as error:
                    # An earlier fact of the batch sent it elsewhere than was foreseen.
                    known.learn(self._decisions.load(error.streams, error.refs))
                else:
                    break
        return _Drawn(sheet, decisions)

    def _redecide(
        self,
        known: Known[State],
        drawn: _Drawn[State],
        advances: tuple[Advance, ...],
        at: datetime,
        newer: tuple[StoredEvent, ...],
    ) -> Batch:
        """Fold in what others stored, and decide again the facts that had read any of it.

        Raises:
            NotKnownError: a fact wants something now that was not read for it.
        """
        known.follow(newer)
        touched = _Touched()
        touched.add(stored.event for stored in newer)
        if any(touched.meets(decision) for decision in drawn.decisions):
            sheet = Sheet(self._rules, known, at=at, epoch=self._epoch)
            redrawn = []
            for decision in drawn.decisions:
                if touched.meets(decision):
                    again = sheet.decide(decision.logged)
                    for one in (decision, again):
                        touched.add(placed.event for placed in one.placed)
                    drawn.redecided += 1
                else:
                    again = sheet.accept(decision)
                redrawn.append(again)
            drawn.sheet, drawn.decisions = sheet, redrawn
        return _batch(known.as_of, advances, drawn)


class _Touched:
    """Streams and records that changed under a batch."""

    def __init__(self) -> None:
        self._streams: set[StreamId] = set()
        self._refs: set[Ref] = set()
        self._everything = False

    def add(self, events: Iterable[Event]) -> None:
        """Add what events change."""
        for event in events:
            self._streams.add(event.stream)
            # Re-points records that it does not name; rare enough to decide everything again.
            self._everything |= isinstance(event, PairAbsorbed)
            for change in record_identity.changes(event):
                self._refs.update(record_identity.refs(change))

    def meets(self, decision: Decision) -> bool:
        """Say whether the decision had read any of it."""
        return (
            self._everything
            or not self._streams.isdisjoint(decision.streams)
            or not self._refs.isdisjoint(decision.refs)
        )


def _batch(as_of: int, advances: tuple[Advance, ...], drawn: _Drawn[State]) -> Batch:
    return Batch(
        as_of=as_of,
        advances=advances,
        events=tuple(placed for decision in drawn.decisions for placed in decision.placed),
    )


def _advances(facts: Sequence[LoggedFact], positions: Mapping[str, int]) -> tuple[Advance, ...]:
    newest: dict[str, int] = {}
    for logged in facts:
        newest[logged.source] = max(logged.offset, newest.get(logged.source, -1))
    return tuple(
        Advance(source, expected=positions.get(source, -1), new=new)
        for source, new in sorted(newest.items())
    )
