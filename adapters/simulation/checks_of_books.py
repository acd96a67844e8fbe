"""Checks of the engine's own books at any time; see `invariants` for what each number promises."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final, get_args

from adapters.simulation.evidence import Evidence, Violation
from adapters.simulation.poison import POISON
from domain import events, facts
from domain.facts import Fact
from domain.ids import Crm, WriteId
from domain.ports import StoredEvent
from projections.audit_line import LineKind

#: of the log
_EVERYTHING: Final = 10**9
_OUTCOMES: Final = get_args(facts.Outcome)
_SIGNALS: Final = get_args(facts.Signal)


def _decides_before_it_delivers(evidence: Evidence) -> Iterator[Violation]:
    known = _facts(evidence)
    decided: set[str] = set()
    for _, line in evidence.stores.audit.lines:
        if line.kind is LineKind.DECIDED and line.write_id is not None:
            decided.add(line.write_id)
            if line.cause.fact not in known:
                yield Violation("I8", f"write {line.write_id} has no fact")
        if line.kind is LineKind.DELIVERED and line.write_id not in decided:
            yield Violation("I8", f"write {line.write_id} was delivered and not decided")


def _keeps_its_budget(evidence: Evidence) -> Iterator[Violation]:
    """Count what deliverers asked of each CRM in every window, by their own clock."""
    for crm in Crm:
        limits = evidence.limits[crm]
        window = timedelta(seconds=limits.burst_seconds)
        times = [
            call.at
            for call in evidence.chronicle.calls
            if call.crm is crm and call.actor.startswith("deliver")
        ]
        first = 0
        for number, at in enumerate(times):
            while times[first] <= at - window:
                first += 1
            if number - first + 1 > limits.burst_calls:
                text = f"{number - first + 1} calls of {crm} within {limits.burst_seconds} s"
                yield Violation("I9", text)
                break


def _passes_no_fact(evidence: Evidence) -> Iterator[Violation]:
    """Find facts before a source's position of which no event tells, and positions going back."""
    decisions = evidence.stores.decisions
    told: set[tuple[str, int]] = set()
    last: dict[str, int] = {}
    for stored in decisions.events:
        told.add((stored.source, stored.offset))
        if stored.offset < last.get(stored.source, -1):
            yield Violation("I11", f"{stored.source} went back to {stored.offset}")
        last[stored.source] = stored.offset
    positions = decisions.positions()
    for logged in evidence.stores.log.read({}, limit=_EVERYTHING):
        passed = logged.offset <= positions.get(logged.source, -1)
        if passed and (logged.source, logged.offset) not in told:
            yield Violation("I11", f"{logged.source} passed {logged.offset} and decided nothing")
    for source, head in evidence.stores.log.heads().items():
        if positions.get(source, -1) > head:
            yield Violation("I11", f"the position of {source} is past its end")


def _parks_only_poison(evidence: Evidence) -> Iterator[Violation]:
    """Find parked facts that nobody poisoned and that follow none, and facts decided past one."""
    parked: dict[str, set[str]] = {}
    retries: frozenset[str] | None = None
    for stored in evidence.stores.decisions.events:
        event = stored.event
        if not parked and not isinstance(event, events.FactParked):
            continue
        if retries is None:
            retries = _retries(evidence)
        here = parked.setdefault(stored.stream, set())
        match event:
            case events.FactParked():
                if POISON not in event.error and not here:
                    yield Violation("I17", f"{event.topic} is parked: {event.error}")
                here.add(event.position)
            case events.ParkedFactSettled():
                here.discard(event.position)
            case events.NothingDecided() | events.PairAbsorbed():
                pass
            case _ if here and f"{stored.source}:{stored.offset}" not in retries:
                text = f"{event.TOPIC} of {stored.stream} was decided past a parked fact"
                yield Violation("I17", text)


def _parks_all_poison(evidence: Evidence) -> Iterator[Violation]:
    """Find facts that could not be decided and were passed over."""
    decided = {stored.event.cause for stored in evidence.stores.decisions.events}
    parked = {
        stored.event.cause
        for stored in evidence.stores.decisions.events
        if isinstance(stored.event, events.FactParked)
    }
    for fact_id in sorted(set(evidence.poisoned) & decided - parked):
        yield Violation("I17", f"fact {fact_id} could not be decided and is not parked")


def _reaches_a_cause(evidence: Evidence) -> Iterator[Violation]:
    """Follow every write back to what somebody did; the way never turns to what came later."""
    known = _facts(evidence)
    by_id = {stored.id: stored for stored in evidence.stores.decisions.events}
    deciding = {
        stored.event.write.id: stored
        for stored in by_id.values()
        if isinstance(stored.event, events.WriteDecided)
    }
    for write_id, stored in deciding.items():
        step: StoredEvent | None = stored
        while step is not None:
            fact = known.get(step.event.cause)
            if fact is None:
                yield Violation("I22", f"write {write_id}: event {step.id} has no fact")
                break
            if not isinstance(fact, _OUTCOMES + _SIGNALS):
                break  # a CRM showed it, or a person asked
            before = _caused_by(fact, by_id, deciding)
            if before is None or before.id >= step.id:
                yield Violation("I22", f"write {write_id}: {fact.TOPIC} comes from nowhere")
                break
            step = before


def _caused_by(
    fact: Fact, by_id: Mapping[int, StoredEvent], deciding: Mapping[WriteId, StoredEvent]
) -> StoredEvent | None:
    """Return the event that an outcome or a signal comes from."""
    if isinstance(fact, _OUTCOMES):
        return deciding.get(WriteId(str(getattr(fact, "write_id", ""))))
    cause = fact.cause or ""
    return by_id.get(int(cause)) if cause.isdecimal() else None


def _facts(evidence: Evidence) -> Mapping[str, Fact]:
    logged = evidence.stores.log.read({}, limit=_EVERYTHING)
    return {one.fact.id: one.fact for one in logged}


def _retries(evidence: Evidence) -> frozenset[str]:
    """Return where people asked for parked facts to be decided again."""
    return frozenset(
        f"{logged.source}:{logged.offset}"
        for logged in evidence.stores.log.read({}, limit=_EVERYTHING)
        if isinstance(logged.fact, facts.FactsRetried)
    )


CHECKS: Final = (
    _decides_before_it_delivers,
    _keeps_its_budget,
    _passes_no_fact,
    _parks_only_poison,
    _parks_all_poison,
    _reaches_a_cause,
)
