"""The tables of `sync_status` in PostgreSQL: a batch's rows are read, folded, and written back."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from typing import Any, Final

from adapters.postgres.database import Connection
from adapters.postgres.queries import queries_beside
from domain.ids import StreamId
from projections import sync_status
from projections.following import Followed
from projections.sync_status import HeldField, OpenIssue, PairSummary, ParkedFact, Status

TABLES: Final = ("sync_status", "open_issue", "held_field", "parked_fact")

_SQL: Final = queries_beside(__file__)


def fold(connection: Connection, batch: Sequence[Followed]) -> None:
    """Fold a batch of events over the rows."""
    before = _load(connection, {followed.stream for followed in batch})
    after = dict(before)
    for followed in batch:
        after[followed.stream] = sync_status.fold(after[followed.stream], followed)
    _save(connection, before, after)


def _load(connection: Connection, streams: set[StreamId]) -> dict[StreamId, Status]:
    wanted = {"streams": sorted(streams)}
    found = {stream: Status(stream) for stream in streams}
    for row in connection.execute(_SQL["load_pairs"], wanted):
        stream, *summary, absorbed_into, version, last_decided_at = row
        summary[4] = tuple(summary[4])
        found[stream] = Status(
            stream=stream,
            summary=PairSummary(*summary),
            absorbed_into=absorbed_into,
            version=version,
            last_decided_at=last_decided_at,
        )
    issues: dict[StreamId, dict[tuple[str, str], OpenIssue]] = {}
    for stream, *columns in connection.execute(_SQL["load_issues"], wanted):
        issue = OpenIssue(*columns)
        issues.setdefault(stream, {})[issue.code, issue.subject] = issue
    held: dict[StreamId, dict[tuple[str, str], HeldField]] = {}
    for stream, *columns in connection.execute(_SQL["load_held"], wanted):
        field = HeldField(*columns)
        held.setdefault(stream, {})[field.field, field.side] = field
    parked: dict[StreamId, dict[str, ParkedFact]] = {}
    for stream, *columns in connection.execute(_SQL["load_parked"], wanted):
        fact = ParkedFact(*columns)
        parked.setdefault(stream, {})[fact.position] = fact
    return {
        stream: replace(
            status,
            issues=issues.get(stream, {}),
            held=held.get(stream, {}),
            parked=parked.get(stream, {}),
        )
        for stream, status in found.items()
    }


def _save(
    connection: Connection, before: Mapping[StreamId, Status], after: Mapping[StreamId, Status]
) -> None:
    pairs = [
        (status.stream, *_columns(status.summary), status.absorbed_into, status.version, at)
        for status in after.values()
        if status.summary is not None and (at := status.last_decided_at) is not None
    ]
    saved: dict[str, list[tuple[Any, ...]]] = {"issue": [], "held": [], "parked": []}
    gone: dict[str, list[tuple[Any, ...]]] = {"issue": [], "held": [], "parked": []}
    for stream, status in after.items():
        was = before[stream]
        for name, old, new in (
            ("issue", was.issues, status.issues),
            ("held", was.held, status.held),
        ):
            gone[name] += [(stream, *key) for key in old.keys() - new.keys()]
            saved[name] += [(stream, *astuple(new[key])) for key in new if new[key] != old.get(key)]
        gone["parked"] += [(stream, p) for p in was.parked.keys() - status.parked.keys()]
        saved["parked"] += [
            (stream, *astuple(fact))
            for position, fact in status.parked.items()
            if fact != was.parked.get(position)
        ]
    with connection.cursor() as cursor:
        if pairs:
            cursor.executemany(_SQL["save_pair"], pairs)
        for name, rows in gone.items():
            if rows:
                cursor.executemany(_SQL[f"drop_{name}"], rows)
        for name, rows in saved.items():
            if rows:
                cursor.executemany(_SQL[f"save_{name}"], rows)


def _columns(summary: PairSummary) -> tuple[Any, ...]:
    columns = list(astuple(summary))
    columns[4] = list(summary.contact_ids)
    return tuple(columns)
