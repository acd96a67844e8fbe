"""Small facts and events for tests of the store, where only identity and order matter."""

from datetime import UTC, datetime

from domain import events, facts
from domain.ids import Crm, FactId, Kind, Ref, StreamId, WriteId, derived
from domain.ports import Advance, Batch, PlacedEvent
from domain.rules import RuleId
from domain.writes import FieldChange, UpdateDeal

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
SOURCE = "crm.salesforce.changes.v1:0"
OTHER_SOURCE = "crm.salesforce.changes.v1:1"


def stream(name: str) -> StreamId:
    return StreamId(derived("test", name))


def deal(record_id: str) -> Ref:
    return Ref(Crm.HUBSPOT, Kind.DEAL, record_id)


def opportunity(record_id: str) -> Ref:
    return Ref(Crm.SALESFORCE, Kind.OPPORTUNITY, record_id)


def contact(crm: Crm, record_id: str) -> Ref:
    return Ref(crm, Kind.CONTACT, record_id)


def reconsider(name: str, because: str = "a test") -> facts.Reconsider:
    """Make a fact about the stream of that name."""
    return facts.Reconsider(
        id=FactId(derived("reconsider", name, because)),
        at=AT,
        stream=stream(name),
        because=because,
    )


def nothing(name: str, reason: str = "a test") -> events.NothingDecided:
    return events.NothingDecided(
        stream=stream(name), at=AT, cause="f", rule=RuleId.ORDER, policy_version=0, reason=reason
    )


def founded(name: str, ref: Ref) -> events.RecordFounded:
    return events.RecordFounded(
        stream=stream(name),
        at=AT,
        cause="f",
        rule=RuleId.LINK_IDS,
        policy_version=0,
        crm=ref.crm,
        kind=ref.kind,
        record_id=ref.id,
    )


def buried(name: str, ref: Ref) -> events.RecordBuried:
    return events.RecordBuried(
        stream=stream(name),
        at=AT,
        cause="f",
        rule=RuleId.TOMBSTONE,
        policy_version=0,
        crm=ref.crm,
        kind=ref.kind,
        record_id=ref.id,
        read_begun_at=AT,
    )


def revived(name: str, ref: Ref) -> events.RecordRevived:
    return events.RecordRevived(
        stream=stream(name),
        at=AT,
        cause="f",
        rule=RuleId.UNDELETE,
        policy_version=0,
        crm=ref.crm,
        kind=ref.kind,
        record_id=ref.id,
    )


def linked(name: str, ref: Ref, *buried_ids: str) -> events.CounterpartLinked:
    return events.CounterpartLinked(
        stream=stream(name),
        at=AT,
        cause="f",
        rule=RuleId.LINK_IDS,
        policy_version=0,
        side=ref.crm,
        record_id=ref.id,
        how="adopted",
        buried_ids=buried_ids,
    )


def dropped(name: str, ref: Ref) -> events.CounterpartDropped:
    return events.CounterpartDropped(
        stream=stream(name),
        at=AT,
        cause="f",
        rule=RuleId.MERGE,
        policy_version=0,
        side=ref.crm,
        record_id=ref.id,
        why="unlinked",
    )


def absorbed(name: str, into: str) -> events.PairAbsorbed:
    return events.PairAbsorbed(
        stream=stream(name),
        at=AT,
        cause="f",
        rule=RuleId.LINK_IDS,
        policy_version=0,
        into=stream(into),
    )


def contact_linked(name: str, contact_id: str, salesforce_id: str) -> events.ContactLinked:
    return events.ContactLinked(
        stream=stream(name),
        at=AT,
        cause="f",
        rule=RuleId.CONTACT_IDENTITY,
        policy_version=0,
        contact_id=contact_id,
        salesforce_contact_id=salesforce_id,
        how="email",
    )


def contact_unlinked(name: str, contact_id: str, salesforce_id: str) -> events.ContactUnlinked:
    return events.ContactUnlinked(
        stream=stream(name),
        at=AT,
        cause="f",
        rule=RuleId.CONTACT_IDENTITY,
        policy_version=0,
        contact_id=contact_id,
        salesforce_contact_id=salesforce_id,
        why="a test",
    )


def write_decided(name: str, number: int = 1) -> events.WriteDecided:
    return events.WriteDecided(
        stream=stream(name),
        at=AT,
        cause="f",
        rule=RuleId.FIELD_RULE,
        policy_version=3,
        reason="Salesforce changed it",
        write=UpdateDeal(
            id=WriteId(derived("write", name, str(number))),
            stream=stream(name),
            pipeline_id="p",
            fields=(FieldChange(field="name", name="dealname", after="100% \\ \n\t ü", wire="x"),),
        ),
    )


def withdrawn(decided: events.WriteDecided, reason: str = "changed back") -> events.WriteWithdrawn:
    return events.WriteWithdrawn(
        stream=decided.stream,
        at=AT,
        cause="g",
        rule=RuleId.FIELD_RULE,
        policy_version=3,
        write_id=decided.write.id,
        reason=reason,
    )


def batch(
    *placed: tuple[int, events.Event],
    as_of: int = 0,
    source: str = SOURCE,
    expected: int = -1,
    new: int = 0,
) -> Batch:
    """Make a batch of (version, event) that moves one source."""
    return Batch(
        as_of=as_of,
        advances=(Advance(source, expected, new),),
        events=tuple(
            PlacedEvent(version=version, event=event, source=source, offset=new, decided_at=AT)
            for version, event in placed
        ),
    )
