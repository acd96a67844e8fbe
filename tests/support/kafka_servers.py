"""A Kafka for tests: whichever is there. Whoever asks gets its servers, or the reason why not.

1. `KAFKA_BOOTSTRAP_SERVERS`, if the caller's environment names brokers: nothing is started;
2. Docker, with the `kafka` of `infra/compose.yaml`;
3. a JDK and Maven: `tests.support.kafka_broker`, in a temporary folder.

One broker serves a whole run of pytest and is stopped at its end. Tests share it, so each takes a
prefix of its own for its topics and groups.
"""

import atexit
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Final

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from tests.conftest import KAFKA_VARIABLE
from tests.support.kafka_broker import ROOT, KafkaBrokerError, KafkaCluster, why_not_here

COMPOSE: Final = ROOT / "infra" / "compose.yaml"
DOCKER_SECONDS_MAX: Final = 300.0

_NUMBERS: Final = itertools.count(1)


class NoKafkaError(Exception):
    """No Kafka can be had here; the message says why."""


def why_no_kafka() -> str | None:
    """Say why the suites that need Kafka cannot run here, or None; starts nothing."""
    given = os.environ.get(KAFKA_VARIABLE)
    if given:
        return None if _answers(given) else f"KAFKA_BOOTSTRAP_SERVERS: {given} does not answer"
    if _has_docker():
        return None
    reason = why_not_here()
    return None if reason is None else f"no KAFKA_BOOTSTRAP_SERVERS, no Docker, {reason}"


@lru_cache(maxsize=1)
def kafka_servers() -> str:
    """Return the bootstrap servers of this run's Kafka, started if it has to be.

    Raises:
        NoKafkaError: there is none.
    """
    given = os.environ.get(KAFKA_VARIABLE)
    if given:
        if not _answers(given):
            raise NoKafkaError(f"KAFKA_BOOTSTRAP_SERVERS: {given} does not answer")
        return given
    by_docker = _by_docker() if _has_docker() else None
    return by_docker or _by_java()


def own_prefix() -> str:
    """Return a prefix for topics and groups that no other test has."""
    return f"t{os.getpid()}-{next(_NUMBERS)}."


def _by_java() -> str:
    cluster = KafkaCluster(Path(tempfile.mkdtemp(prefix="dealsync-kafka-")))
    atexit.register(cluster.delete)
    try:
        return cluster.start()
    except KafkaBrokerError as error:
        raise NoKafkaError(str(error)) from error


def _has_docker() -> bool:
    if shutil.which("docker") is None or not COMPOSE.exists():
        return False
    return _docker("compose", "version") and _docker("info")


def _by_docker() -> str | None:
    """Start the composed broker on a free port; None: it does not come up."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    compose = ("compose", "-p", f"dealsync-test-{os.getpid()}", "-f", str(COMPOSE))
    os.environ["KAFKA_PORT"] = str(port)
    atexit.register(_docker, *compose, "down", "--volumes")
    if not _docker(*compose, "up", "--detach", "--wait", "kafka"):
        return None
    servers = f"127.0.0.1:{port}"
    return servers if _answers(servers) else None


def _docker(*arguments: str) -> bool:
    done = subprocess.run(  # noqa: S603 - our own command
        ["docker", *arguments],  # noqa: S607
        capture_output=True,
        timeout=DOCKER_SECONDS_MAX,
        check=False,
    )
    return done.returncode == 0


def _answers(servers: str) -> bool:
    try:
        admin = KafkaAdminClient(bootstrap_servers=servers.split(","), bootstrap_timeout_ms=10_000)
    except KafkaError:
        return False
    admin.close()
    return True
