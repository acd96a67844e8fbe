"""Topics of a test's own in the run's Kafka, deleted afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import KafkaAdminClient

from adapters.kafka_log import topics
from adapters.kafka_log.client import Cluster
from tests.support.kafka_servers import kafka_servers, own_prefix


@contextmanager
def own_cluster(*, partitions: int | None = None) -> Iterator[Cluster]:
    """Give the run's Kafka, with a prefix and topics that no other test has."""
    cluster = Cluster(tuple(kafka_servers().split(",")), own_prefix(), session_seconds=6.0)
    topics.apply(cluster, partitions=partitions)
    yield cluster
    admin = KafkaAdminClient(bootstrap_servers=list(cluster.servers))
    admin.delete_topics([name for name in admin.list_topics() if name.startswith(cluster.prefix)])
    admin.close()
