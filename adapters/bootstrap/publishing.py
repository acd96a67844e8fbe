"""The publish loop, wired: there is one where facts are in Kafka, and none elsewhere."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from structlog.typing import FilteringBoundLogger

from adapters.bootstrap.stores import Stores
from adapters.engine.publish import Publish
from adapters.engine.runner import Loop
from adapters.home import PUBLISH
from adapters.kafka_log.event_topic import KafkaEventTopic
from adapters.kafka_log.producer import Producer
from adapters.postgres.publication import PostgresPublication

#: large, and told again in full by the next sweep where they are missing
_NOT_TOLD: Final = "hubspot.associations."
#: what is true of one process for a while, and of no later one
_TROUBLE: Final = ".trouble"


@contextmanager
def publish_loop(stores: Stores, logger: FilteringBoundLogger) -> Iterator[Mapping[str, Loop]]:
    """Give the publish loop by its name; nothing where facts are in PostgreSQL."""
    kafka = stores.logs.kafka
    if kafka is None:
        yield {}
        return
    # Its own: after a failure a producer drops what other threads have on their way, too.
    producer = Producer(kafka.cluster, "dealsync-publish")
    try:
        yield {
            PUBLISH: Publish(
                publication=PostgresPublication(stores.database),
                topic=KafkaEventTopic(kafka.cluster, producer),
                bookmarks=lambda: told_bookmarks(stores.bookmarks.all()),
                logger=logger,
            )
        }
    finally:
        producer.close()


def told_bookmarks(bookmarks: Mapping[str, str]) -> Mapping[str, str]:
    """Return those that a recovery goes on from."""
    return {
        name: text
        for name, text in bookmarks.items()
        if not name.startswith(_NOT_TOLD) and not name.endswith(_TROUBLE)
    }
