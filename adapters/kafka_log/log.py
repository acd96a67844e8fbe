"""The change log in Apache Kafka: facts in topics, positions elsewhere.

`KafkaChangeLog` appends, and reads every partition: for commands that look, and for counting what
waits. Workers share the partitions among them by `shared.SharedKafkaLog`, over this one.

Offsets are Kafka's own. The positions that say what is decided are in the store, in the same
transaction as what was decided; those of a consumer group in Kafka are only there to be looked at.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from typing_extensions import override

from adapters.clock import Clock
from adapters.kafka_log.client import Cluster, connected
from adapters.kafka_log.fact_record import logged_of, record_of
from adapters.kafka_log.places import Places, equal_partitions, topic_names
from adapters.kafka_log.producer import Producer
from adapters.partitions import fair_shares, partition_of
from domain.errors import RetryableError
from domain.ports import ChangeLog, KeyedFact, LoggedFact

#: how long records that are there may take to arrive
FETCH_SECONDS_MAX: Final = 20.0
#: of one poll
POLL_SECONDS: Final = 0.5
#: how long a broker may sit on a fetch that found nothing: who reads elsewhere waits as long
FETCH_WAIT_SECONDS: Final = 0.1


class KafkaChangeLog(ChangeLog):
    """The fact topics of one cluster; any thread may call, and it connects when the first does.

    Args:
        cluster: where they are.
        clock: stamps records.
        producer: appends; may be shared.
    """

    def __init__(self, cluster: Cluster, clock: Clock, producer: Producer | None = None) -> None:
        self.cluster = cluster
        self._clock = clock
        self._producer = producer or Producer(cluster)
        self._lock = threading.Lock()
        self._places: Places | None = None
        self._consumer: KafkaConsumer | None = None

    @override
    def append(self, facts: Sequence[KeyedFact]) -> None:
        if not facts:
            return
        places = self.places()
        at = self._clock.now()
        self._producer.append(
            [
                record_of(
                    keyed,
                    topic=self.cluster.name(keyed.topic),
                    partition=partition_of(keyed.key, places.partitions),
                    recorded_at=at,
                )
                for keyed in facts
            ]
        )

    @override
    def read(self, after: Mapping[str, int], *, limit: int) -> tuple[LoggedFact, ...]:
        places = {self.places().source(place): place for place in self.places()}
        with self._lock:
            try:
                return self._read(places, after, limit)
            except KafkaError as error:
                self._drop()
                raise _away(error) from error

    @override
    def heads(self) -> Mapping[str, int]:
        places = self.places()
        with self._lock:
            try:
                ends = self._open().end_offsets(list(places))
            except KafkaError as error:
                self._drop()
                raise _away(error) from error
        return {places.source(place): end - 1 for place, end in ends.items()}

    def begins(self) -> Mapping[str, int]:
        """Return the offset of the first fact that is left, by source.

        Raises:
            RetryableError: no broker answers.
        """
        places = self.places()
        with self._lock:
            try:
                begins = self._open().beginning_offsets(list(places))
            except KafkaError as error:
                self._drop()
                raise _away(error) from error
        return {places.source(place): begin for place, begin in begins.items()}

    def places(self) -> Places:
        """Return all partitions.

        Raises:
            RetryableError: no broker answers, or topics are missing.
            UnequalPartitionsError: the topics differ in their number of partitions.
        """
        if self._places is None:
            counts = {name: self._producer.partitions(name) for name in topic_names(self.cluster)}
            self._places = Places(self.cluster, equal_partitions(counts))
        return self._places

    def close(self) -> None:
        """Let the connections go."""
        with self._lock:
            self._drop()
        self._producer.close()

    def _read(
        self, places: Mapping[str, TopicPartition], after: Mapping[str, int], limit: int
    ) -> tuple[LoggedFact, ...]:
        consumer = self._open()
        ends = consumer.end_offsets(list(places.values()))
        begins = consumer.beginning_offsets(list(places.values()))
        starts = {s: max(after.get(s, -1) + 1, begins[place]) for s, place in places.items()}
        waiting = {source: ends[places[source]] - start for source, start in starts.items()}
        shares = fair_shares({s: count for s, count in waiting.items() if count > 0}, limit)
        # Never by pausing the others: see `shared`.
        consumer.assign([places[source] for source in shares])
        for source in shares:
            consumer.seek(places[source], starts[source])
        found: dict[str, list[Any]] = {source: [] for source in shares}
        missing = set(shares)
        deadline = self._clock.now().timestamp() + FETCH_SECONDS_MAX
        while missing:
            for place, records in consumer.poll(
                timeout_ms=int(POLL_SECONDS * 1_000), max_records=limit
            ).items():
                found[self.places().source(place)].extend(records)
            missing = {
                source
                for source in missing
                if len(found[source]) < shares[source]
                and consumer.position(places[source]) < ends[places[source]]
            }
            if missing and self._clock.now().timestamp() > deadline:
                raise RetryableError(f"Kafka: expected the facts of {min(missing)}, none came")
        return tuple(
            logged_of(record, source)
            for source in sorted(found)
            for record in found[source][: shares[source]]
        )

    def _open(self) -> KafkaConsumer:
        if self._consumer is None:
            consumer = connected(KafkaConsumer, **reading_options(self.cluster, "dealsync-look"))
            consumer.assign(list(self.places()))
            self._consumer = consumer
        return self._consumer

    def _drop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close(autocommit=False)


def has_facts(cluster: Cluster) -> bool:
    """Tell whether any fact topic that is there was ever appended to.

    Raises:
        RetryableError: no broker answers.
    """
    try:
        consumer = connected(KafkaConsumer, **reading_options(cluster, "dealsync-look"))
        try:
            places = [
                TopicPartition(name, partition)
                for name in consumer.topics() & set(topic_names(cluster))
                for partition in consumer.partitions_for_topic(name)
            ]
            return any(consumer.end_offsets(places).values()) if places else False
        finally:
            consumer.close(autocommit=False)
    except KafkaError as error:
        raise _away(error) from error


def reading_options(cluster: Cluster, client_id: str) -> dict[str, Any]:
    """Return what every consumer of facts takes: it never moves by itself."""
    return {
        **cluster.options(client_id),
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "allow_auto_create_topics": False,
        "fetch_max_wait_ms": int(FETCH_WAIT_SECONDS * 1_000),
        "metrics_enabled": False,
    }


def _away(error: KafkaError) -> RetryableError:
    return RetryableError(
        f"Kafka: expected a broker to answer, found: {error}", code=type(error).__name__
    )
