"""Accounts and companies: which company is an account's.

An account's aggregate decides (`rules.identities`); a company's small stream only remembers what
was observed. The link itself is in `record_identity`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain import events
from domain.canonical import Value
from domain.copying import replace
from domain.ids import Kind, StreamId, WriteId
from domain.writes import Write


@dataclass(frozen=True, slots=True)
class Account:
    """One Salesforce account."""

    stream: StreamId
    version: int = 0
    account_id: str = ""
    alive: bool = True
    read_at: datetime | None = None
    name: Value = None
    domain: Value = None
    #: whether it is to have a company
    imported: bool = False
    open: Mapping[WriteId, Write] = field(default_factory=dict)
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    issues: Mapping[tuple[str, str], str] = field(default_factory=dict)
    parked: tuple[events.FactParked, ...] = ()


@dataclass(frozen=True, slots=True)
class Company:
    """One HubSpot company."""

    stream: StreamId
    version: int = 0
    company_id: str = ""
    alive: bool = True
    read_at: datetime | None = None
    name: Value = None
    domain: Value = None
    carried_id: Value = None
    parked: tuple[events.FactParked, ...] = ()


def evolve_account(account: Account, event: events.Event) -> Account:
    """Fold one event of an account's stream."""
    account = replace(account, version=account.version + 1)
    match event:
        case events.RecordFounded() if event.kind is Kind.ACCOUNT:
            return replace(account, account_id=event.record_id, alive=True)
        case events.RecordBuried():
            return replace(account, alive=False)
        case events.RecordRevived():
            return replace(account, alive=True)
        case events.AccountNoted():
            return replace(
                account, read_at=event.read_begun_at, name=event.name, domain=event.domain
            )
        case events.AccountImported():
            return replace(account, imported=True)
        case events.WriteDecided():
            return replace(account, open={**account.open, event.write.id: event.write})
        case events.WriteClosed():
            return _close(account, event)
        case events.FieldFreed():
            return replace(account, refused={})
        case events.IssueOpened():
            issues = {**account.issues, (event.code, event.subject): event.text}
            return replace(account, issues=issues)
        case events.IssueClosed():
            gone = (event.code, event.subject)
            return replace(account, issues={k: v for k, v in account.issues.items() if k != gone})
        case events.FactParked():
            return replace(account, parked=(*account.parked, event))
        case events.ParkedFactSettled():
            left = tuple(p for p in account.parked if p.position != event.position)
            return replace(account, parked=left)
        case _:
            return account


def evolve_company(company: Company, event: events.Event) -> Company:
    """Fold one event of a company's stream."""
    company = replace(company, version=company.version + 1)
    match event:
        case events.RecordFounded() if event.kind is Kind.COMPANY:
            return replace(company, company_id=event.record_id, alive=True)
        case events.RecordBuried():
            return replace(company, alive=False)
        case events.RecordRevived():
            return replace(company, alive=True)
        case events.CompanyNoted():
            return replace(
                company,
                read_at=event.read_begun_at,
                name=event.name,
                domain=event.domain,
                carried_id=event.salesforce_account_id,
            )
        case events.FactParked():
            return replace(company, parked=(*company.parked, event))
        case events.ParkedFactSettled():
            left = tuple(p for p in company.parked if p.position != event.position)
            return replace(company, parked=left)
        case _:
            return company


def _close(account: Account, event: events.WriteClosed) -> Account:
    if event.outcome in ("unknown", "held"):
        return account
    write = account.open.get(event.write_id)
    account = replace(account, open={k: v for k, v in account.open.items() if k != event.write_id})
    if write is None or event.outcome != "rejected":
        return account
    refused = {**account.refused, write.topic: (event.code, event.message)}
    return replace(account, refused=refused)
