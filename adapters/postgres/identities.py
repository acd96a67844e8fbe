"""The rows of `record_identity`, changed under the store's lock as their fold says.

Touched rows are read, folded and written back; under the lock nobody else changes them. The
primary key is asked once more when rows are added: a row that is suddenly there is a bug.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from adapters.postgres.database import Connection
from adapters.postgres.queries import queries_beside
from domain.events import Event
from domain.ids import Crm, Kind, Ref, StreamId
from domain.ports import Identity
from projections import record_identity
from projections.record_identity import IdentityClashError, Repoint

_SQL: Final = queries_beside(__file__)


def load(connection: Connection, refs: Collection[Ref]) -> dict[Ref, Identity | None]:
    """Read the rows of records; None where there is none."""
    found: dict[Ref, Identity | None] = dict.fromkeys(refs)
    if refs:
        rows = connection.execute(_SQL["load"], _keys(refs)).fetchall()
        found.update((identity.ref, identity) for identity in map(_identity, rows))
    return found


def fold(connection: Connection, events: Iterable[Event]) -> None:
    """Fold a batch's events over the rows.

    Raises:
        IdentityClashError: a record would belong to two aggregates.
    """
    batch = [event for event in events if record_identity.changes(event)]
    if not batch:
        return
    changes = [change for event in batch for change in record_identity.changes(event)]
    before = load(connection, {ref for c in changes for ref in record_identity.refs(c)})
    absorbed = [change.absorbed for change in changes if isinstance(change, Repoint)]
    if absorbed:
        before |= _of_streams(connection, absorbed)
    after = dict(before)
    record_identity.fold_strictly(after, batch)
    _write_back(connection, before, after)


def _write_back(
    connection: Connection,
    before: Mapping[Ref, Identity | None],
    after: Mapping[Ref, Identity | None],
) -> None:
    changed = [ref for ref in after if after[ref] != before.get(ref)]
    gone = [ref for ref in changed if after[ref] is None]
    if gone:
        connection.execute(_SQL["delete"], _keys(gone))
    there = [ref for ref in changed if before.get(ref) is not None and after[ref] is not None]
    if there:
        connection.execute(_SQL["unlink"], _keys(there))
        connection.execute(_SQL["update"], _columns(after, there))
    new = [ref for ref in changed if before.get(ref) is None]
    if new:
        added = connection.execute(_SQL["insert"], _columns(after, new)).rowcount
        if added != len(new):
            message = f"expected {len(new)} new records to have no owner, found {added} without"
            raise IdentityClashError(message)


def _of_streams(connection: Connection, streams: Sequence[StreamId]) -> dict[Ref, Identity | None]:
    rows = connection.execute(_SQL["load_of_streams"], {"streams": streams}).fetchall()
    return {identity.ref: identity for identity in map(_identity, rows)}


def _identity(row: Sequence[Any]) -> Identity:
    crm, kind, record_id, stream, alive, linked_to = row
    return Identity(Ref(Crm(crm), Kind(kind), record_id), StreamId(stream), alive, linked_to)


def _keys(refs: Collection[Ref]) -> dict[str, list[Any]]:
    return {
        "crms": [ref.crm for ref in refs],
        "kinds": [ref.kind for ref in refs],
        "record_ids": [ref.id for ref in refs],
    }


def _columns(rows: Mapping[Ref, Identity | None], refs: Collection[Ref]) -> dict[str, list[Any]]:
    chosen = [row for row in (rows[ref] for ref in refs) if row is not None]
    return _keys([row.ref for row in chosen]) | {
        "streams": [row.stream for row in chosen],
        "alive": [row.alive for row in chosen],
        "linked_to": [row.linked_to for row in chosen],
    }
