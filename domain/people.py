"""What contacts, accounts and companies decide about a fact: the order of the steps."""

from datetime import datetime
from typing import TypeAlias

from domain import account as accounts
from domain import contact as contacts
from domain import events
from domain.account import Account, Company
from domain.catalog import Catalog
from domain.contact import Contact
from domain.context import Context
from domain.facts import (
    AccountObserved,
    CandidatesChanged,
    CompanyObserved,
    Fact,
    HubSpotContactObserved,
    Outcome,
    PairRequested,
    Reconsider,
    RecordDeleted,
    RecordMerged,
    RollupChanged,
    SalesforceContactObserved,
    WriteCancelled,
    WriteDone,
    WriteHeld,
    WriteRejected,
    WriteUnknown,
)
from domain.ids import Crm, Kind, Ref, StreamId, stream_of
from domain.rules import RuleId, identities, rollups
from domain.rules.answers import OVERTAKEN
from domain.telling import Telling
from domain.writes import CreateCompany

_Any: TypeAlias = Telling[Contact] | Telling[Account] | Telling[Company]


def decide_contact(
    stream: StreamId, contact: Contact | None, fact: Fact, context: Context
) -> tuple[events.Event, ...]:
    """Decide a fact about a contact of either CRM."""
    telling = Telling(contact or Contact(stream), fact, context, contacts.evolve)
    match fact:
        case HubSpotContactObserved():
            _hubspot_contact(telling, fact)
        case SalesforceContactObserved():
            _salesforce_contact(telling, fact)
        case RecordDeleted():
            if _bury(telling, fact):
                identities.contact_gone(telling, "deleted")
        case RecordMerged():
            if telling.state.alive:
                identities.contact_merged(telling, fact.winner_id)
                telling.tell(_buried(telling, fact))
        case CandidatesChanged():
            identities.link_contact(telling, fact.candidates)
        case RollupChanged():
            rollups.changed(telling, fact.rollup)
        case Reconsider() | PairRequested():
            if telling.state.refused:
                telling.tell(
                    events.FieldFreed(
                        **telling.said(RuleId.PARTIAL_REJECT), field="*", side=Crm.HUBSPOT
                    )
                )
            rollups.show(telling)
        case WriteDone() | WriteRejected() | WriteUnknown() | WriteHeld() | WriteCancelled():
            close(telling, fact)
            if isinstance(fact, WriteCancelled) and _is_still_wanted(fact):
                rollups.show(telling)
        case _:
            telling.not_because(RuleId.TRIGGER_FIELDS, "no such fact concerns a contact")
    return telling.all_told("the contact is as it was")


def decide_account(
    stream: StreamId, account: Account | None, fact: Fact, context: Context
) -> tuple[events.Event, ...]:
    """Decide a fact about a Salesforce account."""
    telling = Telling(account or Account(stream), fact, context, accounts.evolve_account)
    match fact:
        case AccountObserved():
            _account(telling, fact)
        case RecordDeleted():
            if _bury(telling, fact):
                _unlink_account(telling, "deleted")
        case RecordMerged():
            _unlink_account(telling, f"merged into {fact.winner_id}")
            telling.tell(_buried(telling, fact))
        case CandidatesChanged():
            identities.link_account(telling, fact.candidates)
        case Reconsider() | PairRequested():
            _reconsider_account(telling)
        case WriteDone() | WriteRejected() | WriteUnknown() | WriteHeld() | WriteCancelled():
            _account_answer(telling, fact)
        case _:
            telling.not_because(RuleId.TRIGGER_FIELDS, "no such fact concerns an account")
    return telling.all_told("the account is as it was")


def decide_company(
    stream: StreamId, company: Company | None, fact: Fact, context: Context
) -> tuple[events.Event, ...]:
    """Decide a fact about a HubSpot company: it is only remembered."""
    telling = Telling(company or Company(stream), fact, context, accounts.evolve_company)
    match fact:
        case CompanyObserved():
            _company(telling, fact)
        case RecordDeleted():
            if _bury(telling, fact):
                _unlink_company(telling, "deleted")
        case RecordMerged():
            _unlink_company(telling, f"merged into {fact.winner_id}")
            telling.tell(_buried(telling, fact))
        case _:
            telling.not_because(RuleId.TRIGGER_FIELDS, "no such fact concerns a company")
    return telling.all_told("the company is as it was")


def close(telling: Telling[Contact] | Telling[Account] | Telling[Catalog], fact: Outcome) -> None:
    """Take an outcome in."""
    if fact.write_id not in telling.state.open:
        telling.not_because(RuleId.ECHO, "the write is not open: an old answer")
        return
    outcome, code, message = "done", "", ""
    match fact:
        case WriteDone():
            pass
        case WriteRejected():
            outcome, code, message = "rejected", fact.code, fact.message
        case WriteUnknown():
            outcome, code, message = "unknown", "", ""
        case WriteHeld():
            outcome, code, message = "held", "", fact.reason
        case WriteCancelled():
            outcome, code, message = "cancelled", "", fact.reason
    done = isinstance(fact, WriteDone)
    telling.tell(
        events.WriteClosed(
            **telling.said(RuleId.ECHO),
            write_id=fact.write_id,
            outcome=outcome,
            record_id=fact.record_id if isinstance(fact, WriteDone) else None,
            code=code,
            message=message,
            sent_at=fact.sent_at if isinstance(fact, WriteDone) else None,
            answered_at=fact.answered_at if isinstance(fact, WriteDone) else None,
        )
    )
    if done:
        seen = events.EchoSeen(**telling.said(RuleId.ECHO), write_id=fact.write_id, how="confirmed")
        telling.tell(seen)


def _is_still_wanted(fact: WriteCancelled) -> bool:
    """Tell whether a write that came to nothing is to be decided anew, as a pair's is."""
    return fact.rule != RuleId.DEAL_SYNC_SWITCH and not fact.reason.startswith(OVERTAKEN)


def _hubspot_contact(telling: Telling[Contact], fact: HubSpotContactObserved) -> None:
    if not _is_newer(telling, fact.read_begun_at):
        return
    _found(telling, Ref(Crm.HUBSPOT, Kind.CONTACT, fact.contact_id))
    contact = telling.state
    mirror = tuple(rollups.as_read(r) for r in fact.readings if r.name in rollups.MIRROR)
    same = (
        contact.read_at is not None
        and contact.email == fact.email
        and contact.carried_id == fact.salesforce_contact_id
        and contact.lifecycle_stage == fact.lifecycle_stage
        and dict(contact.mirror) == {reading.name: reading.value for reading in mirror}
    )
    if same:
        return
    first = contact.read_at is None
    telling.tell(
        events.HubSpotContactNoted(
            **telling.said(RuleId.CONTACT_IDENTITY),
            contact_id=fact.contact_id,
            read_begun_at=fact.read_begun_at,
            email=fact.email,
            salesforce_contact_id=fact.salesforce_contact_id,
            lifecycle_stage=fact.lifecycle_stage,
            mirror=mirror,
        )
    )
    if first and telling.state.rollup is not None and not telling.state.open:
        rollups.show(telling)


def _salesforce_contact(telling: Telling[Contact], fact: SalesforceContactObserved) -> None:
    if not _is_newer(telling, fact.read_begun_at):
        return
    _found(telling, Ref(Crm.SALESFORCE, Kind.CONTACT, fact.contact_id))
    contact = telling.state
    seen = (fact.email, fact.name, fact.account_id)
    if contact.read_at is not None and seen == (contact.email, contact.name, contact.account_id):
        return
    telling.tell(
        events.SalesforceContactNoted(
            **telling.said(RuleId.CONTACT_IDENTITY),
            contact_id=fact.contact_id,
            read_begun_at=fact.read_begun_at,
            email=fact.email,
            name=fact.name,
            account_id=fact.account_id,
        )
    )


def _account(telling: Telling[Account], fact: AccountObserved) -> None:
    if not _is_newer(telling, fact.read_begun_at):
        return
    _found(telling, Ref(Crm.SALESFORCE, Kind.ACCOUNT, fact.account_id))
    account = telling.state
    if account.read_at is None or (account.name, account.domain) != (fact.name, fact.domain):
        telling.tell(
            events.AccountNoted(
                **telling.said(RuleId.ACCOUNT_IDENTITY),
                account_id=fact.account_id,
                read_begun_at=fact.read_begun_at,
                name=fact.name,
                domain=fact.domain,
            )
        )
    if not fact.reason.startswith("import"):
        return
    if not telling.context.policy.switches.company_sync:
        why = "company sync is off: accounts cannot be imported"
        telling.not_because(RuleId.ACCOUNT_IDENTITY, why)
        return
    # Told again at every import: `react` then looks for candidates anew.
    telling.tell(events.AccountImported(**telling.said(RuleId.ACCOUNT_IDENTITY), trigger="import"))


def _company(telling: Telling[Company], fact: CompanyObserved) -> None:
    if not _is_newer(telling, fact.read_begun_at):
        return
    _found(telling, Ref(Crm.HUBSPOT, Kind.COMPANY, fact.company_id))
    company = telling.state
    seen = (fact.name, fact.domain, fact.salesforce_account_id)
    if company.read_at is not None and seen == (company.name, company.domain, company.carried_id):
        return
    telling.tell(
        events.CompanyNoted(
            **telling.said(RuleId.ACCOUNT_IDENTITY),
            company_id=fact.company_id,
            read_begun_at=fact.read_begun_at,
            name=fact.name,
            domain=fact.domain,
            salesforce_account_id=fact.salesforce_account_id,
        )
    )


def _reconsider_account(telling: Telling[Account]) -> None:
    """Import an account by itself because a synced opportunity names it."""
    account, context = telling.state, telling.context
    if account.refused:
        telling.tell(
            events.FieldFreed(**telling.said(RuleId.PARTIAL_REJECT), field="*", side=Crm.HUBSPOT)
        )
    if not context.catalog.accounts_imported or not context.policy.switches.company_sync:
        telling.not_because(RuleId.COMPANY_SYNC, "accounts were never imported, or the sync is off")
        return
    if not account.account_id:
        telling.not_because(RuleId.COMPANY_SYNC, "the account was not read yet")
        return
    telling.tell(
        events.AccountImported(
            **telling.said(RuleId.COMPANY_SYNC), trigger="named by a synced opportunity"
        )
    )


def _account_answer(telling: Telling[Account], fact: Outcome) -> None:
    write = telling.state.open.get(fact.write_id)
    close(telling, fact)
    lost = isinstance(fact, WriteCancelled) and fact.rule == RuleId.ONCE
    if lost and isinstance(write, CreateCompany):
        # Somebody may have made the company meanwhile: it is looked for anew.
        telling.tell(
            events.AccountImported(
                **telling.said(RuleId.ACCOUNT_IDENTITY), trigger="the create came to nothing"
            )
        )
    if not isinstance(fact, WriteDone) or not isinstance(write, CreateCompany):
        return
    if fact.record_id is None:
        return
    company = Ref(Crm.HUBSPOT, Kind.COMPANY, fact.record_id)
    if telling.context.identity(company) is None:
        said = telling.said(RuleId.ACCOUNT_IDENTITY)
        said["stream"] = stream_of(company)
        telling.elsewhere.append(
            events.RecordFounded(
                **said, crm=Crm.HUBSPOT, kind=Kind.COMPANY, record_id=fact.record_id
            )
        )
    linked = telling.context.counterpart(Crm.SALESFORCE, Kind.ACCOUNT, telling.state.account_id)
    if linked is not None and linked != fact.record_id:
        text = f"company {fact.record_id} was made while company {linked} was found"
        telling.not_because(RuleId.ACCOUNT_IDENTITY, text)
        return
    telling.tell(
        events.AccountLinked(
            **telling.said(RuleId.ACCOUNT_IDENTITY),
            account_id=telling.state.account_id,
            company_id=fact.record_id,
            how="created",
        )
    )


def _unlink_account(telling: Telling[Account], why: str) -> None:
    account_id = telling.state.account_id
    identity = telling.context.identity(Ref(Crm.SALESFORCE, Kind.ACCOUNT, account_id))
    if identity is not None and identity.linked_to is not None:
        _tell_account_unlinked(telling, account_id, identity.linked_to, why)


def _unlink_company(telling: Telling[Company], why: str) -> None:
    company_id = telling.state.company_id
    identity = telling.context.identity(Ref(Crm.HUBSPOT, Kind.COMPANY, company_id))
    if identity is not None and identity.linked_to is not None:
        _tell_account_unlinked(telling, identity.linked_to, company_id, why)


def _tell_account_unlinked(
    telling: Telling[Account] | Telling[Company], account_id: str, company_id: str, why: str
) -> None:
    telling.tell(
        events.AccountUnlinked(
            **telling.said(RuleId.ACCOUNT_IDENTITY),
            account_id=account_id,
            company_id=company_id,
            why=why,
        )
    )


def _found(telling: _Any, ref: Ref) -> None:
    """Found the stream's record, or bring it back to life."""
    identity = telling.context.identity(ref)
    if telling.state.version == 0 or identity is None:
        telling.tell(
            events.RecordFounded(
                **telling.said(RuleId.LINK_IDS), crm=ref.crm, kind=ref.kind, record_id=ref.id
            )
        )
    elif not identity.alive:
        telling.tell(
            events.RecordRevived(
                **telling.said(RuleId.UNDELETE), crm=ref.crm, kind=ref.kind, record_id=ref.id
            )
        )


def _is_newer(telling: _Any, read_begun_at: datetime) -> bool:
    read_at = telling.state.read_at
    if read_at is not None and read_begun_at < read_at:
        telling.not_because(RuleId.ORDER, "a later reading is known")
        return False
    return True


def _bury(telling: _Any, fact: RecordDeleted) -> bool:
    """Remember a deletion; False: it was known."""
    if telling.state.version == 0:
        _found(telling, Ref(fact.crm, fact.kind, fact.record_id))
    if not telling.state.alive:
        telling.not_because(RuleId.TOMBSTONE, "it is known to be deleted")
        return False
    telling.tell(_buried(telling, fact))
    return True


def _buried(telling: _Any, fact: RecordDeleted | RecordMerged) -> events.RecordBuried:
    return events.RecordBuried(
        **telling.said(RuleId.TOMBSTONE),
        crm=fact.crm,
        kind=fact.kind,
        record_id=fact.record_id,
        read_begun_at=fact.read_begun_at,
    )
