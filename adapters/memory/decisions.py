"""The event store in memory: the twin of `postgres.decisions`, row for row.

A commit that fails changes nothing, but the event ids it drew are burnt, as a sequence's are.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from threading import RLock
from typing import TypeAlias

from typing_extensions import override

from domain.ids import Ref, StreamId, WriteId
from domain.ports import (
    Advance,
    Batch,
    Committed,
    Decisions,
    Fenced,
    Identity,
    Loaded,
    StoredEvent,
)
from projections import outbound_write, record_identity
from projections.outbound_write import OutboundWrite

#: writes rows that depend on one event alone, in the decide transaction: event, decided at
InlineRows: TypeAlias = Callable[[Sequence[tuple[StoredEvent, datetime]]], None]


class MemoryDecisions(Decisions):
    """Events, positions, identities and outbound writes in dicts.

    Args:
        inline: what else is written with each commit; must not raise.
    """

    def __init__(self, inline: Sequence[InlineRows] = ()) -> None:
        self._inline = tuple(inline)
        self._lock = RLock()
        self._next_id = 1
        self._positions: dict[str, int] = {}
        self._streams: dict[StreamId, tuple[StoredEvent, ...]] = {}
        #: oldest first
        self.events: list[StoredEvent] = []
        self.decided_at: dict[int, datetime] = {}
        self.identities: dict[Ref, Identity] = {}
        self.outbound: dict[WriteId, OutboundWrite] = {}

    @override
    def positions(self) -> Mapping[str, int]:
        with self._lock:
            return dict(self._positions)

    @override
    def load(self, streams: Collection[StreamId], refs: Collection[Ref]) -> Loaded:
        with self._lock:
            return Loaded(
                as_of=self.last_event_id(),
                events={stream: self._streams.get(stream, ()) for stream in streams},
                identities={ref: self.identities.get(ref) for ref in refs},
            )

    @override
    def commit(
        self, batch: Batch, redecide: Callable[[tuple[StoredEvent, ...]], Batch]
    ) -> Committed | Fenced:
        with self._lock:
            fenced = self._fence(batch.advances)
            if fenced is not None:
                return fenced
            newer = self.tail(batch.as_of, limit=len(self.events))
            if newer:
                advances = batch.advances
                batch = redecide(newer)
                assert batch.advances == advances, "re-deciding moves no other positions"
            stored = self._stored(batch)
            streams = self._extended(stored)
            identities = self._folded(stored)
            decided = [(s, p.decided_at) for s, p in zip(stored, batch.events, strict=True)]
            outbound = self._with_writes(decided)

            self._positions.update({a.source: a.new for a in batch.advances})
            self._streams = streams
            self.events.extend(stored)
            self.decided_at.update({event.id: at for event, at in decided})
            self.identities = identities
            self.outbound = outbound
            for write_rows in self._inline:
                write_rows(decided)
            return Committed(self.last_event_id(), stored)

    @override
    def tail(self, after: int, *, limit: int) -> tuple[StoredEvent, ...]:
        with self._lock:
            first = bisect_right(self.events, after, key=lambda event: event.id)
            return tuple(self.events[first : first + limit])

    @override
    def last_event_id(self) -> int:
        with self._lock:
            return self.events[-1].id if self.events else 0

    def _fence(self, advances: Sequence[Advance]) -> Fenced | None:
        for advance in sorted(advances, key=lambda a: a.source):
            found = self._positions.get(advance.source, -1)
            if found != advance.expected:
                return Fenced(advance.source, found)
        return None

    def _stored(self, batch: Batch) -> tuple[StoredEvent, ...]:
        first = self._next_id
        self._next_id += len(batch.events)
        return tuple(
            StoredEvent(
                id=event_id,
                stream=placed.event.stream,
                version=placed.version,
                event=placed.event,
                source=placed.source,
                offset=placed.offset,
            )
            for event_id, placed in enumerate(batch.events, start=first)
        )

    def _extended(self, stored: Sequence[StoredEvent]) -> dict[StreamId, tuple[StoredEvent, ...]]:
        streams = dict(self._streams)
        for event in stored:
            before = streams.get(event.stream, ())
            assert not before or event.version > before[-1].version, (
                f"{event.stream} has a version {event.version} already"
            )
            streams[event.stream] = (*before, event)
        return streams

    def _folded(self, stored: Sequence[StoredEvent]) -> dict[Ref, Identity]:
        rows: dict[Ref, Identity | None] = dict(self.identities)
        record_identity.fold_strictly(rows, (event.event for event in stored))
        return {ref: row for ref, row in rows.items() if row is not None}

    def _with_writes(
        self, decided: Sequence[tuple[StoredEvent, datetime]]
    ) -> dict[WriteId, OutboundWrite]:
        rows = dict(self.outbound)
        for event, at in decided:
            outbound_write.fold(rows, outbound_write.change(event, at))
        return rows
