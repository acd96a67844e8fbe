"""What both sides should hold of each field (`field-rule`, `no-retroactive`, `number-only`).

"既存のオポチュニティー … 同期ルールとフィールドマッピングに応じて動作が異なります" (what an edit does
depends on the sync rule and the field mapping). S and H are the latest values in Salesforce and
HubSpot; a change is a person's or another program's, never our own write coming back.

| rule | S changes | S is cleared | H changes | H is cleared |
|---|---|---|---|---|
| two_way | H := S | H := blank | S := H | S := blank |
| prefer_salesforce | H := S | H := blank | S blank: S := H; else H goes back to S | S blank: nothing; else H goes back to S |
| always_salesforce | H := S | H := blank | H goes back to S | H goes back to S |
| dont_sync | – | – | – | – |
| hold | as two_way; concurrent changes wait for a person | | | |

A value that only we wrote is no change: when S is cleared and H holds our copy, H is cleared. A
required field, or the owner, cleared in HubSpot goes back to Salesforce's. A new mapping acts on a
record only once that field changes. Amounts cross as exact decimals, never converted.
"""

from dataclasses import dataclass

from domain import events, issues
from domain.canonical import FieldType, Value
from domain.ids import Crm
from domain.mapping import CLOSE_DATE, OWNER, REQUIRED, STAGE, FieldRule, Mapping
from domain.pair import FieldState
from domain.rules import RuleId, stages, values
from domain.rules.conflicts import How, Verdict, who_wins
from domain.story import Story
from domain.writes import FieldChange


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose value stands, and why."""

    winner: Crm
    how: str
    rule: RuleId
    #: HubSpot's change does not cross: it is put back
    put_back: bool = False


def choose(mapping: Mapping, state: FieldState, verdict: Verdict) -> Choice | None:
    """Return whose value stands under the mapping's rule; None: nothing crosses.

    Args:
        mapping: the pair of fields and its rule.
        state: both registers.
        verdict: who would win by time alone.
    """
    if verdict.winner is None or mapping.rule is FieldRule.DONT_SYNC:
        return None
    by_time = Choice(verdict.winner, verdict.how, RuleId.WHO_WINS)
    if verdict.winner is Crm.SALESFORCE:
        return by_time
    cleared = state.hubspot.foreign is not None and state.hubspot.foreign.value is None
    if cleared and mapping.name in (*REQUIRED, OWNER):
        rule = RuleId.OWNER if mapping.name == OWNER else RuleId.REQUIRED
        return Choice(Crm.SALESFORCE, verdict.how, rule, put_back=True)
    match mapping.rule:
        case FieldRule.TWO_WAY | FieldRule.HOLD:
            return by_time
        case FieldRule.PREFER_SALESFORCE:
            if state.salesforce.believed is None:
                return by_time
            return Choice(Crm.SALESFORCE, verdict.how, RuleId.FIELD_RULE, put_back=True)
        case FieldRule.ALWAYS_SALESFORCE:
            return Choice(Crm.SALESFORCE, verdict.how, RuleId.FIELD_RULE, put_back=True)


def settle_all(story: Story) -> None:
    """Settle every mapped field in which somebody changed something."""
    for mapping in story.context.policy.mappings:
        state = story.pair.field(mapping.name)
        if state.salesforce.fresh or state.hubspot.fresh:
            _settle(story, mapping, state)


def settle_as(story: Story, mapping: Mapping, winner: Crm, *, how: str, rule: RuleId) -> bool:
    """Settle a field for one side's present value; False: it has no counterpart, so it is held."""
    state = story.pair.field(mapping.name)
    foreign = state.on(winner).foreign
    value = state.on(winner).believed
    by_time = how in (How.SEQUENTIAL, How.CONCURRENT, How.AMBIGUOUS)
    if foreign is not None and (state.on(winner).fresh or (by_time and winner is Crm.HUBSPOT)):
        value = foreign.value
    other = winner.other
    found = values.translate(mapping, value, to=other, context=story.context)
    if isinstance(found, values.Missing):
        _hold(story, mapping, other, found, value)
        return False
    held = state.held.get(other)
    if held is not None and held.code != issues.NOT_TAKEN.code:
        _free(story, mapping, other)
    loser = state.on(other)
    # A concurrent change loses, also one that had been taken into account before this came.
    lost = loser.fresh or how in (How.CONCURRENT, How.AMBIGUOUS)
    losing = loser.foreign.value if lost and loser.foreign is not None else None
    if losing == found.value:
        losing = None
    on_salesforce, on_hubspot = (
        (value, found.value) if winner is Crm.SALESFORCE else (found.value, value)
    )
    story.tell(
        events.FieldSettled(
            **story.said(rule),
            field=mapping.name,
            salesforce=on_salesforce,
            hubspot=on_hubspot,
            winner=winner,
            how=how,
            losing=losing,
            winner_by=foreign.by if foreign is not None and foreign.value == value else "",
            losing_by=loser.foreign.by if losing is not None and loser.foreign is not None else "",
            losing_at=loser.foreign.high if losing is not None and loser.foreign else None,
        )
    )
    return True


def differences(story: Story, side: Crm) -> tuple[FieldChange, ...]:
    """Return what must be written on one side: desired, less believed, less held."""
    changes: list[FieldChange] = []
    for mapping in story.context.policy.mappings:
        if mapping.rule is FieldRule.DONT_SYNC:
            continue
        state = story.pair.field(mapping.name)
        if state.base is None:
            continue
        if state.base.on(side) == state.on(side).believed:
            _free_what_was_refused(story, mapping, side, state)
            continue
        if state.salesforce.fresh or state.hubspot.fresh:
            # A change that could not be settled: neither side is overwritten with what was before.
            continue
        if _is_held(story, mapping, side, state.base.on(side)):
            continue
        changes.extend(field_changes(story, mapping, side, state.base.on(side)))
    return tuple(_close_in_one_call(story, side, changes))


def field_changes(
    story: Story, mapping: Mapping, side: Crm, after: Value
) -> tuple[FieldChange, ...]:
    """Return the change of one mapped field, a stage's with its record type or pipeline."""
    state = story.pair.field(mapping.name)
    register = state.on(side)
    before = register.believed
    losing = register.foreign.value if register.foreign is not None else None
    losing = losing if losing == before and losing != after else None
    name = mapping.salesforce if side is Crm.SALESFORCE else mapping.hubspot
    staged = mapping.type is FieldType.STAGE
    change = FieldChange(
        field=mapping.name,
        name=name,
        type=FieldType.PICKLIST if staged else mapping.type,
        before=stages.bare(before) if staged and before else before,
        after=stages.bare(after) if staged and after else after,
        wire=values.wire(mapping, after, to=side, context=story.context),
        losing=stages.bare(losing) if staged and losing else losing,
    )
    if not staged or after is None:
        return (change,)
    moved_from = stages.scope(before) if before else None
    if moved_from == stages.scope(after):
        return (change,)
    scope_name = "RecordTypeId" if side is Crm.SALESFORCE else "pipeline"
    moved = FieldChange(
        field=scope_name,
        name=scope_name,
        before=moved_from,
        after=stages.scope(after),
        wire=stages.scope(after),
        guarded=False,
    )
    return (moved, change)


def report(story: Story) -> None:
    """Report every field that is held, and wake when what holds it may have changed."""
    for name, state in sorted(story.pair.fields.items()):
        mapping = story.context.policy.mapping(name)
        if mapping is None:
            continue
        for side, held in state.held.items():
            problem = issues.PROBLEMS.get(held.code, issues.FIELD_REFUSED)
            both = problem is issues.DECISION_NEEDED
            story.problem(problem, name if both else f"{name}@{side}", held.detail)
            story.wait_for("catalog")
            story.wait_for("policy")
    settled = {e.field for e in story.events if isinstance(e, events.FieldSettled)}
    for (code, name), text in story.pair.issues.items():
        # It tells what happened to a person's edit: until that field moves on, or it is discarded.
        if code == issues.REQUIRED_CLEARED.code and name not in settled:
            story.problem(issues.REQUIRED_CLEARED, name, text)


def _free_what_was_refused(story: Story, mapping: Mapping, side: Crm, state: FieldState) -> None:
    """Let go of a refused value that nobody wants there any more: both sides are equal."""
    held = state.held.get(side)
    fresh = state.salesforce.fresh or state.hubspot.fresh
    if held is not None and held.code == issues.FIELD_REFUSED.code and not fresh:
        _free(story, mapping, side)


def _settle(story: Story, mapping: Mapping, state: FieldState) -> None:
    verdict = who_wins(state.salesforce.foreign, state.hubspot.foreign, skew=story.context.skew)
    if _restore_close_date(story, mapping, state):
        return
    _stop_writing_what_is_not_taken(story, mapping, state)
    choice = choose(mapping, state, verdict)
    if choice is None:
        return
    if mapping.rule is FieldRule.HOLD and _needs_a_person(story, mapping, state, verdict):
        return
    settled = settle_as(story, mapping, choice.winner, how=choice.how, rule=choice.rule)
    if choice.rule is RuleId.REQUIRED and settled:
        text = f"{mapping.hubspot} was cleared in HubSpot; Salesforce's value was put back"
        story.problem(issues.REQUIRED_CLEARED, mapping.name, text)
    if settled or choice.winner is Crm.SALESFORCE or mapping.name != OWNER:
        return
    # An owner whom nobody in Salesforce matches: the deal's owner goes back, if it can.
    if settle_as(story, mapping, Crm.SALESFORCE, how=choice.how, rule=RuleId.OWNER):
        _free(story, mapping, Crm.SALESFORCE)
        _free(story, mapping, Crm.HUBSPOT)


def _stop_writing_what_is_not_taken(story: Story, mapping: Mapping, state: FieldState) -> None:
    """Hold a field that a CRM rewrote for the second time (rule `not-taken`)."""
    for side in Crm:
        register = state.on(side)
        rewritten = register.foreign is not None and register.foreign.by == "rewritten"
        if register.fresh and rewritten and register.rewritten > 1:
            detail = (
                f"{side} stored {register.known!r} instead of what was written, again;"
                f" {issues.NOT_TAKEN.fix}"
            )
            _tell_held(story, mapping, side, issues.NOT_TAKEN.code, detail, register.known)


def _restore_close_date(story: Story, mapping: Mapping, state: FieldState) -> bool:
    """Answer HubSpot's rewriting of a close date (rule `close-date-rewrite`): put back once."""
    register = state.hubspot
    if mapping.name != CLOSE_DATE or state.base is None or not register.fresh:
        return False
    rewritten = register.foreign is not None and register.foreign.by == "rewritten"
    if not rewritten or state.salesforce.fresh:
        return False
    story.tell(
        events.FieldSettled(
            **story.said(RuleId.CLOSE_DATE_REWRITE),
            field=mapping.name,
            salesforce=state.base.salesforce,
            hubspot=state.base.hubspot,
            winner=state.base.winner,
            how="restored",
            losing=register.known,
        )
    )
    if register.rewritten > 1:
        detail = (
            f"HubSpot answered {state.base.hubspot} with {register.known}, again;"
            f" {issues.CLOSE_DATE_REWRITTEN.fix}"
        )
        _tell_held(
            story,
            mapping,
            Crm.HUBSPOT,
            issues.CLOSE_DATE_REWRITTEN.code,
            detail,
            state.base.hubspot,
        )
    return True


def _needs_a_person(story: Story, mapping: Mapping, state: FieldState, verdict: Verdict) -> bool:
    """Hold concurrent, different changes for a person (rule `hold`)."""
    salesforce, hubspot = state.salesforce.foreign, state.hubspot.foreign
    if verdict.how is How.SEQUENTIAL or salesforce is None or hubspot is None:
        free(story, mapping)
        return False
    found = values.translate(mapping, salesforce.value, to=Crm.HUBSPOT, context=story.context)
    if isinstance(found, values.Found) and found.value == hubspot.value:
        return False
    detail = (
        f"Salesforce has {salesforce.value!r} ({salesforce.high.isoformat()}), HubSpot"
        f" {hubspot.value!r} ({hubspot.high.isoformat()}); {issues.DECISION_NEEDED.fix}"
    )
    for side in Crm:
        _tell_held(story, mapping, side, issues.DECISION_NEEDED.code, detail, hubspot.value)
    return True


def _is_held(story: Story, mapping: Mapping, side: Crm, wanted: Value) -> bool:
    held = story.pair.field(mapping.name).held.get(side)
    if held is None:
        return False
    if held.code == issues.NOT_TAKEN.code or held.value == wanted:
        return True
    if held.code == issues.DECISION_NEEDED.code:
        return True
    _free(story, mapping, side)
    return False


def _hold(story: Story, mapping: Mapping, side: Crm, missing: values.Missing, value: Value) -> None:
    _tell_held(story, mapping, side, missing.problem.code, missing.text, value)


def _tell_held(
    story: Story, mapping: Mapping, side: Crm, code: str, detail: str, value: Value
) -> None:
    held = story.pair.field(mapping.name).held.get(side)
    if held is not None and (held.code, held.detail) == (code, detail):
        return
    rule = issues.PROBLEMS[code].rule if code in issues.PROBLEMS else RuleId.PARTIAL_REJECT
    story.tell(
        events.FieldHeld(
            **story.said(rule), field=mapping.name, side=side, code=code, detail=detail, value=value
        )
    )


def _free(story: Story, mapping: Mapping, side: Crm) -> None:
    if side in story.pair.field(mapping.name).held:
        freed = events.FieldFreed(
            **story.said(RuleId.PARTIAL_REJECT), field=mapping.name, side=side
        )
        story.tell(freed)


def hold(story: Story, mapping: Mapping, side: Crm, code: str, detail: str) -> None:
    """Hold a field for what a CRM said about the value it is to have."""
    base = story.pair.field(mapping.name).base
    wanted = base.on(side) if base is not None else None
    _tell_held(story, mapping, side, code, detail, wanted)


def free_all(story: Story) -> None:
    """Let every held field go again; one that was held since the create gets its first value."""
    for name, state in sorted(story.pair.fields.items()):
        for side in sorted(state.held):
            story.tell(
                events.FieldFreed(**story.said(RuleId.PARTIAL_REJECT), field=name, side=side)
            )
            mapping = story.context.policy.mapping(name)
            untouched = not (state.salesforce.fresh or state.hubspot.fresh)
            if mapping is not None and state.base is None and untouched:
                settle_as(story, mapping, side.other, how=How.SEQUENTIAL, rule=RuleId.CREATED_WITH)


def _close_in_one_call(story: Story, side: Crm, changes: list[FieldChange]) -> list[FieldChange]:
    """Send the close date together with a stage that closes the deal: HubSpot rewrites it else."""
    if side is not Crm.HUBSPOT or not any(c.field == STAGE for c in changes):
        return changes
    if any(c.field == CLOSE_DATE for c in changes):
        return changes
    mapping = story.context.policy.mapping(CLOSE_DATE)
    base = story.pair.field(CLOSE_DATE).base
    if mapping is None or mapping.rule is FieldRule.DONT_SYNC or base is None:
        return changes
    stage = story.pair.field(STAGE).base
    name = stages.bare(stage.salesforce) if stage is not None and stage.salesforce else ""
    seen = story.context.catalog.opportunity_stage(name)
    if seen is None or not seen.is_closed or base.hubspot is None:
        return changes
    return [*changes, *field_changes(story, mapping, side, base.hubspot)]


def crosses_on_create(mapping: Mapping, side: Crm) -> bool:
    """Tell whether a create on `side` writes the field (rule `created-with`)."""
    match mapping.rule:
        case FieldRule.DONT_SYNC:
            return False
        case FieldRule.ALWAYS_SALESFORCE:
            return side is Crm.HUBSPOT
        case FieldRule.TWO_WAY | FieldRule.HOLD | FieldRule.PREFER_SALESFORCE:
            return True


def free(story: Story, mapping: Mapping) -> None:
    """Let one field go again on both sides."""
    for side in Crm:
        _free(story, mapping, side)
