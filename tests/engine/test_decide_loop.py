"""The decide loop over the memory ports: order, parking, two workers, bounded memory.

A fact that cannot be decided is parked, and only its stream waits (rule `nothing-lost`).
"""

from collections.abc import Callable, Mapping

import pytest
import structlog
from typing_extensions import override

from adapters.codec import UnknownTopicError
from adapters.engine.decide import Decide
from adapters.engine.known import BOUNDS, Bounds
from adapters.memory.change_log import MemoryChangeLog
from adapters.memory.decisions import MemoryDecisions
from domain import events, facts
from domain.ids import POLICY_STREAM, Crm, FactId, Kind, StreamId, derived, stream_of
from domain.ports import (
    Batch,
    Committed,
    Decisions,
    Fenced,
    Identity,
    KeyedFact,
    LoggedFact,
    StoredEvent,
    Topic,
)
from tests.support.store_samples import AT, deal, reconsider, stream
from tests.support.tiny_rules import Sum, TinyRules


class Bench:
    """One log, one store, and any number of workers."""

    def __init__(self) -> None:
        self.log = MemoryChangeLog()
        self.store = MemoryDecisions()
        self.rules = TinyRules()

    def worker(self, store: Decisions | None = None, bounds: Bounds = BOUNDS) -> Decide[Sum]:
        return Decide(
            log=self.log,
            decisions=store or self.store,
            rules=self.rules,
            logger=structlog.get_logger(),
            epoch=7,
            bounds=bounds,
        )

    def say(self, *commands: str) -> None:
        """Append `name because`, all under one key, so in one source and in this order."""
        named = [command.split(" ", 1) for command in commands]
        self.append(*(reconsider(name, because) for name, because in named))

    def append(self, *given: facts.Fact) -> None:
        self.log.append([KeyedFact(Topic.SIGNALS, "one", fact) for fact in given])

    def said(self, target: StreamId) -> list[str]:
        """Return what stands on a stream, in short."""
        return [_short(stored) for stored in self.store.load([target], []).events[target]]


def _short(stored: StoredEvent) -> str:
    match stored.event:
        case events.NothingDecided(reason=reason):
            return reason
        case events.FactParked(error=error):
            return f"parked: {error}"
        case events.ParkedFactSettled(given_up=given_up):
            return "given up" if given_up else "settled"
        case event:
            return event.TOPIC


@pytest.fixture
def bench() -> Bench:
    return Bench()


def deleted(record_id: str) -> facts.RecordDeleted:
    return facts.RecordDeleted(
        id=FactId(derived("deleted", record_id)),
        at=AT,
        read_begun_at=AT,
        reason="poll",
        crm=Crm.HUBSPOT,
        kind=Kind.DEAL,
        record_id=record_id,
    )


def retried(name: str, *, again: bool = True) -> facts.FactsRetried:
    return facts.FactsRetried(
        id=FactId(derived("retried", name, str(again))), at=AT, stream=stream(name), again=again
    )


# -- in order


def test_nothing_waits_nothing_is_decided(bench: Bench) -> None:
    assert bench.worker().step(AT) == 0


def test_a_later_fact_of_a_batch_sees_what_an_earlier_one_decided(bench: Bench) -> None:
    bench.say("a add:1", "b add:5", "a add:2", "a copy:b")

    assert bench.worker().step(AT) == 4
    assert bench.said(stream("a")) == ["1", "3", "5"]


def test_a_later_fact_is_routed_by_what_an_earlier_one_founded(bench: Bench) -> None:
    bench.say("a found:1")
    bench.append(deleted("1"), deleted("2"))

    bench.worker().step(AT)

    assert bench.said(stream("a")) == ["any.RecordFounded", "nothing"]
    assert bench.said(stream_of(deal("2"))) == ["nothing"]


def test_a_later_fact_follows_an_absorbed_stream(bench: Bench) -> None:
    bench.say("half found:1")
    bench.worker().step(AT)
    bench.say("pair absorb:half")
    bench.append(deleted("1"))

    bench.worker().step(AT)

    assert bench.said(stream("pair")) == ["absorbs", "nothing"]
    assert bench.store.identities[deal("1")] == Identity(deal("1"), stream("pair"), alive=True)


def test_steps_go_on_where_the_last_one_ended(bench: Bench) -> None:
    worker = bench.worker()
    for number in range(3):
        bench.say(f"a add:{number}")
        assert worker.step(AT) == 1
    assert worker.step(AT) == 0
    assert bench.worker().step(AT) == 0
    assert bench.said(stream("a")) == ["0", "1", "3"]


def test_events_carry_epoch_cause_and_position(bench: Bench) -> None:
    bench.say("a add:1", "a add:2")
    bench.worker().step(AT)

    (first, second) = bench.store.events
    assert (first.version, first.offset, second.version, second.offset) == (1, 0, 2, 1)
    assert first.event.epoch == 7
    assert first.event.cause == reconsider("a", "add:1").id


def test_forgetting_aggregates_changes_no_decision(bench: Bench) -> None:
    worker = bench.worker(bounds=Bounds(streams=1, identities=1))
    for _ in range(2):
        for name in "abc":
            bench.say(f"{name} add:1")
            worker.step(AT)

    assert [bench.said(stream(name)) for name in "abc"] == [["1", "2"]] * 3


# -- parking


def test_a_poison_fact_parks_itself_and_its_followers_and_nobody_else(bench: Bench) -> None:
    bench.say("a add:1", "a poison", "b add:1", "a add:2", "b add:1")

    bench.worker().step(AT)

    assert bench.said(stream("a")) == [
        "1",
        "parked: PoisonFactError: a poison fact",
        "parked: it follows a parked fact",
    ]
    assert bench.said(stream("b")) == ["1", "2"]


def test_a_parked_stream_stays_parked_in_later_batches(bench: Bench) -> None:
    bench.say("a poison")
    bench.worker().step(AT)
    bench.say("a add:1")
    bench.worker().step(AT)

    assert bench.said(stream("a"))[1:] == ["parked: it follows a parked fact"]


def test_a_fact_that_cannot_be_routed_parks_alone(bench: Bench) -> None:
    unroutable = facts.SetupRequested(id=FactId("s"), at=AT)
    bench.append(unroutable)
    bench.say("a add:1")

    assert bench.worker().step(AT) == 2
    assert bench.said(StreamId(derived("unroutable", "s"))) == [
        "parked: PoisonFactError: no such way"
    ]
    assert bench.said(stream("a")) == ["1"]


def test_a_state_that_cannot_be_folded_parks_the_fact(bench: Bench) -> None:
    bench.say("a say:broken", "b add:1")

    bench.worker().step(AT)

    assert bench.said(stream("a")) == ["parked: KeyError: 'broken'"]
    assert bench.said(stream("b")) == ["1"]


def test_a_claim_on_a_record_of_another_parks_the_fact(bench: Bench) -> None:
    """The identity fold is strict where the fact is known, so a bug in a rule stops one pair."""
    bench.say("a found:1", "b steal:1", "b add:1", "c add:1")

    bench.worker().step(AT)

    assert bench.said(stream("b"))[0].startswith("parked: IdentityClashError")
    assert bench.said(stream("c")) == ["1"]


def test_retrying_decides_parked_facts_in_order_in_one_batch(bench: Bench) -> None:
    bench.say("a poison", "a add:1", "a add:2")
    worker = bench.worker()
    worker.step(AT)
    bench.rules.cured = True
    bench.append(retried("a"))
    bench.say("a add:3")

    worker.step(AT)

    assert bench.said(stream("a"))[3:] == [
        "nothing",
        "settled",
        "1",
        "settled",
        "3",
        "settled",
        "6",
    ]


def test_retrying_in_vain_keeps_everything_parked_and_says_so(bench: Bench) -> None:
    bench.say("a poison", "a add:1")
    bench.append(retried("a"))

    bench.worker().step(AT)

    source = bench.store.events[0].source
    assert bench.said(stream("a"))[2:] == [
        f"still parked from {source}:0 on: PoisonFactError: a poison fact"
    ]


def test_retrying_settles_up_to_the_first_that_still_cannot_be_decided(bench: Bench) -> None:
    bench.say("a poison", "a add:1", "a say:broken", "a add:2")
    bench.worker().step(AT)
    bench.rules.cured = True
    bench.append(retried("a"))
    worker = bench.worker()
    worker.step(AT)

    said = bench.said(stream("a"))[4:]
    assert said[:4] == ["nothing", "settled", "1", "settled"]
    assert said[4].endswith("KeyError: 'broken'")


def test_giving_parked_facts_up_frees_the_stream(bench: Bench) -> None:
    bench.say("a poison", "a add:1")
    bench.append(retried("a", again=False))
    bench.say("a add:2")

    bench.worker().step(AT)

    assert bench.said(stream("a"))[2:] == ["given up", "given up", "2"]


def test_retrying_where_nothing_is_parked_leaves_an_event(bench: Bench) -> None:
    bench.append(retried("a"))

    bench.worker().step(AT)

    assert bench.said(stream("a")) == ["nothing is parked here"]


def test_text_that_no_database_keeps_parks_the_fact(bench: Bench) -> None:
    bench.say("a say:a\x00b")

    bench.worker().step(AT)

    assert "NUL" in bench.said(stream("a"))[0]


def test_a_backslash_in_a_text_is_no_nul(bench: Bench) -> None:
    bench.say("a say:C:\\u0000")

    bench.worker().step(AT)

    assert bench.said(stream("a")) == ["C:\\u0000"]


def test_a_fact_of_a_newer_program_stops_the_worker(bench: Bench) -> None:
    """Nothing is parked: whoever knows the fact will decide it."""

    class Newer(MemoryChangeLog):
        @override
        def read(self, after: Mapping[str, int], *, limit: int) -> tuple[LoggedFact, ...]:
            raise UnknownTopicError(f"{after} {limit}")

    bench.log = Newer()

    with pytest.raises(UnknownTopicError):
        bench.worker().step(AT)
    assert bench.store.events == []


# -- two workers


class Meanwhile:
    """A store in which something happens between a batch's reading and its commit, once."""

    def __init__(self, store: MemoryDecisions, *happenings: Callable[[], object]) -> None:
        self._store = store
        self._happenings = list(happenings)
        self.positions = store.positions
        self.load = store.load
        self.tail = store.tail
        self.last_event_id = store.last_event_id

    def commit(
        self, batch: Batch, redecide: Callable[[tuple[StoredEvent, ...]], Batch]
    ) -> Committed | Fenced:
        if self._happenings:
            self._happenings.pop(0)()
        return self._store.commit(batch, redecide)


def _elsewhere(bench: Bench, name: str, because: str) -> None:
    """Let another worker decide a fact from another source, on what stands there now."""
    log = MemoryChangeLog()
    log.append([KeyedFact(Topic.REQUESTS, f"{name} {because}", reconsider(name, because))])
    outcome = Decide(
        log=log, decisions=bench.store, rules=bench.rules, logger=structlog.get_logger(), epoch=7
    ).step(AT)
    assert outcome == 1


def test_a_worker_that_was_overtaken_on_its_source_starts_over(bench: Bench) -> None:
    bench.say("a add:1", "a add:2")
    slow = bench.worker(Meanwhile(bench.store, lambda: bench.worker().step(AT)))

    assert slow.step(AT) == 0
    bench.say("a add:4")
    assert slow.step(AT) == 1
    assert bench.said(stream("a")) == ["1", "3", "7"]


def test_only_what_had_read_the_news_is_decided_again(bench: Bench) -> None:
    bench.say("a add:1", "b add:1", "c copy:a", "d copy:c")
    slow = bench.worker(Meanwhile(bench.store, lambda: _elsewhere(bench, "a", "add:10")))

    assert slow.step(AT) == 4

    assert [bench.said(stream(name)) for name in "abcd"] == [["10", "11"], ["1"], ["11"], ["11"]]
    assert bench.rules.decided.count(reconsider("b", "add:1").id) == 1
    assert bench.rules.decided.count(reconsider("d", "copy:c").id) == 2


def test_news_about_others_redecides_nothing_and_is_known_afterwards(bench: Bench) -> None:
    bench.say("x add:1")
    worker = bench.worker(Meanwhile(bench.store, list, lambda: _elsewhere(bench, "x", "add:5")))
    worker.step(AT)
    bench.say("a add:1")
    worker.step(AT)
    bench.say("x add:1")
    worker.step(AT)

    assert bench.said(stream("x")) == ["1", "6", "7"]
    assert bench.rules.decided.count(reconsider("a", "add:1").id) == 1


def test_a_miss_that_another_worker_filled_is_decided_again(bench: Bench) -> None:
    """Both looked for the deal and found nobody; it is founded once."""
    bench.say("a found:1")
    slow = bench.worker(Meanwhile(bench.store, lambda: _elsewhere(bench, "b", "found:1")))

    slow.step(AT)

    assert bench.said(stream("a")) == [f"of {stream('b')}"]
    assert bench.store.identities[deal("1")].stream == stream("b")


def test_a_routing_miss_that_another_worker_filled_routes_again(bench: Bench) -> None:
    """The second stream was never read: the batch is given back and decided from the start."""
    bench.say("x add:1", "b add:4")
    bench.worker().step(AT)
    bench.append(deleted("1"))
    slow = bench.worker(Meanwhile(bench.store, lambda: _elsewhere(bench, "b", "found:1")))

    assert slow.step(AT) == 1

    assert bench.said(stream_of(deal("1"))) == []
    assert bench.said(stream("b")) == ["4", "any.RecordFounded", "nothing"]


def test_a_moved_policy_redecides_everything(bench: Bench) -> None:
    bench.say("a add:1", "b add:1")

    def move() -> None:
        adopted = reconsider("p", "add:3").model_copy(update={"stream": POLICY_STREAM})
        log = MemoryChangeLog()
        log.append([KeyedFact(Topic.REQUESTS, "p", adopted)])
        Decide(
            log=log, decisions=bench.store, rules=bench.rules, logger=structlog.get_logger()
        ).step(AT)

    bench.worker(Meanwhile(bench.store, move)).step(AT)

    assert {stored.event.policy_version for stored in bench.store.events[1:]} == {3}


def test_a_far_too_long_tail_is_not_followed_but_read_anew(bench: Bench) -> None:
    worker = bench.worker(bounds=Bounds(tail=3))
    bench.say("a add:1")
    worker.step(AT)
    for number in range(4):
        _elsewhere(bench, "a", f"add:{number}")
    bench.say("a add:1")
    worker.step(AT)

    assert bench.said(stream("a"))[-1] == "8"
