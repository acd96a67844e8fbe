"""Notices that facts are gone: deleted unread by retention, or with a topic that was made anew.

Positions in the store only mean something for the topics that they were counted in. So the id that
a cluster gave each topic is kept beside them, and compared whenever partitions are taken over. What
is gone is never passed over in silence: nothing more is decided from that topic until a person has
looked (`dealsync topics accept-loss`).
"""

from collections.abc import Collection, Mapping
from typing import Final

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from adapters.kafka_log.client import Cluster
from domain.errors import PortError, RetryableError
from domain.ports import Bookmarks, Topic

#: what a person may do about it
_ADVICE: Final = (
    "nothing is decided from it until you have looked: restore the topic, or give the facts up with"
    " `dealsync topics accept-loss` and read both CRMs again with `dealsync import … --all`"
)


class FactsLostError(PortError):
    """Facts that were not decided yet are gone, or may be."""


def bookmark_of(topic: Topic) -> str:
    """Return the bookmark that holds the id of a topic."""
    return f"kafka.{topic}"


def topic_ids(cluster: Cluster) -> dict[Topic, str]:
    """Return the id of each fact topic that is there: the cluster's, and the topic's own.

    Raises:
        RetryableError: no broker answers.
    """
    names = {cluster.name(topic): topic for topic in Topic}
    try:
        admin = KafkaAdminClient(**cluster.options("dealsync-check"))
        try:
            cluster_id = admin.describe_cluster()["cluster_id"]
            described = admin.describe_topics(list(names))
        finally:
            admin.close()
    except KafkaError as error:
        raise RetryableError(f"Kafka: expected a broker to answer, found: {error}") from error
    return {
        names[one["name"]]: f"{cluster_id}/{one['topic_id']}"
        for one in described
        if not one["error_code"]
    }


def check_generations(
    found: Mapping[Topic, str], bookmarks: Bookmarks, positions: Mapping[str, int]
) -> None:
    """See that positions were counted in the topics that are there now; keep the ids of new ones.

    Args:
        found: the id of each topic.
        bookmarks: where ids are kept.
        positions: last decided offset by source.

    Raises:
        FactsLostError: a topic is another one than its positions were counted in.
    """
    for topic, topic_id in found.items():
        known = bookmarks.read(bookmark_of(topic))
        if known == topic_id:
            continue
        if known is None and not any(
            offset >= 0 and source.rpartition(":")[0] == topic
            for source, offset in positions.items()
        ):
            bookmarks.write(bookmark_of(topic), topic_id)
            continue
        was = "facts were decided from another log before" if known is None else f"it was {known}"
        raise FactsLostError(
            f"{topic}: expected the topic as it was, found {topic_id}: {was}; {_ADVICE}"
        )


def check_offsets(
    sources: Collection[str],
    positions: Mapping[str, int],
    *,
    begins: Mapping[str, int],
    ends: Mapping[str, int],
) -> None:
    """See that what comes behind each position is still there.

    Args:
        sources: those to be checked.
        positions: last decided offset; a source without one was never decided.
        begins: offset of the first record that is there.
        ends: offset of the next record that will be there.

    Raises:
        FactsLostError: undecided facts are gone, or a source ends before what was decided.
    """
    for source in sorted(sources):
        after = positions.get(source, -1)
        if begins[source] > after + 1:
            raise FactsLostError(
                f"{source}: expected the facts from offset {after + 1}, found that the first one"
                f" left is {begins[source]}: {begins[source] - after - 1} undecided facts were"
                f" deleted; {_ADVICE}"
            )
        if ends[source] < after + 1:
            raise FactsLostError(
                f"{source}: expected at least {after + 1} offsets, found {ends[source]}: the topic"
                f" lost its end or was made anew; {_ADVICE}"
            )
