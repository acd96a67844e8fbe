"""`make demo-kafka`: the demo's story with facts in Kafka, then its topics as anybody reads them.

Uses the brokers that `KAFKA_BOOTSTRAP_SERVERS` names, else starts one and stops it. The topics have
a prefix of this demo's own. First each topic is read with a plain client, then one of them with
Kafka's own console consumer, where its jars can be had.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import run
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition

from adapters.kafka_log.client import Cluster
from adapters.kafka_log.topics import our_topics
from domain.ports import Topic
from tests.conftest import KAFKA_VARIABLE
from tests.support.kafka_broker import (
    CONSOLE_CONSUMER,
    KafkaBrokerError,
    KafkaCluster,
    fetch_jars,
    run_tool,
)
from tests.support.program import DEALSYNC

VALUE_CHARACTERS: Final = 150
SHOWN_HEADERS: Final = ("ce_type", "ce_time", "ce_subject")


def main() -> int:
    """Play the story, then show the topics."""
    begun = time.monotonic()
    with _servers() as servers:
        prefix = f"demo-{os.getpid()}."
        environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": servers,
            "DEALSYNC_KAFKA_PREFIX": prefix,
        }
        played = run([DEALSYNC, "demo", "--log", "kafka"], env=environment, check=False)  # noqa: S603
        if played.returncode:
            return played.returncode
        cluster = Cluster(tuple(servers.split(",")), prefix)
        counts = {name: _show(cluster, name) for name in our_topics(cluster)}
        _show_by_console(servers, cluster.name(Topic.OUTCOMES))
    seconds = time.monotonic() - begun
    print(f"demo-kafka: {sum(counts.values())} records in {len(counts)} topics, {seconds:.0f} s")  # noqa: T201
    return 0


@contextmanager
def _servers() -> Iterator[str]:
    given = os.environ.get(KAFKA_VARIABLE)
    if given:
        yield given
        return
    cluster = KafkaCluster(Path(tempfile.mkdtemp(prefix="dealsync-demo-kafka-")))
    try:
        print("starting Apache Kafka ...", flush=True)  # noqa: T201
        yield cluster.start()
    finally:
        cluster.delete()


def _show(cluster: Cluster, name: str) -> int:
    """Print a topic's newest record and return how many there are."""
    records = list(_records(cluster, name))
    print(f"\n{name}: {len(records)} records")  # noqa: T201
    for record in records[-1:]:
        headers = {key: value.decode() for key, value in record.headers}
        told = "  ".join(f"{key}={headers[key]}" for key in SHOWN_HEADERS if key in headers)
        print(f"  the newest: partition {record.partition}, offset {record.offset}  {told}")  # noqa: T201
        print(f"  {record.value.decode()[:VALUE_CHARACTERS]} ...")  # noqa: T201
    return len(records)


def _records(cluster: Cluster, name: str) -> Iterator[Any]:
    consumer = KafkaConsumer(bootstrap_servers=list(cluster.servers), group_id=None)
    places = [TopicPartition(name, n) for n in sorted(consumer.partitions_for_topic(name))]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    left = sum(consumer.end_offsets(places).values())
    found: list[Any] = []
    while len(found) < left:
        found += [record for batch in consumer.poll(500).values() for record in batch]
    consumer.close()
    yield from sorted(found, key=lambda record: record.timestamp)


def _show_by_console(servers: str, topic: str) -> None:
    try:
        fetch_jars()
        said = run_tool(
            CONSOLE_CONSUMER,
            *("--bootstrap-server", servers, "--topic", topic, "--from-beginning"),
            *("--max-messages", "2", "--timeout-ms", "20000"),
            *("--formatter-property", "print.key=true"),
            *("--formatter-property", "print.headers=true"),
        )
    except KafkaBrokerError as error:
        print(f"\nKafka's own console consumer cannot run here: {error}")  # noqa: T201
        return
    print(f"\n$ kafka-console-consumer --topic {topic} --from-beginning --max-messages 2")  # noqa: T201
    print(said.strip())  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
