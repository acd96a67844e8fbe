"""What a look at the records right before sending means for the writes, and how updates merge.

A write rests on what was believed when it was decided. The look shows what is: where a record is
gone, a deal left its pipeline, or a field holds neither what was believed nor what is wanted, the
write is called off and what was seen goes into the change log, so that it is decided anew.

| rule | here |
|---|---|
| `pipeline-scope` | the deal's pipeline is another than the write says, or not synced |
| `create-race` | the record to be copied is gone: its counterpart is not created |
| `tombstone` | the record to be written is gone |
| `who-wins` | someone changed a field meanwhile: its writes are overtaken |
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import TypeAlias

from domain import claiming, facts, writes
from domain.canonical import NAME_LENGTH_MAX, FieldType, NotCanonicalError, Value, canonical
from domain.deliveries import Addressed
from domain.facts import Observation
from domain.ids import Crm
from domain.in_force import InForce
from domain.mapping import NAME
from domain.rules import RuleId
from domain.writes import FieldChange, Write

#: what the look showed of a record, by CRM and record id
Seen: TypeAlias = Mapping[tuple[Crm, str], Observation]

_PLACED = (writes.UpdateDeal, writes.ArchiveDeal, writes.UpdateOpportunity)


@dataclass(frozen=True, slots=True)
class CalledOff:
    """Why a write is not sent, and what showed it."""

    rule: RuleId
    reason: str
    shown: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class NotShown:
    """The look did not show a record that the write needs: ask again later."""

    reason: str


@dataclass(frozen=True, slots=True)
class Merged:
    """Updates of one record that become one call."""

    #: None: nothing is left to send
    write: Write | None
    #: whose answer it is, in event order
    stands_for: tuple[Write, ...]
    #: every field is set anew by a later one
    superseded: tuple[Write, ...]


def seen(observations: Iterable[Observation]) -> Seen:
    """Index what a look showed of records."""
    found: dict[tuple[Crm, str], Observation] = {}
    for observation in observations:
        match observation:
            case facts.OpportunityObserved():
                found[Crm.SALESFORCE, observation.opportunity_id] = observation
            case facts.DealObserved():
                found[Crm.HUBSPOT, observation.deal_id] = observation
            case facts.HubSpotContactObserved():
                found[Crm.HUBSPOT, observation.contact_id] = observation
            case facts.RecordDeleted() | facts.RecordMerged():
                found[observation.crm, observation.record_id] = observation
            case _:
                pass
    return found


def verdict(addressed: Addressed, seen: Seen, in_force: InForce) -> CalledOff | NotShown | None:
    """Return why a write must not be sent, or None: it may go.

    Args:
        addressed: the write and its living records.
        seen: what the look showed, see `claiming.looked_at`.
        in_force: policy and catalog as they are now.
    """
    write = addressed.write
    for crm in claiming.looked_at(write):
        record_id = addressed.record_on(crm)
        if record_id is None:
            return CalledOff(_rule_of_gone(write), f"the pair has no living record in {crm}")
        observation = seen.get((crm, record_id))
        why = _record(write, crm, record_id, observation, in_force)
        if why is not None:
            return why
    return None


def merge(together: Sequence[Write]) -> Merged:
    """Make one call of the updates of one record: the later value of a field wins.

    Args:
        together: of one class, in event order, agreeing in all but their fields.
    """
    if not together:
        return Merged(None, (), ())
    fields: dict[str, FieldChange] = {}
    for write in together:
        for change in write.fields:
            earlier = fields.get(change.name)
            fields[change.name] = change if earlier is None else _joined(earlier, change)
    later: set[str] = set()
    stands_for: list[Write] = []
    superseded: list[Write] = []
    for write in reversed(together):
        names = {change.name for change in write.fields}
        (superseded if names and names <= later else stands_for).append(write)
        later |= names
    last = together[-1]
    return Merged(
        last.model_copy(update={"fields": tuple(fields.values())}),
        tuple(reversed(stands_for)),
        tuple(reversed(superseded)),
    )


def _joined(earlier: FieldChange, later: FieldChange) -> FieldChange:
    return later.model_copy(
        update={"before": earlier.before, "guarded": earlier.guarded or later.guarded}
    )


def _record(
    write: Write, crm: Crm, record_id: str, observation: Observation | None, in_force: InForce
) -> CalledOff | NotShown | None:
    match observation:
        case None:
            return NotShown(f"expected {crm} to show {record_id}, it did not")
        case facts.RecordDeleted():
            return CalledOff(_rule_of_gone(write), f"{crm} {record_id} is gone", (observation,))
        case facts.RecordMerged():
            reason = f"{crm} {record_id} was merged into {observation.winner_id}"
            return CalledOff(RuleId.MERGE, reason, (observation,))
        case facts.DealObserved():
            return _deal(write, observation, in_force)
        case facts.OpportunityObserved() | facts.HubSpotContactObserved() if crm is write.CRM:
            return _fields(write, observation, in_force.zone)
        case _:
            return None


def _deal(write: Write, deal: facts.DealObserved, in_force: InForce) -> CalledOff | None:
    if isinstance(write, _PLACED) and write.pipeline_id != deal.pipeline_id:
        reason = f"expected the deal in pipeline {write.pipeline_id}, found {deal.pipeline_id}"
        return CalledOff(RuleId.PIPELINE_SCOPE, reason, (deal,))
    forbidden = in_force.forbids_in(write, deal.pipeline_id)
    if forbidden is not None:
        return CalledOff(forbidden.rule, forbidden.reason, (deal,))
    return _fields(write, deal, in_force.zone) if write.CRM is Crm.HUBSPOT else None


def _fields(
    write: Write,
    record: facts.OpportunityObserved | facts.DealObserved | facts.HubSpotContactObserved,
    zone: tzinfo,
) -> CalledOff | None:
    """Call the write off where a field holds neither what was believed nor what is wanted."""
    if not isinstance(write, claiming.UPDATES):
        return None
    readings = {reading.name: reading.value for reading in record.readings}
    for change in write.fields:
        if not change.guarded or change.name not in readings:
            continue
        found = _observed(change, readings[change.name], record, zone)
        if found not in (change.before, change.after):
            reason = f"overtaken: expected {change.field} to be {change.before!r}, found {found!r}"
            return CalledOff(RuleId.WHO_WINS, reason, (record,))
    return None


def _observed(
    change: FieldChange,
    raw: Value,
    record: facts.OpportunityObserved | facts.DealObserved | facts.HubSpotContactObserved,
    zone: tzinfo,
) -> Value:
    if change.type is FieldType.STAGE:
        raw = _placed_stage(change, raw, record)
    try:
        length = NAME_LENGTH_MAX if change.field == NAME else None
        return canonical(change.type, raw, zone=zone, length=length)
    except NotCanonicalError:
        return raw


def _placed_stage(
    change: FieldChange,
    raw: Value,
    record: facts.OpportunityObserved | facts.DealObserved | facts.HubSpotContactObserved,
) -> Value:
    """Return the stage with its record type or pipeline, where the write names it so."""
    if "/" not in (change.before or "") + (change.after or ""):
        return raw
    match record:
        case facts.OpportunityObserved():
            return f"{record.record_type_id}/{record.stage_name}"
        case facts.DealObserved():
            return f"{record.pipeline_id}/{record.stage_id}"
        case facts.HubSpotContactObserved():
            return raw


def _rule_of_gone(write: Write) -> RuleId:
    return RuleId.CREATE_RACE if isinstance(write, claiming.PAIR_CREATES) else RuleId.TOMBSTONE
