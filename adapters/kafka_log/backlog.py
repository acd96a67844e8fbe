"""What waits in the fact topics, in the order in which it was appended.

Between partitions there is no order, and a worker needs none: whatever was appended because of a
decision comes after that decision. Only after a recovery does the log hold what followed from
decisions that are gone, and a deletion must not be decided before what it followed. So the backlog
of a recovery is decided by one worker, merged by the time at which each record was appended. It
ends where the topics ended when it was opened.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from typing_extensions import override

from adapters.kafka_log.client import connected
from adapters.kafka_log.fact_record import logged_of
from adapters.kafka_log.log import KafkaChangeLog, reading_options
from adapters.kafka_log.shelf import Shelf
from domain.errors import RetryableError
from domain.ports import ChangeLog, KeyedFact, LoggedFact

_POLL_MILLISECONDS: Final = 1_000
#: records of one poll
_POLL_RECORDS: Final = 5_000
#: polls in a row that bring nothing before the brokers count as away
_EMPTY_POLLS_MAX: Final = 30


class Backlog(ChangeLog):
    """The facts that stand in the topics now, merged; for one thread.

    Args:
        log: whose topics they are.

    Raises:
        RetryableError: no broker answers.
    """

    def __init__(self, log: KafkaChangeLog) -> None:
        self._log = log
        self._heads = log.heads()
        places = log.places()
        self._places: dict[str, TopicPartition] = {places.source(place): place for place in places}
        self._shelves: dict[str, Shelf] = {}
        self._consumer: KafkaConsumer | None = None

    @override
    def append(self, facts: Sequence[KeyedFact]) -> None:
        self._log.append(facts)

    @override
    def read(self, after: Mapping[str, int], *, limit: int) -> tuple[LoggedFact, ...]:
        """Return the oldest facts behind the given offsets, whatever their source."""
        waiting = []
        for source, head in self._heads.items():
            position = after.get(source, -1)
            self._shelves.setdefault(source, Shelf(position)).move_to(position)
            if position < head:
                waiting.append(source)
        try:
            self._fetch([source for source in waiting if not self._shelves[source]])
        except KafkaError as error:
            self.close()
            raise RetryableError(f"Kafka: expected a broker to answer, found: {error}") from error
        return tuple(self._merged(waiting, limit))

    @override
    def heads(self) -> Mapping[str, int]:
        return self._heads

    def close(self) -> None:
        """Let the connection go."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close(autocommit=False)

    def _fetch(self, sources: Sequence[str]) -> None:
        """Put at least one record on the shelf of each of these."""
        if not sources:
            return
        if self._consumer is None:
            options = reading_options(self._log.cluster, "dealsync-recover")
            self._consumer = connected(KafkaConsumer, **options)
        consumer = self._consumer
        missing = {self._places[source]: self._shelves[source] for source in sources}
        consumer.assign(list(missing))
        for place, shelf in missing.items():
            consumer.seek(place, shelf.next_offset)
        empty = 0
        while missing:
            found = consumer.poll(timeout_ms=_POLL_MILLISECONDS, max_records=_POLL_RECORDS)
            empty = 0 if found else empty + 1
            if empty > _EMPTY_POLLS_MAX:
                raise RetryableError("Kafka: expected the facts that wait, none came")
            for place, records in found.items():
                self._shelves[self._log.places().source(place)].put(records)
                missing.pop(place, None)

    def _merged(self, sources: Sequence[str], limit: int) -> Iterator[LoggedFact]:
        """Yield from the shelves, oldest first, for as long as all that is older is there."""
        records = {source: iter(self._shelves[source].first(limit)) for source in sources}
        oldest: list[tuple[int, str, Any]] = []
        for source in sources:
            record = next(records[source])
            heapq.heappush(oldest, (record.timestamp, source, record))
        for _ in range(limit):
            if not oldest:
                return
            stamp, source, record = heapq.heappop(oldest)
            yield logged_of(record, source)
            if record.offset >= self._heads[source]:
                continue
            following = next(records[source], None)
            if following is None:
                return  # the rest is on no shelf yet, and may be older than what the others hold
            # Clocks of several producers may differ; within a partition the order stands.
            heapq.heappush(oldest, (max(stamp, following.timestamp), source, following))
