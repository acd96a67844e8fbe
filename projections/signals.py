"""From what is due to the signals and wishes that say so (DESIGN: reactions are facts).

A signal says how things are when it is sent, not when it became due, so many causes make one. Its
id is derived from epoch, event and target: sent twice, it is the same fact.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from domain import ids
from domain.deliveries import Echo
from domain.facts import Candidate, CandidatesChanged, Reconsider, Rollup, RollupChanged, Signal
from domain.ids import Crm, FactId, Kind, Ref, StreamId, WriteId
from domain.ports import Identity, KeyedFact, Refresh, Topic
from projections import reactions
from projections.following import Outgoing
from projections.reactions import (
    CARRIED_ID,
    DOMAIN,
    EMAIL,
    NAME,
    REMOVED,
    Cause,
    Due,
    DueKind,
    Values,
)

#: candidates of one kind that are named; more are only counted
CANDIDATES_MAX: Final = 10
#: the reason of a wish to read
WANTED: Final = "wanted"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A value of the directory."""

    crm: Crm
    kind: Kind
    what: str
    value: str


@dataclass(frozen=True, slots=True)
class Shared:
    """The living records that have one value."""

    count: int
    #: the first of them, at most `CANDIDATES_MAX`, sorted
    record_ids: tuple[str, ...]


NOBODY: Final = Shared(0, ())


class Lookups(Protocol):
    """What signals are made of, as it is when they are sent."""

    def identities(self, refs: Collection[Ref]) -> Mapping[Ref, Identity | None]:
        """Return whose records they are."""
        ...

    def accounts(self, streams: Collection[StreamId]) -> Mapping[StreamId, Ref]:
        """Return the account of each stream that has one."""
        ...

    def imported(self, streams: Collection[StreamId]) -> frozenset[StreamId]:
        """Return which of the streams' accounts were imported."""
        ...

    def values(self, refs: Collection[Ref]) -> Mapping[Ref, Values]:
        """Return by what the records are found; one that is not there is found by nothing."""
        ...

    def sharing(self, keys: Collection[Key]) -> Mapping[Key, Shared]:
        """Return who has the values; what is not there nobody has."""
        ...

    def rollups(self, contact_ids: Collection[str]) -> Mapping[str, Rollup]:
        """Return contacts' values."""
        ...


def outgoing(dues: Sequence[Due], lookups: Lookups) -> Outgoing:
    """Return what is to be told for what is due; some of it proves to be nothing.

    Args:
        dues: oldest first.
        lookups: how things are.
    """
    signals: list[Signal] = []
    wishes = []
    by_kind: dict[DueKind, list[Due]] = {kind: [] for kind in DueKind}
    for due in dues:
        by_kind[due.kind].append(due)
    signals += [_reconsider(StreamId(d.target), d) for d in by_kind[DueKind.RECONSIDER]]
    signals += _accounts(by_kind[DueKind.ACCOUNT], lookups)
    signals += _rollups(by_kind[DueKind.ROLLUP], lookups)
    candidates = by_kind[DueKind.CANDIDATES]
    contacts = [d for d in candidates if reactions.ref_of(d.target).kind is Kind.CONTACT]
    signals += _contact_candidates(contacts, lookups)
    accounts = [d for d in candidates if reactions.ref_of(d.target).kind is Kind.ACCOUNT]
    signals += _account_candidates(accounts, by_kind[DueKind.IMPORTED], lookups)
    for due in by_kind[DueKind.REFRESH]:
        ref = reactions.ref_of(due.target)
        wishes.append(
            Refresh(
                crm=ref.crm,
                kind=ref.kind,
                record_id=ref.id,
                reason=WANTED,
                cause=str(due.cause.event_id),
                at=due.cause.at,
            )
        )
    keyed = tuple(KeyedFact(Topic.SIGNALS, signal.stream, signal) for signal in signals)
    echoes = {WriteId(d.target): Echo(d.because) for d in by_kind[DueKind.ECHO]}
    return Outgoing(keyed, tuple(wishes), echoes)


def contact_candidates(
    found_by: Values, shared: Mapping[Key, Shared], dead: Collection[str]
) -> tuple[Candidate, ...]:
    """Return who in Salesforce may be the same person as a HubSpot contact.

    Args:
        found_by: the HubSpot contact's values.
        shared: who has the values of `contact_keys`.
        dead: Salesforce contacts that are known to be deleted.
    """
    candidates = []
    for what, value in sorted(found_by):
        here = shared.get(Key(Crm.HUBSPOT, Kind.CONTACT, what, value), NOBODY)
        if what == CARRIED_ID and value not in dead:
            candidates.append(Candidate(record_id=value, kind="id", count=max(here.count, 1)))
        elif what == EMAIL:
            there = shared.get(Key(Crm.SALESFORCE, Kind.CONTACT, what, value), NOBODY)
            count = max(here.count, there.count)
            candidates += [
                Candidate(record_id=record_id, kind="email", count=count)
                for record_id in there.record_ids
            ]
    return tuple(candidates)


def account_candidates(
    account_id: str, found_by: Values, shared: Mapping[Key, Shared]
) -> tuple[Candidate, ...]:
    """Return which companies may be an account's.

    Args:
        account_id: the account's.
        found_by: its values.
        shared: who has the values of `account_keys`.
    """
    candidates = []
    for key in account_keys(account_id, found_by):
        there = shared.get(key, NOBODY)
        kind = "id" if key.what == CARRIED_ID else key.what
        candidates += [
            Candidate(record_id=record_id, kind=kind, count=there.count)
            for record_id in there.record_ids
        ]
    return tuple(candidates)


def contact_keys(found_by: Values) -> tuple[Key, ...]:
    """Return the values that `contact_candidates` asks for."""
    return tuple(
        Key(crm, Kind.CONTACT, what, value)
        for what, value in sorted(found_by)
        for crm in Crm
        if crm is Crm.HUBSPOT or what == EMAIL
    )


def account_keys(account_id: str, found_by: Values) -> tuple[Key, ...]:
    """Return the values that `account_candidates` asks for, the strongest first."""
    own = [(CARRIED_ID, account_id)]
    own += sorted((what, value) for what, value in found_by if what in (DOMAIN, NAME))
    return tuple(Key(Crm.HUBSPOT, Kind.COMPANY, what, value) for what, value in own)


def _accounts(dues: Sequence[Due], lookups: Lookups) -> list[Signal]:
    """Let accounts that someone waits for look whether they may import themselves."""
    refs = {reactions.ref_of(due.target): due for due in dues}
    identities = lookups.identities(refs)
    return [
        _reconsider(identity.stream, due)
        for ref, due in refs.items()
        if (identity := identities.get(ref)) is not None
        and identity.alive
        and identity.linked_to is None
    ]


def _rollups(dues: Sequence[Due], lookups: Lookups) -> list[Signal]:
    refs = {reactions.ref_of(due.target): due for due in dues}
    identities = lookups.identities(refs)
    rollups = lookups.rollups([ref.id for ref in refs])
    return [
        RollupChanged(
            id=_id(due, stream),
            at=due.cause.at,
            cause=str(due.cause.event_id),
            stream=stream,
            rollup=rollups[ref.id],
        )
        for ref, due in refs.items()
        if ref.id in rollups
        for stream in [_owner(ref, identities)]
    ]


def _contact_candidates(dues: Sequence[Due], lookups: Lookups) -> list[Signal]:
    by_ref = _by_target(dues)
    identities = lookups.identities(by_ref)
    values = lookups.values(by_ref)
    keys = {key for ref in by_ref for key in contact_keys(values.get(ref, frozenset()))}
    shared = lookups.sharing(keys)
    carried = {Ref(Crm.SALESFORCE, Kind.CONTACT, k.value) for k in keys if k.what == CARRIED_ID}
    dead = {
        ref.id
        for ref, identity in lookups.identities(carried).items()
        if identity is not None and not identity.alive
    }
    signals: list[Signal] = []
    for ref, same in by_ref.items():
        identity = identities.get(ref)
        if identity is None or not identity.alive:
            continue
        candidates = contact_candidates(values.get(ref, frozenset()), shared, dead)
        # Without candidates only a loss is news: an issue about several may be gone.
        if candidates or any(due.because == REMOVED for due in same):
            signals.append(_candidates(identity.stream, candidates, same[-1]))
    return signals


def _account_candidates(
    dues: Sequence[Due], imported: Sequence[Due], lookups: Lookups
) -> list[Signal]:
    """Tell imported accounts of their companies; one just imported hears even of none."""
    always = {StreamId(due.target): due for due in imported}
    accounts = lookups.accounts(always)
    by_ref = {ref: [always[stream]] for stream, ref in accounts.items()}
    for ref, same in _by_target(dues).items():
        by_ref.setdefault(ref, same)
    identities = lookups.identities(by_ref)
    streams = [identity.stream for identity in identities.values() if identity is not None]
    wanted = lookups.imported(streams)
    values = lookups.values(by_ref)
    keys = {key for ref in by_ref for key in account_keys(ref.id, values.get(ref, frozenset()))}
    shared = lookups.sharing(keys)
    signals: list[Signal] = []
    for ref, same in by_ref.items():
        identity = identities.get(ref)
        if identity is None or not identity.alive or identity.linked_to is not None:
            continue
        candidates = account_candidates(ref.id, values.get(ref, frozenset()), shared)
        if identity.stream in always or (identity.stream in wanted and candidates):
            signals.append(_candidates(identity.stream, candidates, same[-1]))
    return signals


def _by_target(dues: Iterable[Due]) -> dict[Ref, list[Due]]:
    by_ref: dict[Ref, list[Due]] = {}
    for due in dues:
        by_ref.setdefault(reactions.ref_of(due.target), []).append(due)
    return by_ref


def _reconsider(stream: StreamId, due: Due) -> Reconsider:
    return Reconsider(
        id=_id(due, stream, due.because),
        at=due.cause.at,
        cause=str(due.cause.event_id),
        stream=stream,
        because=due.because,
    )


def _candidates(stream: StreamId, candidates: tuple[Candidate, ...], due: Due) -> CandidatesChanged:
    return CandidatesChanged(
        id=_id(due, stream),
        at=due.cause.at,
        cause=str(due.cause.event_id),
        stream=stream,
        candidates=candidates,
    )


def _owner(ref: Ref, identities: Mapping[Ref, Identity | None]) -> StreamId:
    identity = identities.get(ref)
    return identity.stream if identity is not None else ids.stream_of(ref)


def _id(due: Due, *target: str) -> FactId:
    cause: Cause = due.cause
    parts = (str(cause.epoch), str(cause.event_id), due.kind, *target)
    return FactId(ids.derived("signal", *parts))
