"""A lost database made anew from Kafka: events, positions, and every projection.

The events are recovered in one transaction, which also tells their readers. Then the followers fold
them all, as they would in an engine; what that finds to tell is told by the next engine's project
loop, so nothing that was waiting is forgotten.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.bootstrap.change_logs import CHOSEN, LogName
from adapters.bootstrap.stores import Stores
from adapters.kafka_log.event_topic import KafkaEventTopic
from adapters.kafka_log.producer import Producer
from adapters.postgres.recovery import PostgresRecovery, Recovered
from projections.following import FOLLOWERS

#: events that a follower folds in one transaction
_FOLD_EVENTS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was recovered, and what it looks like."""

    recovered: Recovered
    #: of the events and of every projection's tables: equal digests are equal contents
    digests: Mapping[str, str]


def recover(stores: Stores, tell: Callable[[str], None], at: datetime) -> Recovery:
    """Recover the store of a database that was lost.

    Args:
        stores: over a new database, with Kafka as the log.
        tell: says what is being done.
        at: our clock.

    Raises:
        NotRecoverableError: the database is not empty, or what was published is not whole.
        LostEventsError: retention deleted published events.
        RetryableError: the database or the brokers do not answer.
    """
    kafka = stores.logs.kafka
    assert kafka is not None, "whoever calls has chosen Kafka"
    recovery = PostgresRecovery(stores.database)
    producer = Producer(kafka.cluster, "dealsync-recover")
    try:
        topic = KafkaEventTopic(kafka.cluster, producer)
        tell("reading what was published, and making the store anew")
        recovered = recovery.recover(
            topic.read(), topic.start_epoch, at, bookmarks={CHOSEN: LogName.KAFKA}
        )
    finally:
        producer.close()
    for name in FOLLOWERS:
        tell(f"{name}: folding all events")
        while stores.followers.follow(name, limit=_FOLD_EVENTS):
            pass
    return Recovery(recovered, recovery.digests())
