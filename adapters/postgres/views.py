"""What people read, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from typing_extensions import override

from adapters import codec
from adapters.postgres.database import Database
from adapters.postgres.queries import queries_beside
from domain.ids import Crm, Kind, Ref, StreamId, WriteId
from domain.ports import Identity, StoredEvent
from projections.audit_line import AuditCause, AuditField, AuditLine, LineKind
from projections.reading import (
    EVERY_LINE,
    AttemptRow,
    AuditFilter,
    IssueGroup,
    IssueRow,
    PairRow,
    ParkedRow,
    PlacedLine,
    Views,
    WriteRow,
    WriteViews,
)
from projections.sync_status import HeldField

_SQL: Final = queries_beside(__file__)


class PostgresViews(Views, WriteViews):
    """The tables and views of migration 0004.

    Args:
        database: migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    def pairs(
        self,
        *,
        state: str | None = None,
        with_issues: bool = False,
        after: StreamId | None = None,
        limit: int,
    ) -> tuple[PairRow, ...]:
        rows = self._rows(
            "pairs", state=state, with_issues=with_issues, after=after, stream=None, limit=limit
        )
        return tuple(map(_pair, rows))

    @override
    def pair(self, stream: StreamId) -> PairRow | None:
        carried_on = self._rows("carried_on_by", stream=stream)
        if not carried_on:
            return None
        rows = self._rows(
            "pairs", state=None, with_issues=False, after=None, stream=carried_on[0][0], limit=1
        )
        return _pair(rows[0]) if rows else None

    @override
    def owner(self, record: Ref) -> Identity | None:
        rows = self._rows("owner", crm=record.crm, kind=record.kind, record_id=record.id)
        return Identity(record, *rows[0]) if rows else None

    @override
    def records(self, stream: StreamId) -> tuple[Identity, ...]:
        return tuple(
            Identity(Ref(Crm(crm), Kind(kind), record_id), StreamId(owner), alive, linked_to)
            for crm, kind, record_id, owner, alive, linked_to in self._rows(
                "records", stream=stream
            )
        )

    @override
    def audit(
        self,
        chosen: AuditFilter = EVERY_LINE,
        *,
        after: int = 0,
        latest: bool = False,
        limit: int,
    ) -> tuple[PlacedLine, ...]:
        rows = self._rows(
            "audit_latest" if latest else "audit",
            since=chosen.since,
            until=chosen.until,
            pair_id=chosen.pair_id,
            kind=chosen.kind,
            rule=chosen.rule,
            crm=chosen.crm,
            write_id=chosen.write_id,
            after=after,
            limit=limit,
        )
        lines = (PlacedLine(row[0], _line(row[1:])) for row in rows)
        return tuple(sorted(lines, key=lambda placed: placed.event_id))

    @override
    def issue_groups(self) -> tuple[IssueGroup, ...]:
        return tuple(IssueGroup(*row) for row in self._rows("issue_groups"))

    @override
    def issues(
        self, *, code: str | None = None, stream: StreamId | None = None, limit: int
    ) -> tuple[IssueRow, ...]:
        return tuple(
            IssueRow(*row) for row in self._rows("issues", code=code, stream=stream, limit=limit)
        )

    @override
    def held_fields(self, stream: StreamId) -> tuple[HeldField, ...]:
        return tuple(HeldField(*row) for row in self._rows("held_fields", stream=stream))

    @override
    def parked(self, *, stream: StreamId | None = None, limit: int) -> tuple[ParkedRow, ...]:
        return tuple(ParkedRow(*row) for row in self._rows("parked", stream=stream, limit=limit))

    @override
    def waiting_counts(self) -> Mapping[str, int]:
        return dict(self._rows("waiting_counts"))

    @override
    def history(self, stream: StreamId) -> tuple[tuple[StoredEvent, datetime], ...]:
        return tuple(
            (
                StoredEvent(
                    id=event_id,
                    stream=StreamId(owner),
                    version=version,
                    event=codec.decode_event(topic, state),
                    source=source,
                    offset=offset,
                ),
                decided_at,
            )
            for event_id, owner, version, topic, state, source, offset, decided_at in self._rows(
                "history", stream=stream
            )
        )

    @override
    def writes(
        self,
        *,
        state: str | None = None,
        crm: str | None = None,
        stream: StreamId | None = None,
        limit: int,
    ) -> tuple[WriteRow, ...]:
        rows = self._rows("writes", write_id=None, state=state, crm=crm, stream=stream, limit=limit)
        return tuple(WriteRow(*row) for row in rows)

    @override
    def write(self, write_id: WriteId) -> WriteRow | None:
        rows = self._rows("writes", write_id=write_id, state=None, crm=None, stream=None, limit=1)
        return WriteRow(*rows[0]) if rows else None

    @override
    def attempts(self, write_id: WriteId) -> tuple[AttemptRow, ...]:
        return tuple(AttemptRow(*row) for row in self._rows("attempts", write_id=write_id))

    def _rows(self, name: str, **wanted: object) -> list[tuple[Any, ...]]:
        with self._database.snapshot() as connection:
            return connection.execute(_SQL[name], wanted).fetchall()


def _pair(row: Sequence[Any]) -> PairRow:
    columns = list(row)
    columns[5] = tuple(columns[5])
    columns[18] = tuple(columns[18])
    return PairRow(*columns)


def _line(row: Sequence[Any]) -> AuditLine:
    (
        line_id,
        at,
        kind,
        rule,
        pair_id,
        opportunity_id,
        deal_id,
        contact_id,
        crm,
        record_object,
        record_id,
        operation,
        fields,
        reason,
        ambiguous,
        cause_fact,
        cause_by,
        cause_at,
        policy_version,
        write_id,
    ) = row
    return AuditLine(
        id=line_id,
        at=at,
        kind=LineKind(kind),
        rule=rule,
        pair_id=pair_id,
        opportunity_id=opportunity_id,
        deal_id=deal_id,
        contact_id=contact_id,
        crm=crm,
        object=record_object,
        record_id=record_id,
        operation=operation,
        fields=tuple(AuditField(**field) for field in fields),
        reason=reason,
        ambiguous=ambiguous,
        cause=AuditCause(fact=cause_fact, by=cause_by, at=cause_at),
        policy_version=policy_version,
        write_id=write_id,
    )
