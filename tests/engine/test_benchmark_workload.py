"""What `make bench` measures is worth measuring: its facts are decided, and are as it says."""

from collections import Counter

from adapters.engine.domain_rules import DomainRules
from adapters.memory.change_log import MemoryChangeLog
from adapters.memory.decisions import MemoryDecisions
from domain import events
from domain.ids import Crm
from domain.ports import StoredEvent
from tests.benchmarks.sides import append_before, decide_all
from tests.benchmarks.timed_rules import TimedRules
from tests.benchmarks.workload import WAVE_EDITS, Workload, workload

WORKLOAD = workload(pairs=WAVE_EDITS, waves=1)


def _decided(rules: DomainRules, happened: Workload) -> tuple[StoredEvent, ...]:
    """Decide everything; return what came of the measured facts."""
    log, decisions = MemoryChangeLog(), MemoryDecisions()
    append_before(log, happened)
    assert decide_all(log, decisions, DomainRules()) == len(happened.before)
    before = decisions.last_event_id()
    log.append(happened.measured)
    assert decide_all(log, decisions, rules) == len(happened.measured)
    return decisions.tail(before, limit=100_000)


def test_the_day_of_the_benchmark_is_an_ordinary_one() -> None:
    stored = _decided(DomainRules(), WORKLOAD)
    facts = len(WORKLOAD.measured)
    kinds = Counter(type(one.event) for one in stored)

    assert {one.event.cause for one in stored} == {keyed.fact.id for keyed in WORKLOAD.measured}
    assert kinds[events.FactParked] == 0
    assert 0.30 < kinds[events.EchoSeen] / facts < 0.36
    assert 0.015 < kinds[events.RecordFounded] / facts < 0.03
    writes = Counter(
        one.event.write.CRM for one in stored if isinstance(one.event, events.WriteDecided)
    )
    assert min(writes[crm] for crm in Crm) > WAVE_EDITS // 3


def test_timing_the_rules_changes_nothing_and_counts_something() -> None:
    rules = TimedRules()

    assert _decided(rules, WORKLOAD) == _decided(DomainRules(), WORKLOAD)
    assert rules.seconds > 0
