"""What a contact shows of its deals (rules `contact-rollup`, `rollup-target`, `lifecycle`).

"連携により、コンタクトのライフサイクル ステージ プロパティーが更新され、最近作成されたオポチュニティーから他の5つの
コンタクトプロパティーが更新されます" (the lifecycle stage and five other properties are updated). HubSpot's
own five are read-only to apps, so the values go to mirror properties of ours.

| value | of the live and stopped pairs whose deal is associated with the contact |
|---|---|
| dealsync_associated_deals | how many |
| dealsync_first_deal_created_date | the earliest creation |
| dealsync_recent_deal_close_date, dealsync_recent_deal_amount | those of the most recently *created* deal, not the most recently closed; a blank amount stays blank |
| dealsync_total_revenue | the sum of closed-won amounts, numbers only, blank counts 0 |

| lifecycle | answer |
|---|---|
| an open opportunity of a live pair | *Opportunity*, if that is forward in the portal's own order |
| a closed-won one | *Customer*, likewise |
| closed-lost; stopped pairs; an unknown stage; switched off | untouched |
"""

from typing import Final

from domain import events
from domain.canonical import FieldType, NotCanonicalError, Value, canonical, instant_text
from domain.contact import LIFECYCLE_STAGE, Contact
from domain.facts import Reading, Rollup
from domain.rules import RuleId
from domain.telling import Telling
from domain.writes import FieldChange, UpdateContact

MIRROR: Final = (
    "dealsync_associated_deals",
    "dealsync_first_deal_created_date",
    "dealsync_recent_deal_close_date",
    "dealsync_recent_deal_amount",
    "dealsync_total_revenue",
)
_TYPES: Final = {
    MIRROR[0]: FieldType.DECIMAL,
    MIRROR[1]: FieldType.DATETIME,
    MIRROR[2]: FieldType.DATE,
    MIRROR[3]: FieldType.DECIMAL,
    MIRROR[4]: FieldType.DECIMAL,
}


def as_read(reading: Reading) -> Reading:
    """Return a mirror property in our own form: HubSpot writes times and numbers its own way."""
    try:
        return reading.model_copy(update={"value": canonical(_TYPES[reading.name], reading.value)})
    except NotCanonicalError:
        return reading


def changed(telling: Telling[Contact], rollup: Rollup) -> None:
    """Take a contact's new values and write what differs."""
    if telling.state.rollup != rollup:
        telling.tell(events.RollupNoted(**telling.said(RuleId.CONTACT_ROLLUP), rollup=rollup))
    show(telling)


def show(telling: Telling[Contact]) -> None:
    """Write the values and the lifecycle stage that the contact does not show yet."""
    contact, context = telling.state, telling.context
    if contact.rollup is None or not contact.alive or not contact.record_id:
        telling.not_because(RuleId.CONTACT_ROLLUP, "no deal of the contact takes part in the sync")
        return
    if not context.deal_sync:
        telling.not_because(RuleId.DEAL_SYNC_SWITCH, "deal sync is off")
        return
    if contact.refused:
        telling.not_because(RuleId.PARTIAL_REJECT, "HubSpot refused the last values")
        return
    fields = [
        FieldChange(
            field=name,
            name=name,
            type=_TYPES[name],
            before=contact.mirror.get(name),
            after=value,
            wire=value,
            guarded=False,
        )
        for name, value in zip(MIRROR, _values(contact.rollup), strict=True)
        if contact.mirror.get(name) != value
    ]
    stage = _lifecycle_stage(telling)
    if stage is not None:
        fields.append(
            FieldChange(
                field=LIFECYCLE_STAGE,
                name=LIFECYCLE_STAGE,
                type=FieldType.PICKLIST,
                before=contact.lifecycle_stage,
                after=stage,
                wire=stage,
                guarded=False,
            )
        )
    if not fields:
        telling.not_because(RuleId.CONTACT_ROLLUP, "the contact shows these values already")
        return
    rule = RuleId.LIFECYCLE if fields[0].name == LIFECYCLE_STAGE else RuleId.ROLLUP_TARGET
    write = UpdateContact(id=telling.write_id(), stream=contact.stream, fields=tuple(fields))
    telling.ask(rule, write, "its deals changed")


def _values(rollup: Rollup) -> tuple[Value, ...]:
    first = rollup.first_deal_created_date
    return (
        str(rollup.associated_deals),
        instant_text(first) if first is not None else None,
        rollup.recent_deal_close_date,
        rollup.recent_deal_amount,
        rollup.total_revenue,
    )


def _lifecycle_stage(telling: Telling[Contact]) -> str | None:
    """Return the stage to move forward to, or None."""
    contact, context = telling.state, telling.context
    rollup, hubspot = contact.rollup, context.catalog.hubspot
    if not context.policy.switches.lifecycle or rollup is None or hubspot is None:
        return None
    if contact.read_at is None:
        return None
    wanted = "customer" if rollup.has_won else "opportunity" if rollup.has_open else None
    order = hubspot.lifecycle_stages
    if wanted is None or wanted not in order:
        return None
    present = contact.lifecycle_stage
    if present is None:
        return wanted
    if present not in order or order.index(present) >= order.index(wanted):
        return None
    return wanted
