"""Workers of one group, in this process: each with a name and a share, as `dealsync run` has."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from adapters.clock import SystemClock
from adapters.kafka_log import generations
from adapters.kafka_log.client import Cluster
from adapters.kafka_log.log import KafkaChangeLog
from adapters.kafka_log.shared import SharedKafkaLog
from adapters.memory.bookmarks import MemoryBookmarks
from domain.ports import KeyedFact, LoggedFact, Topic
from tests.support.kafka_topics import own_cluster
from tests.support.store_samples import reconsider

#: a rebalance with members that are there takes about a second, here with margin
SECONDS = 30.0


@dataclass
class Crew:
    """The workers of a test, on topics of its own."""

    cluster: Cluster
    log: KafkaChangeLog
    stack: ExitStack
    bookmarks: MemoryBookmarks = field(default_factory=MemoryBookmarks)

    def worker(self, name: str) -> SharedKafkaLog:
        """Open another worker's share; it leaves at the test's end if it has not before."""
        share = SharedKafkaLog(self.log, name, self.bookmarks, SystemClock())
        self.stack.callback(share.close)
        return share

    def append(self, count: int, topic: Topic = Topic.SIGNALS) -> None:
        """Append facts, each with a key of its own."""
        self.log.append([keyed(str(n), topic) for n in range(count)])


def keyed(name: str, topic: Topic = Topic.SIGNALS) -> KeyedFact:
    """Make a fact with its key."""
    return KeyedFact(topic, f"key {name}", reconsider(name))


@contextmanager
def crew(partitions: int | None = None) -> Iterator[Crew]:
    """Give topics and nobody who works yet."""
    with own_cluster(partitions=partitions) as cluster, ExitStack() as stack:
        log = KafkaChangeLog(cluster, SystemClock())
        stack.callback(log.close)
        work = Crew(cluster, log, stack)
        generations.remember(generations.topic_ids(cluster), work.bookmarks)
        yield work


def read_until(
    holds: Callable[[], bool],
    *shares: SharedKafkaLog,
    after: dict[str, int] | None = None,
    limit: int = 1_000,
) -> list[tuple[SharedKafkaLog, LoggedFact]]:
    """Let workers read in turn, each behind what any of them has read, until something holds."""
    positions = {} if after is None else after
    found = []
    deadline = time.monotonic() + SECONDS
    while not holds():
        for share in shares:
            for logged in share.read(dict(positions), limit=limit):
                positions[logged.source] = logged.offset
                found.append((share, logged))
        assert time.monotonic() < deadline, (
            f"expected it within {SECONDS} s; read to {positions}, assigned:"
            f" {[sorted(partitions_of(share)) for share in shares]}"
        )
    return found


def partitions_of(share: SharedKafkaLog) -> set[int]:
    """Return the numbers of the partitions that are a worker's."""
    return {int(source.rpartition(":")[2]) for source in share.sources}
