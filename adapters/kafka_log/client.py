"""What every Kafka client of ours is built with: where the brokers are and how they let us in.

kafka-python falls back to a checksum in Python that costs 35 µs a record where `crc32c` is missing;
so this module does not load without it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import crc32c
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient
from kafka.record import util as record_util

from adapters.settings import Settings, SettingsError, read_secret

#: a broker that was killed is back in about 6 s; whoever waits longer hears of it
REQUEST_SECONDS: Final = 10.0
#: how long a new client looks for a broker
BOOTSTRAP_SECONDS: Final = 10.0
#: a broker that is gone is tried again this often at the least
RECONNECT_SECONDS_MAX: Final = 1.0

Client = TypeVar("Client")

if vars(record_util)["crc32c_c"] is not crc32c.crc32c:
    raise ImportError("expected kafka-python to use the package crc32c, found that it does not")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Kafka cluster as one environment of ours sees it."""

    servers: tuple[str, ...]
    #: before the name of every topic and group of ours
    prefix: str = ""
    #: how long a silent member keeps its partitions
    session_seconds: float = 10.0
    #: kafka-python's names and values for TLS and SASL
    security: dict[str, Any] = field(default_factory=dict, repr=False)

    def name(self, topic: str) -> str:
        """Return what a topic or group of ours is called in this cluster."""
        return f"{self.prefix}{topic}"

    def options(self, client_id: str) -> dict[str, Any]:
        """Return what every kind of client takes.

        Args:
            client_id: shows in the brokers' logs and figures.
        """
        return {
            "bootstrap_servers": list(self.servers),
            "client_id": client_id,
            "request_timeout_ms": int(REQUEST_SECONDS * 1_000),
            "bootstrap_timeout_ms": int(BOOTSTRAP_SECONDS * 1_000),
            "reconnect_backoff_max_ms": int(RECONNECT_SECONDS_MAX * 1_000),
            **self.security,
        }


def connected(kind: Callable[..., Client], **options: Any) -> Client:  # noqa: ANN401 - kafka-python's own
    """Return a client that has met a broker; if it cannot, its sockets are closed.

    kafka-python leaves them open when a client's making fails, and a worker that waits for its
    brokers would run out of them.

    Raises:
        KafkaError: no broker answers.
    """
    begun: list[KafkaNetClient] = []

    def begin(**given: Any) -> KafkaNetClient:  # noqa: ANN401 - kafka-python's own
        begun.append(KafkaNetClient(**given))
        return begun[-1]

    try:
        return kind(kafka_client=begin, **options)
    except KafkaError:
        for client in begun:
            client.close()
        raise


def cluster_of(settings: Settings) -> Cluster:
    """Return the cluster that the settings name.

    Raises:
        SettingsError: they name none, or a secret is missing.
    """
    if not settings.kafka_bootstrap_servers:
        raise SettingsError(
            "KAFKA_BOOTSTRAP_SERVERS: expected host:port of at least one broker, found none;"
            " set it, or `kafka_bootstrap_servers` in the settings file"
        )
    given = settings.kafka
    security: dict[str, Any] = {"security_protocol": given.security_protocol}
    for name, path in (
        ("ssl_cafile", given.ca_file),
        ("ssl_certfile", given.certificate_file),
        ("ssl_keyfile", given.key_file),
    ):
        if path is not None:
            security[name] = str(path)
    if given.key_password_file is not None:
        security["ssl_password"] = read_secret(given.key_password_file).get_secret_value()
    if given.security_protocol.startswith("SASL_"):
        if given.sasl_mechanism is None or given.username is None or given.password_file is None:
            raise SettingsError(
                f"DEALSYNC_KAFKA_SECURITY_PROTOCOL is {given.security_protocol}: expected"
                " DEALSYNC_KAFKA_SASL_MECHANISM, DEALSYNC_KAFKA_USERNAME and"
                " DEALSYNC_KAFKA_PASSWORD_FILE, found not all of them; set them"
            )
        security["sasl_mechanism"] = given.sasl_mechanism
        security["sasl_plain_username"] = given.username
        security["sasl_plain_password"] = read_secret(given.password_file).get_secret_value()
    return Cluster(
        servers=settings.kafka_bootstrap_servers,
        prefix=given.prefix,
        session_seconds=given.session_seconds,
        security=security,
    )
