"""Facts and events in words, one line each, for `why`, `pairs show` and answers to requests."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from adapters.cli.output import instant
from domain import events, facts
from domain.canonical import Value
from domain.facts import Fact
from domain.ids import Crm
from domain.mapping import STAGE
from domain.ports import StoredEvent
from domain.rules import stages
from domain.writes import Write
from projections.audit_line import OBJECTS, AuditLine, lines

CRM_NAMES: Final = {Crm.SALESFORCE: "Salesforce", Crm.HUBSPOT: "HubSpot"}
#: longer values are cut
VALUE_LENGTH_MAX: Final = 60
#: what shows a pair's status on its deal: not worth a word
STATUS_PROPERTIES: Final = (
    "dealsync_link",
    "dealsync_state",
    "dealsync_synced_at",
    "dealsync_issue",
)


def value_text(value: Value) -> str:
    """Return a value in quotes, `blank` for none."""
    if value is None:
        return "blank"
    text = value if len(value) <= VALUE_LENGTH_MAX else f"{value[:VALUE_LENGTH_MAX]}…"
    return f"'{text}'"


def field_text(field: str, value: Value) -> str:
    """Return a field's value for people: a stage without its record type or pipeline's id first."""
    if field != STAGE or value is None or not stages.bare(value):
        return value_text(value)
    return f"{value_text(stages.bare(value))} of {stages.scope(value) or 'no record type'}"


def line_of(stored: StoredEvent, decided_at: datetime) -> AuditLine | None:
    """Return the audit line of an event, or None if it leaves none."""
    return next(iter(lines(stored, decided_at)), None)


def write_text(write: Write) -> str:
    """Return what a write does: `update deal in HubSpot: amount '1' → '2'`."""
    changes = [
        f"{change.field} {value_text(change.before)} → {value_text(change.after)}"
        for change in write.fields
        if change.before != change.after and not change.name.startswith(STATUS_PROPERTIES)
    ]
    target = getattr(write, "contact_id", None) or getattr(write, "company_id", None)
    if target is not None:
        changes.insert(0, str(target))
    return f"{operation_text(write)}{': ' if changes else ''}{', '.join(changes)}"


def operation_text(write: Write) -> str:
    """Return what a write does, without its fields: `update deal in HubSpot`."""
    return f"{write.OPERATION} {OBJECTS[type(write)]} in {CRM_NAMES[write.CRM]}"


def event_text(event: events.Event) -> str:
    """Return what was decided, with its rule."""
    return f"{event.rule}: {_told(event)}"


def _told(event: events.Event) -> str:
    match event:
        case events.WriteDecided():
            doubt = " (time could not tell who won)" if event.ambiguous else ""
            return f"{write_text(event.write)}{doubt}"
        case events.WriteClosed():
            why = " ".join(word for word in (event.code, event.message) if word)
            blamed = f" (fields: {', '.join(event.fields)})" if event.fields else ""
            return f"the write is {event.outcome}{': ' if why else ''}{why}{blamed}"
        case events.EchoSeen():
            return f"the write was seen again in its CRM: {event.how}"
        case events.SideNoted():
            return _side(event)
        case events.FieldSettled():
            return _settled(event)
        case events.FieldHeld():
            return (
                f"{event.field} is not written in {CRM_NAMES[event.side]}: {event.code}"
                f" {event.detail}"
            )
        case events.FieldFreed():
            return f"{'every field' if event.field == '*' else event.field} goes again"
        case events.NothingDecided():
            return f"nothing decided: {event.reason}"
        case events.WaitingChanged():
            return f"waits for {', '.join(event.keys) or 'nothing'}"
        case events.SummaryChanged():
            return f"the pair is {event.state}"
        case events.RolesNoted():
            return f"{len(event.roles)} contact roles in Salesforce"
        case events.AssociationsNoted():
            return f"{len(event.contacts)} associated contacts in HubSpot"
        case events.RecordFounded():
            return f"{event.crm} {event.kind} {event.record_id} is known from here"
        case events.RefreshWanted():
            return f"{event.crm} {event.kind} {event.record_id} is to be read: {event.because}"
        case events.HubSpotContactNoted() | events.SalesforceContactNoted():
            return f"contact {event.contact_id} is {value_text(event.email)}"
        case events.RollupNoted():
            return f"{event.rollup.associated_deals} deals count for the contact"
        case events.AccountNoted():
            return f"account {event.account_id} is {value_text(event.name)}"
        case events.CompanyNoted():
            return f"company {event.company_id} is {value_text(event.name)}"
        case events.AccountImported():
            return f"the account is to have a company ({event.trigger})"
        case events.SalesforceCatalogNoted() | events.HubSpotCatalogNoted():
            return "definitions are other than before"
        case events.SetupAsked():
            return "what is missing is to be made"
        case events.ContactLinkCrossed():
            return f"contact {event.contact_id} of {CRM_NAMES[event.side]} stands on both sides"
        case _:
            return _as_audited(event)


def _as_audited(event: events.Event) -> str:
    stored = StoredEvent(0, event.stream, 0, event, "", 0)
    line = line_of(stored, event.at)
    return line.reason if line is not None else type(event).TOPIC.partition(".")[2]


def _side(event: events.SideNoted) -> str:
    changed = [note for note in event.fields if note.kind != "known"]
    where = CRM_NAMES[event.side]
    if not changed:
        return f"{where} was read: {len(event.fields)} fields as they are, nothing changed"
    told = ", ".join(
        f"{note.field} {field_text(note.field, note.before)} →"
        f" {field_text(note.field, note.value)}"
        f" ({note.kind}{', our write went over it' if note.overwritten else ''}{_by(note.by)})"
        for note in changed
    )
    return f"{where}: {told}"


def _settled(event: events.FieldSettled) -> str:
    how = f"{CRM_NAMES[event.winner]} wins, {event.how}" if event.winner is not None else event.how
    same = event.salesforce == event.hubspot
    on_salesforce, on_hubspot = (
        field_text(event.field, value) for value in (event.salesforce, event.hubspot)
    )
    values = on_salesforce if same else f"{on_salesforce} in Salesforce, {on_hubspot} in HubSpot"
    return f"{event.field} is to be {values} ({how}{_by(event.winner_by)}){lost_text(event)}"


def lost_text(event: events.FieldSettled) -> str:
    """Return whose value lost, who had set it and when; blank: none did."""
    if event.losing is None:
        return ""
    whose = f"{CRM_NAMES[event.winner.other]}'s " if event.winner is not None else ""
    set_by = f" by {event.losing_by}" if event.losing_by else ""
    when = f" at {instant(event.losing_at)}" if event.losing_at is not None else ""
    how = f" (set{set_by}{when})" if set_by or when else ""
    return f"; {whose}{field_text(event.field, event.losing)}{how} lost"


def fact_text(fact: Fact) -> str:
    """Return what happened, where, and by whom."""
    return f"{_happened(fact)}{_by(fact.by)}"


def _happened(fact: Fact) -> str:
    match fact:
        case facts.OpportunityObserved():
            return f"opportunity {fact.opportunity_id} read ({fact.reason})"
        case facts.DealObserved():
            return f"deal {fact.deal_id} read ({fact.reason})"
        case facts.RolesObserved():
            return f"contact roles of opportunity {fact.opportunity_id} read ({fact.reason})"
        case facts.AssociationsObserved():
            return f"associations of deal {fact.deal_id} read ({fact.reason})"
        case facts.SalesforceContactObserved() | facts.HubSpotContactObserved():
            return f"contact {fact.contact_id} read ({fact.reason})"
        case facts.AccountObserved():
            return f"account {fact.account_id} read ({fact.reason})"
        case facts.CompanyObserved():
            return f"company {fact.company_id} read ({fact.reason})"
        case facts.RecordDeleted():
            return f"{fact.crm} says that {fact.kind} {fact.record_id} is deleted"
        case facts.RecordMerged():
            return f"{fact.crm} {fact.kind} {fact.record_id} was merged into {fact.winner_id}"
        case facts.SalesforceCatalogObserved() | facts.HubSpotCatalogObserved():
            return f"definitions read ({fact.reason})"
        case facts.WriteDone():
            return f"the CRM took the write (record {fact.record_id})"
        case facts.WriteRejected():
            return f"the CRM refused the write: {fact.code} {fact.message}"
        case facts.WriteUnknown():
            return "the call had no answer: only reading can tell what became of it"
        case facts.WriteHeld() | facts.WriteCancelled():
            return f"the write was not sent: {fact.reason}"
        case facts.PolicyProposed():
            return "a policy was proposed"
        case facts.SetupRequested():
            return "setup was asked for"
        case facts.ImportRequested():
            return f"an import was asked for: {fact.selection}, {fact.count} {fact.kind}"
        case facts.PairRequested():
            about = f" {fact.field}" if fact.field else ""
            return f"an operator asked: {fact.action}{about}"
        case facts.LinkRequested():
            return f"an operator asked: link {fact.opportunity_id} with deal {fact.deal_id}"
        case facts.FactsRetried():
            return f"an operator asked: {'retry' if fact.again else 'discard'} parked facts"
        case facts.Reconsider():
            return f"what it waits for may have come: {fact.because}"
        case facts.CandidatesChanged():
            return f"{len(fact.candidates)} possible counterparts"
        case facts.RollupChanged():
            return f"its deals changed: {fact.rollup.associated_deals} count now"


def texts(told: Iterable[events.Event]) -> list[str]:
    """Return events in words, those left out that only keep the books."""
    return [event_text(event) for event in told if not isinstance(event, BOOKS)]


#: events that only keep the books
BOOKS: Final = (events.SummaryChanged, events.WaitingChanged, events.RecordFounded)


def _by(who: str) -> str:
    return f", by {who}" if who else ""


def agreed_text(event: events.FieldSettled) -> str:
    """Return whose value both sides should hold, how that came, by whom and when it was decided."""
    if event.winner is not None:
        return f"{CRM_NAMES[event.winner]}'s, {event.how}{_by(event.winner_by)}"
    return f"{event.how}{_by(event.winner_by or event.by)}"
