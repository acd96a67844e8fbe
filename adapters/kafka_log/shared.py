"""The change log as one of several workers reads it: each partition by one of them at a time.

Kafka's consumer group says whose partitions are whose, by ranges, so that equal partition numbers
of all topics go to one worker. It says no more than that: where to read on, and whether a worker is
still the owner, is decided by the positions in the store.

| what happens | what follows |
|---|---|
| a worker ends well | it leaves the group, the others have its partitions about a second later |
| a worker is killed and comes back | it has the same name, so it gets its partitions without ado |
| a worker is killed and stays away | the others get them after `session_seconds` |
| a worker sleeps beyond that, and wakes | its batch is refused by the store; then it joins again |
| two workers bear one name | the earlier one is told so, and stops |
| undecided facts are gone | `FactsLostError` at each reading, until a person has looked |

Listeners of a rebalance run on the client's own thread, which also sends the heartbeats: ours only
write down what was assigned. No partition is ever paused: kafka-python 3.0 may forget what it holds
of a paused one, and then never delivers it (`Fetcher.fetched_records` looks at it only while no
other partition was in line). What was not taken out of the client is not fetched again, so it holds
little anyway.
"""

import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from kafka import (
    ConsumerRebalanceListener,
    KafkaAdminClient,
    KafkaConsumer,
    OffsetAndMetadata,
    TopicPartition,
)
from kafka.admin import MemberToRemove
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import (
    FencedInstanceIdError,
    KafkaError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    UnknownTopicOrPartitionError,
)
from typing_extensions import override

from adapters.clock import Clock
from adapters.kafka_log.client import connected
from adapters.kafka_log.fact_record import logged_of
from adapters.kafka_log.generations import losses, refuse, remember, topic_ids
from adapters.kafka_log.log import KafkaChangeLog, reading_options
from adapters.kafka_log.places import Places, topic_names
from adapters.kafka_log.shelf import Shelf
from adapters.partitions import fair_shares
from domain.errors import RetryableError, SyncError
from domain.ports import Bookmarks, ChangeLog, KeyedFact, LoggedFact

#: of all workers of one environment, behind the prefix
GROUP: Final = "dealsync"
#: how long a reading waits for something to come
WAIT_SECONDS: Final = 0.2
#: polls of one reading: each brings what one fetch brought
POLLS_MAX: Final = 10
#: how much is fetched ahead, in limits of one reading; the client itself holds one fetch more
SHELVES_FULL: Final = 2
#: how often the group's own offsets are moved, for Kafka's tools to show
HINT_SECONDS: Final = 5.0
#: a worker that lives but reads no more for so long is passed over: others wait for it till then
STEP_SECONDS_MAX: Final = 60.0
_HEARTBEATS_PER_SESSION: Final = 5


class WorkerReplacedError(SyncError):
    """Another process bears this worker's name: this one must stop."""


class SharedKafkaLog(ChangeLog):
    """What one worker of a group reads.

    Args:
        log: appends, and knows the topics.
        worker: this worker's name: no other running one has it, and it keeps it when it restarts.
        bookmarks: where the ids of topics are kept.
        clock: for hints only.
    """

    def __init__(
        self, log: KafkaChangeLog, worker: str, bookmarks: Bookmarks, clock: Clock
    ) -> None:
        self._log = log
        self._worker = worker
        self._bookmarks = bookmarks
        self._clock = clock
        self._group = log.cluster.name(GROUP)
        self._lock = threading.Lock()
        self._consumer: KafkaConsumer | None = None
        self._shelves: dict[TopicPartition, Shelf] = {}
        self._after: Mapping[str, int] = {}
        #: what was assigned last and is not taken over yet: the client's thread puts it there, and
        #: may put the next one while this one is being taken
        self._assigned: deque[frozenset[TopicPartition]] = deque(maxlen=1)
        self._unchecked = False
        self._hinted_at: datetime | None = None
        self._replaced: WorkerReplacedError | None = None
        #: rises whenever partitions came or went: whoever keeps positions reads them again
        self.assignments = 0

    @property
    def sources(self) -> frozenset[str]:
        """What this worker reads at the moment."""
        places = self._log.places()
        return frozenset(places.source(place) for place in self._shelves)

    @override
    def append(self, facts: Sequence[KeyedFact]) -> None:
        self._log.append(facts)

    @override
    def heads(self) -> Mapping[str, int]:
        return self._log.heads()

    @override
    def read(self, after: Mapping[str, int], *, limit: int) -> tuple[LoggedFact, ...]:
        """Return facts of the partitions that are this worker's now; others are left out.

        Raises:
            FactsLostError: undecided facts are gone.
            WorkerReplacedError: another process bears this worker's name.
            RetryableError: the brokers do not answer.
        """
        if self._replaced is not None:
            raise self._replaced
        places = self._log.places()
        with self._lock:
            try:
                return self._read(places, after, limit)
            except FencedInstanceIdError as error:
                self._drop()
                self._replaced = WorkerReplacedError(
                    f"expected to be the only worker named {self._worker}, found another one; give"
                    " each its own name (`dealsync run --worker NAME`)"
                )
                raise self._replaced from error
            except (OffsetOutOfRangeError, NoOffsetForPartitionError, LogTruncationError) as error:
                self._check({places.source(place) for place in places}, after)
                self._drop()
                raise _away(error) from error
            except KafkaError as error:
                self._drop()
                raise _away(error) from error

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        with self._lock:
            was_member = self._consumer is not None
            self._drop()
        if was_member:
            with suppress(KafkaError):
                self._leave()

    def _read(self, places: Places, after: Mapping[str, int], limit: int) -> tuple[LoggedFact, ...]:
        self._after = after
        consumer = self._joined()
        if self._unchecked:
            self._check(self.sources, after)
            self._unchecked = False
        for place, shelf in self._shelves.items():
            if not shelf.move_to(after.get(places.source(place), -1)):
                consumer.seek(place, shelf.next_offset)
        self._hint(consumer, places)
        if not self._fetch(consumer, limit):
            return ()
        waiting = {place: len(shelf) for place, shelf in self._shelves.items() if len(shelf)}
        named = {places.source(place): place for place in waiting}
        shares = fair_shares({source: waiting[place] for source, place in named.items()}, limit)
        return tuple(
            logged_of(record, source)
            for source in sorted(shares)
            for record in self._shelves[named[source]].first(shares[source])
        )

    def _fetch(self, consumer: KafkaConsumer, limit: int) -> bool:
        """Put what comes on the shelves; return False if partitions came or went."""
        for _ in range(POLLS_MAX):
            ready = sum(map(len, self._shelves.values()))
            found = consumer.poll(
                timeout_ms=0 if ready else int(WAIT_SECONDS * 1_000),
                max_records=max(1, SHELVES_FULL * limit - ready),
            )
            if self._assigned:
                self._take_over(consumer, self._assigned.pop())
                return False
            for place, records in found.items():
                self._shelves[place].put(records)
            if not found or ready >= limit:
                break
        return True

    def _take_over(self, consumer: KafkaConsumer, assigned: frozenset[TopicPartition]) -> None:
        """Begin with empty shelves; what this poll brought of new partitions comes again."""
        places = self._log.places()
        self._shelves = {
            place: Shelf(self._after.get(places.source(place), -1)) for place in assigned
        }
        for place, shelf in self._shelves.items():
            consumer.seek(place, shelf.next_offset)
        self._unchecked = bool(assigned)
        self.assignments += 1

    def _check(self, sources: Collection[str], after: Mapping[str, int]) -> None:
        """See that sources go on where the positions say.

        Raises:
            FactsLostError: something does not.
        """
        ids = topic_ids(self._log.cluster)
        found = losses(
            sources,
            after,
            ids=ids,
            known_ids=self._bookmarks,
            begins=self._log.begins(),
            ends={source: head + 1 for source, head in self._log.heads().items()},
        )
        refuse(found)
        remember(ids, self._bookmarks)

    def _joined(self) -> KafkaConsumer:
        if self._consumer is None:
            session = self._log.cluster.session_seconds
            consumer = connected(
                KafkaConsumer,
                **reading_options(self._log.cluster, f"dealsync-{self._worker}"),
                group_id=self._group,
                group_instance_id=self._worker,
                partition_assignment_strategy=[RangePartitionAssignor],
                session_timeout_ms=int(session * 1_000),
                heartbeat_interval_ms=int(session * 1_000 / _HEARTBEATS_PER_SESSION),
                max_poll_interval_ms=int(STEP_SECONDS_MAX * 1_000),
            )
            consumer.subscribe(
                topics=topic_names(self._log.cluster),
                listener=_WritingDown(consumer, self._places_changed, self._next_offset),
            )
            # Whoever leads the group divides the partitions that it knows of when it joins.
            self._consumer = consumer
            for name in topic_names(self._log.cluster):
                if not consumer.partitions_for_topic(name):
                    raise UnknownTopicOrPartitionError(name)
        return self._consumer

    def _places_changed(self, assigned: frozenset[TopicPartition]) -> None:
        self._assigned.append(assigned)

    def _next_offset(self, place: TopicPartition) -> int:
        return self._after.get(self._log.places().source(place), -1) + 1

    def _hint(self, consumer: KafkaConsumer, places: Places) -> None:
        """Move the group's own offsets now and then.

        That they lag or fail does not matter, but it is how a worker whose name was taken hears of
        it: the client keeps that to itself otherwise.
        """
        now = self._clock.now()
        if self._hinted_at is None:
            self._hinted_at = now
        if now - self._hinted_at < timedelta(seconds=HINT_SECONDS):
            return
        self._hinted_at = now
        offsets = {
            place: OffsetAndMetadata(self._after.get(places.source(place), -1) + 1, "", -1)
            for place in self._shelves
        }
        if offsets:
            consumer.commit_async(offsets)

    def _leave(self) -> None:
        admin = connected(KafkaAdminClient, **self._log.cluster.options(f"dealsync-{self._worker}"))
        try:
            admin.remove_group_members(
                self._group, [MemberToRemove(group_instance_id=self._worker)]
            )
        finally:
            admin.close()

    def _drop(self) -> None:
        """Let the connection go; whoever reads again joins again, under the same name."""
        consumer, self._consumer = self._consumer, None
        self._shelves = {}
        if consumer is not None:
            with suppress(KafkaError):
                consumer.close(autocommit=False)
        # Only now can its thread say nothing more.
        self._assigned.clear()


class _WritingDown(ConsumerRebalanceListener):
    """Writes down what was assigned, and where to read on; runs on the client's own thread."""

    def __init__(
        self,
        consumer: KafkaConsumer,
        changed: Callable[[frozenset[TopicPartition]], None],
        next_offset: Callable[[TopicPartition], int],
    ) -> None:
        self._consumer = consumer
        self._changed = changed
        self._next_offset = next_offset

    @override
    def on_partitions_revoked(self, revoked: Any) -> None:
        """Nothing: what is on the shelves may still be decided; the store says whether in time."""

    @override
    def on_partitions_lost(self, lost: Any) -> None:
        """The group went on without us."""
        self._changed(frozenset())

    @override
    def on_partitions_assigned(self, assigned: Any) -> None:
        """Begin where the positions were when the reading began."""
        for place in assigned:
            self._consumer.seek(place, self._next_offset(place))
        self._changed(frozenset(assigned))


def _away(error: KafkaError) -> RetryableError:
    return RetryableError(
        f"Kafka: expected a broker to answer, found: {error}", code=type(error).__name__
    )
