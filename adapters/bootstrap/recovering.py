"""A lost database made anew from Kafka: events, positions, and every projection.

1. The events are recovered in one transaction, which also tells their readers.
2. The followers fold them all, as they would in an engine. What that finds to tell is told by the
   next engine's project loop, so nothing that was waiting is forgotten.
3. What was decided beyond the cut is decided anew: every fact that stands in the topics by now, in
   the order in which it was appended (`adapters.kafka_log.backlog` says why). Stopped here, an
   engine goes on with the rest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from structlog.typing import FilteringBoundLogger

from adapters.bootstrap.change_logs import CHOSEN, LogName
from adapters.bootstrap.stores import Stores
from adapters.clock import Clock
from adapters.engine.decide import Decide
from adapters.engine.domain_rules import DomainRules
from adapters.kafka_log.backlog import Backlog
from adapters.kafka_log.event_topic import KafkaEventTopic
from adapters.kafka_log.log import KafkaChangeLog
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
    #: facts decided anew
    facts: int


def recover(
    stores: Stores, tell: Callable[[str], None], *, clock: Clock, logger: FilteringBoundLogger
) -> Recovery:
    """Recover the store of a database that was lost.

    Args:
        stores: over a new database, with Kafka as the log.
        tell: says what is being done.
        clock: ours.
        logger: one line a step.

    Raises:
        NotRecoverableError: the database is not empty, or what was published is not whole.
        LostEventsError: retention deleted published events.
        RetryableError: the database or the brokers do not answer.
    """
    kafka = stores.logs.kafka
    assert kafka is not None, "whoever calls has chosen Kafka"
    at = clock.now()
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
    digests = recovery.digests()
    tell("deciding anew what was decided beyond the cut")
    return Recovery(recovered, digests, _decide_backlog(stores, kafka, clock, logger))


def _decide_backlog(
    stores: Stores, kafka: KafkaChangeLog, clock: Clock, logger: FilteringBoundLogger
) -> int:
    """Decide every fact that stands in the topics now; return how many."""
    backlog = Backlog(kafka)
    decide = Decide(
        log=backlog,
        decisions=stores.decisions,
        rules=DomainRules(),
        logger=logger,
        epoch=stores.decisions.epoch(),
    )
    decided = 0
    try:
        while count := decide.step(clock.now()):
            decided += count
    finally:
        backlog.close()
    return decided
