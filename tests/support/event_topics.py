"""A topic of published events on a real Kafka, for one test."""

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import KafkaAdminClient

from adapters.kafka_log.client import Cluster
from adapters.kafka_log.event_topic import KafkaEventTopic
from adapters.kafka_log.producer import Producer
from projections.publishing import EVENTS_TOPIC
from tests.support.kafka_servers import kafka_servers, own_prefix

PARTITIONS = 3


@contextmanager
def event_topic() -> Iterator[tuple[Cluster, KafkaEventTopic]]:
    """Give an empty topic of its own; it stays on the broker, which is the test run's."""
    cluster = Cluster(servers=tuple(kafka_servers().split(",")), prefix=own_prefix())
    admin = KafkaAdminClient(bootstrap_servers=list(cluster.servers))
    admin.create_topics({cluster.name(EVENTS_TOPIC): {"num_partitions": PARTITIONS}})
    admin.close()
    producer = Producer(cluster, "test")
    try:
        yield cluster, KafkaEventTopic(cluster, producer)
    finally:
        producer.close()
