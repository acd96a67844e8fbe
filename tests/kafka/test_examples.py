"""The example for other teams, run as they would run it, against a real Kafka."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters import codec
from adapters.kafka_log.client import Cluster
from adapters.kafka_log.event_topic import KafkaEventTopic
from projections.publishing import EVENTS_TOPIC, DecidedEvent, EpochStarted, Window
from tests.support.event_topics import event_topic
from tests.support.happenings import AT, pair, summary

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "follow_deals.py"


@dataclass
class World:
    """A publisher that says what a test wants, and the example's table."""

    cluster: Cluster
    topic: KafkaEventTopic
    file: Path
    before: dict[int, int] = field(default_factory=dict)

    def publish(self, *events: DecidedEvent, epoch: int = 0, mark: int = 0) -> None:
        self.before.update(self.topic.send(Window(epoch, mark, dict(self.before), events)))

    def follow(self) -> dict[str, str]:
        """Run the example to the topic's end; return names by stream."""
        subprocess.run(  # noqa: S603 - our own script
            [
                *(sys.executable, str(EXAMPLE), "--until-end", "--file", str(self.file)),
                *("--servers", ",".join(self.cluster.servers)),
                *("--topic", self.cluster.name(EVENTS_TOPIC)),
            ],
            check=True,
            timeout=60,
        )
        table = sqlite3.connect(self.file)
        names = dict(table.execute("SELECT stream, name FROM deal").fetchall())
        table.close()
        return names


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with event_topic() as (cluster, topic):
        yield World(cluster, topic, tmp_path / "deals.db")


def named(event_id: int, version: int, deal: str, name: str) -> DecidedEvent:
    topic, state = codec.encode_event(summary(pair(deal), name=name))
    return DecidedEvent(event_id, pair(deal), version, topic, state, "facts:0", event_id, AT)


def test_it_keeps_a_table_of_deals_and_goes_on_where_it_was(world: World) -> None:
    world.publish(named(1, 1, "a", "First"), named(2, 1, "b", "Second"))
    assert world.follow() == {pair("a"): "First", pair("b"): "Second"}
    world.publish(named(3, 2, "a", "Renamed"), mark=2)

    assert world.follow() == {pair("a"): "Renamed", pair("b"): "Second"}


def test_what_is_sent_again_changes_nothing(world: World) -> None:
    first, second = named(1, 1, "a", "First"), named(2, 2, "a", "Renamed")
    world.publish(first, second)
    world.follow()
    world.before.clear()
    world.publish(first, second, named(3, 1, "b", "Another"))

    assert world.follow() == {pair("a"): "Renamed", pair("b"): "Another"}


def test_what_comes_out_of_turn_waits_until_it_is_sent_again(world: World) -> None:
    """A torn window: the first record did not arrive."""
    first, second = named(1, 1, "a", "First"), named(2, 2, "a", "Renamed")
    window = Window(0, 0, {}, (first, second))
    torn = world.topic.send(Window(0, 0, dict.fromkeys(range(9), 1), (second,)))
    assert world.follow() == {}
    world.topic.send(window)

    assert torn
    assert world.follow() == {pair("a"): "Renamed"}


def test_what_was_lost_in_a_recovery_is_forgotten(world: World) -> None:
    world.publish(named(1, 1, "a", "Kept"))
    kept = dict(world.before)
    world.publish(named(2, 2, "a", "Lost"), named(3, 1, "b", "Lost too"), mark=1)
    assert world.follow() == {pair("a"): "Lost", pair("b"): "Lost too"}
    world.topic.start_epoch(EpochStarted(epoch=1, cut=1))
    world.before = kept
    world.publish(named(4, 1, "c", "New"), epoch=1, mark=1)

    assert world.follow() == {pair("a"): "Kept", pair("c"): "New"}
