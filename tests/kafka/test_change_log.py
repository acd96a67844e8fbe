"""The contract of every change log, on a real Kafka: the same tests as on memory and PostgreSQL."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from adapters.clock import SystemClock
from adapters.kafka_log.log import KafkaChangeLog
from tests.contracts import test_change_log as contract
from tests.support.kafka_topics import own_cluster

# Its tests, with the fixture below instead of its own.
globals().update({name: test for name, test in vars(contract).items() if name.startswith("test_")})


@pytest.fixture
def open_log() -> Iterator[contract.Open]:
    """Open handles on topics of the test's own; each is as another process's."""
    with ExitStack() as stack:
        cluster = stack.enter_context(own_cluster())

        def another() -> KafkaChangeLog:
            log = KafkaChangeLog(cluster, SystemClock())
            stack.callback(log.close)
            return log

        yield another
