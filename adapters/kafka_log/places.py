"""Our fact topics in one cluster: what they are called there, and their partitions.

All of them must have as many partitions, so that the facts of one key meet in one worker.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kafka import TopicPartition

from adapters.kafka_log.client import Cluster
from adapters.partitions import source_of
from domain.errors import PortError
from domain.ports import Topic


class UnequalPartitionsError(PortError):
    """Fact topics that must have as many partitions have not."""


@dataclass(frozen=True, slots=True)
class Places:
    """The partitions of all fact topics.

    Args:
        cluster: where they are.
        partitions: of each topic.
    """

    cluster: Cluster
    partitions: int

    def __iter__(self) -> Iterator[TopicPartition]:
        for topic in Topic:
            name = self.cluster.name(topic)
            for partition in range(self.partitions):
                yield TopicPartition(name, partition)

    def source(self, place: TopicPartition) -> str:
        """Return what a partition is called as a source of facts: without our prefix."""
        return source_of(self.topic(place), place.partition)

    def topic(self, place: TopicPartition) -> Topic:
        """Return which topic a partition belongs to."""
        return Topic(place.topic.removeprefix(self.cluster.prefix))


def topic_names(cluster: Cluster) -> list[str]:
    """Return what the fact topics are called in a cluster."""
    return [cluster.name(topic) for topic in Topic]


def equal_partitions(counts: dict[str, int]) -> int:
    """Return how many partitions each topic has.

    Raises:
        UnequalPartitionsError: they differ.
    """
    if len(set(counts.values())) != 1:
        told = ", ".join(f"{topic} {count}" for topic, count in sorted(counts.items()))
        raise UnequalPartitionsError(
            f"expected as many partitions in every fact topic, found {told}; see"
            " `dealsync topics plan`"
        )
    return next(iter(counts.values()))
