"""How a record enters: `deal-sync-switch`, `enable-before-import`, `entry-salesforce`, `entry-hubspot`, `trigger-fields`, `import`, `sync-now`.

"既存のオポチュニティーは、次の2つの方法でHubSpotに同期されます: 手動でインポートされたとき / オポチュニティー
レコードが編集されたとき" (existing opportunities enter by manual import, or when edited). "新しい取引と既存の
取引が、同期トリガーが満たされたときに…作成されます" (new and existing deals create an opportunity at a trigger).

| rule | case | answer |
|---|---|---|
| deal-sync-switch | deal sync off | recorded; nothing crosses |
| enable-before-import | import while deal sync is off | spent: nothing is created, and it says so |
| entry-salesforce | first seen in the baseline | recorded; decides nothing |
| entry-salesforce | seen for the first time later, or a trigger field differs | enters |
| entry-hubspot | a new deal in a synced pipeline, or a trigger field of an existing one differs | enters |
| trigger-fields | only other fields moved | decides nothing |
| import | outside | enters; live: reconciled; else skipped and counted by reason |
| sync-now | one record, by hand | as import, under the same rules |
"""

from typing import Final

from domain import events
from domain.catalog import Scope
from domain.ids import Crm
from domain.pair import PairState
from domain.rules import RuleId, links
from domain.story import Story

BASELINE: Final = "baseline"
#: reasons by which a person asks for one record; those with `named` also revive a detached pair
IMPORT: Final = "import"
IMPORT_NAMED: Final = "import_named"
SYNC_NOW: Final = "sync_now"


def asked_by_hand(reason: str) -> RuleId | None:
    """Return the rule by which a person asked for this read, or None."""
    word = reason.partition(":")[0]
    if word in (IMPORT, IMPORT_NAMED):
        return RuleId.IMPORT
    return RuleId.SYNC_NOW if word == SYNC_NOW else None


def imported_fields(reason: str) -> tuple[str, ...]:
    """Return the fields that an import names (`import:amount,name`); empty: none."""
    return tuple(name for name in reason.partition(":")[2].split(",") if name)


def enter(story: Story, side: Crm, *, trigger: bool, reason: str) -> bool:
    """Let an outside pair enter, or say why not; True: it entered.

    Args:
        story: the pair is outside.
        side: where the record was observed.
        trigger: whether a trigger field differs from what was recorded, or the record is new.
        reason: why it was read.
    """
    rule = RuleId.ENTRY_SALESFORCE if side is Crm.SALESFORCE else RuleId.ENTRY_HUBSPOT
    by_hand = asked_by_hand(reason)
    if by_hand is None and not trigger:
        what = "first reading, for later comparison" if reason == BASELINE else _NO_TRIGGER
        story.not_because(rule if reason == BASELINE else RuleId.TRIGGER_FIELDS, what)
        return False
    if not story.context.deal_sync:
        if by_hand is RuleId.IMPORT:
            why = "deal sync is off: the import created nothing; switch it on and import again"
            story.not_because(RuleId.ENABLE_BEFORE_IMPORT, why)
        else:
            story.not_because(RuleId.DEAL_SYNC_SWITCH, "deal sync is off")
        return False
    if not in_scope(story, side):
        return False
    if links.is_disputed(story.pair):
        story.not_because(RuleId.COPIED_LINK, "another record claims the same counterpart")
        return False
    other = story.pair.side(side.other)
    if other.current is not None and other.note is None:
        story.not_because(RuleId.ADOPT, f"its counterpart {other.current} is being read")
        return False
    if story.pair.was_paired and by_hand is None:
        story.not_because(RuleId.ONCE_PAIRED, "it had a counterpart before; import or resume it")
        return False
    trigger_text = by_hand or ("edited" if story.pair.side(side).read_at else "new")
    story.tell(events.SyncEntered(**story.said(by_hand or rule), trigger=trigger_text))
    return True


def in_scope(story: Story, side: Crm) -> bool:
    """Tell whether the record's record type or pipeline is synced; if not, say why."""
    note = story.pair.side(side).note
    scope_id = note.scope_id if note is not None else None
    catalog, policy = story.context.catalog, story.context.policy
    if side is Crm.HUBSPOT:
        if scope_id is None or catalog.record_type_of(scope_id, policy) is None:
            story.not_because(RuleId.PIPELINE_SCOPE, f"pipeline {scope_id} is not synced")
            story.wait_for("catalog")
            return False
        return True
    scope = catalog.scope_of(scope_id or "", policy)
    if scope is Scope.BEYOND_LIMIT:
        why = f"record type {scope_id} is beyond the pipeline limit"
        story.not_because(RuleId.PIPELINE_LIMIT, why)
        return False
    if scope is Scope.GONE:
        story.not_because(RuleId.RECORD_TYPE_GONE, f"record type {scope_id} is gone")
        return False
    return True


def skip(story: Story, reason: str) -> None:
    """Say why an import or a sync by hand passes over a pair that is neither outside nor live."""
    rule = asked_by_hand(reason)
    if rule is not None and story.pair.state not in (PairState.OUTSIDE, PairState.LIVE):
        story.not_because(rule, f"skipped: {story.pair.state}")


_NO_TRIGGER: Final = "no field that takes part in the sync differs"
