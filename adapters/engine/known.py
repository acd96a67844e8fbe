"""What a deciding worker keeps in memory between batches: aggregates and identities, bounded.

It is a copy of the store as of an event id, kept true by folding what came since. Events are folded
by their version, so one that a later read showed already is passed over. What is least recently
used goes first and is read again when it is needed: a whole batch's misses come with one query, so
there are no snapshots.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic

from adapters.engine.rules import Rules, State
from domain.ids import Ref, StreamId
from domain.ports import Identity, Loaded, StoredEvent
from projections import record_identity
from projections.record_identity import Repoint


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a worker takes and keeps at a time."""

    #: facts of one transaction
    facts: int = 1_000
    #: aggregates kept from one batch to the next, about 2 kB each
    streams: int = 200_000
    #: identities kept
    identities: int = 400_000
    #: events of others that are followed; behind more, everything is read anew
    tail: int = 10_000


#: for a worker with 600 MB
BOUNDS: Final = Bounds()


@dataclass(frozen=True, slots=True)
class Folded(Generic[State]):
    """A stream's state; version 0: nothing happened there yet."""

    version: int = 0
    aggregate: State | None = None


class Known(Generic[State]):
    """Streams and identities as of an event.

    Args:
        rules: fold the events.
        as_of: every event up to this id is taken into account.
        bounds: how much is kept.
    """

    def __init__(self, rules: Rules[State], *, as_of: int, bounds: Bounds) -> None:
        self._rules = rules
        self._bounds = bounds
        self.as_of = as_of
        self.streams: OrderedDict[StreamId, Folded[State]] = OrderedDict()
        self.identities: OrderedDict[Ref, Identity | None] = OrderedDict()

    def missing(
        self, streams: Collection[StreamId], refs: Collection[Ref]
    ) -> tuple[tuple[StreamId, ...], tuple[Ref, ...]]:
        """Return what is asked for and not known; what is known counts as used."""
        for stream in streams:
            if stream in self.streams:
                self.streams.move_to_end(stream)
        for ref in refs:
            if ref in self.identities:
                self.identities.move_to_end(ref)
        return (
            tuple(stream for stream in streams if stream not in self.streams),
            tuple(ref for ref in refs if ref not in self.identities),
        )

    def learn(self, loaded: Loaded) -> None:
        """Take in what was read; it may be newer than the rest."""
        for stream, history in loaded.events.items():
            aggregate: State | None = None
            for stored in history:
                aggregate = self._rules.evolve(aggregate, stored.event)
            self.streams[stream] = Folded(len(history), aggregate)
        self.identities.update(loaded.identities)

    def follow(self, newer: Iterable[StoredEvent]) -> None:
        """Fold events that others stored, oldest first, into what is known."""
        for stored in newer:
            held = self.streams.get(stored.stream)
            if held is not None and stored.version > held.version:
                assert stored.version == held.version + 1, f"{stored.stream} has a hole"
                self.streams[stored.stream] = Folded(
                    stored.version, self._rules.evolve(held.aggregate, stored.event)
                )
            for change in record_identity.changes(stored.event):
                known = all(ref in self.identities for ref in record_identity.refs(change))
                if known or isinstance(change, Repoint):
                    record_identity.fold(self.identities, change)
            self.as_of = stored.id

    def adopt(
        self,
        streams: Mapping[StreamId, Folded[State]],
        identities: Mapping[Ref, Identity | None],
        absorbed: Mapping[StreamId, StreamId],
        *,
        as_of: int,
    ) -> None:
        """Take over what a batch led to, once it is stored.

        Args:
            streams: those the batch added to.
            identities: those it changed.
            absorbed: streams whose further records belong to another now.
            as_of: id of the newest event stored.
        """
        for gone, into in absorbed.items():
            record_identity.fold(self.identities, Repoint(gone, into))
        self.streams.update(streams)
        self.identities.update(identities)
        self.as_of = as_of

    def forget_oldest(self) -> None:
        """Let go of what was not used for longest, down to the bounds."""
        while len(self.streams) > self._bounds.streams:
            self.streams.popitem(last=False)
        while len(self.identities) > self._bounds.identities:
            self.identities.popitem(last=False)
