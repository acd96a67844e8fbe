"""What the CRMs' answers mean (rules `close-date-rewrite`, `not-taken`, `partial-reject`, `suspend`).

The article is silent. An outcome closes what its write asked for; what is still wanted is written
again by the arithmetic of desired less believed.

| answer | what follows |
|---|---|
| done | known; a create teaches the counterpart's id, even to a pair that is deleted or detached by now |
| a create is done, but its record was deleted before we knew whose it is | the deletion counts for the pair |
| … but another pair has its record | that pair keeps it, with an issue |
| done, but the record shows another value | rewritten: that CRM's value is a change on that side; the second time, an issue, and that field is not written any more |
| … the close date, by HubSpot's own habit | put back once, then left with an issue |
| refused, fields named | those are held, with an issue; the rest goes without them |
| refused, none named | the write is held whole, until a trigger field, the policy or the schema changes, or `retry` |
| refused, the record is gone there | it is read again |
| unknown | stays open until its reading; never sent again |
| held | stays open, with an issue, until a person releases or discards it |
| cancelled | what is still wanted is decided anew; a deletion that a person discards is not |

A daily limit, a refused sign-in, or a disabled API pauses that CRM's writes with one issue, and they
go on by themselves: nothing is decided about the pair.
"""

from datetime import timedelta
from typing import Final

from domain import events, issues
from domain.effect import shows_another
from domain.facts import Outcome, WriteCancelled, WriteDone, WriteHeld, WriteRejected, WriteUnknown
from domain.ids import Crm, Kind, Ref
from domain.pair import Pair, PairState, kind_of
from domain.rules import RuleId, field_rules, links
from domain.rules.deletion import archive_deal, create_again, detach, make_known
from domain.story import Story
from domain.writes import ArchiveDeal, CreateDeal, CreateOpportunity, Write

#: how exact Salesforce's stamps are
STAMP: Final = timedelta(seconds=1)
#: why deliver gives a write up although it may still be wanted: a new look decides
OVERTAKEN = "overtaken"


def closed(story: Story, fact: Outcome) -> bool:
    """Take an outcome into the pair; True: what is still wanted is to be weighed now."""
    write = story.pair.open.get(fact.write_id)
    if write is None:
        return _late(story, fact)
    in_doubt = isinstance(fact, WriteDone) and _was_read_meanwhile(story, write, fact)
    story.tell(_closing(story, fact))
    if isinstance(write, ArchiveDeal):
        _tell_of_fuse(story, write, fact)
    match fact:
        case WriteDone():
            if in_doubt:
                links.read_again(story, write.CRM, "read while our write was on its way")
            _learn_counterpart(story, write, fact)
            if isinstance(write, ArchiveDeal):
                _archived(story, fact)
            return True
        case WriteRejected():
            _refused(story, write, fact)
            return True
        case WriteCancelled():
            return _cancelled(story, write, fact)
        case WriteUnknown() | WriteHeld():
            return False


def _tell_of_fuse(story: Story, write: ArchiveDeal, fact: Outcome) -> None:
    """Open an issue for a deletion that the fuse holds; whatever settles it closes that."""
    held = issues.DELETES_HELD
    if isinstance(fact, WriteHeld):
        story.open_issue(held, write.id, f"the deal's deletion is held: {fact.reason}; {held.fix}")
    elif (held.code, write.id) in story.pair.issues and not isinstance(fact, WriteUnknown):
        said = story.said(held.rule)
        story.tell(events.IssueClosed(**said, code=held.code, subject=write.id))


def _was_read_meanwhile(story: Story, write: Write, fact: WriteDone) -> bool:
    """Tell whether the answer, or a reading between call and answer, showed another value.

    It may be what the CRM made of ours, or what somebody put after it, and no later poll would show
    it again (rule `not-taken`).
    """
    if write.CREATES:
        return False
    if shows_another(write.fields, {one.name: one.value for one in fact.readings}):
        return True
    if _is_in_one_second(story, write, fact):
        return True
    read_at = story.pair.side(write.CRM).read_at
    if read_at is None or read_at < fact.sent_at:
        return False
    for change in write.fields:
        register = story.pair.field(change.field).on(write.CRM)
        for asked in (*register.earlier, register.asked):
            if asked is not None and asked.write_id == write.id and asked.value != register.known:
                return True
    return False


def _is_in_one_second(story: Story, write: Write, fact: WriteDone) -> bool:
    """Tell whether the record may bear the same stamp as before the write.

    Salesforce's stamps are whole seconds. What its automation put back to the old value in the
    second in which we had read that one looks, to a poll, as if nothing had happened.
    """
    side = story.pair.side(write.CRM)
    note = side.note
    if write.CRM is not Crm.SALESFORCE or note is None or note.modified_at == side.asked_again_at:
        return False
    if not any(change.guarded for change in write.fields):
        return False
    return fact.sent_at - story.context.skew < note.modified_at + STAMP


def _closing(story: Story, fact: Outcome) -> events.WriteClosed:
    said = story.said(RuleId.ECHO)
    match fact:
        case WriteDone():
            return events.WriteClosed(
                **said,
                write_id=fact.write_id,
                outcome="done",
                record_id=fact.record_id,
                sent_at=fact.sent_at,
                answered_at=fact.answered_at,
            )
        case WriteRejected():
            said["rule"] = RuleId.PARTIAL_REJECT
            return events.WriteClosed(
                **said,
                write_id=fact.write_id,
                outcome="rejected",
                code=fact.code,
                message=fact.message,
                fields=tuple(n for n in fact.fields if story.context.policy.mapping(n)),
            )
        case WriteUnknown():
            said["rule"] = RuleId.ONCE
            return events.WriteClosed(
                **said, write_id=fact.write_id, outcome="unknown", sent_at=fact.sent_at
            )
        case WriteHeld():
            said["rule"] = RuleId.DELETE_FUSE
            return events.WriteClosed(
                **said, write_id=fact.write_id, outcome="held", message=fact.reason
            )
        case WriteCancelled():
            said["rule"] = RuleId(fact.rule)
            return events.WriteClosed(
                **said, write_id=fact.write_id, outcome="cancelled", message=fact.reason
            )


def _learn_counterpart(story: Story, write: Write, fact: WriteDone) -> None:
    """Learn the id of what a create made, then let the pair's present state have its say."""
    if not isinstance(write, CreateDeal | CreateOpportunity) or fact.record_id is None:
        return
    side = story.pair.side(write.CRM)
    if side.ids.get(fact.record_id) is not None:
        return
    earlier = _earlier_owner(story, Ref(write.CRM, kind_of(write.CRM), fact.record_id))
    if earlier is not None and (earlier.was_paired or earlier.side(write.CRM.other).ids):
        text = f"{fact.record_id} was created for this pair, but another has it"
        story.open_issue(issues.SECOND_COUNTERPART, fact.record_id, text)
        return
    story.tell(
        events.CounterpartLinked(
            **story.said(RuleId.LINK_IDS), side=write.CRM, record_id=fact.record_id, how="created"
        )
    )
    if earlier is not None:
        _take_over(story, earlier, write.CRM, fact.record_id)
    if story.pair.state is PairState.DELETED and write.CRM is Crm.HUBSPOT:
        archive_deal(story, "the opportunity was deleted while its deal was being created")
    elif story.pair.state is PairState.LIVE:
        links.read_again(story, write.CRM, "created")


def _earlier_owner(story: Story, record: Ref) -> Pair | None:
    """Return what was told of a record before anybody knew that this pair's create had made it."""
    identity = story.context.identity(record)
    if identity is None or identity.stream == story.pair.stream:
        return None
    return story.context.pair(identity.stream)


def _take_over(story: Story, earlier: Pair, side: Crm, record_id: str) -> None:
    """End the stream that a created record founded, and let its deletion count for this pair."""
    links.end(story, earlier, RuleId.CREATE_RACE)
    known = earlier.side(side)
    if known.ids.get(record_id) is False and known.buried_at is not None:
        make_known(story, side, record_id, known.buried_at)


def _archived(story: Story, fact: WriteDone) -> None:
    """Bury the deal that we archived."""
    deal_id = fact.record_id or story.pair.hubspot.current
    if deal_id is None or story.pair.hubspot.ids.get(deal_id) is not True:
        return
    story.tell(
        events.RecordBuried(
            **story.said(RuleId.DELETE_DOWN),
            crm=Crm.HUBSPOT,
            kind=Kind.DEAL,
            record_id=deal_id,
            read_begun_at=fact.sent_at,
        )
    )
    create_again(story)


def _refused(story: Story, write: Write, fact: WriteRejected) -> None:
    if fact.gone and not write.CREATES:
        record_id = story.pair.side(write.CRM).current
        if record_id is not None:
            links.read_again(story, write.CRM, "the CRM says that it is gone")
        return
    for name in fact.fields:
        mapping = story.context.policy.mapping(name)
        if mapping is not None:
            detail = f"{write.CRM} refused {name}: {fact.code}: {fact.message}"
            field_rules.hold(story, mapping, write.CRM, issues.FIELD_REFUSED.code, detail)


def _cancelled(story: Story, write: Write, fact: WriteCancelled) -> bool:
    """Weigh anew, unless the world moved on and its picture is still to come."""
    if not fact.reason.startswith(OVERTAKEN):
        by_a_person = fact.rule in (RuleId.DELETE_FUSE, RuleId.DELETE_DOWN)
        if isinstance(write, ArchiveDeal) and by_a_person:
            if story.pair.state is PairState.DELETED:
                detach(story, RuleId.DELETE_FUSE, f"the deal stays: {fact.reason}")
            return False
        return fact.rule != RuleId.DEAL_SYNC_SWITCH
    record_id = story.pair.side(write.CRM).current
    if record_id is not None:
        story.tell(
            events.RefreshWanted(
                **story.said(RuleId.ECHO),
                crm=write.CRM,
                kind=kind_of(write.CRM),
                record_id=record_id,
                because="a write was overtaken",
            )
        )
    return False


def _late(story: Story, fact: Outcome) -> bool:
    """Answer an outcome whose write is not open: it decides nothing, but a create still teaches."""
    created = isinstance(fact, WriteDone) and fact.record_id is not None
    story.not_because(
        RuleId.TOMBSTONE if created else RuleId.ECHO, "the write is not open: an old answer"
    )
    return False
