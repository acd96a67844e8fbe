"""The tables of `reactions` in PostgreSQL, what is due, and what signals look up."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from typing_extensions import override

from adapters.postgres import identities, rollup_rows
from adapters.postgres.database import Connection
from adapters.postgres.queries import queries_beside
from domain.facts import Rollup
from domain.ids import Crm, Kind, Ref, StreamId
from domain.ports import Identity
from projections import reactions
from projections.following import Followed
from projections.reactions import Cause, Due, DueKind, Gathered, Match, Values
from projections.signals import CANDIDATES_MAX, Key, Lookups, Shared

#: `reaction_due` is none of them: it is never folded again
TABLES: Final = ("waiting_for", "directory", "imported_account")

_SQL: Final = queries_beside(__file__)


def fold(connection: Connection, batch: Sequence[Followed]) -> None:
    """Fold a batch of events over the rows; nothing becomes due."""
    gathered = reactions.gather(batch)
    _fold_waits(connection, gathered)
    _fold_directory(connection, gathered)


def fold_and_note(
    connection: Connection, batch: Sequence[Followed], woken_to: datetime | None
) -> None:
    """Fold a batch of events over the rows, and note what becomes due."""
    gathered = reactions.gather(batch)
    new_keys = _fold_waits(connection, gathered)
    spread = _fold_directory(connection, gathered)
    dues = list(spread.dues)
    named = {ref for keys in new_keys.values() for k in keys if (ref := reactions.key_ref(k))}
    found = identities.load(connection, named)
    for stream, keys in new_keys.items():
        cause = gathered.waits[stream][1]
        dues += reactions.awaited(stream, keys, found, woken_to, cause)
    dues += _waited_accounts(connection, gathered)
    note(connection, dues)
    _note_waiting(connection, gathered.fired)
    _note_matching(connection, spread.matches)


def note(connection: Connection, dues: Collection[Due]) -> None:
    """Note what is to be told; what is noted already is told for the later cause."""
    if not dues:
        return
    connection.execute(
        _SQL["note"],
        {
            "kinds": [due.kind for due in dues],
            "targets": [due.target for due in dues],
            "becauses": [due.because for due in dues],
            **_causes(due.cause for due in dues),
        },
    )


def wake(
    connection: Connection, at: datetime, woken_to: datetime | None, cause: Cause, *, limit: int
) -> tuple[int, datetime]:
    """Note the streams that wait for instants that have come; return how many, and up to when.

    Args:
        connection: in a transaction that holds the follower.
        at: our clock.
        woken_to: instants up to this were noted before.
        cause: what the signals cite.
        limit: about so many; those of one instant come together.
    """
    rows = connection.execute(
        _SQL["due_instants"], {"at": at, "woken_to": woken_to, "limit": limit}
    ).fetchall()
    note(connection, [Due(DueKind.RECONSIDER, stream, key, cause) for stream, key, _ in rows])
    return len(rows), rows[-1][2] if len(rows) >= limit else at


def oldest_due(connection: Connection, limit: int) -> tuple[Due, ...]:
    """Read what is to be told, oldest first."""
    return tuple(
        Due(DueKind(kind), target, because, Cause(event_id, at, epoch))
        for kind, target, because, event_id, at, epoch in connection.execute(
            _SQL["oldest_due"], {"limit": limit}
        )
    )


def settle(connection: Connection, dues: Collection[Due]) -> None:
    """Forget what was told."""
    connection.execute(
        _SQL["settle"],
        {
            "kinds": [due.kind for due in dues],
            "targets": [due.target for due in dues],
            "becauses": [due.because for due in dues],
            "event_ids": [due.cause.event_id for due in dues],
        },
    )


class PostgresLookups(Lookups):
    """What signals are made of, within a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @override
    def identities(self, refs: Collection[Ref]) -> Mapping[Ref, Identity | None]:
        return identities.load(self._connection, refs)

    @override
    def accounts(self, streams: Collection[StreamId]) -> Mapping[StreamId, Ref]:
        rows = self._connection.execute(_SQL["accounts"], {"streams": list(streams)})
        return {stream: Ref(Crm.SALESFORCE, Kind.ACCOUNT, i) for stream, i in rows}

    @override
    def imported(self, streams: Collection[StreamId]) -> frozenset[StreamId]:
        rows = self._connection.execute(_SQL["imported"], {"streams": list(streams)})
        return frozenset(StreamId(stream) for (stream,) in rows)

    @override
    def values(self, refs: Collection[Ref]) -> Mapping[Ref, Values]:
        return _values(self._connection, refs)

    @override
    def sharing(self, keys: Collection[Key]) -> Mapping[Key, Shared]:
        rows = self._connection.execute(
            _SQL["sharing"],
            {
                "crms": [key.crm for key in keys],
                "kinds": [key.kind for key in keys],
                "whats": [key.what for key in keys],
                "values": [key.value for key in keys],
                "limit": CANDIDATES_MAX,
            },
        )
        return {
            Key(Crm(crm), Kind(kind), what, value): Shared(count, tuple(record_ids))
            for crm, kind, what, value, count, record_ids in rows
        }

    @override
    def rollups(self, contact_ids: Collection[str]) -> Mapping[str, Rollup]:
        return rollup_rows.rollups(self._connection, contact_ids)


def _fold_waits(connection: Connection, gathered: Gathered) -> dict[StreamId, frozenset[str]]:
    """Let streams wait for their keys and no others; return the keys that are new to them."""
    if not gathered.waits:
        return {}
    before: dict[StreamId, set[str]] = {stream: set() for stream in gathered.waits}
    for stream, key in connection.execute(_SQL["waits"], {"streams": list(before)}):
        before[stream].add(key)
    new = {stream: keys - before[stream] for stream, (keys, _) in gathered.waits.items()}
    gone = [(s, key) for s, (keys, _) in gathered.waits.items() for key in before[s] - keys]
    come = [(s, key, reactions.key_instant(key)) for s, keys in new.items() for key in keys]
    with connection.cursor() as cursor:
        if gone:
            cursor.executemany(_SQL["drop_wait"], gone)
        if come:
            cursor.executemany(_SQL["save_wait"], come)
    return new


def _fold_directory(connection: Connection, gathered: Gathered) -> reactions.Spread:
    known = _values(connection, gathered.entries.keys() | gathered.moved.keys())
    gone: list[tuple[Any, ...]] = []
    come: list[tuple[Any, ...]] = []
    for ref, (values, _) in gathered.entries.items():
        before = known.get(ref, frozenset())
        gone += [(ref.crm, ref.kind, ref.id, *value) for value in before - values]
        come += [(ref.crm, ref.kind, ref.id, *value) for value in values - before]
    with connection.cursor() as cursor:
        if gone:
            cursor.executemany(_SQL["drop_value"], gone)
        if come:
            cursor.executemany(_SQL["save_value"], come)
    if gathered.imported:
        connection.execute(_SQL["import"], {"streams": list(gathered.imported)})
    return reactions.spread(gathered, known)


def _values(connection: Connection, refs: Collection[Ref]) -> dict[Ref, Values]:
    if not refs:
        return {}
    found: dict[Ref, set[tuple[str, str]]] = {}
    rows = connection.execute(
        _SQL["values"],
        {
            "crms": [ref.crm for ref in refs],
            "kinds": [ref.kind for ref in refs],
            "record_ids": [ref.id for ref in refs],
        },
    )
    for crm, kind, record_id, what, value in rows:
        found.setdefault(Ref(Crm(crm), Kind(kind), record_id), set()).add((what, value))
    return {ref: frozenset(values) for ref, values in found.items()}


def _waited_accounts(connection: Connection, gathered: Gathered) -> list[Due]:
    """Return the accounts that someone waits for and that may import themselves now."""
    causes = {reactions.account_key(i): cause for i, cause in gathered.accounts.items()}
    keys: set[str] = set()
    if causes:
        rows = connection.execute(_SQL["waited_keys"], {"keys": list(causes)})
        keys |= {key for (key,) in rows}
    if gathered.imports_open is not None:
        rows = connection.execute(_SQL["waited_accounts"])
        keys |= {key for (key,) in rows}
    dues = []
    for key in sorted(keys):
        ref = reactions.key_ref(key)
        cause = causes.get(key, gathered.imports_open)
        if ref is not None and cause is not None:
            dues.append(Due(DueKind.ACCOUNT, ref.text, key, cause))
    return dues


def _note_waiting(connection: Connection, fired: Mapping[str, Cause]) -> None:
    if fired:
        keys = {"keys": list(fired), **_causes(fired.values())}
        connection.execute(_SQL["note_waiting"], keys)


def _note_matching(connection: Connection, matches: Sequence[Match]) -> None:
    if not matches:
        return
    connection.execute(
        _SQL["note_matching"],
        {
            "crms": [match.crm for match in matches],
            "kinds": [match.kind for match in matches],
            "whats": [match.what for match in matches],
            "values": [match.value for match in matches],
            "becauses": [match.because for match in matches],
            **_causes(match.cause for match in matches),
        },
    )


def _causes(causes: Iterable[Cause]) -> dict[str, list[Any]]:
    listed = list(causes)
    return {
        "event_ids": [cause.event_id for cause in listed],
        "ats": [cause.at for cause in listed],
        "epochs": [cause.epoch for cause in listed],
    }
