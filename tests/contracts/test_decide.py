"""The decide loop with the domain's own rules: the same over memory and over PostgreSQL."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import structlog

from adapters.engine.decide import Decide
from adapters.engine.domain_rules import DomainRules
from adapters.memory.change_log import MemoryChangeLog
from adapters.memory.decisions import MemoryDecisions
from adapters.postgres.change_log import PostgresChangeLog
from adapters.postgres.decisions import PostgresDecisions
from domain import events, facts
from domain.ids import POLICY_STREAM, FactId, deal, stream_of
from domain.policy import Policy
from domain.ports import ChangeLog, Decisions, Identity, KeyedFact, Topic
from tests.support import postgres
from tests.support.store_samples import AT


@dataclass
class Ports:
    log: ChangeLog
    decisions: Decisions


@pytest.fixture(params=["memory", "postgres"])
def ports(request: pytest.FixtureRequest) -> Iterator[Ports]:
    if request.param == "memory":
        yield Ports(MemoryChangeLog(), MemoryDecisions())
        return
    with postgres.database() as database:
        yield Ports(PostgresChangeLog(database), PostgresDecisions(database))


def _deal(name: str) -> facts.DealObserved:
    return facts.DealObserved(
        id=FactId(f"deal {name}"),
        at=AT,
        read_begun_at=AT,
        reason="poll",
        deal_id="77",
        created_at=AT,
        modified_at=AT,
        pipeline_id="p",
        stage_id="s",
        stage_at=AT,
        stage_by="",
        stage_ours=False,
        pipeline_at=AT,
        pipeline_ours=False,
        owner_id=None,
        currency_code=None,
        link=None,
        vendor_opportunity_id=None,
        vendor_synced_at=None,
        created_by_us=False,
        readings=(facts.Reading(name="dealname", value=name, at=AT),),
    )


def test_a_policy_and_two_deals_are_decided_once_and_for_good(ports: Ports) -> None:
    adopt = facts.PolicyProposed(id=FactId("p"), at=AT, policy=Policy(), text="", replaces=0)
    ports.log.append([KeyedFact(Topic.REQUESTS, "policy", adopt)])
    ports.log.append([KeyedFact(Topic.HUBSPOT_CHANGES, "77", _deal("one"))])
    worker = Decide(
        log=ports.log,
        decisions=ports.decisions,
        rules=DomainRules(),
        logger=structlog.get_logger(),
    )

    assert worker.step(AT) == 2
    ports.log.append([KeyedFact(Topic.HUBSPOT_CHANGES, "77", _deal("two"))])
    assert worker.step(AT) == 1
    assert worker.step(AT) == 0

    stream = stream_of(deal("77"))
    loaded = ports.decisions.load([stream, POLICY_STREAM], [deal("77")])
    assert loaded.identities == {deal("77"): Identity(deal("77"), stream, alive=True)}
    (adopted,) = loaded.events[POLICY_STREAM]
    assert isinstance(adopted.event, events.PolicyAdopted)
    assert {stored.event.cause for stored in loaded.events[stream]} == {"deal one", "deal two"}
    assert not [s for s in loaded.events[stream] if isinstance(s.event, events.FactParked)]
