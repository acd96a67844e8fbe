"""What really stands in the topics is what the AsyncAPI document says, headers and all."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml
from kafka import KafkaConsumer, TopicPartition
from pydantic import BaseModel

from adapters import codec
from adapters.clock import SystemClock
from adapters.engine.ingest import topic_of
from adapters.kafka_log.client import Cluster
from adapters.kafka_log.event_topic import KafkaEventTopic
from adapters.kafka_log.log import KafkaChangeLog
from domain.events import EVENTS, Event
from domain.facts import FACTS, Fact
from domain.ids import Crm, StreamId, derived
from domain.ports import KeyedFact, Topic
from projections.publishing import (
    CheckpointTaken,
    DecidedEvent,
    EpochStarted,
    Window,
)
from tests.support.event_topics import PARTITIONS, event_topic
from tests.support.filled import AT, filled
from tests.wire import asyncapi_document

DOCUMENT: dict[str, Any] = yaml.safe_load(asyncapi_document.PATH.read_text(encoding="utf-8"))
HOMES = {
    "salesforce": topic_of(Crm.SALESFORCE),
    "crm": topic_of(Crm.SALESFORCE),
    "hubspot": topic_of(Crm.HUBSPOT),
    "outcome": Topic.OUTCOMES,
    "request": Topic.REQUESTS,
    "signal": Topic.SIGNALS,
}


@pytest.fixture(scope="module")
def records() -> Iterator[list[tuple[str, Any]]]:
    """Put one of each kind into the topics; give all records, with the topic's own name."""
    with event_topic() as (cluster, topic):
        _publish(topic)
        log = KafkaChangeLog(cluster, SystemClock())
        log.append([_keyed(kind) for kind in FACTS])
        log.close()
        yield list(_everything(cluster))


def test_every_kind_of_record_is_there(records: list[tuple[str, Any]]) -> None:
    kinds = {dict(record.headers)["ce_type"].decode() for _, record in records}

    assert kinds == DOCUMENT["components"]["messages"].keys()


def test_every_record_is_as_described(records: list[tuple[str, Any]]) -> None:
    for channel, record in records:
        headers = {name: value.decode() for name, value in record.headers}
        assert headers["ce_type"] in DOCUMENT["channels"][channel]["messages"]
        message = DOCUMENT["components"]["messages"][headers["ce_type"]]

        name = message["headers"]["$ref"].rpartition("/")[2]
        assert _wrong(DOCUMENT["components"]["schemas"][name], headers) == [], headers["ce_type"]
        path = asyncapi_document.PATH.parent / message["payload"]["$ref"]
        schema = json.loads(path.read_text(encoding="utf-8"))
        assert _wrong(schema, json.loads(record.value)) == [], headers["ce_type"]


def _wrong(schema: dict[str, Any], value: object) -> list[str]:
    validator = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    return [error.message for error in validator.iter_errors(value)]


def _publish(topic: KafkaEventTopic) -> None:
    events = tuple(_decided(number, kind) for number, kind in enumerate(EVENTS, 1))
    topic.send(Window(epoch=0, mark=0, before={}, events=events))
    topic.send(Window(epoch=0, mark=len(events), before={}, events=()))
    topic.note(CheckpointTaken(epoch=0, bookmarks={"hubspot.baseline": "{}"}))
    topic.start_epoch(EpochStarted(epoch=1, cut=len(events)))


def _decided(number: int, kind: type[BaseModel]) -> DecidedEvent:
    event = filled(kind)
    assert isinstance(event, Event)
    topic, state = codec.encode_event(event)
    stream = StreamId(derived("test", str(number)))
    return DecidedEvent(number, stream, 1, topic, state, "sync.signals.v1:0", number, AT)


def _keyed(kind: type[BaseModel]) -> KeyedFact:
    fact = filled(kind)
    assert isinstance(fact, Fact)
    return KeyedFact(HOMES[fact.TOPIC.partition(".")[0]], "a key", fact)


def _everything(cluster: Cluster) -> Iterator[tuple[str, Any]]:
    consumer = KafkaConsumer(bootstrap_servers=list(cluster.servers), group_id=None)
    channels = {cluster.name(channel): channel for channel in DOCUMENT["channels"]}
    places = [TopicPartition(name, n) for name in channels for n in range(PARTITIONS)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    ends = consumer.end_offsets(places)
    while any(consumer.position(place) < ends[place] for place in places):
        for place, found in consumer.poll(timeout_ms=1_000).items():
            yield from ((channels[place.topic], record) for record in found)
    consumer.close()
