"""The decide loop with the domain's own rules: the same over memory and over PostgreSQL."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
import structlog

from adapters.engine.decide import Decide
from adapters.engine.domain_rules import DomainRules
from adapters.engine.known import Bounds
from adapters.memory.change_log import MemoryChangeLog
from adapters.memory.decisions import MemoryDecisions
from adapters.postgres.change_log import PostgresChangeLog
from adapters.postgres.decisions import PostgresDecisions
from domain import events, facts
from domain.ids import POLICY_STREAM, FactId, deal, stream_of
from domain.policy import Policy
from domain.ports import ChangeLog, Decisions, Identity, KeyedFact, StoredEvent, Topic
from tests.support import postgres
from tests.support.store_samples import AT, reconsider, stream
from tests.support.tiny_rules import TinyRules


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

    own = stream_of(deal("77"))
    loaded = ports.decisions.load([own, POLICY_STREAM], [deal("77")])
    assert loaded.identities == {deal("77"): Identity(deal("77"), own, alive=True)}
    (adopted,) = loaded.events[POLICY_STREAM]
    assert isinstance(adopted.event, events.PolicyAdopted)
    assert {stored.event.cause for stored in loaded.events[own]} == {"deal one", "deal two"}
    assert not [s for s in loaded.events[own] if isinstance(s.event, events.FactParked)]


def test_two_workers_of_all_sources_decide_every_fact_once(ports: Ports) -> None:
    """They meet on every source and on hot streams; the loser of each race starts over."""
    count = 120
    ports.log.append(
        [
            KeyedFact(Topic.SIGNALS, f"key {n % 7}", reconsider(f"stream {n % 3}", f"add:{n}"))
            for n in range(count)
        ]
    )

    heads = {source: head for source, head in ports.log.heads().items() if head >= 0}

    def work() -> None:
        worker = Decide(
            log=ports.log,
            decisions=ports.decisions,
            rules=TinyRules(),
            logger=structlog.get_logger(),
            bounds=Bounds(facts=9),
        )
        while ports.decisions.positions() != heads:
            worker.step(AT)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)

    stored = ports.decisions.tail(0, limit=1_000)
    assert len({(event.source, event.offset) for event in stored}) == len(stored) == count
    for name in range(3):
        history = ports.decisions.load([stream(f"stream {name}")], []).events
        (events_of,) = history.values()
        assert [event.version for event in events_of] == list(range(1, len(events_of) + 1))
        assert _total(events_of) == sum(n for n in range(count) if n % 3 == name)


def _total(history: Sequence[StoredEvent]) -> int:
    last = history[-1].event
    assert isinstance(last, events.NothingDecided)
    return int(last.reason)
