"""Appending and reading, each in a process of its own, so that each one's memory is its own.

    python -m tests.benchmarks.kafka_sides SIDE SERVERS PREFIX

Ours encodes and decodes facts; the raw one sends and takes the same records with nothing but the
client of kafka-python. The garbage collector is set as in a process that serves.
"""

import json
import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter, process_time
from typing import Final

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from adapters.bootstrap.garbage import collect_rarely
from adapters.clock import SystemClock
from adapters.kafka_log.client import Cluster, connected
from adapters.kafka_log.fact_record import record_of
from adapters.kafka_log.log import KafkaChangeLog, reading_options
from adapters.kafka_log.producer import Producer, sending_options
from adapters.kafka_log.shared import SharedKafkaLog
from adapters.memory.bookmarks import MemoryBookmarks
from adapters.partitions import partition_of
from domain.ports import KeyedFact, Topic
from tests.benchmarks.sides import RSS_UNITS_A_MB
from tests.benchmarks.workload import workload

#: facts that are appended and read: the workload's, again and again
COUNT: Final = 40_000
LIMIT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Figures:
    """What a side cost."""

    count: int
    seconds: float
    #: of this process, system calls included; the servers' is not in it
    cpu_seconds: float
    peak_memory_mb: float


def measured(work: Callable[[], int]) -> Figures:
    """Do something, and say what it cost."""
    collect_rarely()
    begun, cpu_begun = perf_counter(), process_time()
    count = work()
    return Figures(
        count=count,
        seconds=perf_counter() - begun,
        cpu_seconds=process_time() - cpu_begun,
        peak_memory_mb=memory_mb(),
    )


def memory_mb() -> float:
    """Return the most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / RSS_UNITS_A_MB


def _facts() -> list[KeyedFact]:
    told = workload(pairs=100, waves=2).measured
    return [told[number % len(told)] for number in range(COUNT)]


def produce(cluster: Cluster) -> Figures:
    """Append facts as ingest does, encoding included."""
    facts = _facts()
    log = KafkaChangeLog(cluster, SystemClock())
    log.places()

    def work() -> int:
        for begun in range(0, COUNT, LIMIT):
            log.append(facts[begun : begun + LIMIT])
        return COUNT

    found = measured(work)
    log.close()
    return found


def produce_raw(cluster: Cluster) -> Figures:
    """Append the same records, encoded beforehand, with nothing but the client."""
    at = SystemClock().now()
    producer = Producer(cluster)
    count = producer.partitions(cluster.name(Topic.SALESFORCE_CHANGES))
    records = [
        record_of(
            keyed,
            topic=cluster.name(keyed.topic),
            partition=partition_of(keyed.key, count),
            recorded_at=at,
        )
        for keyed in _facts()
    ]
    producer.close()
    raw = connected(KafkaProducer, **sending_options(cluster, "bench"))

    def work() -> int:
        futures = [
            raw.send(
                one.topic,
                partition=one.partition,
                key=one.key,
                value=one.value,
                headers=list(one.headers),
            )
            for one in records
        ]
        for future in futures:
            future.get(timeout=60)
        return COUNT

    found = measured(work)
    raw.close()
    return found


def consume(cluster: Cluster) -> Figures:
    """Read what was appended as a worker does, decoding included."""
    log = KafkaChangeLog(cluster, SystemClock())
    share = SharedKafkaLog(log, "bench", MemoryBookmarks(), SystemClock())
    positions: dict[str, int] = {}
    while not share.sources:
        share.read(positions, limit=1)

    def work() -> int:
        count = 0
        while count < COUNT:
            for logged in share.read(positions, limit=LIMIT):
                positions[logged.source] = logged.offset
                count += 1
        return count

    found = measured(work)
    share.close()
    log.close()
    return found


def consume_raw(cluster: Cluster) -> Figures:
    """Read the same records with nothing but the client."""
    consumer = connected(KafkaConsumer, **reading_options(cluster, "bench"))
    name = cluster.name(Topic.SALESFORCE_CHANGES)
    places = [TopicPartition(name, number) for number in consumer.partitions_for_topic(name)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)

    def work() -> int:
        count = 0
        while count < COUNT:
            for records in consumer.poll(timeout_ms=500, max_records=LIMIT).values():
                count += len(records)
        return count

    found = measured(work)
    consumer.close()
    return found


def main(side: str, servers: str, prefix: str) -> None:
    """Run a side; print its figures."""
    cluster = Cluster(tuple(servers.split(",")), prefix)
    print(json.dumps(asdict(SIDES[side](cluster))))  # noqa: T201


SIDES: Final[Mapping[str, Callable[[Cluster], Figures]]] = {
    "produce": produce,
    "produce raw": produce_raw,
    "consume": consume,
    "consume raw": consume_raw,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
