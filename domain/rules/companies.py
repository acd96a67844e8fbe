"""Which company a deal belongs to (rule `company-sync`).

"会社の同期がオフになっている間に取引がSalesforceから同期された場合、会社レコードは取引レコードに関連付けられません"
(a deal that syncs while company sync is off gets no company). The deal's **primary** company follows
the opportunity's AccountId, while company sync is on and the account has its company.

| case | answer |
|---|---|
| company sync off | nothing |
| AccountId set, its company known | the company becomes the deal's primary one |
| AccountId set, its company not known yet | the deal syncs; the company visibly waits |
| AccountId cleared | only an association that we made is removed |
| AccountId blank, the deal has a company that we did not give it | AccountId is filled from it |
| the company changes in HubSpot, AccountId set | it goes back: AccountId is never blanked or replaced |
"""

from domain.ids import Crm, Kind
from domain.rules import RuleId
from domain.story import Story
from domain.writes import (
    AssociateCompany,
    DissociateCompany,
    FieldChange,
    UpdateOpportunity,
)


def account_of_deal(story: Story) -> str | None:
    """Return the account of the deal's primary company, or None."""
    company_id = story.pair.company_id
    if company_id is None or not story.context.policy.switches.company_sync:
        return None
    return story.context.counterpart(Crm.HUBSPOT, Kind.COMPANY, company_id)


def follow(story: Story) -> None:
    """Bring the deal's company in step with the opportunity's account."""
    pair, context = story.pair, story.context
    note = pair.salesforce.note
    if not context.policy.switches.company_sync or note is None:
        return
    if pair.has_open(AssociateCompany, DissociateCompany) or pair.associations_read_at is None:
        return
    if note.account_id is None:
        _without_account(story)
        return
    company_id = context.counterpart(Crm.SALESFORCE, Kind.ACCOUNT, note.account_id)
    if company_id is None:
        story.wait_for(f"account:{note.account_id}")
        return
    if company_id != pair.company_id and _refusal(story, "write.AssociateCompany") is None:
        write = AssociateCompany(id=story.write_id(), stream=pair.stream, company_id=company_id)
        story.ask(RuleId.COMPANY_SYNC, write, f"the opportunity's account is {note.account_id}")


def _without_account(story: Story) -> None:
    pair = story.pair
    if pair.company_id is None:
        return
    if pair.made_company == pair.company_id:
        write = DissociateCompany(
            id=story.write_id(), stream=pair.stream, company_id=pair.company_id
        )
        story.ask(RuleId.COMPANY_SYNC, write, "the opportunity's account was cleared")
        return
    account_id = story.context.counterpart(Crm.HUBSPOT, Kind.COMPANY, pair.company_id)
    if account_id is None:
        story.wait_for(f"company:{pair.company_id}")
        return
    asked = any(c.field == "AccountId" for w in pair.open.values() for c in w.fields)
    if asked or pair.pipeline_id is None:
        return
    change = FieldChange(
        field="AccountId", name="AccountId", after=account_id, wire=account_id, guarded=True
    )
    write_back = UpdateOpportunity(
        id=story.write_id(),
        stream=pair.stream,
        fields=(change,),
        pipeline_id=pair.believed_pipeline_id,
    )
    story.ask(RuleId.COMPANY_SYNC, write_back, "the account was blank and the deal has a company")


def _refusal(story: Story, topic: str) -> tuple[str, str] | None:
    return story.pair.refused.get(topic)
