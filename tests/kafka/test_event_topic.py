"""Published events on a real Kafka: read back exactly, as CloudEvents, in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import structlog
from kafka import KafkaConsumer, TopicPartition

from adapters.engine.publish import MARK_SECONDS, Publish
from adapters.kafka_log.client import Cluster
from adapters.kafka_log.event_topic import KafkaEventTopic
from adapters.memory.decisions import MemoryDecisions
from adapters.memory.publication import MemoryPublication
from adapters.partitions import partition_of
from projections.publishing import (
    EVENTS_TOPIC,
    Acknowledged,
    CheckpointTaken,
    EpochStarted,
    Place,
    PublishedEvent,
    PublishedNote,
    takes,
)
from tests.support.event_topics import PARTITIONS, event_topic
from tests.support.happenings import AT, Story, pair, summary

BOOKMARKS = {"salesforce.passes": "{}"}


@dataclass
class World:
    """A store in memory that is published to Kafka."""

    cluster: Cluster
    topic: KafkaEventTopic
    decisions: MemoryDecisions
    publish: Publish

    def events(self) -> list[PublishedEvent]:
        return [found for found in self.topic.read() if isinstance(found, PublishedEvent)]

    def notes(self) -> list[PublishedNote]:
        return [found for found in self.topic.read() if isinstance(found, PublishedNote)]


@pytest.fixture
def world() -> Iterator[World]:
    with event_topic() as (cluster, topic):
        decisions = MemoryDecisions()
        publish = Publish(
            publication=MemoryPublication(decisions),
            topic=topic,
            bookmarks=lambda: BOOKMARKS,
            logger=structlog.get_logger(),
            limit=10,
        )
        yield World(cluster, topic, decisions, publish)


def test_every_event_is_read_back_as_it_was_published(world: World) -> None:
    assert world.topic.is_empty()
    story = Story(world.decisions)
    stored = [
        one
        for number in range(40)
        for one in story.tell(summary(pair(str(number % 7)), name=f"商談 {number}"))
    ]
    while world.publish.step(AT):
        pass

    found = world.events()
    assert not world.topic.is_empty()
    assert [(e.id, e.stream, e.version, e.source, e.offset) for e in stored] == sorted(
        (e.event.id, e.event.stream, e.event.version, e.event.source, e.event.offset) for e in found
    )
    assert world.decisions.decided_at == {e.event.id: e.event.decided_at for e in found}
    assert {e.partition for e in found} == {partition_of(e.stream, PARTITIONS) for e in stored}


def test_each_partition_is_a_chain_that_a_reader_can_follow(world: World) -> None:
    story = Story(world.decisions)
    for number in range(30):
        story.tell(summary(pair(str(number % 7)), name=str(number)))
        world.publish.step(AT)

    for partition in range(PARTITIONS):
        place = Place(epoch=0, event_id=0)
        for found in world.events():
            if found.partition == partition:
                assert takes(
                    place, epoch=found.epoch, previous=found.previous, event_id=found.event.id
                )
                place = Place(found.epoch, found.event.id)


def test_notes_are_read_back_too(world: World) -> None:
    (stored,) = Story(world.decisions).tell(summary(pair("a")))
    for seconds in (0.0, 0.0, MARK_SECONDS):
        world.publish.step(AT + timedelta(seconds=seconds))
    world.topic.start_epoch(EpochStarted(epoch=1, cut=stored.id))

    notes = world.notes()
    assert Acknowledged(epoch=0, mark=stored.id) in [found.note for found in notes]
    assert CheckpointTaken(epoch=0, bookmarks=BOOKMARKS) in [found.note for found in notes]
    assert {found.partition for found in notes if isinstance(found.note, EpochStarted)} == set(
        range(PARTITIONS)
    )


def test_a_record_is_a_cloud_event_in_binary_mode(world: World) -> None:
    (stored,) = Story(world.decisions).tell(summary(pair("a")))
    world.publish.step(AT)
    place = TopicPartition(
        world.cluster.name(EVENTS_TOPIC), partition_of(stored.stream, PARTITIONS)
    )
    consumer = KafkaConsumer(bootstrap_servers=list(world.cluster.servers), group_id=None)
    consumer.assign([place])
    consumer.seek_to_beginning(place)
    (record,) = (
        record
        for record in consumer.poll(timeout_ms=10_000)[place]
        if record.key == stored.stream.encode()
    )
    consumer.close()

    assert dict(record.headers) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_source": b"/dealsync/sync.events.v1",
        "ce_id": f"0-{stored.id}".encode(),
        "ce_type": b"pair.SummaryChanged",
        "ce_time": b"2026-11-24T09:00:00Z",
        "ce_subject": stored.stream.encode(),
        "ce_dataschema": b"urn:dealsync:schemas:events:pair.SummaryChanged",
        "ce_partitionkey": stored.stream.encode(),
        "ce_recordedtime": b"2026-11-24T09:00:01+00:00",
        "ce_causationid": b"a fact",
        "ce_sequence": f"{stored.id:019}".encode(),
        "ce_epoch": b"0",
        "ce_streamversion": b"1",
        "ce_factsource": b"sync.signals.v1:0",
        "ce_factoffset": b"0",
        "ce_previous": b"0",
        "ce_acknowledged": b"0",
    }
