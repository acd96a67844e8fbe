"""What every change log promises: order per key, offsets without surprises, nobody starved."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from adapters.memory.change_log import MemoryChangeLog
from adapters.partitions import PARTITIONS, partition_of
from adapters.postgres.change_log import PostgresChangeLog
from domain import facts
from domain.ports import ChangeLog, KeyedFact, LoggedFact, Topic
from tests.support import postgres
from tests.support.store_samples import reconsider

#: opens a further handle on the same log, as another process would
Open = Callable[[], ChangeLog]


@pytest.fixture(params=["memory", "postgres"])
def open_log(request: pytest.FixtureRequest) -> Iterator[Open]:
    if request.param == "memory":
        log = MemoryChangeLog()
        yield lambda: log
        return
    with ExitStack() as stack:
        database = stack.enter_context(postgres.database())
        yield lambda: PostgresChangeLog(database)


def _keyed(key: str, because: str = "a test", topic: Topic = Topic.SIGNALS) -> KeyedFact:
    return KeyedFact(topic, key, reconsider(key, because))


def _read_all(log: ChangeLog) -> tuple[LoggedFact, ...]:
    return log.read({}, limit=10_000)


def test_an_empty_log_has_sources_and_no_facts(open_log: Open) -> None:
    log = open_log()

    assert len(log.heads()) == PARTITIONS * len(Topic)
    assert set(log.heads().values()) == {-1}
    assert _read_all(log) == ()


def test_what_is_appended_is_read_back_whole(open_log: Open) -> None:
    log = open_log()
    fact = reconsider("one", "tabs\t, lines\n, \\N, 100 %, 商談 and \u2028")

    log.append([KeyedFact(Topic.SIGNALS, "one", fact)])

    source = f"sync.signals.v1:{partition_of('one')}"
    assert _read_all(open_log()) == (LoggedFact(source, 0, fact),)
    assert open_log().heads()[source] == 0


def test_facts_of_one_key_keep_their_order(open_log: Open) -> None:
    log = open_log()
    for batch in range(3):
        log.append([_keyed("one", f"{batch}.{n}") for n in range(4)])

    reasons = [
        logged.fact.because
        for logged in _read_all(log)
        if isinstance(logged.fact, facts.Reconsider)
    ]
    assert [logged.offset for logged in _read_all(log)] == list(range(12))
    assert reasons == [f"{batch}.{n}" for batch in range(3) for n in range(4)]


def test_the_same_key_meets_in_one_partition_number_of_every_topic(open_log: Open) -> None:
    log = open_log()
    log.append([_keyed("one", topic=topic) for topic in Topic])

    assert len({logged.source.rpartition(":")[2] for logged in _read_all(log)}) == 1


def test_reading_goes_on_behind_the_given_offsets(open_log: Open) -> None:
    log = open_log()
    log.append([_keyed("one", str(n)) for n in range(5)])
    (source,) = {logged.source for logged in _read_all(log)}

    assert [logged.offset for logged in log.read({source: 2}, limit=10)] == [3, 4]
    assert log.read({source: 4}, limit=10) == ()


def test_no_source_is_starved_and_the_limit_holds(open_log: Open) -> None:
    log = open_log()
    log.append([_keyed("many", str(n)) for n in range(100)])
    log.append([_keyed("few", topic=Topic.REQUESTS)])

    read = log.read({}, limit=10)

    assert len(read) == 10
    assert {logged.source.partition(":")[0] for logged in read} == {
        "sync.signals.v1",
        "sync.requests.v1",
    }


def test_appending_nothing_is_harmless(open_log: Open) -> None:
    open_log().append([])

    assert _read_all(open_log()) == ()


def test_a_reader_never_passes_over_a_fact_of_a_slower_writer(open_log: Open) -> None:
    """Two writers on one source; a reader that follows by offset sees every fact once."""
    seen: list[int] = []
    writers = [
        threading.Thread(target=_append_each, args=(open_log(), [f"{name}{n}" for n in range(30)]))
        for name in "ab"
    ]
    for writer in writers:
        writer.start()
    log, after = open_log(), dict[str, int]()
    while any(writer.is_alive() for writer in writers) or log.read(after, limit=1):
        for logged in log.read(after, limit=7):
            after[logged.source] = logged.offset
            seen.append(logged.offset)
    for writer in writers:
        writer.join()

    assert seen == list(range(60))


def test_writers_of_several_sources_do_not_wait_for_each_other_for_ever(open_log: Open) -> None:
    keys = [f"key {n}" for n in range(20)]
    writers = [
        threading.Thread(target=open_log().append, args=([_keyed(key) for key in order],))
        for order in (keys, keys[::-1])
        for _ in range(3)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=30)

    assert len(_read_all(open_log())) == 120


def _append_each(log: ChangeLog, reasons: list[str]) -> None:
    for because in reasons:
        log.append([_keyed("one", because)])
