"""Decided writes for tests of deliver: put into a store by events, as decide would."""

from datetime import UTC, datetime, timedelta
from typing import Final

from domain import events, facts, writes
from domain.canonical import Value
from domain.deliveries import CallLimits, Fuse, Terms
from domain.events import Event
from domain.ids import CATALOG_STREAM, Crm, FactId, Ref, StreamId, WriteId, derived
from domain.ports import Advance, Batch, Committed, Decisions, PlacedEvent, StoredEvent
from domain.rules import RuleId
from domain.writes import FieldChange, Write
from tests.support.store_samples import SOURCE, buried, deal, founded, opportunity, stream

AT: Final = datetime(2026, 11, 24, 9, tzinfo=UTC)
PIPELINE: Final = "12"
LIMITS: Final = CallLimits(burst_calls=1_000, burst_seconds=10.0, daily_calls=100_000)
FUSE: Final = Fuse(count=20, share=0.05, window_seconds=600.0)


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def terms(
    *,
    fuse: Fuse = FUSE,
    limits: CallLimits = LIMITS,
    lease_seconds: float = 60.0,
    batch_size_max: int = 100,
) -> Terms:
    return Terms(fuse, dict.fromkeys(Crm, limits), lease_seconds, batch_size_max)


def write_id(name: str) -> WriteId:
    return WriteId(derived("test write", name))


def change(name: str, before: Value, after: Value, *, guarded: bool = True) -> FieldChange:
    return FieldChange(
        field=name, name=name, before=before, after=after, wire=after, guarded=guarded
    )


def create_deal(pair: str, name: str = "create") -> writes.CreateDeal:
    return writes.CreateDeal(id=write_id(f"{pair} {name}"), stream=stream(pair), key=f"006 {pair}")


def create_opportunity(pair: str, name: str = "create") -> writes.CreateOpportunity:
    return writes.CreateOpportunity(
        id=write_id(f"{pair} {name}"), stream=stream(pair), key=f"deal {pair}"
    )


def update_deal(pair: str, name: str, *fields: FieldChange) -> writes.UpdateDeal:
    return writes.UpdateDeal(
        id=write_id(f"{pair} {name}"), stream=stream(pair), fields=fields, pipeline_id=PIPELINE
    )


def update_opportunity(pair: str, name: str, *fields: FieldChange) -> writes.UpdateOpportunity:
    return writes.UpdateOpportunity(
        id=write_id(f"{pair} {name}"), stream=stream(pair), fields=fields, pipeline_id=PIPELINE
    )


def associate(pair: str, contact_id: str) -> writes.AssociateContact:
    return writes.AssociateContact(
        id=write_id(f"{pair} {contact_id}"), stream=stream(pair), contact_id=contact_id
    )


def archive(pair: str) -> writes.ArchiveDeal:
    return writes.ArchiveDeal(
        id=write_id(f"{pair} archive"), stream=stream(pair), pipeline_id=PIPELINE
    )


def create_property(name: str) -> writes.CreateProperty:
    return writes.CreateProperty(
        id=write_id(name),
        stream=CATALOG_STREAM,
        object="deal",
        name=name,
        label=name,
        type="string",
    )


class Decided:
    """Puts events into a store, one batch a call.

    Args:
        store: memory or PostgreSQL.
    """

    def __init__(self, store: Decisions) -> None:
        self._store = store
        self._offset = -1
        self._versions: dict[StreamId, int] = {}

    def write(self, *wanted: Write, at: datetime = AT) -> None:
        """Decide writes."""
        self.say(*[_decided(write) for write in wanted], at=at)

    def withdraw(self, write: Write, reason: str = "not wanted any more") -> None:
        """Withdraw a write."""
        self.say(
            events.WriteWithdrawn(
                stream=write.stream,
                at=AT,
                cause="f",
                rule=RuleId.CREATE_RACE,
                policy_version=1,
                write_id=write.id,
                reason=reason,
            )
        )

    def pair(self, name: str, *, opportunity_id: str = "", deal_id: str = "") -> None:
        """Found a pair with its living records."""
        refs: list[Ref] = []
        if opportunity_id:
            refs.append(opportunity(opportunity_id))
        if deal_id:
            refs.append(deal(deal_id))
        self.say(*[founded(name, ref) for ref in refs])

    def bury(self, name: str, ref: Ref) -> None:
        """Let a record be deleted."""
        self.say(buried(name, ref))

    def say(self, *said: Event, at: datetime = AT) -> None:
        """Commit events as one batch."""
        placed: list[PlacedEvent] = []
        for event in said:
            version = self._versions.get(event.stream, 0) + 1
            self._versions[event.stream] = version
            placed.append(PlacedEvent(version, event, SOURCE, self._offset + 1, at))
        advance = Advance(SOURCE, self._offset, self._offset + 1)
        self._offset += 1
        given = Batch(self._store.last_event_id(), (advance,), tuple(placed))
        assert isinstance(self._store.commit(given, _never), Committed)


def deal_observed(
    deal_id: str, *readings: tuple[str, Value], pipeline_id: str = PIPELINE, at: datetime = AT
) -> facts.DealObserved:
    return facts.DealObserved(
        id=FactId(derived("deal", deal_id, str(readings), pipeline_id, str(at))),
        at=at,
        read_begun_at=at,
        reason="look",
        deal_id=deal_id,
        created_at=AT,
        modified_at=at,
        pipeline_id=pipeline_id,
        stage_id="s1",
        stage_at=None,
        stage_by="",
        stage_ours=False,
        pipeline_at=None,
        pipeline_ours=False,
        owner_id=None,
        currency_code=None,
        link=None,
        vendor_opportunity_id=None,
        vendor_synced_at=None,
        created_by_us=False,
        readings=tuple(facts.Reading(name=name, value=value) for name, value in readings),
    )


def opportunity_observed(
    opportunity_id: str, *readings: tuple[str, Value], at: datetime = AT
) -> facts.OpportunityObserved:
    return facts.OpportunityObserved(
        id=FactId(derived("opportunity", opportunity_id, str(readings), str(at))),
        at=at,
        read_begun_at=at,
        reason="look",
        opportunity_id=opportunity_id,
        created_at=AT,
        modified_at=at,
        modified_by_us=False,
        record_type_id="012000000000001AAA",
        stage_name="New",
        is_closed=False,
        is_won=False,
        owner_id=None,
        account_id=None,
        currency_code=None,
        linked_deal_id=None,
        readings=tuple(facts.Reading(name=name, value=value) for name, value in readings),
    )


def record_deleted(ref: Ref, at: datetime = AT) -> facts.RecordDeleted:
    return facts.RecordDeleted(
        id=FactId(derived("deleted", ref.text, str(at))),
        at=at,
        read_begun_at=at,
        reason="look",
        crm=ref.crm,
        kind=ref.kind,
        record_id=ref.id,
    )


def _decided(write: Write) -> events.WriteDecided:
    return events.WriteDecided(
        stream=write.stream,
        at=AT,
        cause="f",
        rule=RuleId.FIELD_RULE,
        policy_version=1,
        write=write,
        reason="a test",
    )


def _never(newer: tuple[StoredEvent, ...]) -> Batch:
    raise AssertionError(newer)
