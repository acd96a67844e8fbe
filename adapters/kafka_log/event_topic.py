"""The topic of published events in Kafka: windows go in, and a recovery reads it all again.

An append returns when every record is acknowledged by all replicas in sync, and raises otherwise;
then the same window comes again (`projections.publishing`). So nothing here retries.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from typing_extensions import override

from adapters.kafka_log import decided
from adapters.kafka_log.client import Cluster
from adapters.kafka_log.producer import Producer, Record
from adapters.partitions import partition_of
from domain.errors import RetryableError, SyncError
from projections.publishing import (
    EVENTS_TOPIC,
    Acknowledged,
    CheckpointTaken,
    EpochStarted,
    EventTopic,
    Published,
    Window,
)

#: records of one poll, and how long it waits for them
_POLL_RECORDS: Final = 2_000
_POLL_SECONDS: Final = 1.0
#: polls in a row that bring nothing before the brokers count as away
_EMPTY_POLLS_MAX: Final = 30
_FETCH_BYTES: Final = 8 * 1024 * 1024


class LostEventsError(SyncError):
    """Published events that were to be kept for ever are gone."""


class KafkaEventTopic(EventTopic):
    """The topic `sync.events.v1`.

    Args:
        cluster: where it is.
        producer: appends.
    """

    def __init__(self, cluster: Cluster, producer: Producer) -> None:
        self._cluster = cluster
        self._producer = producer
        self._topic = cluster.name(EVENTS_TOPIC)

    @override
    def send(self, window: Window) -> Mapping[int, int]:
        if not window.events:
            note = Acknowledged(epoch=window.epoch, mark=window.mark)
            self._append([self._note(note, str(window.mark), 0)])
            return {}
        count = self._producer.partitions(self._topic)
        last: dict[int, int] = {}
        records = []
        for event in window.events:
            partition = partition_of(event.stream, count)
            previous = last.get(partition, window.before.get(partition, 0))
            last[partition] = event.id
            records.append(
                decided.event_record(
                    event, window, previous=previous, topic=self._topic, partition=partition
                )
            )
        self._append(records)
        return last

    @override
    def note(self, note: CheckpointTaken) -> None:
        self._append([self._note(note, "latest", 0)])

    def start_epoch(self, note: EpochStarted) -> None:
        """Tell the readers of every partition that the store was recovered.

        Raises:
            RetryableError: some of them may not hear of it; telling all again is harmless.
        """
        count = self._producer.partitions(self._topic)
        self._append([self._note(note, str(note.cut), partition) for partition in range(count)])

    def is_empty(self) -> bool:
        """Tell whether nothing was ever published.

        Raises:
            RetryableError: no broker answers, or there is no such topic.
        """
        with _Reading(self._cluster, self._topic) as reading:
            return not any(reading.ends.values())

    def read(self) -> Iterator[Published]:
        """Read everything that stands in the topic now, each partition in its order.

        Raises:
            RetryableError: the brokers do not answer.
            LostEventsError: the beginning of a partition is gone.
            UndecodableError: a record is none of ours.
        """
        with _Reading(self._cluster, self._topic) as reading:
            yield from reading.everything()

    def _note(self, note: Acknowledged | CheckpointTaken | EpochStarted, of: str, n: int) -> Record:
        return decided.note_record(note, of, topic=self._topic, partition=n)

    def _append(self, records: list[Record]) -> None:
        self._producer.append(records)


class _Reading:
    """A consumer of a whole topic, from its beginning to where it ends now."""

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self._topic = topic
        try:
            self._consumer = KafkaConsumer(**_options(cluster))
            numbers = self._consumer.partitions_for_topic(topic) or set()
            self._partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
            self._consumer.assign(self._partitions)
            self._begins = self._consumer.beginning_offsets(self._partitions)
            self.ends: dict[TopicPartition, int] = self._consumer.end_offsets(self._partitions)
        except KafkaError as error:
            raise _away(topic, error) from error
        if not numbers:
            raise RetryableError(f"expected the topic {topic}, found none: `dealsync topics apply`")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def everything(self) -> Iterator[Published]:
        lost = [place for place, first in self._begins.items() if first > 0]
        if lost:
            raise LostEventsError(
                f"{self._topic}: expected every event since the first, found that partition"
                f" {lost[0].partition} begins at offset {self._begins[lost[0]]}: retention has"
                " deleted events; restore the topic or the database from a backup"
            )
        self._consumer.seek_to_beginning(*self._partitions)
        left = {place for place in self._partitions if self.ends[place] > 0}
        empty = 0
        while left:
            found = self._poll()
            empty = 0 if found else empty + 1
            if empty > _EMPTY_POLLS_MAX:
                raise RetryableError(f"{self._topic}: expected records, the brokers send none")
            for place, records in found.items():
                for record in records:
                    if record.offset < self.ends[place]:
                        yield decided.published(record)
                if self._consumer.position(place) >= self.ends[place]:
                    left.discard(place)

    def _poll(self) -> dict[TopicPartition, list[Any]]:
        try:
            found: dict[TopicPartition, list[Any]] = self._consumer.poll(
                timeout_ms=int(_POLL_SECONDS * 1_000), max_records=_POLL_RECORDS
            )
        except KafkaError as error:
            raise _away(self._topic, error) from error
        return found


def _options(cluster: Cluster) -> dict[str, Any]:
    return {
        **cluster.options("dealsync-recover"),
        "group_id": None,
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "allow_auto_create_topics": False,
        "fetch_max_bytes": _FETCH_BYTES,
        "max_partition_fetch_bytes": _FETCH_BYTES // 4,
        "metrics_enabled": False,
    }


def _away(topic: str, error: KafkaError) -> RetryableError:
    return RetryableError(
        f"{topic}: expected a broker to answer, found: {error}", code=type(error).__name__
    )
