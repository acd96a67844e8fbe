"""TLS and SASL, as the settings name them, against a broker that asks for both."""

import gc
import logging
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from adapters.clock import SystemClock
from adapters.kafka_log import client, topics
from adapters.kafka_log.client import Cluster, cluster_of
from adapters.kafka_log.log import KafkaChangeLog
from adapters.kafka_log.shared import SharedKafkaLog
from adapters.memory.bookmarks import MemoryBookmarks
from adapters.settings import Settings
from domain.errors import RetryableError
from tests.kafka.secured import SCRAM, USER, Secured, secured_broker
from tests.kafka.workers import keyed, read_until
from tests.support.kafka_servers import own_prefix


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with secured_broker(tmp_path_factory.mktemp("secured"), port) as given:
        yield given


def _cluster(broker: Secured, **others: str) -> Cluster:
    """Return what the settings of a worker make of it."""
    variables: Mapping[str, str] = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.servers,
        "DEALSYNC_KAFKA_PREFIX": own_prefix(),
        "DEALSYNC_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "DEALSYNC_KAFKA_CA_FILE": str(broker.ca_file),
        "DEALSYNC_KAFKA_SASL_MECHANISM": "PLAIN",
        "DEALSYNC_KAFKA_USERNAME": USER,
        "DEALSYNC_KAFKA_PASSWORD_FILE": str(broker.password_file),
        **others,
    }
    return cluster_of(Settings.load(variables, Path.cwd()))


@pytest.mark.parametrize("mechanism", ["PLAIN", SCRAM])
def test_facts_go_in_and_out_for_whoever_signs_in(broker: Secured, mechanism: str) -> None:
    cluster = _cluster(broker, DEALSYNC_KAFKA_SASL_MECHANISM=mechanism)
    topics.apply(cluster, partitions=2)
    with closing(KafkaChangeLog(cluster, SystemClock())) as log:
        log.append([keyed(str(number)) for number in range(20)])
        with closing(SharedKafkaLog(log, "one", MemoryBookmarks(), SystemClock())) as share:
            after: dict[str, int] = {}
            found = read_until(lambda: sum(after.values()) == 18, share, after=after)

    assert {logged.fact for _, logged in found} == {keyed(str(n)).fact for n in range(20)}


@pytest.fixture
def refused(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the sockets go that kafka-python leaves to the garbage collector when it is refused."""
    # A captured record would keep such a socket beyond the test, for another to stumble over.
    caplog.set_level(logging.CRITICAL + 1, logger="kafka")
    monkeypatch.setattr(client, "BOOTSTRAP_SECONDS", 2.0)
    yield
    gc.collect()


@pytest.mark.usefixtures("refused")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_wrong_password_is_told(broker: Secured, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong\n", encoding="utf-8")
    cluster = _cluster(broker, DEALSYNC_KAFKA_PASSWORD_FILE=str(wrong))

    with pytest.raises(RetryableError, match=r"expected a broker"):
        topics.plan(cluster)


@pytest.mark.usefixtures("refused")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_broker_that_nobody_known_vouches_for_is_not_trusted(broker: Secured) -> None:
    with pytest.raises(RetryableError, match=r"expected a broker"):
        topics.plan(_cluster(broker, DEALSYNC_KAFKA_CA_FILE=""))
