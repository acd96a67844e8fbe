"""What a look at the records right before sending means for the writes.

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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, TypeAlias, assert_never

from domain import claiming, facts, merging, writes
from domain.canonical import NAME_LENGTH_MAX, FieldType, NotCanonicalError, Value, canonical
from domain.deliveries import Addressed
from domain.facts import Observation
from domain.ids import Crm, Kind, Ref, deal, opportunity
from domain.in_force import InForce
from domain.mapping import NAME
from domain.rules import RuleId
from domain.writes import FieldChange, Write

#: what the look showed of each record
Seen: TypeAlias = Mapping[Ref, Observation]

#: begins the reason of each write that a look called off: its picture is on its way
OVERTAKEN: Final = "overtaken: "

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


def seen(observations: Iterable[Observation]) -> Seen:
    """Index what a look showed of records."""
    found: dict[Ref, Observation] = {}
    for observation in observations:
        match observation:
            case facts.OpportunityObserved():
                found[opportunity(observation.opportunity_id)] = observation
            case facts.DealObserved():
                found[deal(observation.deal_id)] = observation
            case facts.HubSpotContactObserved():
                found[Ref(Crm.HUBSPOT, Kind.CONTACT, observation.contact_id)] = observation
            case facts.RecordDeleted() | facts.RecordMerged():
                found[Ref(observation.crm, observation.kind, observation.record_id)] = observation
            case _:
                pass
    return found


def crm_of(observation: Observation) -> Crm:
    """Return the CRM that showed it."""
    match observation:
        case facts.RecordDeleted() | facts.RecordMerged():
            return observation.crm
        case (
            facts.OpportunityObserved()
            | facts.RolesObserved()
            | facts.SalesforceContactObserved()
            | facts.AccountObserved()
            | facts.SalesforceCatalogObserved()
        ):
            return Crm.SALESFORCE
        case (
            facts.DealObserved()
            | facts.AssociationsObserved()
            | facts.HubSpotContactObserved()
            | facts.CompanyObserved()
            | facts.HubSpotCatalogObserved()
        ):
            return Crm.HUBSPOT
        case _:
            assert_never(observation)


def looked_at(addressed: Addressed, crm: Crm) -> Ref | None:
    """Return the record in that CRM that the write concerns; None: none lives."""
    record_id = addressed.record_on(crm)
    if record_id is None:
        return None
    if isinstance(addressed.write, writes.UpdateContact):
        return Ref(crm, Kind.CONTACT, record_id)
    return opportunity(record_id) if crm is Crm.SALESFORCE else deal(record_id)


def verdict(addressed: Addressed, seen: Seen, in_force: InForce) -> CalledOff | NotShown | None:
    """Return why a write must not be sent, or None: it may go.

    Args:
        addressed: the write and its living records.
        seen: what the look showed, see `claiming.looked_at`.
        in_force: policy and catalog as they are now.
    """
    write = addressed.write
    for crm in claiming.looked_at(write):
        ref = looked_at(addressed, crm)
        if ref is None:
            return CalledOff(
                _rule_of_gone(write), f"{OVERTAKEN}the pair has no living record in {crm}"
            )
        why = _record(write, ref, seen.get(ref), in_force)
        if why is not None:
            return why
    return None


def _record(
    write: Write, ref: Ref, observation: Observation | None, in_force: InForce
) -> CalledOff | NotShown | None:
    match observation:
        case None:
            return NotShown(f"expected {ref.crm} to show {ref.kind} {ref.id}, it did not")
        case facts.RecordDeleted():
            return CalledOff(
                _rule_of_gone(write), f"{ref.crm} {ref.kind} {ref.id} is gone", (observation,)
            )
        case facts.RecordMerged():
            reason = (
                f"{OVERTAKEN}{ref.crm} {ref.kind} {ref.id} was merged into {observation.winner_id}"
            )
            return CalledOff(RuleId.MERGE, reason, (observation,))
        case facts.DealObserved():
            return _deal(write, observation, in_force)
        case facts.OpportunityObserved() | facts.HubSpotContactObserved() if ref.crm is write.CRM:
            return _fields(write, observation, in_force.zone)
        case _:
            return None


def _deal(write: Write, found: facts.DealObserved, in_force: InForce) -> CalledOff | None:
    if isinstance(write, _PLACED) and write.pipeline_id != found.pipeline_id:
        reason = (
            f"{OVERTAKEN}expected the deal in pipeline {write.pipeline_id}, "
            f"found {found.pipeline_id}"
        )
        return CalledOff(RuleId.PIPELINE_SCOPE, reason, (found,))
    forbidden = in_force.forbids_in(write, found.pipeline_id)
    if forbidden is not None:
        return CalledOff(forbidden.rule, OVERTAKEN + forbidden.reason, (found,))
    return _fields(write, found, in_force.zone) if write.CRM is Crm.HUBSPOT else None


def _fields(
    write: Write,
    record: facts.OpportunityObserved | facts.DealObserved | facts.HubSpotContactObserved,
    zone: tzinfo,
) -> CalledOff | None:
    """Call the write off where a field holds neither what was believed nor what is wanted."""
    if not isinstance(write, merging.UPDATES):
        return None
    readings = {reading.name: reading.value for reading in record.readings}
    if isinstance(record, facts.OpportunityObserved):
        # No mapping names the account; a blank one may be filled (rule `company-sync`).
        readings.setdefault("AccountId", record.account_id)
    for change in write.fields:
        if not change.guarded or change.name not in readings:
            continue
        found = _observed(change, readings[change.name], record, zone)
        if found not in (change.before, change.after):
            reason = f"{OVERTAKEN}expected {change.field} to be {change.before!r}, found {found!r}"
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
