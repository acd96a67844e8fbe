"""The contract of the decide loop, with facts in a real Kafka and decisions in PostgreSQL."""

from collections.abc import Iterator

import pytest

from adapters.clock import SystemClock
from adapters.kafka_log.log import KafkaChangeLog
from adapters.postgres.decisions import PostgresDecisions
from tests.contracts import test_decide as contract
from tests.support import postgres
from tests.support.kafka_topics import own_cluster

# Its tests, with the fixture below instead of its own.
globals().update({name: test for name, test in vars(contract).items() if name.startswith("test_")})


@pytest.fixture
def ports() -> Iterator[contract.Ports]:
    """Open a log and a store of the test's own."""
    with own_cluster() as cluster, postgres.database() as database:
        log = KafkaChangeLog(cluster, SystemClock())
        yield contract.Ports(log, PostgresDecisions(database))
        log.close()
