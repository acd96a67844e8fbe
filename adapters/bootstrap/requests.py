"""What an operator asks of the engine: facts in the log, and the events that answer them."""

from datetime import datetime

from adapters.bootstrap.present import Moment
from adapters.bootstrap.stores import Stores
from domain import events, facts, ids
from domain.catalog import Catalog, Scope
from domain.events import Event
from domain.ids import CATALOG_STREAM, POLICY_STREAM, FactId
from domain.policy import Policy
from domain.ports import KeyedFact, StoredEvent, Topic


def propose_policy(
    stores: Stores, policy: Policy, text: str, *, replaces: int, at: datetime, by: str
) -> FactId:
    """Ask for a policy to be adopted; returns the fact's id, which the answer cites."""
    fact_id = FactId(ids.derived("policy", text, str(replaces), at.isoformat()))
    fact = facts.PolicyProposed(
        id=fact_id, at=at, by=by, policy=policy, text=text, replaces=replaces
    )
    stores.log.append([KeyedFact(Topic.REQUESTS, POLICY_STREAM, fact)])
    return fact_id


def request_setup(stores: Stores, *, at: datetime, by: str) -> FactId:
    """Ask for pipelines, stages, properties and fields; returns the fact's id."""
    fact_id = FactId(ids.derived("setup", at.isoformat()))
    fact = facts.SetupRequested(id=fact_id, at=at, by=by)
    stores.log.append([KeyedFact(Topic.REQUESTS, CATALOG_STREAM, fact)])
    return fact_id


def answer_to(
    fact_id: FactId, moment: Moment
) -> events.PolicyAdopted | events.PolicyRefused | None:
    """Return what became of a proposed policy, or None while nothing has."""
    for stored in reversed(moment.policy_events):
        if stored.event.cause == fact_id and isinstance(
            stored.event, events.PolicyAdopted | events.PolicyRefused
        ):
            return stored.event
    return None


def is_set_up(fact_id: FactId, moment: Moment) -> bool:
    """Tell whether a setup is done.

    That is: it was decided, nothing that it asked for is under way, and both CRMs were read since.
    """
    catalog = moment.catalog
    if not is_made(fact_id, moment) or catalog.salesforce is None or catalog.hubspot is None:
        return False
    made_at = _last_made_at(moment.catalog_events)
    read_at = min(catalog.salesforce.read_begun_at, catalog.hubspot.read_begun_at)
    return made_at is None or read_at >= made_at


def is_made(fact_id: FactId, moment: Moment) -> bool:
    """Tell whether a setup was decided and nothing that it asked for is under way."""
    was_decided = any(stored.event.cause == fact_id for stored in moment.catalog_events)
    return was_decided and not moment.catalog.open


def not_ready(moment: Moment) -> tuple[str, ...]:
    """Return the record types within the limit whose pipeline or stages are not there yet."""
    catalog: Catalog = moment.catalog
    policy = moment.adopted.policy
    return tuple(
        record_type_id
        for record_type_id in catalog.synced_record_types(policy)
        if catalog.scope_of(record_type_id, policy) is Scope.NOT_READY
    )


def _last_made_at(stored_events: tuple[StoredEvent, ...]) -> datetime | None:
    made: list[Event] = [stored.event for stored in stored_events]
    times = [
        event.answered_at
        for event in made
        if isinstance(event, events.WriteClosed)
        and event.outcome == "done"
        and event.answered_at is not None
    ]
    return max(times, default=None)
