"""Events of contacts, accounts and pairs, and a store that takes them in order."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain import events
from domain.events import Event
from domain.ids import Crm, Kind, Ref, StreamId, WriteId, derived, stream_of
from domain.ports import Batch, Committed, Decisions, PlacedEvent, StoredEvent
from domain.rules import RuleId
from domain.writes import FieldChange, UpdateDeal

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
SOURCE = "sync.signals.v1:0"


def said(stream: StreamId, **more: object) -> dict[str, Any]:
    base: dict[str, Any] = {
        "stream": stream,
        "at": AT,
        "cause": "a fact",
        "rule": RuleId.EXPLAIN,
        "policy_version": 1,
    }
    base.update(more)
    return base


def hubspot_contact(contact_id: str) -> Ref:
    return Ref(Crm.HUBSPOT, Kind.CONTACT, contact_id)


def salesforce_contact(contact_id: str) -> Ref:
    return Ref(Crm.SALESFORCE, Kind.CONTACT, contact_id)


def account(account_id: str) -> Ref:
    return Ref(Crm.SALESFORCE, Kind.ACCOUNT, account_id)


def company(company_id: str) -> Ref:
    return Ref(Crm.HUBSPOT, Kind.COMPANY, company_id)


def pair(name: str) -> StreamId:
    return StreamId(derived("test", "pair", name))


def founded(ref: Ref, stream: StreamId | None = None) -> Event:
    return events.RecordFounded(
        **said(stream or stream_of(ref)), crm=ref.crm, kind=ref.kind, record_id=ref.id
    )


def buried(ref: Ref, stream: StreamId | None = None) -> Event:
    return events.RecordBuried(
        **said(stream or stream_of(ref)),
        crm=ref.crm,
        kind=ref.kind,
        record_id=ref.id,
        read_begun_at=AT,
    )


def hubspot_noted(
    contact_id: str, *, email: str | None = None, carries: str | None = None
) -> Event:
    return events.HubSpotContactNoted(
        **said(stream_of(hubspot_contact(contact_id))),
        contact_id=contact_id,
        read_begun_at=AT,
        email=email,
        salesforce_contact_id=carries,
        lifecycle_stage=None,
        mirror=(),
    )


def salesforce_noted(contact_id: str, *, email: str | None = None) -> Event:
    return events.SalesforceContactNoted(
        **said(stream_of(salesforce_contact(contact_id))),
        contact_id=contact_id,
        read_begun_at=AT,
        email=email,
        name=None,
        account_id=None,
    )


def account_noted(account_id: str, *, name: str | None, domain: str | None = None) -> Event:
    return events.AccountNoted(
        **said(stream_of(account(account_id))),
        account_id=account_id,
        read_begun_at=AT,
        name=name,
        domain=domain,
    )


def company_noted(
    company_id: str, *, name: str | None, domain: str | None = None, carries: str | None = None
) -> Event:
    return events.CompanyNoted(
        **said(stream_of(company(company_id))),
        company_id=company_id,
        read_begun_at=AT,
        name=name,
        domain=domain,
        salesforce_account_id=carries,
    )


def account_imported(account_id: str) -> Event:
    return events.AccountImported(**said(stream_of(account(account_id))), trigger="import")


def linked(contact_id: str, salesforce_id: str) -> Event:
    return events.ContactLinked(
        **said(stream_of(hubspot_contact(contact_id))),
        contact_id=contact_id,
        salesforce_contact_id=salesforce_id,
        how="email",
    )


def unlinked(contact_id: str, salesforce_id: str) -> Event:
    return events.ContactUnlinked(
        **said(stream_of(hubspot_contact(contact_id))),
        contact_id=contact_id,
        salesforce_contact_id=salesforce_id,
        why="a test",
    )


def waits(stream: StreamId, *keys: str) -> Event:
    return events.WaitingChanged(**said(stream), keys=keys)


def summary(stream: StreamId, **more: object) -> Event:
    base: dict[str, Any] = {
        "state": "live",
        "opportunity_id": "006000000000001AAA",
        "deal_id": "1",
        "name": "A deal",
        "contact_ids": ("77",),
        "created_at": AT,
        "amount": "100",
        "close_date": "2026-12-01",
        "is_closed": False,
        "is_won": False,
        "record_type_id": "012000000000001AAA",
        "pipeline_id": "p1",
        "account_id": None,
        "company_id": None,
    }
    base.update(more)
    return events.SummaryChanged(**said(stream), **base)


def issue(stream: StreamId, code: str, subject: str, text: str = "found") -> Event:
    return events.IssueOpened(**said(stream), code=code, subject=subject, text=text)


def issue_gone(stream: StreamId, code: str, subject: str) -> Event:
    return events.IssueClosed(**said(stream), code=code, subject=subject)


def parked(stream: StreamId, position: str = "s:1") -> Event:
    return events.FactParked(
        **said(stream), position=position, error="boom", topic="signal.Reconsider", body="{}"
    )


def write(stream: StreamId, number: int = 1) -> events.WriteDecided:
    change = FieldChange(field="amount", name="amount", before="1", after="2", wire="2")
    return events.WriteDecided(
        **said(stream, rule=RuleId.FIELD_RULE),
        reason="amount: '1' → '2'",
        write=UpdateDeal(
            id=WriteId(derived("write", stream, str(number))),
            stream=stream,
            pipeline_id="p1",
            fields=(change,),
        ),
    )


def closed(decided: events.WriteDecided, outcome: str = "done", **more: object) -> Event:
    base: dict[str, Any] = {"record_id": "1"}
    base.update(more)
    return events.WriteClosed(
        **said(decided.stream, rule=RuleId.ECHO),
        write_id=decided.write.id,
        outcome=outcome,
        **base,
    )


class Story:
    """Appends events to a store, each stream's in its order, a second of our clock apart."""

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions
        self._versions: dict[StreamId, int] = {}
        self._clock = AT

    def tell(self, *told: Event) -> tuple[StoredEvent, ...]:
        placed = []
        for event in told:
            version = self._versions.get(event.stream, 0) + 1
            self._versions[event.stream] = version
            self._clock += timedelta(seconds=1)
            placed.append(PlacedEvent(version, event, SOURCE, 0, self._clock))
        batch = Batch(self._decisions.last_event_id(), (), tuple(placed))
        committed = self._decisions.commit(batch, _never)
        assert isinstance(committed, Committed)
        return committed.stored


def _never(newer: tuple[StoredEvent, ...]) -> Batch:
    raise AssertionError(newer)
