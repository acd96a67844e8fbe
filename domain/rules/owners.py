"""Whose deal it is (rule `owner`).

"HubSpot の取引プロパティーは、以下の標準の Salesforce オポチュニティーフィールドと同期されます: 所有者"
(the owner is one of the fields that sync). Owners match by e-mail in any case **and** full name,
an active Salesforce user with an unarchived HubSpot owner.

| what happened | no match |
|---|---|
| Salesforce's owner changes | the deal keeps its owner (on create: none), with an issue |
| an opportunity is created from a deal | OwnerId is not sent; the integration user owns it, and that value never crosses back |
| HubSpot's owner changes, or is cleared | the deal's owner goes back to Salesforce's; if that has no match either, left alone with one issue |
"""

from domain.context import Context
from domain.ids import Crm


def counterpart(value: str, *, to: Crm, context: Context) -> str | None:
    """Return the same person's id in the other CRM, or None.

    Args:
        value: a Salesforce user id, or a HubSpot owner id.
        to: the CRM whose id is wanted.
        context: the catalog holds both lists.
    """
    if to is Crm.HUBSPOT:
        return context.catalog.owner_of(value)
    return context.catalog.user_of(value)
