"""An append is durable when it returns, or says that it is not; memory stays bounded."""

import gc
import logging

import pytest
from kafka import KafkaConsumer, TopicPartition

from adapters.clock import FixedClock
from adapters.kafka_log import client as clients
from adapters.kafka_log import producer as producers
from adapters.kafka_log.client import Cluster
from adapters.kafka_log.log import KafkaChangeLog
from adapters.kafka_log.producer import Producer, Record
from domain.errors import RetryableError
from domain.ports import Topic
from tests.kafka.workers import keyed
from tests.support.kafka_topics import own_cluster
from tests.support.store_samples import AT


def test_more_than_a_window_is_appended_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producers, "WINDOW_RECORDS", 7)
    with own_cluster() as cluster:
        topic = cluster.name(Topic.SIGNALS)
        producer = Producer(cluster)
        producer.append([Record(topic, 0, b"k", str(n).encode()) for n in range(50)])
        producer.close()

        assert [record.value for record in _records(cluster, topic)] == [
            str(n).encode() for n in range(50)
        ]


# kafka-python leaves a socket to the garbage collector each time nobody answers.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_an_append_without_brokers_says_so_in_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # A captured record would keep such a socket beyond the test, for another to stumble over.
    caplog.set_level(logging.CRITICAL + 1, logger="kafka")
    monkeypatch.setattr(clients, "BOOTSTRAP_SECONDS", 1.0)
    with pytest.raises(RetryableError, match="expected a broker"):
        Producer(Cluster(("127.0.0.1:1",))).append([Record("t", 0, b"k", b"v")])
    gc.collect()


def test_an_append_to_no_topic_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producers, "METADATA_SECONDS", 0.5)
    with own_cluster() as given:
        producer = Producer(Cluster(given.servers, f"{given.prefix}none."))
        with pytest.raises(RetryableError, match="dealsync topics"):
            producer.append([Record(f"{given.prefix}none.t", 0, b"k", b"v")])
        producer.close()


def test_a_fact_is_a_cloud_event_in_binary_mode() -> None:
    with own_cluster() as cluster:
        log = KafkaChangeLog(cluster, FixedClock(AT))
        fact = keyed("one")
        log.append([fact])
        log.close()

        (record,) = _records(cluster, cluster.name(Topic.SIGNALS))

        assert {name: value.decode() for name, value in record.headers} == {
            "content-type": "application/json",
            "ce_specversion": "1.0",
            "ce_id": fact.fact.id,
            "ce_source": "/dealsync/sync.signals.v1",
            "ce_type": "signal.Reconsider",
            "ce_time": "2026-11-24T09:00:00+00:00",
            "ce_subject": "key one",
            "ce_dataschema": "urn:dealsync:schemas:facts:signal.Reconsider",
            "ce_partitionkey": "key one",
            "ce_recordedtime": "2026-11-24T09:00:00+00:00",
        }
        assert record.key == b"key one"


def _records(cluster: Cluster, topic: str) -> list:  # type: ignore[type-arg]
    consumer = KafkaConsumer(
        bootstrap_servers=list(cluster.servers), auto_offset_reset="earliest", group_id=None
    )
    places = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    count = sum(consumer.end_offsets(places).values())
    found: list = []  # type: ignore[type-arg]
    while len(found) < count:
        found += [record for batch in consumer.poll(500).values() for record in batch]
    consumer.close()
    return found
