"""Topics of their own on a real Kafka, for one test."""

from collections.abc import Iterator
from contextlib import contextmanager

from adapters.kafka_log import topics
from adapters.kafka_log.client import Cluster
from adapters.kafka_log.event_topic import KafkaEventTopic
from adapters.kafka_log.producer import Producer
from tests.support.kafka_servers import kafka_servers, own_prefix

PARTITIONS = 3


@contextmanager
def event_topic() -> Iterator[tuple[Cluster, KafkaEventTopic]]:
    """Give empty topics of their own; they stay on the broker, which is the test run's."""
    cluster = Cluster(servers=tuple(kafka_servers().split(",")), prefix=own_prefix())
    topics.apply(cluster, partitions=PARTITIONS)
    producer = Producer(cluster, "test")
    try:
        yield cluster, KafkaEventTopic(cluster, producer)
    finally:
        producer.close()
