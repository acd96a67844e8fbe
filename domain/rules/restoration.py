"""What brings a pair back, and what a merge does (rules `undelete`, `merge`, `once-paired`).

| case | answer |
|---|---|
| the opportunity is undeleted, the deal's deletion not sent yet | the deletion is withdrawn; live again |
| the opportunity is undeleted, the deal is gone | a new deal, under the next key |
| … and the deal was restored in HubSpot | attached again, reconciled |
| stopped, then deleted and undeleted | stopped again |
| the deal is restored, its opportunity lives and has no other deal | attached again, reconciled |
| … its opportunity is deleted | stays, detached, not deleted again; attached again if that is undeleted |
| … its place is taken by a newer deal, or one is being made | the newer keeps the pair, the old one gets an issue |
| a deal is merged into another | the survivor takes the primary's pair, else the other's; the opportunity left over is detached, with an issue |
| … and the survivor is seen before the merge is | it founds nothing; the deals merged into it are read first |
| `resume` | attaches what lives, else creates what is missing |
"""

from domain import events, ids, issues
from domain.context import Context
from domain.facts import DealObserved, RecordMerged
from domain.ids import Crm, Ref
from domain.pair import PairState, kind_of
from domain.rules import RuleId, links
from domain.rules.deletion import detach
from domain.rules.pipeline_scope import deal_in_scope, withdraw_all
from domain.story import Story
from domain.writes import ArchiveDeal


def is_back(story: Story, side: Crm, record_id: str) -> bool:
    """Bring a record back that was believed deleted; False: the reading is too old to believe."""
    record = story.pair.side(side)
    read_begun_at = getattr(story.fact, "read_begun_at", story.context.at)
    if record.buried_at is not None and read_begun_at <= record.buried_at:
        story.not_because(RuleId.TOMBSTONE, "the reading is older than the deletion")
        return False
    if record.current is not None and record.current != record_id:
        text = f"{record_id} is back, but {record.current} has its place"
        story.open_issue(issues.SECOND_COUNTERPART, record_id, text)
        return False
    if record.creating is not None:
        text = f"{record_id} is back, but a new {kind_of(side)} is being created in its place"
        story.open_issue(issues.SECOND_COUNTERPART, record_id, text)
        return False
    story.tell(
        events.RecordRevived(
            **story.said(RuleId.UNDELETE), crm=side, kind=kind_of(side), record_id=record_id
        )
    )
    if side is Crm.SALESFORCE:
        _opportunity_back(story)
    else:
        _deal_back(story)
    return True


def resume(story: Story) -> None:
    """Attach what lives, else create what is missing, because a person says so."""
    pair = story.pair
    if pair.state not in (PairState.DETACHED, PairState.STOPPED, PairState.DELETED):
        story.not_because(RuleId.ONCE_PAIRED, f"nothing to resume: the pair is {pair.state}")
        return
    if pair.salesforce.current is None and pair.hubspot.current is None:
        story.not_because(RuleId.ONCE_PAIRED, "both records are deleted: nothing to resume")
        return
    if not story.context.deal_sync:
        story.not_because(RuleId.DEAL_SYNC_SWITCH, "deal sync is off; switch it on and resume")
        return
    if not deal_in_scope(story) and pair.hubspot.current is not None:
        why = f"pipeline {pair.pipeline_id} is not synced; move the deal into a synced one"
        story.not_because(RuleId.PIPELINE_SCOPE, why)
        return
    story.tell(events.SyncEntered(**story.said(RuleId.ONCE_PAIRED), trigger="resumed"))
    for side in Crm:
        links.read_again(story, side, "resumed")


def unlink(story: Story) -> None:
    """Take the two records of a pair apart because a person says so: the deal founds its own."""
    pair = story.pair
    deal_id = pair.hubspot.current
    if deal_id is None or pair.salesforce.current is None:
        story.not_because(RuleId.NO_MATCHING, "the pair has only one record: nothing to unlink")
        return
    detach(story, RuleId.NO_MATCHING, "unlinked by hand")


def merged(story: Story, fact: RecordMerged) -> None:
    """Decide that a deal of this pair was merged into another record."""
    pair = story.pair
    if fact.record_id not in pair.hubspot.ids or fact.winner_id == fact.record_id:
        story.not_because(RuleId.MERGE, "the merged record takes no part in the sync")
        return
    if not pair.hubspot.ids[fact.record_id]:
        story.not_because(RuleId.TOMBSTONE, "the merge is known")
        return
    was_current = pair.hubspot.current == fact.record_id
    story.tell(
        events.RecordBuried(
            **story.said(RuleId.MERGE),
            crm=Crm.HUBSPOT,
            kind=fact.kind,
            record_id=fact.record_id,
            read_begun_at=fact.read_begun_at,
        )
    )
    if not was_current:
        return
    if _survivor_is_taken(story, fact):
        text = f"deal {fact.record_id} was merged into {fact.winner_id}, which another pair has"
        detach(story, RuleId.MERGE, text)
        story.open_issue(issues.MERGE_LEFT_OVER, fact.record_id, text)
        return
    story.tell(
        events.CounterpartLinked(
            **story.said(RuleId.MERGE), side=Crm.HUBSPOT, record_id=fact.winner_id, how="merged"
        )
    )
    links.read_again(story, Crm.HUBSPOT, "merged")


def merged_unseen(fact: DealObserved, context: Context) -> tuple[Ref, ...]:
    """Return the deals merged into this one that we still believe alive."""
    merged_into_it = (ids.deal(deal_id) for deal_id in fact.merged_ids)
    known = ((ref, context.identity(ref)) for ref in merged_into_it)
    return tuple(ref for ref, identity in known if identity is not None and identity.alive)


def expect_merge(story: Story, merged_into_it: tuple[Ref, ...]) -> None:
    """Have deals read whose survivor was seen first: else it would enter beside their pairs."""
    for ref in merged_into_it:
        story.tell(
            events.RefreshWanted(
                **story.said(RuleId.MERGE),
                crm=ref.crm,
                kind=ref.kind,
                record_id=ref.id,
                because="merged",
            )
        )
    names = ", ".join(ref.id for ref in merged_into_it)
    story.not_because(RuleId.MERGE, f"it is what became of {names}; their merge comes first")


def _survivor_is_taken(story: Story, fact: RecordMerged) -> bool:
    """Tell whether the survivor belongs to another pair, or should: the primary's."""
    if _is_the_primarys(story, fact):
        return True
    taken = story.context.identity(ids.deal(fact.winner_id))
    if taken is None or taken.stream == story.pair.stream:
        return False
    other = story.context.pair(taken.stream)
    if other is not None and other.salesforce.current is None and not other.was_paired:
        links.absorb(story, other)
        return False
    return True


def _is_the_primarys(story: Story, fact: RecordMerged) -> bool:
    """Tell whether the pair of another deal, the primary one, is to have the survivor."""
    if fact.primary_id == fact.record_id:
        return False
    primary = links.primary_of(fact)
    identity = story.context.identity(primary) if primary is not None else None
    if identity is None or identity.stream == story.pair.stream:
        return False
    other = story.context.pair(identity.stream)
    if other is None or other.salesforce.current is None:
        return False
    # A link can be a copied one, and a primary deal can have been read before the merge was told:
    # that pair has the survivor only if its own deal is still one of those that went into it.
    current = other.hubspot.current
    return current is not None and current in (fact.primary_id, *fact.merged_ids)


def _opportunity_back(story: Story) -> None:
    pair = story.pair
    restored = pair.deleted_down and pair.hubspot.current is not None
    if pair.state is PairState.DELETED or (pair.state is PairState.DETACHED and restored):
        withdraw_all(story, RuleId.UNDELETE, "the opportunity was undeleted", ArchiveDeal)
        if not deal_in_scope(story) and pair.hubspot.current is not None:
            why = "undeleted; the deal is in a pipeline that is not synced"
            story.tell(events.SyncStopped(**story.said(RuleId.UNDELETE), why=why))
            return
        story.tell(events.SyncEntered(**story.said(RuleId.UNDELETE), trigger="undeleted"))
        return
    out = pair.hubspot.current is not None and not deal_in_scope(story)
    if pair.state is PairState.DETACHED and out:
        why = "undeleted; the deal is in a pipeline that is not synced"
        story.tell(events.SyncStopped(**story.said(RuleId.UNDELETE), why=why))


def _deal_back(story: Story) -> None:
    pair = story.pair
    if pair.salesforce.current is None:
        if pair.state is PairState.DELETED:
            why = "the deal was restored while its opportunity is deleted"
            story.tell(events.PairDetached(**story.said(RuleId.ONCE_PAIRED), why=why))
        return
    if pair.state is PairState.DETACHED and story.context.deal_sync:
        story.tell(events.SyncEntered(**story.said(RuleId.UNDELETE), trigger="restored"))
