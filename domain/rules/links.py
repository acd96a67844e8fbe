"""Who is whose counterpart (rules `link-ids`, `adopt`, `copied-link`, `no-matching`, `once-paired`).

The article is silent on identity; the vendor does not match deals by name, and neither do we.

| case | answer |
|---|---|
| one record names the other by a link, no other link disagrees | paired at a trigger or import, not created again |
| the target is already paired with another living record | a copy (a clone): ignored, overwritten; it enters as new |
| two unpaired records claim one counterpart | not linked, one issue names them |
| equal names, no link | two pairs; `pairs unlink` both, then `pairs link` is the remedy |
| a record that ever had a counterpart | gets a new one only by undelete, import by name, or resume |

Links are our own fields: `DealSync_Deal_Id__c` on the opportunity (the deal's id), and on the deal
`dealsync_opportunity_id` (the opportunity's id; `<id>:2`, `<id>:3` … for a deal created again). The
vendor connector's `hs_salesforceopportunityid` is read, never written.

Adopted pairs have no base: `dont_sync` and `hold` write nothing, `always_salesforce` takes
Salesforce even if blank, otherwise Salesforce, or HubSpot where Salesforce is blank.
"""

from functools import lru_cache
from typing import Final

from domain import events, ids, issues
from domain.canonical import Value
from domain.facts import DealObserved, LinkRequested, OpportunityObserved, RecordMerged
from domain.ids import Crm, Ref
from domain.mapping import FieldRule, Mapping
from domain.pair import Pair, PairState, kind_of
from domain.rules import RuleId, field_rules, values
from domain.story import Story
from domain.writes import FieldChange

#: the link fields of our own, by the CRM that they are in
LINK_FIELDS: Final = {
    Crm.SALESFORCE: "DealSync_Deal_Id__c",
    Crm.HUBSPOT: "dealsync_opportunity_id",
}
#: links read lately: routing a fact reads its link several times
_REMEMBERED: Final = 8_192


def deal_key(opportunity_id: str, earlier: int) -> str:
    """Return the unique value that a deal is created under, fixed before the call.

    Args:
        opportunity_id: the opportunity.
        earlier: how many deals the pair ever had: a key that one of them holds names that one for
            ever, but a create whose result nobody knows is tried again under the same key.
    """
    return opportunity_id if earlier == 0 else f"{opportunity_id}:{earlier + 1}"


def opportunity_key(deal_id: str, earlier: int) -> str:
    """Return the external id that an opportunity is created under."""
    return deal_id if earlier == 0 else f"{deal_id}:{earlier + 1}"


@lru_cache(_REMEMBERED)
def opportunity_named(link: Value) -> str | None:
    """Return the opportunity that a deal's link names, without its `:2`, or None."""
    text = (link or "").partition(":")[0]
    return ids.salesforce_id(text) if ids.is_salesforce_id(text) else None


@lru_cache(_REMEMBERED)
def deal_named(link: Value) -> str | None:
    """Return the deal that an opportunity's link names, or None."""
    text = (link or "").partition(":")[0]
    return text if ids.is_hubspot_id(text) else None


def named_by(fact: OpportunityObserved | DealObserved) -> Ref | None:
    """Return the counterpart that a record names, ours before the vendor connector's."""
    if isinstance(fact, OpportunityObserved):
        deal_id = deal_named(fact.linked_deal_id)
        return ids.deal(deal_id) if deal_id is not None else None
    named = opportunity_named(fact.link) or opportunity_named(fact.vendor_opportunity_id)
    return ids.opportunity(named) if named is not None else None


def primary_of(fact: RecordMerged) -> Ref | None:
    """Return the deal that was primary in a merge, else the opportunity that the survivor names."""
    if fact.primary_id is not None:
        return ids.deal(fact.primary_id)
    named = opportunity_named(fact.link)
    return ids.opportunity(named) if named is not None else None


def claim_named(story: Story, fact: OpportunityObserved | DealObserved) -> None:
    """Take the record that this one names into the pair, unless another pair has it.

    A target in a half pair of its own is absorbed, and so is an opportunity that lost its deal to a
    merge of which this deal is the survivor (it was binned before anybody saw it). A target that has
    a living counterpart makes this link a copy; a target never seen is claimed and read.
    """
    target = named_by(fact)
    side = Crm.HUBSPOT if isinstance(fact, OpportunityObserved) else Crm.SALESFORCE
    if target is None or target.id in story.pair.side(side).ids:
        return
    if story.pair.side(side).current is not None:
        text = f"it names {target.text}, but is paired with {story.pair.side(side).current}"
        story.open_issue(issues.LINKS_DISAGREE, target.text, text)
        return
    identity = story.context.identity(target)
    if identity is None:
        _found(story, target)
        return
    other = story.context.pair(identity.stream)
    if other is None or identity.stream == story.pair.stream:
        return
    rival = other.side(side.other).current
    if rival is not None and not other.was_paired:
        text = f"it and {rival} both name {target.text}, and neither is paired with it yet"
        story.open_issue(issues.LINKS_DISAGREE, target.text, text)
        return
    if rival is not None or (other.was_paired and not _survived(fact, other)):
        text = f"its link names {target.text}, which is paired already: taken for a copy"
        story.not_because(RuleId.COPIED_LINK, text)
        return
    if other.side(side.other).creating is not None:
        text = f"a counterpart of {target.text} is being created; its answer comes first"
        story.not_because(RuleId.ONCE, text)
        return
    absorb(story, other)


def _survived(fact: OpportunityObserved | DealObserved, other: Pair) -> bool:
    """Tell whether a record is what became of another pair's deal."""
    return isinstance(fact, DealObserved) and not other.hubspot.ids.keys().isdisjoint(
        fact.merged_ids
    )


def is_disputed(pair: Pair) -> bool:
    """Tell whether another record claims the same counterpart: then neither enters by itself."""
    return any(code == issues.LINKS_DISAGREE.code for code, _ in pair.issues)


def absorb(story: Story, other: Pair) -> None:
    """Make another half pair's record this pair's counterpart; the other stream ends.

    Its ids come along, dead ones too, and its record is read again for its values.
    """
    side = Crm.SALESFORCE if other.salesforce.current is not None else Crm.HUBSPOT
    half = other.side(side)
    if half.current is None:
        return
    dead = tuple(sorted(i for i, lives in half.ids.items() if not lives))
    story.tell(
        events.CounterpartLinked(
            **story.said(RuleId.ADOPT),
            side=side,
            record_id=half.current,
            how="adopted",
            buried_ids=dead,
        )
    )
    own = story.pair.side(side.other).current
    earlier = tuple(sorted(i for i, lives in other.side(side.other).ids.items() if not lives))
    if own is not None and earlier:
        # Whatever had this record's place counts too: its creation key is taken for ever.
        story.tell(
            events.CounterpartLinked(
                **story.said(RuleId.ADOPT),
                side=side.other,
                record_id=own,
                how="adopted",
                buried_ids=earlier,
            )
        )
    end(story, other, RuleId.ADOPT)
    read_again(story, side, "adopted")


def unwritten(story: Story, side: Crm) -> tuple[FieldChange, ...]:
    """Return the link that a side's record does not carry yet (also over a copied one).

    Links are unique in their CRM, and the pair's earlier records there may carry theirs still.
    """
    pair = story.pair
    note = pair.side(side).note
    target = pair.side(side.other).current
    name = LINK_FIELDS[side]
    if note is None or target is None:
        return ()
    named = opportunity_named(note.link) if side is Crm.HUBSPOT else deal_named(note.link)
    key = deal_key if side is Crm.HUBSPOT else opportunity_key
    wanted = key(target, len(pair.side(side).ids) - 1)
    on_its_way = any(c.name == name for w in pair.open.values() for c in w.fields)
    if named == target or (on_its_way and not pair.side(side.other).creating):
        return ()
    return (FieldChange(field=name, name=name, after=wanted, wire=wanted, guarded=False),)


def requested(story: Story, fact: LinkRequested) -> None:
    """Pair an opportunity with a deal because a person says so.

    Whatever either of them was paired with before has to be unlinked first, and is left over: it
    takes no part in the sync any more, and an issue names it once it shows.
    """
    pair = story.pair
    if pair.hubspot.current == fact.deal_id:
        story.not_because(RuleId.NO_MATCHING, "they are a pair already")
        return
    identity = story.context.identity(ids.deal(fact.deal_id))
    other = story.context.pair(identity.stream) if identity is not None else None
    if other is not None and other.stream == pair.stream:
        other = None
    why = _not_free(pair, "opportunity", Crm.HUBSPOT)
    if why is None and other is not None:
        why = _not_free(other, "deal", Crm.SALESFORCE)
    if why is None and identity is not None and other is None:
        why = None if fact.deal_id in pair.hubspot.ids else "the deal takes no part in the sync"
    if why is not None:
        story.not_because(RuleId.NO_MATCHING, why)
        return
    _leave_over(story, Crm.HUBSPOT, fact.deal_id, other)
    if other is not None:
        if other.salesforce.ids and pair.salesforce.current is not None:
            _leave_over(story, Crm.SALESFORCE, pair.salesforce.current, other)
        end(story, other, RuleId.NO_MATCHING)
    story.tell(events.SyncEntered(**story.said(RuleId.NO_MATCHING), trigger="linked by hand"))
    for side in Crm:
        read_again(story, side, "linked by hand")


def _not_free(pair: Pair, what: str, side: Crm) -> str | None:
    """Say why a record cannot be paired anew, or None.

    Args:
        pair: the pair that it is in now.
        what: the record.
        side: where its counterpart is.
    """
    if pair.side(side).creating is not None:
        return f"the {what}'s {kind_of(side)} is being created; ask again once it is there"
    current = pair.side(side).current
    if current is None or pair.state is PairState.DETACHED:
        return None
    return f"the {what} has {kind_of(side)} {current}; unlink it first"


def _leave_over(story: Story, side: Crm, record_id: str, other: Pair | None) -> None:
    """Make a record the pair's one on a side; its earlier ones there, and the other's, are over."""
    earlier = {*story.pair.side(side).ids, *(other.side(side).ids if other is not None else ())}
    story.tell(
        events.CounterpartLinked(
            **story.said(RuleId.NO_MATCHING),
            side=side,
            record_id=record_id,
            how="requested",
            buried_ids=tuple(sorted(earlier - {record_id})),
        )
    )


def end(story: Story, other: Pair, rule: RuleId) -> None:
    """End the stream of a pair of which this one took the records."""
    said = story.said(rule)
    said["stream"] = other.stream
    story.elsewhere += [
        events.WriteWithdrawn(**said, write_id=write_id, reason="its pair ended")
        for write_id in other.open
    ]
    story.elsewhere.append(events.PairAbsorbed(**said, into=story.pair.stream))


def adopt_fields(story: Story, fields: tuple[str, ...] = ()) -> None:
    """Settle the fields of a pair whose two records existed before; named ones only, if given."""
    for mapping in story.context.policy.mappings:
        state = story.pair.field(mapping.name)
        if fields and mapping.name not in fields:
            continue
        if state.base is not None or not (state.salesforce.seen and state.hubspot.seen):
            continue
        _adopt_field(story, mapping)


def read_again(story: Story, side: Crm, because: str) -> None:
    """Ask for a reading of the pair's record on that side."""
    record_id = story.pair.side(side).current
    if record_id is None:
        return
    story.tell(
        events.RefreshWanted(
            **story.said(RuleId.ADOPT),
            crm=side,
            kind=kind_of(side),
            record_id=record_id,
            because=because,
        )
    )


def _found(story: Story, target: Ref) -> None:
    """Take a record that was never seen into the pair, and read it."""
    story.tell(
        events.RecordFounded(
            **story.said(RuleId.ADOPT), crm=target.crm, kind=target.kind, record_id=target.id
        )
    )
    read_again(story, target.crm, "named by a link")


def _adopt_field(story: Story, mapping: Mapping) -> None:
    state = story.pair.field(mapping.name)
    winner = Crm.SALESFORCE
    match mapping.rule:
        case FieldRule.DONT_SYNC:
            return
        case FieldRule.HOLD:
            found = values.translate(
                mapping, state.salesforce.known, to=Crm.HUBSPOT, context=story.context
            )
            if isinstance(found, values.Found) and found.value != state.hubspot.known:
                detail = (
                    f"adopted with {state.salesforce.known!r} in Salesforce and"
                    f" {state.hubspot.known!r} in HubSpot; {issues.DECISION_NEEDED.fix}"
                )
                for side in Crm:
                    field_rules.hold(story, mapping, side, issues.DECISION_NEEDED.code, detail)
                return
        case FieldRule.ALWAYS_SALESFORCE:
            pass
        case FieldRule.TWO_WAY | FieldRule.PREFER_SALESFORCE:
            blank = state.salesforce.known is None
            winner = Crm.HUBSPOT if blank else Crm.SALESFORCE
    field_rules.settle_as(story, mapping, winner, how="adopted", rule=RuleId.ADOPT)


def is_adopted(pair: Pair) -> bool:
    """Tell whether a live pair has both records, and has agreed on nothing with one of them yet."""
    both = pair.salesforce.current is not None and pair.hubspot.current is not None
    settled = any(state.base is not None for state in pair.fields.values())
    return both and (pair.adopting or not settled) and pair.state is PairState.LIVE
