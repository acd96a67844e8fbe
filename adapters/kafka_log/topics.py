"""The topics as they must be, compared with the topics as they are.

Every topic of ours has as many partitions, keeps everything for ever, and takes an append only when
`min.insync.replicas` replicas have it. `plan` says what differs, `apply` does what can be done
without moving anybody's data, and the rest is told as drift.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from adapters.kafka_log.client import Cluster, connected
from adapters.kafka_log.producer import RECORD_BYTES_MAX
from adapters.partitions import PARTITIONS
from domain.errors import RetryableError
from domain.ports import Topic
from projections.publishing import EVENTS_TOPIC

#: of a new topic, where there are as many brokers
REPLICATION: Final = 3
#: looks whether what was done shows, and the pause between them
LOOKS_MAX: Final = 50
LOOK_SECONDS: Final = 0.1
_UNKNOWN_TOPIC: Final = 3
#: by name, what every topic of ours is set to; `min.insync.replicas` depends on its replicas
SETTINGS: Final[Mapping[str, str]] = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "max.message.bytes": str(RECORD_BYTES_MAX),
    "unclean.leader.election.enable": "false",
}
IN_SYNC: Final = "min.insync.replicas"


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as it is."""

    name: str
    partitions: int
    replication: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it must be."""

    topic: str
    #: create, grow, set; drift: no command of ours mends it
    kind: str
    #: what: a setting's name, `partitions`, `replicas`, `topic`
    what: str
    found: str
    wanted: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What differs, and how new topics would be made."""

    partitions: int
    replication: int
    differences: tuple[Difference, ...] = field(default=())

    @property
    def to_do(self) -> tuple[Difference, ...]:
        """What `apply` does."""
        return tuple(one for one in self.differences if one.kind != "drift")

    @property
    def drift(self) -> tuple[Difference, ...]:
        """What somebody else has to mend."""
        return tuple(one for one in self.differences if one.kind == "drift")


def our_topics(cluster: Cluster) -> tuple[str, ...]:
    """Return what all our topics are called in a cluster."""
    return tuple(cluster.name(topic) for topic in (*Topic, EVENTS_TOPIC))


def plan(
    cluster: Cluster, *, partitions: int | None = None, replication: int | None = None
) -> Plan:
    """Compare.

    Args:
        cluster: where.
        partitions: of every topic; None: as many as the largest has, or the default.
        replication: of a new topic; None: three, or as many as there are brokers.

    Raises:
        RetryableError: no broker answers.
    """
    with _admin(cluster) as admin:
        return _plan(admin, cluster, partitions, replication)


def apply(
    cluster: Cluster,
    *,
    partitions: int | None = None,
    replication: int | None = None,
    kinds: Collection[str] = ("create", "grow", "set"),
) -> Plan:
    """Make what is missing, grow and set what differs; returns what was found before.

    Args:
        cluster: where.
        partitions: of every topic; None: as many as the largest has, or the default.
        replication: of a new topic; None: three, or as many as there are brokers.
        kinds: which differences are mended.

    Raises:
        RetryableError: no broker answers, or one refuses.
    """
    with _admin(cluster) as admin:
        planned = _plan(admin, cluster, partitions, replication)
        of_kind = {
            kind: [one for one in planned.to_do if one.kind == kind and kind in kinds]
            for kind in ("create", "grow", "set")
        }
        if of_kind["create"]:
            settings = {**SETTINGS, IN_SYNC: in_sync(planned.replication)}
            admin.create_topics(
                {
                    one.topic: {
                        "num_partitions": planned.partitions,
                        "replication_factor": planned.replication,
                        "configs": settings,
                    }
                    for one in of_kind["create"]
                },
                wait_for_metadata=True,
            )
        if of_kind["grow"]:
            admin.create_partitions({one.topic: int(one.wanted) for one in of_kind["grow"]})
        if of_kind["set"]:
            _set(admin, of_kind["set"])
        _until(lambda: not _left(admin, cluster, planned, kinds))
        return planned


def in_sync(replication: int) -> str:
    """Return how many replicas must have a record before it counts: one may be missing."""
    return str(max(1, replication - 1))


def _left(admin: KafkaAdminClient, cluster: Cluster, planned: Plan, kinds: Collection[str]) -> bool:
    """Tell whether brokers do not show yet what was done."""
    now = _plan(admin, cluster, planned.partitions, None)
    return any(one.kind in kinds for one in now.to_do)


def _until(holds: Callable[[], bool]) -> None:
    """Wait for brokers to tell each other, but not for ever: the next look shows what is so."""
    for _ in range(LOOKS_MAX):
        if holds():
            return
        time.sleep(LOOK_SECONDS)  # noqa: TID251 - waits for other programs


def _plan(
    admin: KafkaAdminClient, cluster: Cluster, partitions: int | None, replication: int | None
) -> Plan:
    found = _found(admin, our_topics(cluster))
    brokers = len(admin.describe_cluster()["brokers"])
    wanted = partitions or max((one.partitions for one in found.values()), default=PARTITIONS)
    replicas = replication or min(REPLICATION, brokers)
    return Plan(
        partitions=wanted,
        replication=replicas,
        differences=tuple(
            difference
            for name in our_topics(cluster)
            for difference in _differences(name, found.get(name), wanted, replicas, replication)
        ),
    )


def _differences(
    name: str, found: Found | None, partitions: int, replicas: int, asked_replicas: int | None
) -> Iterable[Difference]:
    if found is None:
        yield Difference(
            name, "create", "topic", "", f"{partitions} partitions, {replicas} replicas"
        )
        return
    if found.partitions != partitions:
        kind = "grow" if found.partitions < partitions else "drift"
        yield Difference(name, kind, "partitions", str(found.partitions), str(partitions))
    if asked_replicas is not None and found.replication != asked_replicas:
        yield Difference(name, "drift", "replicas", str(found.replication), str(asked_replicas))
    for setting, value in {**SETTINGS, IN_SYNC: in_sync(found.replication)}.items():
        if found.settings.get(setting) != value:
            yield Difference(name, "set", setting, found.settings.get(setting, ""), value)


def _found(admin: KafkaAdminClient, names: Sequence[str]) -> dict[str, Found]:
    described = {
        one["name"]: one
        for one in admin.describe_topics(list(names))
        if one["error_code"] != _UNKNOWN_TOPIC and one["partitions"]
    }
    if not described:
        return {}
    settings = admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in described],
        config_filter="all",
    )["topic"]
    return {
        name: Found(
            name=name,
            partitions=len(one["partitions"]),
            replication=min(len(partition["replica_nodes"]) for partition in one["partitions"]),
            settings={key: str(said["value"]) for key, said in settings[name].items()},
        )
        for name, one in described.items()
    }


def _set(admin: KafkaAdminClient, differences: Sequence[Difference]) -> None:
    by_topic: dict[str, dict[str, Any]] = {}
    for one in differences:
        by_topic.setdefault(one.topic, {})[one.what] = one.wanted
    answers = admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name, given) for name, given in by_topic.items()]
    )["topic"]
    refused = [f"{name}: {answer}" for name, answer in answers.items() if answer != "OK"]
    if refused:
        raise RetryableError(f"Kafka refused settings of {'; '.join(refused)}")


@contextmanager
def _admin(cluster: Cluster) -> Iterator[KafkaAdminClient]:
    try:
        admin = connected(KafkaAdminClient, **cluster.options("dealsync-topics"))
        try:
            yield admin
        finally:
            admin.close()
    except KafkaError as error:
        raise RetryableError(
            f"Kafka: expected a broker that lets us look at topics and change them, found: {error}",
            code=type(error).__name__,
        ) from error
