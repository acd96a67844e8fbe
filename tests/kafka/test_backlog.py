"""The backlog of a recovery, on a real Kafka: merged by append time, in order within a source."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from adapters.clock import SystemClock
from adapters.kafka_log.backlog import Backlog
from adapters.kafka_log.log import KafkaChangeLog
from domain.ports import KeyedFact, LoggedFact, Topic
from tests.support.event_topics import event_topic
from tests.support.store_samples import reconsider

TOPICS = (Topic.SIGNALS, Topic.REQUESTS, Topic.OUTCOMES, Topic.HUBSPOT_CHANGES)
#: records are stamped with milliseconds
APART_SECONDS = 0.004


@pytest.fixture
def log() -> Iterator[KafkaChangeLog]:
    with event_topic() as (cluster, _):
        log = KafkaChangeLog(cluster, SystemClock())
        for number in range(40):
            fact = reconsider(str(number))
            log.append([KeyedFact(TOPICS[number % 4], f"key {number % 7}", fact)])
            time.sleep(APART_SECONDS)
        yield log
        log.close()


def read(log: KafkaChangeLog, *, limit: int) -> list[LoggedFact]:
    """Read it as the decide loop does: behind what was read before."""
    backlog = Backlog(log)
    after: dict[str, int] = {}
    found: list[LoggedFact] = []
    while facts := backlog.read(after, limit=limit):
        assert len(facts) <= limit
        after |= {logged.source: logged.offset for logged in facts}
        found += facts
    backlog.close()
    return found


@pytest.mark.parametrize("limit", [1, 7, 1_000])
def test_facts_come_in_the_order_in_which_they_were_appended(
    log: KafkaChangeLog, limit: int
) -> None:
    found = read(log, limit=limit)

    assert [logged.fact for logged in found] == [reconsider(str(n)) for n in range(40)]


def test_it_ends_where_the_topics_ended(log: KafkaChangeLog) -> None:
    with closing(Backlog(log)) as backlog:
        log.append([KeyedFact(Topic.SIGNALS, "later", reconsider("later"))])

        assert len(backlog.read({}, limit=1_000)) == 40
        assert backlog.read(backlog.heads(), limit=1_000) == ()


def test_what_was_not_decided_is_read_again(log: KafkaChangeLog) -> None:
    with closing(Backlog(log)) as backlog:
        assert backlog.read({}, limit=5) == backlog.read({}, limit=5)
