"""Which contact is which, and which company an account's (rules `contact-identity`, `account-identity`).

The article takes it for granted that "対応するコンタクト" (the corresponding contact) is known; contacts
themselves are not synced here. `react` finds the candidates; the aggregate decides.

| contacts | answer |
|---|---|
| the HubSpot contact carries the Salesforce contact's id | linked; replaces a link by e-mail |
| else equal e-mail addresses (any case), exactly one contact on each side | linked |
| the address changes later | the link stays |
| several candidates, or two contacts carry one id | an issue naming them, never a guess |
| a contact is deleted | unlinked |
| contacts are merged | the link follows the survivor |

| accounts (after `import accounts`, or named by a synced opportunity) | answer |
|---|---|
| a company carries the account's id | linked |
| else the only company with the same domain, else with the same name | linked, and given the id |
| several | an issue naming them |
| none | the company is created |
"""

from domain import events, issues
from domain.account import Account
from domain.contact import Contact
from domain.facts import Candidate
from domain.ids import Crm, Kind, Ref
from domain.issues import Problem
from domain.rules import RuleId
from domain.telling import Telling
from domain.writes import CreateCompany, FieldChange, UpdateCompany


def link_contact(telling: Telling[Contact], candidates: tuple[Candidate, ...]) -> None:
    """Link a HubSpot contact to the Salesforce contact that is the same person."""
    contact, context = telling.state, telling.context
    here = Ref(Crm.HUBSPOT, Kind.CONTACT, contact.record_id)
    identity = context.identity(here)
    linked = identity.linked_to if identity is not None else None
    carried = tuple(c for c in candidates if c.kind == "id")
    by_email = tuple(c for c in candidates if c.kind == "email")
    chosen, how = carried, "id"
    if not carried:
        if linked is not None:
            telling.not_because(RuleId.CONTACT_IDENTITY, f"it stays linked to {linked}")
            _ambiguity(telling, issues.CONTACT_AMBIGUOUS, None)
            return
        chosen, how = by_email, "email"
    if not chosen:
        telling.not_because(RuleId.CONTACT_IDENTITY, "no contact in Salesforce is the same person")
        _ambiguity(telling, issues.CONTACT_AMBIGUOUS, None)
        return
    if len(chosen) > 1 or chosen[0].count > 1:
        names = ", ".join(c.record_id for c in chosen)
        text = f"contact {contact.record_id} may be any of Salesforce {names} (by {how})"
        _ambiguity(telling, issues.CONTACT_AMBIGUOUS, text)
        return
    salesforce_id = chosen[0].record_id
    if linked == salesforce_id:
        telling.not_because(RuleId.CONTACT_IDENTITY, "they are linked already")
        _ambiguity(telling, issues.CONTACT_AMBIGUOUS, None)
        return
    taken = context.identity(Ref(Crm.SALESFORCE, Kind.CONTACT, salesforce_id))
    if taken is None or not taken.alive:
        telling.not_because(RuleId.CONTACT_IDENTITY, f"{salesforce_id} is not known to live")
        return
    if taken.linked_to is not None and how == "email":
        text = f"Salesforce {salesforce_id} is linked to contact {taken.linked_to} already"
        _ambiguity(telling, issues.CONTACT_AMBIGUOUS, text)
        return
    said = telling.said(RuleId.CONTACT_IDENTITY)
    if taken.linked_to is not None:
        _unlink_contact(telling, taken.linked_to, salesforce_id, "another contact carries its id")
    if linked is not None:
        _unlink_contact(telling, contact.record_id, linked, "it carries another id")
    _ambiguity(telling, issues.CONTACT_AMBIGUOUS, None)
    telling.tell(
        events.ContactLinked(
            **said, contact_id=contact.record_id, salesforce_contact_id=salesforce_id, how=how
        )
    )


def contact_gone(telling: Telling[Contact], why: str) -> None:
    """Unlink a contact that is deleted or merged away."""
    contact = telling.state
    if contact.crm is None:
        return
    identity = telling.context.identity(Ref(contact.crm, Kind.CONTACT, contact.record_id))
    if identity is None or identity.linked_to is None:
        return
    if contact.crm is Crm.HUBSPOT:
        _unlink_contact(telling, contact.record_id, identity.linked_to, why)
    else:
        _unlink_contact(telling, identity.linked_to, contact.record_id, why)


def contact_merged(telling: Telling[Contact], winner_id: str) -> None:
    """Let the link follow the survivor of a merge."""
    contact, context = telling.state, telling.context
    if contact.crm is None:
        return
    identity = context.identity(Ref(contact.crm, Kind.CONTACT, contact.record_id))
    linked = identity.linked_to if identity is not None else None
    contact_gone(telling, f"merged into {winner_id}")
    winner = context.identity(Ref(contact.crm, Kind.CONTACT, winner_id))
    if linked is not None and winner is not None and winner.linked_to is None and winner.alive:
        here, there = (winner_id, linked) if contact.crm is Crm.HUBSPOT else (linked, winner_id)
        telling.tell(
            events.ContactLinked(
                **telling.said(RuleId.MERGE),
                contact_id=here,
                salesforce_contact_id=there,
                how="merged",
            )
        )
    telling.tell(
        events.RefreshWanted(
            **telling.said(RuleId.MERGE),
            crm=contact.crm,
            kind=Kind.CONTACT,
            record_id=winner_id,
            because="merged",
        )
    )


def link_account(telling: Telling[Account], candidates: tuple[Candidate, ...]) -> None:
    """Link an account to its company, or create the company where there is none."""
    account, context = telling.state, telling.context
    if not account.imported:
        telling.not_because(RuleId.ACCOUNT_IDENTITY, "the account was not imported")
        return
    if not (context.deal_sync or context.policy_version > 0):
        telling.not_because(RuleId.ACCOUNT_IDENTITY, "no policy is in force")
        return
    if not context.policy.switches.company_sync:
        telling.not_because(RuleId.COMPANY_SYNC, "company sync is off")
        return
    identity = context.identity(Ref(Crm.SALESFORCE, Kind.ACCOUNT, account.account_id))
    linked = identity.linked_to if identity is not None else None
    if linked is not None:
        telling.not_because(RuleId.ACCOUNT_IDENTITY, f"it is linked to company {linked}")
        return
    for how in ("id", "domain", "name"):
        chosen = tuple(c for c in candidates if c.kind == how)
        free = tuple(c for c in chosen if how == "id" or not _company_taken(telling, c.record_id))
        if len(free) > 1 or (free and free[0].count > 1):
            names = ", ".join(c.record_id for c in free)
            text = f"account {account.account_id} may be any of companies {names} (by {how})"
            _ambiguity(telling, issues.ACCOUNT_AMBIGUOUS, text)
            return
        if free:
            _link_company(telling, free[0].record_id, how)
            return
    _create_company(telling)


def _link_company(telling: Telling[Account], company_id: str, how: str) -> None:
    account = telling.state
    company = telling.context.identity(Ref(Crm.HUBSPOT, Kind.COMPANY, company_id))
    if company is None or not company.alive or company.linked_to is not None:
        text = f"company {company_id} cannot be linked: it is gone, or another account has it"
        _ambiguity(telling, issues.ACCOUNT_AMBIGUOUS, text)
        return
    _ambiguity(telling, issues.ACCOUNT_AMBIGUOUS, None)
    telling.tell(
        events.AccountLinked(
            **telling.said(RuleId.ACCOUNT_IDENTITY),
            account_id=account.account_id,
            company_id=company_id,
            how=how,
        )
    )
    if how == "id":
        return
    write = UpdateCompany(
        id=telling.write_id(),
        stream=account.stream,
        fields=(_company_field("dealsync_account_id", account.account_id),),
        company_id=company_id,
    )
    telling.ask(RuleId.ACCOUNT_IDENTITY, write, f"the only company with the same {how}")


def _create_company(telling: Telling[Account]) -> None:
    account = telling.state
    if account.open or account.refused:
        telling.not_because(RuleId.ACCOUNT_IDENTITY, "its company is being created, or was refused")
        return
    if account.name is None:
        telling.not_because(RuleId.ACCOUNT_IDENTITY, "the account was not read yet")
        return
    fields = [
        _company_field("dealsync_account_id", account.account_id),
        _company_field("name", account.name),
    ]
    if account.domain is not None:
        fields.append(_company_field("domain", account.domain))
    write = CreateCompany(
        id=telling.write_id(),
        stream=account.stream,
        fields=tuple(fields),
        key=account.account_id,
    )
    telling.ask(RuleId.ACCOUNT_IDENTITY, write, "no company carries its id, domain or name")


def _company_field(name: str, value: str) -> FieldChange:
    return FieldChange(field=name, name=name, after=value, wire=value, guarded=False)


def _company_taken(telling: Telling[Account], company_id: str) -> bool:
    identity = telling.context.identity(Ref(Crm.HUBSPOT, Kind.COMPANY, company_id))
    return identity is None or not identity.alive or identity.linked_to is not None


def _unlink_contact(
    telling: Telling[Contact], contact_id: str, salesforce_id: str, why: str
) -> None:
    telling.tell(
        events.ContactUnlinked(
            **telling.said(RuleId.CONTACT_IDENTITY),
            contact_id=contact_id,
            salesforce_contact_id=salesforce_id,
            why=why,
        )
    )


def _ambiguity(
    telling: Telling[Contact] | Telling[Account], kind: Problem, text: str | None
) -> None:
    """Open, keep or close the one issue about candidates; None: there is none."""
    key = (kind.code, "candidates")
    known = telling.state.issues.get(key)
    if text is not None and known != text:
        telling.tell(
            events.IssueOpened(
                **telling.said(kind.rule), code=kind.code, subject="candidates", text=text
            )
        )
    elif text is None and known is not None:
        telling.tell(
            events.IssueClosed(**telling.said(kind.rule), code=kind.code, subject="candidates")
        )
    elif text is not None:
        telling.not_because(kind.rule, text)
