"""What the deal shows of its sync (rule `record-status`).

Four properties of our own: `dealsync_link`, `dealsync_state`, `dealsync_synced_at`,
`dealsync_issue`. They ride along with other writes and go alone only when the state changes (also to
stopped or detached, if the deal lives and deal sync is on). They are never a trigger, and policy can
switch them off.
"""

from domain.canonical import instant_text
from domain.issues import PROBLEMS
from domain.pair import PairState
from domain.rules import RuleId
from domain.story import Story
from domain.writes import CreateDeal, FieldChange, UpdateDeal


def changes(story: Story, state: PairState) -> tuple[FieldChange, ...]:
    """Return the status properties for a write that goes anyway; empty if switched off."""
    if not story.context.policy.switches.record_status:
        return ()
    opportunity_id = story.pair.salesforce.current
    first = min(story.pair.issues, default=None)
    problem = f"{first[0]} {PROBLEMS[first[0]].title}" if first is not None else None
    link = f"Salesforce opportunity {opportunity_id}" if opportunity_id else None
    return (
        _status("dealsync_link", link),
        _status("dealsync_state", state),
        _status("dealsync_synced_at", instant_text(story.context.at)),
        _status("dealsync_issue", problem),
    )


def show(story: Story) -> None:
    """Write the state to the deal where it differs from what the deal shows."""
    pair = story.pair
    if not story.context.deal_sync or not story.context.policy.switches.record_status:
        return
    if pair.hubspot.current is None or pair.pipeline_id is None or pair.shown_state == pair.state:
        return
    if pair.absorbed_into is not None:
        return  # its records are another pair's by now: a write of its own would wait for ever
    if pair.state not in (PairState.LIVE, PairState.STOPPED, PairState.DETACHED):
        return
    if pair.shown_state is None and pair.state is not PairState.LIVE:
        return
    if pair.has_open(CreateDeal) or "write.UpdateDeal" in pair.refused:
        return
    write = UpdateDeal(
        id=story.write_id(),
        stream=pair.stream,
        fields=changes(story, pair.state),
        pipeline_id=pair.pipeline_id,
        for_stopped=pair.state is not PairState.LIVE,
    )
    story.ask(RuleId.RECORD_STATUS, write, f"the pair is {pair.state}")


def _status(name: str, value: str | None) -> FieldChange:
    return FieldChange(field=name, name=name, after=value, wire=value, guarded=False)
