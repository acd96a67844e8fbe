"""One batch's working sheet: what is known, with the batch's own decisions on top.

Facts are decided one by one, and a later one sees what an earlier one decided. Each keeps the set
of what it read, lookups that found nothing included: what another worker changed in it means that
the fact has to be decided again. A fact that cannot be decided is parked on its stream, and so is
every later fact of that stream, until an operator asks for another try.

Nothing here reads or writes the store: what is not known raises `NotKnownError`.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Generic, TypedDict

from adapters import codec
from adapters.codec import UndecodableError, UnknownTopicError
from adapters.engine.known import Folded, Known
from adapters.engine.rules import Rules, State
from domain import events
from domain.context import Context
from domain.errors import PoisonFactError
from domain.events import Event
from domain.facts import Fact, FactsRetried
from domain.ids import CATALOG_STREAM, POLICY_STREAM, Ref, StreamId, derived
from domain.ports import Identity, LoggedFact, PlacedEvent
from domain.rules import RuleId
from projections import record_identity
from projections.record_identity import Repoint

#: rounds of `needs` before a fact counts as poison
ROUNDS_MAX: Final = 5
ERROR_CHARACTERS_MAX: Final = 2_000
#: read by every decision
CONTEXT_STREAMS: Final = (CATALOG_STREAM, POLICY_STREAM)
#: what a fault in a fact, or in the rules for it, raises; the rest is trouble around us
POISON: Final = (
    PoisonFactError,
    UndecodableError,
    AssertionError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
#: a NUL character in JSON: PostgreSQL keeps none in its texts
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class NotKnownError(Exception):
    """Something has to be read before the batch can be decided.

    Args:
        streams: whose events are wanted.
        refs: whose identity is wanted.
    """

    def __init__(self, *, streams: Sequence[StreamId] = (), refs: Sequence[Ref] = ()) -> None:
        super().__init__(f"{len(streams)} streams, {len(refs)} identities")
        self.streams = tuple(streams)
        self.refs = tuple(refs)


class _Common(TypedDict):
    """What the loop's own events say beside their own fields."""

    stream: StreamId
    at: datetime
    cause: str
    by: str
    rule: RuleId
    policy_version: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What one fact led to, and what was read for it."""

    logged: LoggedFact
    placed: tuple[PlacedEvent, ...]
    streams: frozenset[StreamId]
    refs: frozenset[Ref]


class Sheet(Generic[State]):
    """The state of a batch while it is decided.

    Args:
        rules: decide and fold.
        known: what lies underneath; not changed.
        at: our clock.
        epoch: counts recoveries of the store.
    """

    def __init__(
        self, rules: Rules[State], known: Known[State], *, at: datetime, epoch: int
    ) -> None:
        self._rules = rules
        self._known = known
        self._at = at
        self._epoch = epoch
        self._read_streams: set[StreamId] = set()
        self._read_refs: set[Ref] = set()
        self.streams: dict[StreamId, Folded[State]] = {}
        self.identities: dict[Ref, Identity | None] = {}
        self.absorbed: dict[StreamId, StreamId] = {}

    def decide(self, logged: LoggedFact) -> Decision:
        """Decide a fact and take in what follows.

        Raises:
            NotKnownError: the sheet is as it was; read this, then ask again.
            UnknownTopicError: a newer program parked a fact that this one does not know.
        """
        self._read_streams = set(CONTEXT_STREAMS)
        self._read_refs = set()
        before = (self.streams, self.identities, self.absorbed)
        if isinstance(logged.fact, FactsRetried):
            # It takes in one parked fact after the other, and may have to stop in between.
            self.streams, self.identities = dict(self.streams), dict(self.identities)
        try:
            decided = self._events(logged)
        except NotKnownError:
            self.streams, self.identities, self.absorbed = before
            raise
        return self._decision(logged, decided)

    def accept(self, decision: Decision) -> Decision:
        """Take in a decision that still holds, without deciding again."""
        self._apply([placed.event for placed in decision.placed])
        return decision

    def _decision(self, logged: LoggedFact, decided: Sequence[tuple[int, Event]]) -> Decision:
        return Decision(
            logged=logged,
            placed=tuple(
                PlacedEvent(
                    version=version,
                    event=event,
                    source=logged.source,
                    offset=logged.offset,
                    decided_at=self._at,
                )
                for version, event in decided
            ),
            streams=frozenset(self._read_streams),
            refs=frozenset(self._read_refs),
        )

    # -- one fact

    def _events(self, logged: LoggedFact) -> list[tuple[int, Event]]:
        fact = logged.fact
        if isinstance(fact, FactsRetried):
            return self._retried(fact)
        stream: StreamId | None = None
        try:
            identities = {ref: self._identity(ref) for ref in self._rules.refs_to_route(fact)}
            stream = self._rules.stream_for(fact, identities)
            if self._parked(stream):
                return self._apply([self._park(stream, logged, "it follows a parked fact")])
            return self._apply(self._follows(stream, fact, identities))
        except POISON as error:
            if isinstance(error, UnknownTopicError):
                raise
            parked_on = stream or StreamId(derived("unroutable", fact.id))
            return self._apply([self._park(parked_on, logged, _said(error))])

    def _follows(
        self, stream: StreamId, fact: Fact, identities: dict[Ref, Identity | None]
    ) -> tuple[Event, ...]:
        aggregate = self._folded(stream).aggregate
        others: dict[StreamId, State | None] = {}
        for _ in range(ROUNDS_MAX):
            needs = self._rules.needs(aggregate, fact, identities)
            refs = needs.refs - identities.keys()
            streams = needs.streams - others.keys()
            if not refs and not streams:
                break
            self._require(streams, refs)
            identities |= {ref: self._identity(ref) for ref in refs}
            others |= {other: self._folded(other).aggregate for other in streams}
        else:
            message = f"expected needs to end within {ROUNDS_MAX} rounds, found more"
            raise PoisonFactError(message)
        context = self._context(
            identities, {name: other for name, other in others.items() if other is not None}
        )
        decided = self._rules.decide(stream, aggregate, fact, context)
        if not decided:
            raise PoisonFactError("expected a fact to leave at least one event, found none")
        return decided

    def _context(
        self, identities: Mapping[Ref, Identity | None], others: Mapping[StreamId, State]
    ) -> Context:
        return self._rules.context(
            self._folded(POLICY_STREAM).aggregate,
            self._folded(CATALOG_STREAM).aggregate,
            identities=identities,
            others=others,
            at=self._at,
            epoch=self._epoch,
        )

    # -- parking

    def _parked(self, stream: StreamId) -> tuple[events.FactParked, ...]:
        aggregate = self._folded(stream).aggregate
        return () if aggregate is None else aggregate.parked

    def _park(self, stream: StreamId, logged: LoggedFact, error: str) -> events.FactParked:
        topic, body = codec.encode_fact(logged.fact)
        return events.FactParked(
            **self._about(stream, logged.fact),
            position=f"{logged.source}:{logged.offset}",
            error=error,
            topic=topic,
            body=body.decode(),
        )

    def _retried(self, retry: FactsRetried) -> list[tuple[int, Event]]:
        """Decide parked facts again, in order, up to the first that still cannot be."""
        decided: list[tuple[int, Event]] = []
        parked = self._parked(retry.stream)
        stuck = None if parked else "nothing is parked here"
        for one in parked:
            try:
                settled = self._apply(self._settled(retry, one))
            except POISON as error:
                if isinstance(error, UnknownTopicError):
                    raise
                stuck = f"still parked from {one.position} on: {_said(error)}"
                break
            decided += settled
        if stuck is not None:
            nothing = events.NothingDecided(**self._about(retry.stream, retry), reason=stuck)
            decided += self._apply([nothing])
        return decided

    def _settled(self, retry: FactsRetried, parked: events.FactParked) -> list[Event]:
        settled = events.ParkedFactSettled(
            **self._about(retry.stream, retry),
            position=parked.position,
            given_up=not retry.again,
        )
        if not retry.again:
            return [settled]
        fact = codec.decode_fact(parked.topic, parked.body)
        identities = {ref: self._identity(ref) for ref in self._rules.refs_to_route(fact)}
        stream = self._rules.stream_for(fact, identities)
        if stream != retry.stream and self._parked(stream):
            message = f"it belongs to {stream} now, which has parked facts of its own"
            raise PoisonFactError(message)
        return [*self._follows(stream, fact, identities), settled]

    def _about(self, stream: StreamId, fact: Fact) -> _Common:
        return {
            "stream": stream,
            "at": fact.at,
            "cause": fact.id,
            "by": fact.by,
            "rule": RuleId.NOTHING_LOST,
            "policy_version": self._context({}, {}).policy_version,
            "epoch": self._epoch,
        }

    # -- reading and taking in

    def _require(self, streams: Collection[StreamId], refs: Collection[Ref]) -> None:
        unknown = self._known.missing(
            [stream for stream in streams if stream not in self.streams],
            [ref for ref in refs if ref not in self.identities],
        )
        if any(unknown):
            raise NotKnownError(streams=unknown[0], refs=unknown[1])

    def _folded(self, stream: StreamId) -> Folded[State]:
        self._read_streams.add(stream)
        folded = self.streams.get(stream) or self._known.streams.get(stream)
        if folded is None:
            raise NotKnownError(streams=[stream])
        return folded

    def _identity(self, ref: Ref) -> Identity | None:
        self._read_refs.add(ref)
        if ref in self.identities:
            return self.identities[ref]
        if ref not in self._known.identities:
            raise NotKnownError(refs=[ref])
        row = self._known.identities[ref]
        if row is not None and row.stream in self.absorbed:
            return replace(row, stream=self.absorbed[row.stream])
        return row

    def _apply(self, decided: Sequence[Event]) -> list[tuple[int, Event]]:
        """Fold events over the sheet, all or none; return each with its version."""
        states: dict[StreamId, Folded[State]] = {}
        placed: list[tuple[int, Event]] = []
        for event in decided:
            _check_storable(event)
            before = states.get(event.stream) or self._folded(event.stream)
            states[event.stream] = Folded(
                before.version + 1, self._rules.evolve(before.aggregate, event)
            )
            placed.append((before.version + 1, event))
        self._apply_identities(decided)
        self.streams |= states
        return placed

    def _apply_identities(self, decided: Sequence[Event]) -> None:
        changes = [change for event in decided for change in record_identity.changes(event)]
        if not changes:
            return
        gone = {c.absorbed: c.into for c in changes if isinstance(c, Repoint)}
        rows = {ref: row for ref, row in self.identities.items() if row and row.stream in gone} | {
            ref: self._identity(ref) for c in changes for ref in record_identity.refs(c)
        }
        record_identity.fold_strictly(rows, decided)
        self.identities |= rows
        self.absorbed = {
            stream: gone.get(into, into) for stream, into in self.absorbed.items()
        } | gone


def _check_storable(event: Event) -> None:
    """Encode an event while it is known which fact it is from."""
    _, state = codec.encode_event(event)
    if b"\\u0000" in state and _NUL.search(state):
        raise PoisonFactError("expected text that can be stored, found a NUL character in it")


def _said(error: Exception) -> str:
    """Return what went wrong as text that can be stored, whatever the fact brought along."""
    text = f"{type(error).__name__}: {error}"[:ERROR_CHARACTERS_MAX].replace("\x00", "?")
    return text.encode(errors="replace").decode()
