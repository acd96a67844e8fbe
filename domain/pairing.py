"""What a pair decides about a fact: the order of the steps.

Observe (what did the fact teach), gate (may anything cross), enter or bring back, weigh (what
should both sides hold), and close the books. Each behaviour is in `rules`; this module only says
when.
"""

from typing import assert_never

from domain import events, observing
from domain.context import Context
from domain.facts import (
    AssociationsObserved,
    DealObserved,
    Fact,
    LinkRequested,
    OpportunityObserved,
    PairRequested,
    Reconsider,
    RecordDeleted,
    RecordMerged,
    RolesObserved,
    WriteCancelled,
    WriteDone,
    WriteHeld,
    WriteRejected,
    WriteUnknown,
)
from domain.ids import Crm, StreamId
from domain.observing import Taught
from domain.pair import EVERY_FIELD, Pair, PairState, kind_of
from domain.rules import (
    RuleId,
    answers,
    companies,
    contact_roles,
    creation,
    deletion,
    entry,
    field_rules,
    links,
    pipeline_scope,
    record_status,
    requests,
    restoration,
)
from domain.story import Story
from domain.writes import UpdateDeal, UpdateOpportunity


def decide(
    stream: StreamId, pair: Pair | None, fact: Fact, context: Context
) -> tuple[events.Event, ...]:
    """Decide a fact about a pair.

    Args:
        stream: the pair's stream.
        pair: its state; None: this fact founds it.
        fact: what happened.
        context: policy, catalog, identities, the time.

    Returns:
        At least one event. Events of a pair that this one absorbs come last.
    """
    story = Story(pair if pair is not None else Pair(stream), fact, context)
    match fact:
        case OpportunityObserved():
            _opportunity(story, fact)
        case DealObserved():
            _deal(story, fact)
        case RolesObserved():
            _part(story, Crm.SALESFORCE, observing.roles(story, fact), fact.reason)
        case AssociationsObserved():
            _part(story, Crm.HUBSPOT, observing.associations(story, fact), fact.reason)
        case RecordDeleted():
            observing.seen(story, fact.crm, "deletion", fact.read_begun_at)
            if deletion.record_deleted(story, fact):
                weigh(story)
            record_status.show(story)
        case RecordMerged():
            restoration.merged(story, fact)
            record_status.show(story)
        case WriteDone() | WriteRejected() | WriteUnknown() | WriteHeld() | WriteCancelled():
            if answers.closed(story, fact):
                weigh(story)
        case PairRequested():
            if requests.answer(story, fact):
                weigh(story)
            record_status.show(story)
        case LinkRequested() if _is_unlinked(story.pair, fact):
            restoration.resume(story)
            weigh(story)
        case LinkRequested():
            links.requested(story, fact)
        case Reconsider():
            _reconsider(story, fact)
        case _:
            story.not_because(RuleId.TRIGGER_FIELDS, "no such fact concerns a pair")
    return story.finish()


def weigh(story: Story) -> None:
    """Bring both sides in step, as far as state, policy and catalog allow."""
    if not story.context.deal_sync:
        story.not_because(RuleId.DEAL_SYNC_SWITCH, "deal sync is off")
        return
    if story.pair.absorbed_into is not None:
        story.not_because(RuleId.ADOPT, "it is one with another pair, which goes on")
        return
    match story.pair.state:
        case PairState.WAITING:
            story.weighed()
            creation.create_missing(story)
            field_rules.report(story)
        case PairState.LIVE:
            story.weighed()
            _reconcile(story)
        case PairState.STOPPED | PairState.DETACHED:
            story.not_because(RuleId.PIPELINE_SCOPE, f"the pair is {story.pair.state}")
        case PairState.DELETED:
            deletion.finish(story)
        case PairState.OUTSIDE:
            story.not_because(RuleId.TRIGGER_FIELDS, "the pair is outside")
        case _ as never:
            assert_never(never)
    record_status.show(story)


def _opportunity(story: Story, fact: OpportunityObserved) -> None:
    was = story.pair.state
    if not _is_ours(story, Crm.SALESFORCE, fact.opportunity_id):
        return
    links.claim_named(story, fact)
    taught = observing.opportunity(story, fact)
    _observed(story, Crm.SALESFORCE, taught, fact.reason, was)


def _deal(story: Story, fact: DealObserved) -> None:
    was = story.pair.state
    if not _is_ours(story, Crm.HUBSPOT, fact.deal_id):
        return
    links.claim_named(story, fact)
    before = story.pair.hubspot.note
    taught = observing.deal(story, fact)
    known_since = before.scope_at if before is not None else None
    pipeline_scope.put_back(story, fact.overwritten_move, known_since)
    deletion.catch_up(story, known_since)
    if fact.created_by_us and story.pair.state is PairState.OUTSIDE:
        story.not_because(RuleId.ONCE, "we created this deal; its create's answer says for whom")
        return
    _observed(story, Crm.HUBSPOT, taught, fact.reason, was)


def _is_ours(story: Story, side: Crm, record_id: str) -> bool:
    """Take the record in, found it, or bring it back; False: this reading counts for nothing."""
    lives = story.pair.side(side).ids.get(record_id)
    if lives is None:
        current = story.pair.side(side).current
        if current is not None and story.pair.side(side).ids:
            story.not_because(RuleId.COPIED_LINK, f"the pair has {current} on that side")
            return False
        story.tell(
            events.RecordFounded(
                **story.said(RuleId.LINK_IDS), crm=side, kind=kind_of(side), record_id=record_id
            )
        )
        return True
    if lives:
        return True
    return restoration.is_back(story, side, record_id)


def _observed(story: Story, side: Crm, taught: Taught, reason: str, was: PairState) -> None:
    """Go on after a whole record was observed; `was`: the pair's state before the fact."""
    pipeline_scope.gate(story)
    by_hand = entry.asked_by_hand(reason)
    if story.pair.state is PairState.OUTSIDE:
        new = taught.first and reason != entry.BASELINE
        entered = entry.enter(story, side, trigger=new or taught.changed, reason=reason)
        if not entered:
            return
        pipeline_scope.gate(story)
    elif by_hand is not None and story.pair.state is PairState.DETACHED:
        if reason.startswith(entry.IMPORT_NAMED):
            restoration.resume(story)
        else:
            entry.skip(story, reason)
    elif by_hand is not None:
        entry.skip(story, reason)
    adopted = links.is_adopted(story.pair)
    if adopted:
        _adopt(story)
    if by_hand is not None and entry.imported_fields(reason):
        links.adopt_fields(story, entry.imported_fields(reason))
    moved = story.pair.state is not was
    waits = story.pair.state is PairState.WAITING
    live = taught.changed or taught.first or taught.unsettled or adopted
    if live or moved or waits or by_hand is not None:
        weigh(story)


def _part(story: Story, side: Crm, taught: Taught, reason: str) -> None:
    """Go on after a record's contacts were observed."""
    if story.pair.state is PairState.OUTSIDE:
        if not taught.changed or story.pair.side(side).note is None:
            story.not_because(RuleId.TRIGGER_FIELDS, "first reading, for later comparison")
            return
        if not entry.enter(story, side, trigger=True, reason=reason):
            return
    elif not taught.changed and not taught.first:
        return
    weigh(story)


def _adopt(story: Story) -> None:
    """Settle a pair whose two records existed before, once both were read."""
    if story.pair.salesforce.note is None or story.pair.hubspot.note is None:
        return
    links.adopt_fields(story)


def _reconcile(story: Story) -> None:
    """Write what differs on both sides of a live pair."""
    field_rules.settle_all(story)
    for side in Crm:
        if story.pair.side(side).current is None or story.pair.side(side).note is None:
            continue
        _update(story, side)
    field_rules.report(story)
    contact_roles.cross(story)
    companies.follow(story)


def _update(story: Story, side: Crm) -> None:
    changes = (*field_rules.differences(story, side), *links.unwritten(story, side))
    topic = "write.UpdateDeal" if side is Crm.HUBSPOT else "write.UpdateOpportunity"
    if not changes:
        return
    if requests.is_refused(story, topic):
        return
    pair = story.pair
    reason = "; ".join(f"{c.field}: {c.before!r} → {c.after!r}" for c in changes)
    ambiguous = _is_ambiguous(story)
    only_link = all(c.name == links.LINK_FIELDS[side] for c in changes)
    rule = RuleId.LINK_IDS if only_link else RuleId.FIELD_RULE
    if side is Crm.HUBSPOT:
        status = record_status.changes(story, PairState.LIVE)
        write_to_deal = UpdateDeal(
            id=story.write_id(),
            stream=pair.stream,
            fields=(*changes, *status),
            pipeline_id=pair.believed_pipeline_id,
        )
        story.ask(rule, write_to_deal, reason, ambiguous=ambiguous)
    else:
        write = UpdateOpportunity(
            id=story.write_id(),
            stream=pair.stream,
            fields=changes,
            pipeline_id=pair.believed_pipeline_id,
        )
        story.ask(rule, write, reason, ambiguous=ambiguous)


def _is_ambiguous(story: Story) -> bool:
    return any(
        isinstance(event, events.FieldSettled) and event.how == "ambiguous"
        for event in story.events
    )


def _is_unlinked(pair: Pair, fact: LinkRequested) -> bool:
    """Tell whether a person takes back that these two were taken apart."""
    return pair.state is PairState.DETACHED and pair.hubspot.current == fact.deal_id


def _reconsider(story: Story, fact: Reconsider) -> None:
    """Look again, because something that the pair waits for may have come."""
    if fact.because in ("catalog", "policy"):
        field_rules.free_all(story)
        if story.pair.refused:
            story.tell(
                events.FieldFreed(
                    **story.said(RuleId.PARTIAL_REJECT), field=EVERY_FIELD, side=Crm.HUBSPOT
                )
            )
        pipeline_scope.gate(story)
    weigh(story)
