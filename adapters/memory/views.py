"""What people read, in memory: the twin of `postgres.views`, without deliveries."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from typing_extensions import override

from adapters.memory.audit import MemoryAudit
from adapters.memory.decisions import MemoryDecisions
from adapters.memory.followers import MemoryFollowers
from domain.ids import Crm, Kind, Ref, StreamId
from domain.ports import Identity, StoredEvent
from projections.audit_line import AuditLine, LineKind
from projections.reading import (
    EVERY_LINE,
    AuditFilter,
    IssueGroup,
    IssueRow,
    PairRow,
    ParkedRow,
    PlacedLine,
    Views,
)
from projections.sync_status import HeldField, OpenIssue, Status

_OUTCOMES = frozenset({LineKind.DELIVERED, LineKind.REJECTED, LineKind.UNKNOWN})


class MemoryViews(Views):
    """Rows of the memory store, joined as the SQL views join them."""

    def __init__(
        self, decisions: MemoryDecisions, followers: MemoryFollowers, audit: MemoryAudit
    ) -> None:
        self._decisions = decisions
        self._followers = followers
        self._audit = audit

    @override
    def pairs(
        self,
        *,
        state: str | None = None,
        with_issues: bool = False,
        after: StreamId | None = None,
        limit: int,
    ) -> tuple[PairRow, ...]:
        rows = [
            row
            for stream, status in sorted(self._statuses().items())
            if (after is None or stream > after)
            and status.absorbed_into is None
            and (not with_issues or status.issues)
            and (row := self._pair(status)) is not None
            and state in (None, row.state)
        ]
        return tuple(rows[:limit])

    @override
    def pair(self, stream: StreamId) -> PairRow | None:
        status = self._statuses().get(stream)
        while status is not None and status.absorbed_into is not None:
            status = self._statuses().get(status.absorbed_into)
        return self._pair(status) if status is not None else None

    @override
    def owner(self, record: Ref) -> Identity | None:
        return self._decisions.identities.get(record)

    @override
    def records(self, stream: StreamId) -> tuple[Identity, ...]:
        own = [i for i in self._decisions.identities.values() if i.stream == stream]
        salesforce_first = {Crm.SALESFORCE: 0, Crm.HUBSPOT: 1}
        return tuple(
            sorted(
                own,
                key=lambda i: (not i.alive, salesforce_first[i.ref.crm], i.ref.kind, i.ref.id),
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
        decided = {
            line.write_id: line for _, line in self._audit.lines if line.kind is LineKind.DECIDED
        }
        found = [
            PlacedLine(event_id, line)
            for event_id, bare in self._audit.lines
            if event_id > after
            and _is_chosen(line := self._joined(bare, decided.get(bare.write_id)), chosen)
        ]
        return tuple(found[-limit:] if latest else found[:limit])

    @override
    def issue_groups(self) -> tuple[IssueGroup, ...]:
        by_code: dict[str, list[tuple[StreamId, OpenIssue]]] = {}
        for stream, status in self._statuses().items():
            for issue in status.issues.values():
                by_code.setdefault(issue.code, []).append((stream, issue))
        groups = [
            IssueGroup(
                code=code,
                count=len(issues),
                streams=len({stream for stream, _ in issues}),
                first_opened_at=min(issue.opened_at for _, issue in issues),
                last_changed_at=max(issue.changed_at for _, issue in issues),
                sample=_newest(issue for _, issue in issues).text,
            )
            for code, issues in by_code.items()
        ]
        return tuple(sorted(groups, key=lambda group: (-group.count, group.code)))

    @override
    def issues(
        self, *, code: str | None = None, stream: StreamId | None = None, limit: int
    ) -> tuple[IssueRow, ...]:
        rows = [
            IssueRow(
                code=issue.code,
                subject=issue.subject,
                text=issue.text,
                rule=issue.rule,
                pair_id=owner,
                opportunity_id=self._record(owner, Kind.OPPORTUNITY),
                deal_id=self._record(owner, Kind.DEAL),
                contact_id=self._record(owner, Kind.CONTACT),
                account_id=self._record(owner, Kind.ACCOUNT),
                opened_at=issue.opened_at,
                changed_at=issue.changed_at,
                occurrences=issue.occurrences,
            )
            for owner, status in self._statuses().items()
            for issue in status.issues.values()
            if stream in (None, owner) and code in (None, issue.code)
        ]
        rows.sort(key=lambda row: (row.opened_at, row.code, row.subject, row.pair_id))
        return tuple(rows[:limit])

    @override
    def held_fields(self, stream: StreamId) -> tuple[HeldField, ...]:
        status = self._statuses().get(stream)
        held = status.held.values() if status is not None else ()
        return tuple(sorted(held, key=lambda one: (one.field, one.side)))

    @override
    def parked(self, *, stream: StreamId | None = None, limit: int) -> tuple[ParkedRow, ...]:
        rows = [
            ParkedRow(
                pair_id=owner,
                position=fact.position,
                topic=fact.topic,
                error=fact.error,
                parked_at=fact.parked_at,
                opportunity_id=self._record(owner, Kind.OPPORTUNITY),
                deal_id=self._record(owner, Kind.DEAL),
            )
            for owner, status in self._statuses().items()
            for fact in status.parked.values()
            if stream in (None, owner)
        ]
        rows.sort(key=lambda row: (row.parked_at, row.pair_id, row.position))
        return tuple(rows[:limit])

    @override
    def waiting_counts(self) -> Mapping[str, int]:
        counts: Counter[str] = Counter()
        for keys in self._followers.tables.waits.values():
            counts.update({key.split(":", 1)[0] for key in keys})
        return dict(sorted(counts.items()))

    @override
    def history(self, stream: StreamId) -> tuple[tuple[StoredEvent, datetime], ...]:
        loaded = self._decisions.load([stream], []).events[stream]
        return tuple((event, self._decisions.decided_at[event.id]) for event in loaded)

    def _statuses(self) -> Mapping[StreamId, Status]:
        return self._followers.tables.statuses

    def _pair(self, status: Status) -> PairRow | None:
        summary, at = status.summary, status.last_decided_at
        if summary is None or at is None:
            return None
        return PairRow(
            pair_id=status.stream,
            state=summary.state,
            opportunity_id=summary.opportunity_id,
            deal_id=summary.deal_id,
            name=summary.name,
            contact_ids=summary.contact_ids,
            created_at=summary.created_at,
            amount=summary.amount,
            close_date=summary.close_date,
            is_closed=summary.is_closed,
            is_won=summary.is_won,
            record_type_id=summary.record_type_id,
            pipeline_id=summary.pipeline_id,
            account_id=summary.account_id,
            company_id=summary.company_id,
            issues=len(status.issues),
            held=len(status.held),
            parked=len(status.parked),
            waiting_for=tuple(sorted(self._followers.tables.waits.get(status.stream, ()))),
            last_decided_at=at,
            version=status.version,
        )

    def _record(self, stream: str, kind: Kind) -> str | None:
        own = [
            (identity.alive, ref.id)
            for ref, identity in self._decisions.identities.items()
            if identity.stream == stream and ref.kind is kind
        ]
        return max(own)[1] if own else None

    def _joined(self, line: AuditLine, decided: AuditLine | None) -> AuditLine:
        """Add what the line's decision and its stream's records say."""
        if line.kind is not LineKind.DECIDED and decided is not None:
            line = replace(
                line,
                rule=decided.rule if line.kind in _OUTCOMES else line.rule,
                contact_id=line.contact_id or decided.contact_id,
                crm=line.crm or decided.crm,
                object=line.object or decided.object,
                record_id=line.record_id or decided.record_id,
                operation=line.operation or decided.operation,
                fields=line.fields or decided.fields,
                reason=line.reason or decided.reason,
            )
        opportunity_id = line.opportunity_id or self._record(line.pair_id, Kind.OPPORTUNITY)
        deal_id = line.deal_id or self._record(line.pair_id, Kind.DEAL)
        contact = self._record(line.pair_id, Kind.CONTACT)
        by_object = {"deal": deal_id, "opportunity": opportunity_id, "contact": contact}
        return replace(
            line,
            opportunity_id=opportunity_id,
            deal_id=deal_id,
            contact_id=line.contact_id or contact,
            record_id=line.record_id or by_object.get(line.object or ""),
        )


def _is_chosen(line: AuditLine, chosen: AuditFilter) -> bool:
    return (
        (chosen.since is None or line.at >= chosen.since)
        and (chosen.until is None or line.at < chosen.until)
        and chosen.pair_id in (None, line.pair_id)
        and chosen.kind in (None, line.kind)
        and chosen.rule in (None, line.rule)
        and chosen.crm in (None, line.crm)
        and chosen.write_id in (None, line.write_id)
    )


def _newest(issues: Iterable[OpenIssue]) -> OpenIssue:
    """Return the one told last; of those told at once, the first subject."""
    return min(issues, key=lambda issue: (-issue.changed_at.timestamp(), issue.subject))
