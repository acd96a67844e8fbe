"""How the missing counterpart is made (rules `created-with`, `required`, `create-race`).

"同期トリガーが満たされたときに商談としてSalesforceに作成されます" (created when a trigger is met). A create
carries a key fixed before the call (`links`), the mapped fields that may cross that way, what the
other CRM requires, and the deal's `createdate` from the opportunity's CreatedDate.

| case | answer |
|---|---|
| everything is there | one create |
| name, stage or close date is missing | waits, with an issue that names it; goes ahead by itself |
| the record type's pipeline is not complete | waits with one issue |
| another connector syncs the deal | waits with an issue |
| the record was deleted before the create was sent | cancelled |
| … after it was sent | the new record's id is still learned, then the deletion rules apply |
| HubSpot or Salesforce refused it | waits with its message, until a trigger field changes or `retry` |
"""

from domain import issues
from domain.canonical import instant_text
from domain.catalog import Scope
from domain.ids import Crm
from domain.mapping import OWNER, REQUIRED, STAGE, FieldRule, Mapping
from domain.pair import PairState
from domain.rules import (
    RuleId,
    companies,
    field_rules,
    links,
    prerequisites,
    record_status,
    stages,
    values,
)
from domain.rules.conflicts import How
from domain.story import Story
from domain.writes import CreateDeal, CreateOpportunity, FieldChange


def create_missing(story: Story) -> None:
    """Create the counterpart of a waiting pair, or say what it waits for."""
    pair = story.pair
    if pair.state is not PairState.WAITING:
        return
    for side in (Crm.HUBSPOT, Crm.SALESFORCE):
        here = pair.side(side.other)
        if pair.side(side).current is None and here.current is not None and here.note is not None:
            _create(story, side)


def _create(story: Story, side: Crm) -> None:
    pair = story.pair
    if pair.side(side).creating is not None:
        return
    topic = "write.CreateDeal" if side is Crm.HUBSPOT else "write.CreateOpportunity"
    if topic in pair.refused:
        code, message = pair.refused[topic]
        story.problem(issues.WRITE_REFUSED, topic, f"{code}: {message}")
        story.wait_for("catalog")
        story.wait_for("policy")
        return
    if prerequisites.holds_creates(story) or not _place_is_ready(story, side):
        return
    changes = _mapped(story, side)
    lacking = [name for name in REQUIRED if not any(c.field == name for c in changes)]
    if lacking:
        for name in lacking:
            text = f"{name} is missing: {side} needs it to create the record"
            story.problem(issues.REQUIRED_MISSING, name, text)
        story.wait_for("catalog")
        story.wait_for("policy")
        return
    if side is Crm.HUBSPOT:
        _create_deal(story, changes)
    else:
        _create_opportunity(story, changes)


def _place_is_ready(story: Story, side: Crm) -> bool:
    """Tell whether the record type's pipeline can be used; if not, wait for it."""
    catalog, policy = story.context.catalog, story.context.policy
    if side is Crm.SALESFORCE:
        record_type_id = catalog.record_type_of(story.pair.pipeline_id or "", policy) or ""
    else:
        record_type_id = story.pair.record_type_id or ""
    scope = catalog.scope_of(record_type_id, policy)
    record_type = catalog.record_type(record_type_id)
    if side is Crm.SALESFORCE and (record_type is None or not record_type.is_active):
        text = f"record type {record_type_id} is not active; {issues.RECORD_TYPE_GONE.fix}"
        story.problem(issues.RECORD_TYPE_GONE, record_type_id, text)
        story.wait_for("catalog")
        return False
    if scope is Scope.READY:
        return True
    if scope is Scope.NOT_READY:
        text = f"record type {record_type_id}: its pipeline lacks stages or does not exist yet"
        story.problem(issues.PIPELINE_NOT_READY, record_type_id, text)
    story.wait_for("catalog")
    story.wait_for("policy")
    return False


def _mapped(story: Story, side: Crm) -> list[FieldChange]:
    """Return the mapped fields of a create, and settle them for the side that exists."""
    changes: list[FieldChange] = []
    for mapping in story.context.policy.mappings:
        register = story.pair.field(mapping.name).on(side.other)
        if not field_rules.crosses_on_create(mapping, side) or not register.seen:
            continue
        if register.known is None and mapping.name != OWNER:
            _settle_blank(story, mapping, side)
            continue
        if mapping.name == OWNER and _keeps_own_owner(story, mapping, side):
            continue
        settled = field_rules.settle_as(
            story, mapping, side.other, how=How.SEQUENTIAL, rule=RuleId.CREATED_WITH
        )
        base = story.pair.field(mapping.name).base
        if settled and base is not None and base.on(side) is not None:
            changes.extend(field_rules.field_changes(story, mapping, side, base.on(side)))
    return changes


def _settle_blank(story: Story, mapping: Mapping, side: Crm) -> None:
    """Agree on blank without sending it: a create leaves the field out."""
    if story.pair.field(mapping.name).base is None and mapping.rule is not FieldRule.DONT_SYNC:
        field_rules.settle_as(
            story, mapping, side.other, how=How.SEQUENTIAL, rule=RuleId.CREATED_WITH
        )


def _keeps_own_owner(story: Story, mapping: Mapping, side: Crm) -> bool:
    """Leave the owner out of an opportunity whose deal's owner nobody in Salesforce is.

    The integration user owns it then, and that value never crosses back. A deal goes without an
    owner too, but its field is held, with an issue (rule `owner`).
    """
    known = story.pair.field(OWNER).on(side.other).known
    if known is None:
        return True
    found = values.translate(mapping, known, to=side, context=story.context)
    return side is Crm.SALESFORCE and isinstance(found, values.Missing)


def _create_deal(story: Story, changes: list[FieldChange]) -> None:
    pair = story.pair
    opportunity_id = pair.salesforce.current or ""
    note = pair.salesforce.note
    key = links.deal_key(opportunity_id, len(pair.hubspot.ids))
    created = instant_text(note.created_at) if note is not None else None
    extra = [
        _plain("dealsync_opportunity_id", key),
        _plain("createdate", created),
        *record_status.changes(story, PairState.LIVE),
    ]
    if not any(change.field == "pipeline" for change in changes):
        stage = pair.field(STAGE).base
        extra.append(_plain("pipeline", stages.scope(stage.hubspot or "") if stage else None))
    write = CreateDeal(id=story.write_id(), stream=pair.stream, fields=(*changes, *extra), key=key)
    story.ask(RuleId.CREATED_WITH, write, "the opportunity has no deal yet")


def _create_opportunity(story: Story, changes: list[FieldChange]) -> None:
    pair = story.pair
    deal_id = pair.hubspot.current or ""
    account_id = companies.account_of_deal(story)
    extra = [_plain("AccountId", account_id)] if account_id is not None else []
    if not any(change.field == "RecordTypeId" for change in changes):
        stage = pair.field(STAGE).base
        scope = stages.scope(stage.salesforce or "") if stage else None
        extra.append(_plain("RecordTypeId", scope))
    write = CreateOpportunity(
        id=story.write_id(),
        stream=pair.stream,
        fields=(*changes, *extra),
        key=links.opportunity_key(deal_id, len(pair.salesforce.ids)),
    )
    story.ask(RuleId.CREATED_WITH, write, "the deal has no opportunity yet")


def _plain(name: str, value: str | None) -> FieldChange:
    """Return a field that no mapping names."""
    return FieldChange(field=name, name=name, after=value, wire=value, guarded=False)
