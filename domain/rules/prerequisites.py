"""What must be right first (rules `permission`, `other-connector`, `company-sync-order`).

"連携ユーザーは…「全てのデータの変更」権限と「メタデータAPI関数を通したメタデータの変更」権限のどちらかを持っている
必要があります" (the integration user needs Modify All Data **or** Modify Metadata Through Metadata API
Functions).

| case | answer |
|---|---|
| neither permission | nothing is written, everything waits, one issue; goes on by itself |
| the vendor's own deal sync is active on a deal (`salesforcelastsynctime` moves) | creates for it wait, with an issue |
| company sync is turned on after deal sync | no account is ever taken off an opportunity; `doctor` and `policy check` warn about the order |
"""

from typing import Final

from domain import issues
from domain.catalog import Catalog
from domain.facts import DealObserved
from domain.ids import Crm
from domain.pair import Pair
from domain.policy import Policy
from domain.story import Story

#: the two permissions of which the integration user needs one
PERMISSIONS: Final = ("ModifyAllData", "ModifyMetadata")


def missing_permission(catalog: Catalog) -> str | None:
    """Return what the integration user lacks, in words, or None; None too while nobody knows."""
    seen = catalog.salesforce
    if seen is None or any(name in seen.permissions for name in PERMISSIONS):
        return None
    return (
        f"{seen.integration_user_name} has neither Modify All Data nor Modify Metadata Through"
        f" Metadata API Functions; {issues.PERMISSION_MISSING.fix}"
    )


def other_connector_moves(pair: Pair, fact: DealObserved) -> bool:
    """Tell whether the vendor's connector synced the deal since it was last read."""
    note = pair.hubspot.note
    if note is None or note.vendor_synced_at is None or fact.vendor_synced_at is None:
        return False
    return fact.vendor_synced_at > note.vendor_synced_at


def holds_creates(story: Story) -> bool:
    """Report an active connector on the pair's deal; True: nothing is created for it now."""
    note = story.pair.hubspot.note
    if note is None or not note.vendor_is_active:
        return False
    text = f"salesforcelastsynctime moved to {note.vendor_synced_at}; {issues.OTHER_CONNECTOR.fix}"
    story.problem(issues.OTHER_CONNECTOR, Crm.HUBSPOT, text)
    return True


def company_sync_is_late(before: Policy | None, after: Policy) -> str | None:
    """Return the warning about turning company sync on after deal sync, or None."""
    if before is None or before.switches.company_sync or not after.switches.company_sync:
        return None
    if not before.switches.deal_sync:
        return None
    return (
        "company sync is turned on after deal sync: deals that synced before have no company until"
        " their next trigger; run `dealsync import accounts` next. No account is ever taken off an"
        " opportunity"
    )
