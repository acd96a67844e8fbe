"""Of three brokers one after the other is killed under load: it leads some partitions each time.

Records count when two replicas have them (`min.insync.replicas=2`), so two brokers must go on
without the third, and nothing that was acknowledged may be gone when it is back. `KILLS` says how
often (6 if it is not set).
"""

import os
import random
import time
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from adapters.kafka_log import topics
from adapters.kafka_log.topics import our_topics
from domain.ports import Topic
from tests.chaos.judging import judge
from tests.chaos.report import Cycle, Report
from tests.chaos.site import PARTITIONS, WORKERS, ChaosWorld, chaos_world
from tests.crash.person import Person
from tests.crash.story import Story
from tests.support.program import eventually

#: kafka-python leaves a socket to the garbage collector each time nobody answers
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

KILLS = int(os.environ.get("KILLS", "6"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
BROKERS = 3
#: until a broker that is back has all that it missed
IN_SYNC_SECONDS_MAX = 60.0


def test_two_brokers_go_on_without_the_leader(tmp_path: Path, reports: list[Report]) -> None:
    report = Report("chaos-brokers")
    reports.append(report)
    begun = time.monotonic()
    dice = random.Random(SEED)  # noqa: S311 - no secret
    with chaos_world(tmp_path, brokers=BROKERS) as world:
        assert topics.plan(world.cluster).differences == ()
        story = Story(Person(world.crms), dice, records_max=40 + KILLS)
        story.start()
        try:
            for number in range(KILLS):
                report.cycles.append(_kill_the_leader(world, number % PARTITIONS))
                report.write()
        finally:
            story.stop()
        report.figures["converged after"] = f"{world.until_converged():.1f} s"
        report.figures |= judge(world, story)
        for worker in WORKERS:
            world.stop_worker(worker)
        assert world.errors == []
    report.figures["seconds"] = round(time.monotonic() - begun)
    report.write()


def _kill_the_leader(world: ChaosWorld, partition: int) -> Cycle:
    """Kill who leads a partition; work must go on while it is down."""
    world.wait_for_a_write()
    node = _leader(world, partition)
    begun = time.monotonic()
    world.kafka.kill(node)
    decided_after, written_after = world.wait_recovered()
    world.kafka.start_node(node)
    world.kafka.wait_ready()
    eventually(lambda: _all_in_sync(world), seconds=IN_SYNC_SECONDS_MAX)
    return Cycle("leader killed", time.monotonic() - begun, decided_after, written_after)


def _leader(world: ChaosWorld, partition: int) -> int:
    admin = KafkaAdminClient(bootstrap_servers=list(world.cluster.servers))
    try:
        (described,) = admin.describe_topics([world.cluster.name(Topic.SALESFORCE_CHANGES)])
    finally:
        admin.close()
    found = {one["partition_index"]: one["leader_id"] for one in described["partitions"]}
    return int(found[partition])


def _all_in_sync(world: ChaosWorld) -> bool:
    """Tell whether every broker has all of every partition of ours."""
    admin = KafkaAdminClient(bootstrap_servers=list(world.cluster.servers))
    try:
        described = admin.describe_topics(list(our_topics(world.cluster)))
    finally:
        admin.close()
    return all(
        len(partition["isr_nodes"]) == BROKERS
        for topic in described
        for partition in topic["partitions"]
    )
