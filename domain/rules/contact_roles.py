"""Which contacts take part (rules `contact-role`, `contact-pending`, `contact-many`, `contact-removal`).

"Salesforce内のコンタクトレコードがOpportunityContactRoleとしてオポチュニティーに関連付けられていること" (a contact
is associated with the deal only if it is on the opportunity as an OpportunityContactRole); "対応する
Salesforce取引先責任者レコードがOpportunityContactRoleとしてSalesforce商談に追加されます" (and the other way,
it is added as one). Only roles count: an account's contact or a custom lookup does not.

| case | answer |
|---|---|
| a role is added, its contact's counterpart is known | the contact is associated with the deal |
| an association is added, its contact's counterpart is known | it is added as a role, with the policy's default Role, never primary |
| the counterpart is not known | waits, visibly; completes when either CRM makes it known |
| several role rows of one contact | one association |
| a link is removed, policy `keep` (default) | nothing crosses; the link that remains does not restore it |
| … policy `mirror` | the other link goes too, if we made it and it was the last row; a labelled one stays, with an issue |
"""

from domain import events, issues
from domain.ids import Crm, Kind
from domain.policy import ContactRemoval
from domain.rules import RuleId
from domain.story import Story
from domain.writes import AddContactRole, AssociateContact, DissociateContact, RemoveContactRole


def cross(story: Story) -> None:
    """Carry over added and, if policy says so, removed contact links."""
    for side, contact_id in sorted(story.pair.crossing):
        counterpart = story.context.counterpart(side, Kind.CONTACT, contact_id)
        if counterpart is None:
            story.wait_for(f"contact:{side}:{contact_id}")
        elif side is Crm.SALESFORCE:
            _associate(story, contact_id, counterpart)
        else:
            _add_role(story, contact_id, counterpart)
    if story.context.policy.switches.contact_removal is ContactRemoval.MIRROR:
        for side, contact_id in sorted(story.pair.removed_links):
            _mirror_removal(story, side, contact_id)


def _associate(story: Story, salesforce_id: str, hubspot_id: str) -> None:
    pair = story.pair
    if pair.associations_read_at is None:
        return
    there = {contact.contact_id for contact in pair.associations}
    if hubspot_id in there or (Crm.HUBSPOT, hubspot_id) in pair.made_links:
        _crossed(story, Crm.SALESFORCE, salesforce_id)
        return
    if not _may_send(story, "write.AssociateContact"):
        return
    write = AssociateContact(
        id=story.write_id(),
        stream=pair.stream,
        contact_id=hubspot_id,
        counterpart_id=salesforce_id,
    )
    story.ask(RuleId.CONTACT_ROLE, write, f"contact {salesforce_id} has a role")


def _add_role(story: Story, hubspot_id: str, salesforce_id: str) -> None:
    pair = story.pair
    if pair.roles_read_at is None:
        return
    there = {role.contact_id for role in pair.roles}
    if salesforce_id in there or (Crm.SALESFORCE, salesforce_id) in pair.made_links:
        _crossed(story, Crm.HUBSPOT, hubspot_id)
        return
    if not _may_send(story, "write.AddContactRole"):
        return
    role = story.context.policy.contacts.default_role or None
    write = AddContactRole(
        id=story.write_id(),
        stream=pair.stream,
        contact_id=salesforce_id,
        counterpart_id=hubspot_id,
        role=role,
    )
    story.ask(RuleId.CONTACT_ROLE, write, f"contact {hubspot_id} is associated with the deal")


def _crossed(story: Story, side: Crm, contact_id: str) -> None:
    """Say that an added link stands on both sides."""
    story.tell(
        events.ContactLinkCrossed(
            **story.said(RuleId.CONTACT_ROLE), side=side, contact_id=contact_id
        )
    )


def _mirror_removal(story: Story, side: Crm, contact_id: str) -> None:
    """Remove the link that we made for one that a person removed on the other side."""
    pair = story.pair
    counterpart = story.context.counterpart(side, Kind.CONTACT, contact_id)
    if counterpart is None or (side.other, counterpart) not in pair.made_links:
        return
    if side is Crm.HUBSPOT:
        rows = [role for role in pair.roles if role.contact_id == counterpart]
        if len(rows) == 1 and not pair.has_open(RemoveContactRole):
            removal = RemoveContactRole(
                id=story.write_id(),
                stream=pair.stream,
                contact_id=counterpart,
                role_id=rows[0].id,
            )
            story.ask(RuleId.CONTACT_REMOVAL, removal, f"contact {contact_id} left the deal")
        return
    there = next((c for c in pair.associations if c.contact_id == counterpart), None)
    if there is None:
        return
    if there.labelled:
        text = f"contact {counterpart} keeps its labelled association"
        story.problem(issues.LABELLED_ASSOCIATION, counterpart, text)
        return
    if not pair.has_open(DissociateContact):
        write = DissociateContact(id=story.write_id(), stream=pair.stream, contact_id=counterpart)
        story.ask(RuleId.CONTACT_REMOVAL, write, f"contact {contact_id} has no role any more")


def _may_send(story: Story, topic: str) -> bool:
    """Tell whether that kind of write was not refused; if it was, report it."""
    refused = story.pair.refused.get(topic)
    if refused is None:
        return True
    story.problem(issues.WRITE_REFUSED, topic, f"{refused[0]}: {refused[1]}")
    return False
