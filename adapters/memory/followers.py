"""The followers in memory: the twin of `postgres.followers`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock

from typing_extensions import override

from adapters.memory.decisions import MemoryDecisions
from domain.facts import Rollup
from domain.ids import Crm, Kind, Ref, StreamId
from domain.policy import RecentDeal
from domain.ports import Identity, StoredEvent
from projections import contact_rollup, reactions, signals, sync_status
from projections.contact_rollup import ContactCame, ContactDeal, PairDeals, RecentDealChosen
from projections.following import (
    CONTACT_ROLLUP,
    FOLLOWERS,
    REACTIONS,
    SYNC_STATUS,
    Followed,
    Followers,
    Send,
)
from projections.reactions import Cause, Due, DueKind, Gathered, Match, Values
from projections.signals import CANDIDATES_MAX, Key, Lookups, Shared
from projections.sync_status import Status


@dataclass(slots=True)
class Tables:
    """What followers keep; `dues` alone is never folded again."""

    positions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FOLLOWERS, 0))
    woken_to: datetime | None = None
    statuses: dict[StreamId, Status] = field(default_factory=dict)
    deals: dict[StreamId, tuple[ContactDeal, ...]] = field(default_factory=dict)
    rollups: dict[str, Rollup] = field(default_factory=dict)
    recent: RecentDeal = RecentDeal.CREATED
    waits: dict[StreamId, frozenset[str]] = field(default_factory=dict)
    directory: dict[Ref, Values] = field(default_factory=dict)
    imported: set[StreamId] = field(default_factory=set)
    dues: dict[tuple[str, str, str], Due] = field(default_factory=dict)


class MemoryFollowers(Followers):
    """Rows in dicts, changed by one step at a time.

    Args:
        decisions: whose events are followed, and whose identities are looked up.
    """

    def __init__(self, decisions: MemoryDecisions) -> None:
        self._decisions = decisions
        self._lock = RLock()
        self._emitting = False
        self.tables = Tables()

    @override
    def follow(self, name: str, *, limit: int) -> int:
        with self._lock:
            after = self.tables.positions[name]
            batch = [self._followed(name, event) for event in self._tail(after, limit)]
            if batch:
                self._fold(self.tables, name, batch, live=True)
            return len(batch)

    @override
    def wake(self, at: datetime, *, limit: int) -> int:
        with self._lock:
            tables = self.tables
            woken_to = tables.woken_to
            come = sorted(
                (instant, stream, key)
                for stream, keys in tables.waits.items()
                for key in keys
                if (instant := reactions.key_instant(key)) is not None
                and instant <= at
                and (woken_to is None or instant > woken_to)
            )
            if not come:
                return 0
            last = come[min(limit, len(come)) - 1][0]
            now = [one for one in come if one[0] <= last]
            cause = Cause(tables.positions[REACTIONS], at, 0)
            _note(tables, [Due(DueKind.RECONSIDER, stream, key, cause) for _, stream, key in now])
            tables.woken_to = last if len(now) >= limit else at
            return len(now)

    @override
    def emit(self, send: Send, *, limit: int) -> int:
        with self._lock:
            oldest = sorted(
                self.tables.dues.values(),
                key=lambda due: (due.cause.event_id, due.kind, due.target, due.because),
            )[:limit]
            if not oldest or self._emitting:
                return 0
            lookups = _MemoryLookups(self.tables, self._decisions.identities)
            going = signals.outgoing(oldest, lookups)
            self._emitting = True
            try:
                send(going)
            finally:
                self._emitting = False
            for due in oldest:
                key = (due.kind, due.target, due.because)
                # One that became due again meanwhile stays.
                if self.tables.dues[key] == due:
                    del self.tables.dues[key]
            return len(oldest)

    @override
    def unfinished(self) -> int:
        with self._lock:
            furthest_behind = min(self.tables.positions.values())
            return len(self._tail(furthest_behind, None)) + len(self.tables.dues)

    def folded_again(self, name: str) -> Tables:
        """Fold all events that a follower has seen, beside its live rows; nothing becomes due."""
        with self._lock:
            tables = Tables()
            last = self.tables.positions[name]
            seen = [event for event in self._tail(0, None) if event.id <= last]
            self._fold(tables, name, [self._followed(name, e) for e in seen], live=False)
            return tables

    def _tail(self, after: int, limit: int | None) -> Sequence[StoredEvent]:
        return self._decisions.tail(after, limit=limit or len(self._decisions.events))

    def _followed(self, name: str, stored: StoredEvent) -> Followed:
        return Followed(
            id=stored.id,
            stream=stored.stream,
            version=stored.version,
            decided_at=self._decisions.decided_at[stored.id],
            event=stored.event if stored.event.TOPIC in _TOPICS[name] else None,
        )

    def _fold(self, tables: Tables, name: str, batch: Sequence[Followed], *, live: bool) -> None:
        dues: list[Due] = []
        if name == SYNC_STATUS:
            for followed in batch:
                stream = followed.stream
                status = tables.statuses.get(stream, Status(stream))
                tables.statuses[stream] = sync_status.fold(status, followed)
        elif name == CONTACT_ROLLUP:
            for followed in batch:
                dues += _fold_rollup(tables, followed)
        else:
            dues += self._fold_reactions(tables, reactions.gather(batch))
        if live:
            _note(tables, dues)
        tables.positions[name] = batch[-1].id

    def _fold_reactions(self, tables: Tables, gathered: Gathered) -> list[Due]:
        new = {
            s: keys - tables.waits.get(s, frozenset()) for s, (keys, _) in gathered.waits.items()
        }
        tables.waits.update((stream, keys) for stream, (keys, _) in gathered.waits.items())
        known = {
            ref: tables.directory.get(ref, frozenset())
            for ref in gathered.entries.keys() | gathered.moved.keys()
        }
        tables.directory.update((ref, values) for ref, (values, _) in gathered.entries.items())
        tables.imported.update(gathered.imported)
        spread = reactions.spread(gathered, known)
        dues = list(spread.dues)
        for stream, keys in new.items():
            cause = gathered.waits[stream][1]
            refs = (reactions.key_ref(key) for key in keys)
            found = {ref: self._decisions.identities.get(ref) for ref in refs if ref is not None}
            dues += reactions.awaited(stream, keys, found, tables.woken_to, cause)
        dues += _waited_accounts(tables, gathered)
        dues += [
            Due(DueKind.RECONSIDER, stream, key, gathered.fired[key])
            for stream, keys in tables.waits.items()
            for key in sorted(keys & gathered.fired.keys())
        ]
        return dues + _matching(tables, spread.matches)


class _MemoryLookups(Lookups):
    """What signals are made of."""

    def __init__(self, tables: Tables, identities: Mapping[Ref, Identity]) -> None:
        self._tables = tables
        self._identities = identities

    @override
    def identities(self, refs: Collection[Ref]) -> Mapping[Ref, Identity | None]:
        return {ref: self._identities.get(ref) for ref in refs}

    @override
    def accounts(self, streams: Collection[StreamId]) -> Mapping[StreamId, Ref]:
        return {
            identity.stream: ref
            for ref, identity in self._identities.items()
            if ref.kind is Kind.ACCOUNT and identity.alive and identity.stream in streams
        }

    @override
    def imported(self, streams: Collection[StreamId]) -> frozenset[StreamId]:
        return frozenset(self._tables.imported.intersection(streams))

    @override
    def values(self, refs: Collection[Ref]) -> Mapping[Ref, Values]:
        return {r: self._tables.directory[r] for r in refs if r in self._tables.directory}

    @override
    def sharing(self, keys: Collection[Key]) -> Mapping[Key, Shared]:
        found: dict[Key, list[str]] = {}
        for ref, values in self._tables.directory.items():
            identity = self._identities.get(ref)
            if identity is None or not identity.alive:
                continue
            for what, value in values:
                key = Key(ref.crm, ref.kind, what, value)
                if key in keys:
                    found.setdefault(key, []).append(ref.id)
        return {
            key: Shared(len(record_ids), tuple(sorted(record_ids)[:CANDIDATES_MAX]))
            for key, record_ids in found.items()
        }

    @override
    def rollups(self, contact_ids: Collection[str]) -> Mapping[str, Rollup]:
        rollups = self._tables.rollups
        return {
            contact_id: rollups[contact_id] for contact_id in contact_ids if contact_id in rollups
        }


def _note(tables: Tables, dues: Iterable[Due]) -> None:
    for due in dues:
        key = (due.kind, due.target, due.because)
        known = tables.dues.get(key)
        if known is None or known.cause.event_id <= due.cause.event_id:
            tables.dues[key] = due


def _fold_rollup(tables: Tables, followed: Followed) -> list[Due]:
    change = contact_rollup.change(followed)
    contacts: set[str] = set()
    match change:
        case PairDeals(stream, deals):
            before = tables.deals.get(stream, ())
            tables.deals[stream] = deals
            contacts = {deal.contact_id for deal in (*before, *deals)}
        case RecentDealChosen(recent):
            if recent is not tables.recent:
                contacts = set(tables.rollups)
            tables.recent = recent
        case ContactCame(contact_id) if contact_id in tables.rollups:
            return [_rollup_due(contact_id, followed)]
        case _:
            return []
    after = {
        contact_id: contact_rollup.rollup(
            [d for deals in tables.deals.values() for d in deals if d.contact_id == contact_id],
            tables.recent,
        )
        for contact_id in contacts
    }
    changed = contact_rollup.changed(tables.rollups, after, after)
    tables.rollups.update(after)
    return [_rollup_due(contact_id, followed) for contact_id in changed]


def _rollup_due(contact_id: str, followed: Followed) -> Due:
    assert followed.event is not None, "a change comes from an event"
    cause = Cause(followed.id, followed.event.at, followed.event.epoch)
    return Due(DueKind.ROLLUP, Ref(Crm.HUBSPOT, Kind.CONTACT, contact_id).text, "", cause)


def _waited_accounts(tables: Tables, gathered: Gathered) -> list[Due]:
    waited = {key for keys in tables.waits.values() for key in keys}
    causes = {reactions.account_key(i): cause for i, cause in gathered.accounts.items()}
    dues = []
    for key in sorted(waited):
        ref = reactions.key_ref(key)
        if ref is None or ref.kind is not Kind.ACCOUNT:
            continue
        cause = causes.get(key, gathered.imports_open)
        if cause is not None:
            dues.append(Due(DueKind.ACCOUNT, ref.text, key, cause))
    return dues


def _matching(tables: Tables, matches: Iterable[Match]) -> list[Due]:
    return [
        Due(DueKind.CANDIDATES, ref.text, match.because, match.cause)
        for match in matches
        for ref, values in tables.directory.items()
        if ref.crm is match.crm and ref.kind is match.kind and (match.what, match.value) in values
    ]


_TOPICS = {
    SYNC_STATUS: sync_status.TOPICS,
    CONTACT_ROLLUP: contact_rollup.TOPICS,
    REACTIONS: reactions.TOPICS,
}
