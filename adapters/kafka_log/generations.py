"""Notices that facts are gone: deleted unread by retention, or with a topic that was made anew.

Positions in the store only mean something for the topics that they were counted in. So the id that
a cluster gave each topic is kept beside them, and compared whenever partitions are taken over. What
is gone is never passed over in silence: nothing more is decided from there until a person has
looked (`dealsync topics accept-loss`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from adapters.kafka_log.client import Cluster, connected
from domain.errors import PortError, RetryableError
from domain.ports import Bookmarks, Topic

#: what a person may do about it
_ADVICE: Final = (
    "nothing is decided from there until you have looked: restore the topic, or give the facts up"
    " with `dealsync topics accept-loss` and read both CRMs again with `dealsync import"
    " opportunities --all`"
)


class FactsLostError(PortError):
    """Facts that were not decided yet are gone, or may be."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A source that does not go on where its position says."""

    source: str
    #: last decided offset; -1: none
    position: int
    #: where deciding would go on if the loss were accepted: behind this offset
    goes_on_after: int
    reason: str


def bookmark_of(topic: str) -> str:
    """Return the bookmark that holds the id of a topic."""
    return f"kafka.{topic}"


def topic_ids(cluster: Cluster) -> dict[str, str]:
    """Return the id of each fact topic that is there: the cluster's, and the topic's own.

    Raises:
        RetryableError: no broker answers.
    """
    names = {cluster.name(topic): str(topic) for topic in Topic}
    try:
        admin = connected(KafkaAdminClient, **cluster.options("dealsync-check"))
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


def losses(
    sources: Collection[str],
    positions: Mapping[str, int],
    *,
    ids: Mapping[str, str],
    known_ids: Bookmarks,
    begins: Mapping[str, int],
    ends: Mapping[str, int],
) -> tuple[Loss, ...]:
    """Return the sources that do not go on where their positions say.

    Args:
        sources: those to be looked at.
        positions: last decided offset; a source without one was never decided.
        ids: of the topics that are there.
        known_ids: where the ids are kept that positions were counted in.
        begins: offset of the first record that is left.
        ends: offset of the next record that will come.
    """
    known = {topic: known_ids.read(bookmark_of(topic)) for topic in ids}
    found = (
        Loss(source, positions.get(source, -1), begins[source] - 1, reason)
        for source in sorted(sources)
        if (reason := _reason(source, positions.get(source, -1), ids, known, begins, ends))
    )
    return tuple(found)


def remember(ids: Mapping[str, str], known_ids: Bookmarks) -> None:
    """Write down the topics that positions are counted in from now on."""
    for topic, topic_id in ids.items():
        if known_ids.read(bookmark_of(topic)) != topic_id:
            known_ids.write(bookmark_of(topic), topic_id)


def refuse(found: Collection[Loss]) -> None:
    """Say what is lost.

    Raises:
        FactsLostError: something is.
    """
    for loss in found:
        more = f" (and {len(found) - 1} more sources)" if len(found) > 1 else ""
        raise FactsLostError(f"{loss.source}: {loss.reason}{more}; {_ADVICE}")


def _reason(
    source: str,
    position: int,
    ids: Mapping[str, str],
    known: Mapping[str, str | None],
    begins: Mapping[str, int],
    ends: Mapping[str, int],
) -> str:
    """Say why a source does not go on where it should; blank: it does."""
    topic = source.rpartition(":")[0]
    if known[topic] is None and position >= 0:
        return "expected the log that its position was counted in, found another one"
    if known[topic] not in {None, ids[topic]}:
        return f"expected the topic {known[topic]}, found that it was made anew as {ids[topic]}"
    if begins[source] > position + 1:
        return (
            f"expected the facts from offset {position + 1}, found that the first one left is"
            f" {begins[source]}: {begins[source] - position - 1} undecided facts were deleted"
        )
    if ends[source] < position + 1:
        return f"expected at least {position + 1} offsets, found {ends[source]}: its end is lost"
    return ""
