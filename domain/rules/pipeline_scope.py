"""When the sync of a pair stops and goes on (rules `pipeline-scope`, `record-type-gone`).

"取引からオポチュニティーへの同期、または逆方向の同期を停止するには、同期されないパイプラインの中にその取引を
移動します" (to stop the sync in either direction, move the deal into a pipeline that is not synced).

| case | answer |
|---|---|
| the deal moves to a pipeline that is not synced | stopped, both directions; unsent writes are withdrawn |
| the opportunity's record type becomes one that is not synced | stopped, like a deal moved out |
| it moves back, and both sides are in scope | resumed: compared and reconciled by the field rules |
| … and Salesforce's stage changed meanwhile | the stage the deal lands on does not count as a change |
| a person's move out was overwritten by ours | stopped; their pipeline and stage are put back once |

The gate is looked at again right before a write is sent.
"""

from datetime import datetime

from domain import events
from domain.canonical import instant_text
from domain.catalog import Scope
from domain.facts import PipelineMove
from domain.ids import Crm
from domain.mapping import STAGE
from domain.pair import PairState
from domain.rules import RuleId, field_rules
from domain.story import Story
from domain.writes import FieldChange, UpdateDeal, Write


def deal_in_scope(story: Story) -> bool:
    """Tell whether the deal's pipeline is synced, as far as it was read."""
    pipeline_id = story.pair.pipeline_id
    if pipeline_id is None:
        return True
    return story.context.catalog.record_type_of(pipeline_id, story.context.policy) is not None


def opportunity_in_scope(story: Story) -> bool:
    """Tell whether the opportunity's record type is synced, as far as it was read."""
    record_type_id = story.pair.record_type_id
    if record_type_id is None:
        return True
    scope = story.context.catalog.scope_of(record_type_id, story.context.policy)
    return scope in (Scope.READY, Scope.NOT_READY)


def gate(story: Story) -> None:
    """Stop or resume the pair as its deal's pipeline and its record type say."""
    state = story.pair.state
    inside = deal_in_scope(story) and opportunity_in_scope(story)
    if state in (PairState.LIVE, PairState.WAITING) and not inside:
        stop(story)
    elif state is PairState.STOPPED and inside and _may_resume(story):
        resume(story, "the deal is back in a synced pipeline")


def _may_resume(story: Story) -> bool:
    """Tell whether being in scope is a person's wish, not our own write that is being undone."""
    undoing = any(
        isinstance(write, UpdateDeal) and any(change.name == "pipeline" for change in write.fields)
        for write in story.pair.open.values()
    )
    return story.context.deal_sync and not undoing


def put_back(story: Story, move: PipelineMove | None, known_since: datetime | None) -> None:
    """Stop, and undo our write of the pipeline once, where it went over a person's move out.

    Args:
        story: the deal was observed just now, and its pipeline is our value.
        move: what somebody else had set before; None: nothing.
        known_since: when the pipeline that was known before had been set; None: nobody knows.
    """
    pair, context = story.pair, story.context
    if pair.state is not PairState.LIVE or move is None or known_since is None:
        return
    if move.at <= known_since or instant_text(move.at) == pair.put_back:
        return
    if context.catalog.record_type_of(move.pipeline_id, context.policy) is not None:
        return
    why = f"a person moved the deal to pipeline {move.pipeline_id} before our write"
    story.tell(events.SyncStopped(**story.said(RuleId.PIPELINE_SCOPE), why=why))
    withdraw_all(story, RuleId.PIPELINE_SCOPE, why)
    wanted = (("pipeline", move.pipeline_id), ("dealstage", move.stage_id))
    write = UpdateDeal(
        id=story.write_id(),
        stream=pair.stream,
        fields=tuple(
            FieldChange(field=name, name=name, after=value, wire=value, guarded=False)
            for name, value in wanted
            if value is not None
        ),
        pipeline_id=pair.pipeline_id or "",
        for_stopped=True,
    )
    story.ask(RuleId.PIPELINE_SCOPE, write, why)


def stop(story: Story) -> None:
    """Stop a pair and take back what was not sent."""
    if deal_in_scope(story):
        rule = RuleId.RECORD_TYPE_GONE
        why = f"record type {story.pair.record_type_id} is not synced"
    else:
        rule, why = RuleId.PIPELINE_SCOPE, f"pipeline {story.pair.pipeline_id} is not synced"
    story.tell(events.SyncStopped(**story.said(rule), why=why))
    withdraw_all(story, rule, why)


def resume(story: Story, why: str) -> None:
    """Let a stopped pair go on."""
    story.tell(events.SyncResumed(**story.said(RuleId.PIPELINE_SCOPE), why=why))
    state = story.pair.field(STAGE)
    mapping = story.context.policy.mapping(STAGE)
    if mapping is None or not (state.salesforce.fresh and state.hubspot.fresh):
        return
    field_rules.settle_as(story, mapping, Crm.SALESFORCE, how="resumed", rule=RuleId.PIPELINE_SCOPE)


def withdraw_all(story: Story, rule: RuleId, why: str, *kinds: type[Write]) -> None:
    """Withdraw open writes, of these classes only if any is named; a sent one is settled still."""
    for write in tuple(story.pair.open.values()):
        if not kinds or isinstance(write, kinds):
            story.tell(events.WriteWithdrawn(**story.said(rule), write_id=write.id, reason=why))
