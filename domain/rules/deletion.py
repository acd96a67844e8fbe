"""What a deletion means (rules `delete-down`, `delete-never-up`, `tombstone`, `delete-fuse`).

"HubSpot取引と同期されているSalesforceオポチュニティーを削除すると、そのHubSpot取引が削除されます。ただし、HubSpot
取引を削除した場合は、対応するSalesforceオポチュニティーが削除されません" (deleting the opportunity deletes the
deal; deleting the deal does **not** delete the opportunity).

| deleted | pair | answer |
|---|---|---|
| opportunity | live | the deal is archived; the pair is deleted |
| opportunity | waiting, create not answered | the create is withdrawn; if it was sent, its deal is archived once its id is known |
| opportunity | stopped | detached: stopped means stopped, the deal stays |
| … | the deal had been moved back before that, as is read later | the deal is archived; the pair is deleted |
| opportunity | live, deal sync off | detached, with an issue; the deal stays |
| opportunity | outside, detached | remembered |
| either, just created by us and not known for the pair's yet | waiting | as if known, once it is |
| deal | live, waiting, stopped | detached: nothing crosses, and editing the opportunity does not bring it back |
| deal | deleted by us | confirmed; if the opportunity was undeleted meanwhile, a new deal is made |

There is no write that deletes an opportunity. A deleted record is never changed by a late, duplicate
or replayed fact. Many deletes at once are held by the fuse where writes are claimed.
"""

from datetime import datetime

from domain import events, issues
from domain.facts import RecordDeleted
from domain.ids import Crm
from domain.pair import PairState, kind_of
from domain.rules import RuleId, pipeline_scope
from domain.rules.pipeline_scope import withdraw_all
from domain.story import Story
from domain.writes import ArchiveDeal


def record_deleted(story: Story, fact: RecordDeleted) -> bool:
    """Decide a deletion of either record; True: the pair is to be weighed now."""
    side = story.pair.side(fact.crm)
    known = side.ids.get(fact.record_id)
    if known is False:
        story.not_because(RuleId.TOMBSTONE, "it is known to be deleted")
        return False
    if known and side.read_at is not None and fact.read_begun_at < side.read_at:
        story.not_because(RuleId.ORDER, "a later reading showed the record alive")
        return False
    was_current = side.current == fact.record_id
    if known is None and not side.ids:
        story.tell(
            events.RecordFounded(
                **story.said(RuleId.TOMBSTONE),
                crm=fact.crm,
                kind=fact.kind,
                record_id=fact.record_id,
            )
        )
        was_current = False
    story.tell(
        events.RecordBuried(
            **story.said(RuleId.TOMBSTONE),
            crm=fact.crm,
            kind=fact.kind,
            record_id=fact.record_id,
            read_begun_at=fact.read_begun_at,
        )
    )
    if not was_current:
        story.not_because(RuleId.TOMBSTONE, "the record takes no part in the sync; remembered")
    elif fact.crm is Crm.SALESFORCE:
        _opportunity_deleted(story)
    elif story.pair.has_open(ArchiveDeal) and story.pair.state is not PairState.DELETED:
        create_again(story)
        return True
    else:
        _deal_deleted(story)
    return False


def make_known(story: Story, crm: Crm, record_id: str, read_begun_at: datetime) -> None:
    """Let a deletion count that was learnt before the record was known for the pair's."""
    story.tell(
        events.RecordBuried(
            **story.said(RuleId.CREATE_RACE),
            crm=crm,
            kind=kind_of(crm),
            record_id=record_id,
            read_begun_at=read_begun_at,
        )
    )
    if crm is Crm.SALESFORCE:
        _opportunity_deleted(story)
    else:
        _deal_deleted(story)


def create_again(story: Story) -> None:
    """Make a new deal for an opportunity that was undeleted after its deal's deletion was sent."""
    if story.pair.state is PairState.LIVE and story.pair.salesforce.current is not None:
        trigger = "undeleted after the deal was archived"
        story.tell(events.SyncEntered(**story.said(RuleId.UNDELETE), trigger=trigger))


def archive_deal(story: Story, why: str) -> None:
    """Decide the deal's deletion, once."""
    pair = story.pair
    if pair.hubspot.current is None or pair.has_open(ArchiveDeal):
        return
    write = ArchiveDeal(
        id=story.write_id(), stream=pair.stream, pipeline_id=pair.believed_pipeline_id
    )
    story.ask(RuleId.DELETE_DOWN, write, why)


def finish(story: Story) -> None:
    """Decide a deletion anew that was called off by a look; a deal moved out meanwhile stays."""
    pair = story.pair
    if pair.hubspot.current is None or pair.salesforce.current is not None:
        story.not_because(RuleId.TOMBSTONE, "the pair is deleted")
    elif pipeline_scope.deal_in_scope(story):
        archive_deal(story, "the opportunity was deleted")
    else:
        why = f"the deal was moved to pipeline {pair.pipeline_id} before it was deleted"
        detach(story, RuleId.DELETE_DOWN, why)


def catch_up(story: Story, known_since: datetime | None) -> None:
    """Delete a deal that had been moved back before its opportunity was deleted.

    The deletion was read first, so the pair was taken for stopped. Within the clocks' skew nobody
    can tell which came first, and the deal stays.

    Args:
        story: the deal was observed just now.
        known_since: when the pipeline that was known before had been set; None: nobody knows.
    """
    pair = story.pair
    note, deleted_at = pair.hubspot.note, pair.deleted_while_stopped
    if pair.state is not PairState.DETACHED or deleted_at is None or not story.context.deal_sync:
        return
    if pair.hubspot.current is None or pair.salesforce.current is not None:
        return
    if not (pipeline_scope.deal_in_scope(story) and pipeline_scope.opportunity_in_scope(story)):
        return
    if note is None or note.scope_at is None or known_since is None:
        return
    if not known_since < note.scope_at <= deleted_at - story.context.skew:
        return
    why = "the deal had been moved back before the opportunity was deleted"
    withdraw_all(story, RuleId.DELETE_DOWN, why)
    story.tell(events.PairDeleted(**story.said(RuleId.DELETE_DOWN), why=why))
    archive_deal(story, why)


def _opportunity_deleted(story: Story) -> None:
    why = "the opportunity was deleted"
    match story.pair.state:
        case PairState.LIVE | PairState.WAITING:
            if not story.context.deal_sync:
                detach(story, RuleId.DEAL_SYNC_SWITCH, f"{why} while deal sync was off")
                if story.pair.hubspot.current is not None:
                    text = f"deal {story.pair.hubspot.current} is left without its opportunity"
                    story.open_issue(issues.DELETED_WHILE_OFF, "opportunity", text)
                return
            withdraw_all(story, RuleId.CREATE_RACE, why)
            story.tell(events.PairDeleted(**story.said(RuleId.DELETE_DOWN), why=why))
            archive_deal(story, why)
        case PairState.STOPPED:
            detach(story, RuleId.DELETE_DOWN, f"{why} while the sync was stopped")
        case PairState.OUTSIDE | PairState.DETACHED | PairState.DELETED:
            story.not_because(RuleId.TOMBSTONE, f"{why}; the pair is {story.pair.state}")


def _deal_deleted(story: Story) -> None:
    why = "the deal was deleted in HubSpot"
    match story.pair.state:
        case PairState.LIVE | PairState.WAITING | PairState.STOPPED:
            detach(story, RuleId.DELETE_NEVER_UP, f"{why}; the opportunity stays")
        case PairState.DELETED:
            withdraw_all(story, RuleId.TOMBSTONE, why)
            story.not_because(RuleId.DELETE_DOWN, "our own deletion, seen")
        case PairState.OUTSIDE | PairState.DETACHED:
            withdraw_all(story, RuleId.TOMBSTONE, why)
            story.not_because(RuleId.DELETE_NEVER_UP, f"{why}; the pair is {story.pair.state}")


def detach(story: Story, rule: RuleId, why: str) -> None:
    """Let nothing cross until a person says so; take back what was not sent."""
    story.tell(events.PairDetached(**story.said(rule), why=why))
    withdraw_all(story, rule, why)
