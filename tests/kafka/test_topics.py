"""Topics are made as they must be, and every difference is told."""

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from adapters.kafka_log import topics
from adapters.kafka_log.client import Cluster
from domain.ports import Topic
from tests.support.kafka_topics import own_cluster
from tests.support.program import eventually

COUNT = len(Topic) + 1


def test_what_is_missing_is_planned_made_and_then_as_it_must_be() -> None:
    with own_cluster() as given:
        cluster = Cluster(given.servers, f"{given.prefix}more.")

        assert [one.kind for one in topics.plan(cluster).differences] == ["create"] * COUNT
        topics.apply(cluster, partitions=3)

        assert topics.plan(cluster).differences == ()
        assert topics.plan(cluster).partitions == 3


def test_a_setting_that_was_changed_is_drift_and_is_set_back() -> None:
    with own_cluster() as cluster:
        admin = KafkaAdminClient(bootstrap_servers=list(cluster.servers))
        name = cluster.name(Topic.HUBSPOT_CHANGES)
        admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name, {"retention.ms": "604800000"})]
        )
        admin.close()

        (found,) = eventually(lambda: topics.plan(cluster).differences)
        assert (found.topic, found.what) == (name, "retention.ms")
        assert (found.found, found.wanted) == ("604800000", "-1")
        topics.apply(cluster)
        assert topics.plan(cluster).differences == ()


def test_more_partitions_are_made_in_every_topic_and_fewer_are_refused() -> None:
    with own_cluster(partitions=2) as cluster:
        grown = topics.apply(cluster, partitions=4)
        assert [one.kind for one in grown.differences] == ["grow"] * COUNT
        assert topics.plan(cluster).partitions == 4

        fewer = topics.plan(cluster, partitions=3)
        assert [one.kind for one in fewer.differences] == ["drift"] * COUNT
        assert fewer.to_do == ()


def test_another_number_of_replicas_is_told_and_left_to_the_operator() -> None:
    with own_cluster() as cluster:
        found = topics.plan(cluster, replication=5)

        assert {(one.kind, one.what) for one in found.differences} == {("drift", "replicas")}
