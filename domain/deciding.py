"""Which aggregate decides a fact, what it must have read, and the call itself.

Routing tries, in this order: the stream that the fact names; the stream that owns the record
(`record_identity`); the stream of the record that it names by a link; else the record founds a
stream of its own, with an id derived from its name. Correctness never rests on keys or partitions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from domain import account as accounts
from domain import adoption, events, ids, pair_history, pairing, people
from domain import catalog as catalogs
from domain import contact as contacts
from domain.account import Account, Company
from domain.adoption import Adopted
from domain.catalog import Catalog
from domain.contact import Contact
from domain.context import Context
from domain.copying import replace
from domain.facts import (
    AccountObserved,
    AssociationsObserved,
    CandidatesChanged,
    CompanyObserved,
    DealObserved,
    Fact,
    FactsRetried,
    HubSpotCatalogObserved,
    HubSpotContactObserved,
    ImportRequested,
    LinkRequested,
    OpportunityObserved,
    PairRequested,
    PolicyProposed,
    Reconsider,
    RecordDeleted,
    RecordMerged,
    RolesObserved,
    RollupChanged,
    SalesforceCatalogObserved,
    SalesforceContactObserved,
    SetupRequested,
    WriteCancelled,
    WriteDone,
    WriteHeld,
    WriteRejected,
    WriteUnknown,
)
from domain.ids import CATALOG_STREAM, POLICY_STREAM, Crm, Kind, Ref, StreamId, stream_of
from domain.pair import Pair, kind_of
from domain.ports import Identity
from domain.rules import RuleId, links, pipelines, restoration
from domain.story import Story
from domain.telling import Telling
from domain.writes import CreateDeal, CreateOpportunity


@dataclass(frozen=True, slots=True)
class Blank:
    """A stream that has events but no record yet: facts were parked before anything was decided."""

    stream: StreamId
    version: int = 0
    parked: tuple[events.FactParked, ...] = ()


Aggregate: TypeAlias = Pair | Contact | Account | Company | Catalog | Adopted | Blank


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be read before a fact can be decided, beside its own stream."""

    refs: frozenset[Ref] = frozenset()
    streams: frozenset[StreamId] = frozenset()


def refs_to_route(fact: Fact) -> tuple[Ref, ...]:
    """Return the records whose identity must be known to route a fact."""
    match fact:
        case OpportunityObserved() | DealObserved():
            named = links.named_by(fact)
            own = _record_of(fact)
            return (own,) if named is None else (own, named)
        case RecordMerged():
            winner = Ref(fact.crm, fact.kind, fact.winner_id)
            return (Ref(fact.crm, fact.kind, fact.record_id), winner)
        case LinkRequested():
            return (ids.opportunity(fact.opportunity_id), ids.deal(fact.deal_id))
        case _:
            own_record = _record(fact)
            return () if own_record is None else (own_record,)


def stream_for(fact: Fact, identities: Mapping[Ref, Identity | None]) -> StreamId:
    """Return the stream that decides a fact.

    Args:
        fact: what happened.
        identities: at least those of `refs_to_route(fact)`.
    """
    match fact:
        case (
            WriteDone()
            | WriteRejected()
            | WriteUnknown()
            | WriteHeld()
            | WriteCancelled()
            | PairRequested()
            | FactsRetried()
            | Reconsider()
            | CandidatesChanged()
            | RollupChanged()
        ):
            return fact.stream
        case SalesforceCatalogObserved() | HubSpotCatalogObserved():
            return CATALOG_STREAM
        case SetupRequested() | ImportRequested():
            return CATALOG_STREAM
        case PolicyProposed():
            return POLICY_STREAM
        case LinkRequested():
            return _owner(ids.opportunity(fact.opportunity_id), identities)
        case OpportunityObserved() | DealObserved():
            return _home(fact, identities)
        case _:
            record = _record(fact)
            assert record is not None, f"no route for {type(fact).__name__}"
            return _owner(record, identities)


def needs(
    aggregate: Aggregate | None, fact: Fact, identities: Mapping[Ref, Identity | None]
) -> Needs:
    """Return what else must be read; ask again with what was found, until nothing is new.

    Args:
        aggregate: the fact's own, or None.
        fact: what happened.
        identities: everything looked up so far.
    """
    refs: set[Ref] = set(refs_to_route(fact))
    streams: set[StreamId] = set()
    match aggregate:
        case Pair():
            refs |= _pair_refs(aggregate)
        case Contact():
            if aggregate.crm is not None:
                refs.add(Ref(aggregate.crm, Kind.CONTACT, aggregate.record_id))
        case Account():
            refs.add(Ref(Crm.SALESFORCE, Kind.ACCOUNT, aggregate.account_id))
        case Company():
            refs.add(Ref(Crm.HUBSPOT, Kind.COMPANY, aggregate.company_id))
        case Catalog() | Adopted() | Blank() | None:
            pass
    refs |= _fact_refs(aggregate, fact)
    match fact:
        case OpportunityObserved() | DealObserved():
            streams.add(stream_of(_record_of(fact)))
            named = links.named_by(fact)
            streams |= _streams((named,) if named is not None else (), identities)
        case LinkRequested():
            streams |= _streams((ids.deal(fact.deal_id),), identities)
        case RecordMerged() if fact.kind is Kind.DEAL:
            primary = links.primary_of(fact)
            known = (primary,) if primary is not None else ()
            refs.update(known)
            streams |= _streams((ids.deal(fact.winner_id), *known), identities)
        case WriteDone() if isinstance(aggregate, Account) and fact.record_id is not None:
            streams.add(stream_of(Ref(Crm.HUBSPOT, Kind.COMPANY, fact.record_id)))
        case WriteDone() if isinstance(aggregate, Pair):
            streams |= _streams(_created(aggregate, fact), identities)
        case _:
            pass
    return Needs(frozenset(refs), frozenset(streams))


def decide(
    stream: StreamId, aggregate: Aggregate | None, fact: Fact, context: Context
) -> tuple[events.Event, ...]:
    """Decide a fact; at least one event, those of other streams last."""
    match fact:
        case OpportunityObserved() | DealObserved():
            return _decide_record(stream, aggregate, fact, context)
        case FactsRetried():
            return _nothing(stream, aggregate, fact, context, "there is nothing parked")
        case _:
            pass
    if stream == CATALOG_STREAM:
        state = aggregate if isinstance(aggregate, Catalog) else None
        return pipelines.decide(state, fact, context)
    if stream == POLICY_STREAM:
        return adoption.decide(aggregate if isinstance(aggregate, Adopted) else None, fact, context)
    match aggregate:
        case Pair():
            return pairing.decide(stream, aggregate, fact, context)
        case Contact():
            return people.decide_contact(stream, aggregate, fact, context)
        case Account():
            return people.decide_account(stream, aggregate, fact, context)
        case Company():
            return people.decide_company(stream, aggregate, fact, context)
        case Blank() | Catalog() | Adopted() | None:
            return _decide_first(stream, aggregate, fact, context)


def evolve(aggregate: Aggregate | None, event: events.Event) -> Aggregate:
    """Fold one event of any stream."""
    match aggregate:
        case Pair():
            return pair_history.evolve(aggregate, event)
        case Contact():
            return contacts.evolve(aggregate, event)
        case Account():
            return accounts.evolve_account(aggregate, event)
        case Company():
            return accounts.evolve_company(aggregate, event)
        case Catalog():
            return catalogs.evolve(aggregate, event)
        case Adopted():
            return adoption.evolve(aggregate, event)
        case Blank() | None:
            return _found(aggregate or Blank(event.stream), event)


def _found(blank: Blank, event: events.Event) -> Aggregate:
    """Fold the first events of a stream: which record founds it says what it is."""
    if event.stream == CATALOG_STREAM:
        return catalogs.evolve(Catalog(version=blank.version, parked=blank.parked), event)
    if event.stream == POLICY_STREAM:
        return adoption.evolve(Adopted(version=blank.version, parked=blank.parked), event)
    if isinstance(event, events.RecordFounded):
        first = _first(event.kind, blank)
        return evolve(first, event)
    parked = blank.parked
    if isinstance(event, events.FactParked):
        parked = (*parked, event)
    elif isinstance(event, events.ParkedFactSettled):
        parked = tuple(p for p in parked if p.position != event.position)
    return replace(blank, version=blank.version + 1, parked=parked)


def _first(kind: Kind, blank: Blank) -> Aggregate:
    stream, version, parked = blank.stream, blank.version, blank.parked
    match kind:
        case Kind.OPPORTUNITY | Kind.DEAL:
            return Pair(stream, version=version, parked=parked)
        case Kind.CONTACT | Kind.LEAD:
            return Contact(stream, version=version, parked=parked)
        case Kind.ACCOUNT:
            return Account(stream, version=version, parked=parked)
        case Kind.COMPANY:
            return Company(stream, version=version, parked=parked)
        case Kind.CATALOG:
            return Catalog(version=version, parked=parked)


def _decide_record(
    stream: StreamId,
    aggregate: Aggregate | None,
    fact: OpportunityObserved | DealObserved,
    context: Context,
) -> tuple[events.Event, ...]:
    """Decide an opportunity or a deal; one whose link is a copy goes to a stream of its own."""
    pair = aggregate if isinstance(aggregate, Pair) else None
    record = _record_of(fact)
    if isinstance(fact, DealObserved) and context.identity(record) is None:
        before = restoration.merged_unseen(fact, context)
        if before:
            story = Story(pair or _blank_pair(stream, aggregate) or Pair(stream), fact, context)
            restoration.expect_merge(story, before)
            return story.finish()
    own = stream_of(record)
    if pair is not None and stream != own and context.identity(record) is None:
        side = pair.side(record.crm)
        if side.current is not None or (side.ids and not _may_take(pair)):
            return pairing.decide(own, _own_pair(own, context), fact, context)
    return pairing.decide(stream, pair or _blank_pair(stream, aggregate), fact, context)


def _may_take(pair: Pair) -> bool:
    """Tell whether a pair that lost its record on a side may take another one by a link."""
    return pair.side(Crm.HUBSPOT).creating is not None or pair.salesforce.creating is not None


def _own_pair(own: StreamId, context: Context) -> Pair | None:
    return context.pair(own)


def _blank_pair(stream: StreamId, aggregate: Aggregate | None) -> Pair | None:
    if isinstance(aggregate, Blank):
        return Pair(stream, version=aggregate.version, parked=aggregate.parked)
    return None


def _decide_first(
    stream: StreamId, aggregate: Aggregate | None, fact: Fact, context: Context
) -> tuple[events.Event, ...]:
    """Decide a fact about a record that has no aggregate yet."""
    record = _record(fact)
    if record is None:
        return _nothing(stream, aggregate, fact, context, "no such record is known")
    blank = aggregate if isinstance(aggregate, Blank) else Blank(stream)
    first = _first(record.kind, blank)
    match first:
        case Pair():
            return pairing.decide(stream, first, fact, context)
        case Contact():
            return people.decide_contact(stream, first, fact, context)
        case Account():
            return people.decide_account(stream, first, fact, context)
        case Company():
            return people.decide_company(stream, first, fact, context)
        case _:
            return _nothing(stream, aggregate, fact, context, "no such record is known")


def _nothing(
    stream: StreamId, aggregate: Aggregate | None, fact: Fact, context: Context, why: str
) -> tuple[events.Event, ...]:
    state = aggregate if aggregate is not None else Blank(stream)
    telling = Telling[Aggregate](state, fact, context, evolve)
    telling.not_because(RuleId.EXPLAIN, why)
    return telling.all_told(why)


def _record_of(fact: OpportunityObserved | DealObserved) -> Ref:
    if isinstance(fact, OpportunityObserved):
        return ids.opportunity(fact.opportunity_id)
    return ids.deal(fact.deal_id)


def _record(fact: Fact) -> Ref | None:
    """Return the record that a fact is about, or None."""
    match fact:
        case OpportunityObserved() | RolesObserved():
            return ids.opportunity(fact.opportunity_id)
        case DealObserved() | AssociationsObserved():
            return ids.deal(fact.deal_id)
        case SalesforceContactObserved():
            return Ref(Crm.SALESFORCE, Kind.CONTACT, fact.contact_id)
        case HubSpotContactObserved():
            return Ref(Crm.HUBSPOT, Kind.CONTACT, fact.contact_id)
        case AccountObserved():
            return Ref(Crm.SALESFORCE, Kind.ACCOUNT, fact.account_id)
        case CompanyObserved():
            return Ref(Crm.HUBSPOT, Kind.COMPANY, fact.company_id)
        case RecordDeleted() | RecordMerged():
            return Ref(fact.crm, fact.kind, fact.record_id)
        case _:
            return None


def _home(
    fact: OpportunityObserved | DealObserved, identities: Mapping[Ref, Identity | None]
) -> StreamId:
    """Return the owner's stream, else that of the record it names, else its own."""
    own = _record_of(fact)
    known = identities.get(own)
    if known is not None:
        return known.stream
    named = links.named_by(fact)
    if named is None:
        return stream_of(own)
    if isinstance(fact, DealObserved):
        return _owner(named, identities)
    target = identities.get(named)
    return target.stream if target is not None else stream_of(own)


def _owner(record: Ref, identities: Mapping[Ref, Identity | None]) -> StreamId:
    known = identities.get(record)
    return known.stream if known is not None else stream_of(record)


def _streams(records: tuple[Ref, ...], identities: Mapping[Ref, Identity | None]) -> set[StreamId]:
    found = (identities.get(record) for record in records)
    return {identity.stream for identity in found if identity is not None}


def _pair_refs(pair: Pair) -> set[Ref]:
    """Return the contacts, account and company whose counterparts a pair reads."""
    refs = {Ref(Crm.SALESFORCE, Kind.CONTACT, role.contact_id) for role in pair.roles}
    refs |= {Ref(Crm.HUBSPOT, Kind.CONTACT, c.contact_id) for c in pair.associations}
    removed = {Ref(side, Kind.CONTACT, contact_id) for side, contact_id in pair.removed_links}
    refs |= removed | {Ref(side, Kind.CONTACT, i) for side, i in pair.crossing}
    note = pair.salesforce.note
    if note is not None and note.account_id is not None:
        refs.add(Ref(Crm.SALESFORCE, Kind.ACCOUNT, note.account_id))
    if pair.company_id is not None:
        refs.add(Ref(Crm.HUBSPOT, Kind.COMPANY, pair.company_id))
    return refs


def _fact_refs(aggregate: Aggregate | None, fact: Fact) -> set[Ref]:
    """Return the contacts, accounts and companies that a fact brings up."""
    match fact:
        case OpportunityObserved() if fact.account_id is not None:
            return {Ref(Crm.SALESFORCE, Kind.ACCOUNT, fact.account_id)}
        case DealObserved():
            return {ids.deal(deal_id) for deal_id in fact.merged_ids}
        case RolesObserved():
            return {Ref(Crm.SALESFORCE, Kind.CONTACT, r.contact_id) for r in fact.roles}
        case AssociationsObserved():
            refs = {Ref(Crm.HUBSPOT, Kind.CONTACT, c.contact_id) for c in fact.contacts}
            if fact.company_id is not None:
                refs.add(Ref(Crm.HUBSPOT, Kind.COMPANY, fact.company_id))
            return refs
        case CandidatesChanged() if isinstance(aggregate, Account):
            return {Ref(Crm.HUBSPOT, Kind.COMPANY, c.record_id) for c in fact.candidates}
        case CandidatesChanged():
            return {Ref(Crm.SALESFORCE, Kind.CONTACT, c.record_id) for c in fact.candidates}
        case WriteDone() if isinstance(aggregate, Account) and fact.record_id is not None:
            own = Ref(Crm.SALESFORCE, Kind.ACCOUNT, aggregate.account_id)
            return {own, Ref(Crm.HUBSPOT, Kind.COMPANY, fact.record_id)}
        case WriteDone() if isinstance(aggregate, Pair):
            return set(_created(aggregate, fact))
        case _:
            return set()


def _created(pair: Pair, fact: WriteDone) -> tuple[Ref, ...]:
    """Return the record that a pair's create made: a deletion may have been told of it before."""
    write = pair.open.get(fact.write_id)
    if fact.record_id is None or not isinstance(write, CreateDeal | CreateOpportunity):
        return ()
    return (Ref(write.CRM, kind_of(write.CRM), fact.record_id),)
