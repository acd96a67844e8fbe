"""Appends records to topics, and returns only when every one of them is durable.

kafka-python's producer takes records without end and only logs what failed. So at most a window of
records is on its way at a time, and each record's own answer is looked at. Acknowledged means: by
all replicas in sync. A retry inside the producer doubles nothing (it is idempotent).

After a failure nobody knows which of the window arrived. The producer is put away, so that what it
still holds is not sent later, and the next append starts a new one.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.producer.future import FutureRecordMetadata

from adapters.kafka_log.client import Cluster, connected
from domain.errors import RetryableError

#: records and bytes on their way at a time, for each appending thread
WINDOW_RECORDS: Final = 10_000
WINDOW_BYTES: Final = 32 * 1024 * 1024
#: bytes of one partition's batch
BATCH_BYTES: Final = 256 * 1024
#: of one request, so of one record too: `topics apply` sets the same as a topic's limit
RECORD_BYTES_MAX: Final = 8 * 1024 * 1024
#: how long a record may be on its way, tries included; longer than a broker needs to come back
DELIVERY_SECONDS: Final = 30.0
#: how long the names of partitions are waited for
METADATA_SECONDS: Final = 10.0
#: what a record takes besides its key, value and headers, at the most
_RECORD_OVERHEAD: Final = 100


@dataclass(frozen=True, slots=True)
class Record:
    """A record on its way into a topic."""

    #: as the cluster calls it
    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def size(self) -> int:
        """Its bytes, about."""
        return (
            len(self.key)
            + len(self.value)
            + sum(len(name) + len(text) for name, text in self.headers)
            + _RECORD_OVERHEAD
        )


class Producer:
    """Appends to one cluster; any thread may call, and it connects when the first does.

    Args:
        cluster: where.
        client_id: shows in the brokers' logs and figures.
    """

    def __init__(self, cluster: Cluster, client_id: str = "dealsync") -> None:
        self._cluster = cluster
        self._client_id = client_id
        self._lock = threading.Lock()
        self._open: KafkaProducer | None = None

    def append(self, records: Sequence[Record]) -> None:
        """Append records; on return all of them are durable, in order per partition.

        Raises:
            RetryableError: none or some of them were appended; appending all again may double
                some and lose none.
        """
        start = 0
        while start < len(records):
            start = self._append_window(records, start)

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has.

        Args:
            topic: as the cluster calls it.

        Raises:
            RetryableError: no broker answers, or there is no such topic.
        """
        producer = self._producer()
        try:
            return len(producer.partitions_for(topic))
        except KafkaError as error:
            raise _retryable(f"the partitions of {topic}", error) from error

    def close(self) -> None:
        """Let the connection go; an append after it opens another one."""
        with self._lock:
            producer, self._open = self._open, None
        if producer is not None:
            producer.close(timeout=DELIVERY_SECONDS)

    def _append_window(self, records: Sequence[Record], start: int) -> int:
        """Append as many records as may be on their way at a time; return where to go on."""
        producer = self._producer()
        futures: list[FutureRecordMetadata] = []
        size = 0
        try:
            for record in records[start : start + WINDOW_RECORDS]:
                if futures and size + record.size > WINDOW_BYTES:
                    break
                size += record.size
                futures.append(
                    producer.send(
                        record.topic,
                        partition=record.partition,
                        key=record.key,
                        value=record.value,
                        headers=list(record.headers),
                    )
                )
            for future in futures:
                # The producer gives up by itself; the margin is for its thread to say so.
                future.get(timeout=2 * DELIVERY_SECONDS)
        except KafkaError as error:
            self._put_away(producer)
            raise _retryable("an acknowledgement by all replicas in sync", error) from error
        return start + len(futures)

    def _producer(self) -> KafkaProducer:
        with self._lock:
            if self._open is None:
                try:
                    self._open = connected(
                        KafkaProducer, **sending_options(self._cluster, self._client_id)
                    )
                except KafkaError as error:
                    raise _retryable("a broker", error) from error
            return self._open

    def _put_away(self, producer: KafkaProducer) -> None:
        """Drop what a failed producer still holds; other threads' records fail with it."""
        with self._lock:
            if self._open is producer:
                self._open = None
        with suppress(KafkaError):
            producer.close(timeout=0)


def sending_options(cluster: Cluster, client_id: str) -> dict[str, Any]:
    """Return what every producer takes: what it says is there, all replicas in sync have."""
    return {
        **cluster.options(client_id),
        "acks": "all",
        "enable_idempotence": True,
        "batch_size": BATCH_BYTES,
        "linger_ms": 0,
        "max_request_size": RECORD_BYTES_MAX,
        "delivery_timeout_ms": int(DELIVERY_SECONDS * 1_000),
        "max_block_ms": int(METADATA_SECONDS * 1_000),
        "allow_auto_create_topics": False,
        "metrics_enabled": False,
    }


def _retryable(wanted: str, error: KafkaError) -> RetryableError:
    return RetryableError(
        f"Kafka: expected {wanted}, found: {error}; see whether the brokers run and the topics are"
        " there (`dealsync topics check`)",
        code=type(error).__name__,
    )
