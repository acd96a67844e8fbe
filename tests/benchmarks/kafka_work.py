"""Deciding from Kafka, and making everything anew, each in a process of its own.

    python -m tests.benchmarks.kafka_work SIDE URL SERVERS PREFIX [ARGUMENT]

`prepare` fills a database and the topics: everything before the day is decided, the day's facts
wait in Kafka, and the first of them where the library's own way finds them. A `worker` prints a
line when it has its share of the partitions, begins when it reads a line, and ends when its
standard input does; so does a `publisher`. `replay` decides every fact of the topics from an empty
store; `rebuild` folds every projection again. Each prints one JSON object of figures.
"""

import json
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from time import perf_counter, sleep
from typing import Any, Final

from adapters.bootstrap.stores import over
from adapters.clock import SystemClock
from adapters.engine.decide import Decide
from adapters.engine.domain_rules import DomainRules
from adapters.engine.publish import Publish
from adapters.kafka_log import generations
from adapters.kafka_log.backlog import Backlog
from adapters.kafka_log.client import Cluster
from adapters.kafka_log.event_topic import KafkaEventTopic
from adapters.kafka_log.log import KafkaChangeLog
from adapters.kafka_log.producer import Producer
from adapters.kafka_log.shared import SharedKafkaLog
from adapters.memory.bookmarks import MemoryBookmarks
from adapters.postgres.database import Database
from adapters.postgres.publication import PostgresPublication
from adapters.postgres.queries import queries_beside
from domain.deciding import Aggregate
from projections.following import FOLLOWERS, INLINE
from tests.benchmarks import one_at_a_time
from tests.benchmarks.kafka_sides import Figures, measured, memory_mb
from tests.benchmarks.sides import append_before, decide_all, silent
from tests.benchmarks.workload import DECIDED_AT, workload

#: of the day's facts, those that the library's way decides
NAIVE_FACTS: Final = 1_500
#: until a share of the partitions counts as settled
SETTLED_SECONDS: Final = 3.0
LOOK_SECONDS: Final = 0.01
#: where a replay says how much memory it has by then
PARTS: Final = 4
APPENDED_AT_ONCE: Final = 5_000
_EVENTS_MAX: Final = 2_000
_SQL: Final = queries_beside(__file__)


def prepare(database: Database, cluster: Cluster, waves: str) -> Mapping[str, int]:
    """Fill the database and the topics."""
    database.migrate()
    stores = over(database)
    happened = workload(pairs=600, waves=int(waves))
    append_before(stores.log, happened)
    decide_all(stores.log, stores.decisions, DomainRules())
    with database.transaction() as connection:  # what came before the day is not published in it
        connection.execute(_SQL["publish_nothing"])
    with closing(KafkaChangeLog(cluster, SystemClock())) as log:
        append_before(log, happened)
        for begun in range(0, len(happened.measured), APPENDED_AT_ONCE):
            log.append(happened.measured[begun : begun + APPENDED_AT_ONCE])
    naive = happened.measured[:NAIVE_FACTS]
    one_at_a_time.lay_out(database, [keyed.fact for keyed in naive])
    return {"before": len(happened.before), "facts": len(happened.measured), "naive": len(naive)}


def worker(database: Database, cluster: Cluster, name: str) -> Figures:
    """Decide this worker's share."""
    log = KafkaChangeLog(cluster, SystemClock())
    bookmarks = MemoryBookmarks()
    # The positions were counted in PostgreSQL's log, which held the same facts.
    generations.remember(generations.topic_ids(cluster), bookmarks)
    share = SharedKafkaLog(log, name, bookmarks, SystemClock())
    decisions = over(database).decisions
    decide: Decide[Aggregate] = Decide(
        log=share, decisions=decisions, rules=DomainRules(), logger=silent()
    )
    begin, end = _orders()
    positions = dict(decisions.positions())
    settled_at = perf_counter()
    assignments, is_told = -1, False
    while not begin.is_set():
        share.read(positions, limit=1)
        if share.assignments != assignments:
            assignments, settled_at = share.assignments, perf_counter()
        if not is_told and share.sources and perf_counter() - settled_at > SETTLED_SECONDS:
            print("ready", flush=True)  # noqa: T201
            is_told = True

    def work() -> int:
        decided = 0
        while not end.is_set():
            decided += decide.step(DECIDED_AT)
        return decided

    with closing(log), closing(share):
        return measured(work)


def publisher(database: Database, cluster: Cluster, _: str) -> Figures:
    """Publish what is decided."""
    begin, end = _orders()
    producer = Producer(cluster)
    publish = Publish(
        publication=PostgresPublication(database),
        topic=KafkaEventTopic(cluster, producer),
        bookmarks=dict,
        logger=silent(),
    )
    producer.partitions(cluster.name("sync.events.v1"))
    print("ready", flush=True)  # noqa: T201
    begin.wait()
    clock = SystemClock()

    def work() -> int:
        published = 0
        while not end.is_set():
            count = publish.step(clock.now())
            published += count
            if not count:
                sleep(LOOK_SECONDS)
        return published

    with closing(producer):
        return measured(work)


def alone(database: Database, _cluster: Cluster, _: str) -> Figures:
    """Decide as the library does it, without Kafka: one fact, one transaction."""
    with one_at_a_time.followed(database) as process:
        return measured(lambda: one_at_a_time.decide_all(process))


def replay(database: Database, cluster: Cluster, _: str) -> Mapping[str, Any]:
    """Decide every fact of the topics from an empty store, in the order of appending."""
    database.migrate()
    with closing(KafkaChangeLog(cluster, SystemClock())) as log, closing(Backlog(log)) as backlog:
        facts = sum(head + 1 for head in log.heads().values())
        decide: Decide[Aggregate] = Decide(
            log=backlog, decisions=over(database).decisions, rules=DomainRules(), logger=silent()
        )
        memory: list[float] = []
        speeds: list[float] = []

        def work() -> int:
            decided, begun = 0, perf_counter()
            part_begun = 0
            while count := decide.step(DECIDED_AT):
                decided += count
                if decided >= facts * (len(memory) + 1) // PARTS:
                    memory.append(memory_mb())
                    speeds.append((decided - part_begun) / (perf_counter() - begun))
                    part_begun, begun = decided, perf_counter()
            return decided

        figures = measured(work)
    followed = measured(lambda: _follow(database))
    return {**asdict(figures), "memory": memory, "speeds": speeds, "follow": asdict(followed)}


def _follow(database: Database) -> int:
    """Let every follower fold all events, as an engine does."""
    followers = over(database).followers
    count = 0
    for name in FOLLOWERS:
        while followers.follow(name, limit=_EVENTS_MAX):
            pass
        count += 1
    return count * over(database).decisions.last_event_id()


def rebuild(database: Database, _cluster: Cluster, _: str) -> Mapping[str, Any]:
    """Fold every projection again and compare it with the live rows."""
    stores = over(database)
    events = stores.decisions.last_event_id()
    found: dict[str, Any] = {}
    for name in (*INLINE, *FOLLOWERS):
        figures = measured(lambda name=name: _rebuilt(stores.rebuilds, name, events))  # type: ignore[misc]
        found[name] = asdict(figures)
    return found


def _rebuilt(rebuilds: Any, name: str, events: int) -> int:  # noqa: ANN401 - the port's adapter
    differing = rebuilds.rebuild(name).differing
    assert not differing, f"expected {name} to be what its events say, found {differing} rows else"
    return events


def _orders() -> tuple[threading.Event, threading.Event]:
    """Return what is set when a line comes in, and when no more can."""
    begin, end = threading.Event(), threading.Event()

    def listen() -> None:
        sys.stdin.readline()
        begin.set()
        sys.stdin.read()
        end.set()

    threading.Thread(target=listen, daemon=True).start()
    return begin, end


SIDES: Final[Mapping[str, Callable[[Database, Cluster, str], Any]]] = {
    "prepare": prepare,
    "worker": worker,
    "publisher": publisher,
    "alone": alone,
    "replay": replay,
    "rebuild": rebuild,
}


def main(side: str, url: str, servers: str, prefix: str, argument: str = "") -> None:
    """Run a side; print its figures."""
    with Database(url) as database:
        found = SIDES[side](database, Cluster(tuple(servers.split(",")), prefix), argument)
    print(json.dumps(asdict(found) if isinstance(found, Figures) else found))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
