"""What an auditor reads: an inline fold of events, append-only, at most one line an event.

A line says what its event says and nothing else; what an outcome is about (operation, fields), and
which opportunity and deal a stream is, is joined where lines are read. An outcome is a new line
with the same `write_id` (rule `explain`). Events that only keep the books leave no line.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from domain import events, ids, writes
from domain.canonical import Value, instant_text
from domain.ports import StoredEvent
from domain.writes import Write


class LineKind(StrEnum):
    """What a line tells."""

    DECIDED = "decided"
    NOT_WRITTEN = "not_written"
    HELD = "held"
    CANCELLED = "cancelled"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    OBSERVED = "observed"


@dataclass(frozen=True, slots=True)
class AuditField:
    """One field of a line; values are canonical."""

    field: str
    before: Value = None
    after: Value = None
    losing: Value = None
    #: who set `after`, and who set `losing`; blank: the line's cause says it, or nobody knows
    by: Annotated[str, Field(exclude_if=operator.not_)] = ""
    losing_by: Annotated[str, Field(exclude_if=operator.not_)] = ""

    def values(self) -> dict[str, Value]:
        """Return it as JSON shows it: authors only where they are known."""
        authors = {"by": self.by, "losing_by": self.losing_by}
        return {
            "field": self.field,
            "before": self.before,
            "after": self.after,
            "losing": self.losing,
            **{name: who for name, who in authors.items() if who},
        }


@dataclass(frozen=True, slots=True)
class AuditCause:
    """The fact that was decided."""

    fact: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of the audit log."""

    #: `stream:version:n`
    id: str
    #: our clock when it was decided
    at: datetime
    kind: LineKind
    rule: str
    #: the aggregate's stream
    pair_id: str
    opportunity_id: Value
    deal_id: Value
    #: HubSpot's id where the contact is one of HubSpot, else Salesforce's
    contact_id: Value
    crm: Value
    object: Value
    record_id: Value
    operation: Value
    fields: tuple[AuditField, ...]
    reason: str
    ambiguous: bool
    cause: AuditCause
    policy_version: int
    write_id: Value


@dataclass(frozen=True, slots=True)
class _Said:
    """What of a line comes from the kind of event."""

    kind: LineKind
    reason: str
    crm: Value = None
    object: Value = None
    record_id: Value = None
    operation: Value = None
    fields: tuple[AuditField, ...] = ()
    ambiguous: bool = False
    write_id: Value = None
    opportunity_id: Value = None
    deal_id: Value = None
    contact_id: Value = None


#: what a write of that class is about, as the audit log calls it
OBJECTS: Final[dict[type, str]] = {
    writes.CreateDeal: "deal",
    writes.UpdateDeal: "deal",
    writes.ArchiveDeal: "deal",
    writes.AssociateContact: "deal",
    writes.DissociateContact: "deal",
    writes.AssociateCompany: "deal",
    writes.DissociateCompany: "deal",
    writes.CreateOpportunity: "opportunity",
    writes.UpdateOpportunity: "opportunity",
    writes.AddContactRole: "contact_role",
    writes.RemoveContactRole: "contact_role",
    writes.UpdateContact: "contact",
    writes.CreateCompany: "company",
    writes.UpdateCompany: "company",
    writes.CreatePipeline: "pipeline",
    writes.CreateStage: "stage",
    writes.RenameStage: "stage",
    writes.CreateProperty: "property",
    writes.CreateField: "field",
}
#: what a closed write's outcome is called in a line
_OUTCOMES: Final = {
    "done": LineKind.DELIVERED,
    "rejected": LineKind.REJECTED,
    "unknown": LineKind.UNKNOWN,
    "held": LineKind.HELD,
    "cancelled": LineKind.CANCELLED,
}


def lines(stored: StoredEvent, decided_at: datetime) -> tuple[AuditLine, ...]:
    """Return the lines that an event adds; most events add one, some none.

    Args:
        stored: the event where it stands.
        decided_at: our clock when it was decided.
    """
    said = _said(stored.event)
    if said is None:
        return ()
    event = stored.event
    return (
        AuditLine(
            id=f"{stored.stream}:{stored.version}:0",
            at=decided_at,
            kind=said.kind,
            rule=event.rule,
            pair_id=stored.stream,
            opportunity_id=said.opportunity_id,
            deal_id=said.deal_id,
            contact_id=said.contact_id,
            crm=said.crm,
            object=said.object,
            record_id=said.record_id,
            operation=said.operation,
            fields=said.fields,
            reason=said.reason,
            ambiguous=said.ambiguous,
            cause=AuditCause(fact=event.cause, by=event.by, at=event.at),
            policy_version=event.policy_version,
            write_id=said.write_id,
        ),
    )


def write_fields(write: Write) -> tuple[AuditField, ...]:
    """Return a write's fields as a line shows them."""
    return tuple(AuditField(c.field, c.before, c.after, c.losing) for c in write.fields)


def _said(event: events.Event) -> _Said | None:
    match event:
        case events.WriteDecided():
            return _decided(event)
        case events.WriteClosed():
            return _closed(event)
        case events.WriteWithdrawn():
            return _Said(LineKind.CANCELLED, event.reason, write_id=event.write_id)
        case events.NothingDecided():
            return _Said(LineKind.NOT_WRITTEN, event.reason)
        case events.FactParked():
            return _Said(LineKind.NOT_WRITTEN, f"{event.topic} is parked: {event.error}")
        case events.ParkedFactSettled():
            what = "was given up" if event.given_up else "was decided after all"
            return _observed(f"the parked fact {event.position} {what}")
        case events.FieldHeld():
            held = AuditField(event.field, after=event.value)
            reason = f"{event.code}: {event.detail}"
            return _Said(LineKind.HELD, reason, crm=event.side, fields=(held,))
        case events.IssueOpened():
            return _observed(f"issue {event.code} about {event.subject}: {event.text}")
        case events.IssueClosed():
            return _observed(f"issue {event.code} about {event.subject} is gone")
        case _:
            return _of_record(event) or _of_pair(event) or _of_catalog(event)


def _decided(event: events.WriteDecided) -> _Said:
    write = event.write
    contact_id = getattr(write, "contact_id", None)
    company_id = getattr(write, "company_id", None)
    named = company_id if isinstance(write, writes.UpdateCompany) else None
    fields = write_fields(write)
    if not fields and (contact_id or company_id):
        what = "contact" if contact_id else "company"
        fields = (AuditField(what, after=contact_id or company_id),)
    return _Said(
        LineKind.DECIDED,
        event.reason,
        crm=write.CRM,
        object=OBJECTS[type(write)],
        record_id=named,
        operation=write.OPERATION,
        fields=fields,
        ambiguous=event.ambiguous,
        write_id=write.id,
        contact_id=contact_id,
    )


def _closed(event: events.WriteClosed) -> _Said:
    words = [event.code, event.message]
    if event.fields:
        words.append(f"(fields: {', '.join(event.fields)})")
    return _Said(
        _OUTCOMES[event.outcome],
        " ".join(word for word in words if word),
        record_id=event.record_id,
        write_id=event.write_id,
    )


def _observed(reason: str, *, contact_id: Value = None) -> _Said:
    return _Said(LineKind.OBSERVED, reason, contact_id=contact_id)


def _of_record(event: events.Event) -> _Said | None:
    """Tell what happened to a record, a contact or an account."""
    match event:
        case events.RecordBuried():
            return _of(event, "is deleted")
        case events.RecordRevived():
            return _of(event, "is there again")
        case events.ContactLinked():
            reason = f"linked to Salesforce contact {event.salesforce_contact_id} by {event.how}"
            return _observed(reason, contact_id=event.contact_id)
        case events.ContactUnlinked():
            reason = f"unlinked from {event.salesforce_contact_id}: {event.why}"
            return _observed(reason, contact_id=event.contact_id)
        case events.AccountLinked():
            reason = f"account {event.account_id} linked to company {event.company_id}"
            return _observed(f"{reason} by {event.how}")
        case events.AccountUnlinked():
            reason = f"account {event.account_id} unlinked from company {event.company_id}"
            return _observed(f"{reason}: {event.why}")
        case _:
            return None


def _of_pair(event: events.Event) -> _Said | None:
    """Tell what happened to a pair."""
    match event:
        case events.SideNoted():
            return _side(event)
        case events.SyncEntered():
            return _observed(f"entered the sync: {event.trigger}")
        case events.CounterpartLinked():
            return _counterpart(event, f"linked ({event.how})")
        case events.CounterpartDropped():
            return _counterpart(event, f"dropped: {event.why}")
        case events.PairAbsorbed():
            return _observed(f"is one with {event.into}, which goes on")
        case events.SyncStopped():
            return _observed(f"stopped: {event.why}")
        case events.SyncResumed():
            return _observed(f"resumed: {event.why}")
        case events.PairDetached():
            return _observed(f"detached: {event.why}")
        case events.PairDeleted():
            return _observed(f"deleted: {event.why}")
        case events.FieldSettled() if event.losing is not None:
            return _settled(event)
        case events.EchoSeen() if event.how != "confirmed":
            reason = f"the write was {event.how} in its CRM"
            return _Said(LineKind.OBSERVED, reason, write_id=event.write_id)
        case _:
            return None


def _of_catalog(event: events.Event) -> _Said | None:
    """Tell what happened to pipelines, stages and policies."""
    match event:
        case events.PipelineLinked():
            reason = f"record type {event.record_type_id} has pipeline {event.pipeline_id}"
            return _observed(f"{reason} ({event.label!r}, {event.how})")
        case events.StageLinked():
            reason = f"stage {event.stage_name!r} of {event.record_type_id} is {event.stage_id}"
            return _observed(reason)
        case events.AccountImportCompleted():
            return _observed(f"accounts imported: {event.selection}, {event.count} chosen")
        case events.PolicyAdopted():
            return _observed(f"policy version {event.version} is in force")
        case events.PolicyRefused():
            return _Said(LineKind.NOT_WRITTEN, f"the policy was refused: {event.reason}")
        case _:
            return None


def _side(event: events.SideNoted) -> _Said | None:
    """Tell what people and other programs changed; first readings and echoes are no news."""
    changed = [note for note in event.fields if note.kind != "known"]
    if not changed:
        return None
    kinds = sorted({note.kind for note in changed})
    fields = tuple(
        AuditField(note.field, before=note.before, after=note.value, by=note.by) for note in changed
    )
    return replace(_counterpart(event, ", ".join(kinds)), fields=fields)


def _settled(event: events.FieldSettled) -> _Said:
    by = f" (set by {event.winner_by})" if event.winner_by else ""
    whose = f"{event.winner}'s value{by} stands" if event.winner is not None else "chosen"
    field = AuditField(
        event.field,
        after=event.hubspot if event.winner is ids.Crm.HUBSPOT else event.salesforce,
        losing=event.losing,
        by=event.winner_by,
        losing_by=event.losing_by,
    )
    return _Said(
        LineKind.OBSERVED,
        f"{whose} ({event.how}){_lost(event)}",
        fields=(field,),
        ambiguous=event.how == "ambiguous",
    )


def _lost(event: events.FieldSettled) -> str:
    if event.winner is None:
        return f" by {event.by}" if event.by else ""
    who = f" by {event.losing_by}" if event.losing_by else ""
    when = f" at {instant_text(event.losing_at)}" if event.losing_at is not None else ""
    how = f" (set{who}{when})" if who or when else ""
    return f"; {event.winner.other}'s {event.losing!r}{how} lost"


def _counterpart(
    event: events.SideNoted | events.CounterpartLinked | events.CounterpartDropped, reason: str
) -> _Said:
    salesforce = event.side is ids.Crm.SALESFORCE
    return _Said(
        LineKind.OBSERVED,
        reason,
        crm=event.side,
        object="opportunity" if salesforce else "deal",
        record_id=event.record_id,
        opportunity_id=event.record_id if salesforce else None,
        deal_id=None if salesforce else event.record_id,
    )


def _of(event: events.RecordBuried | events.RecordRevived, reason: str) -> _Said:
    return _Said(
        LineKind.OBSERVED,
        reason,
        crm=event.crm,
        object=event.kind,
        record_id=event.record_id,
    )


def all_lines(decided: Sequence[tuple[StoredEvent, datetime]]) -> list[AuditLine]:
    """Return the lines of a batch, in its order."""
    return [line for stored, at in decided for line in lines(stored, at)]
