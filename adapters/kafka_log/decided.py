"""A decided event as a record: CloudEvents 1.0 in binary mode, and back.

The value is the event exactly as it is stored; everything else is a header, so a reader can pass
over what it does not want without parsing it. The key is the stream: the events of one aggregate
stand in one partition, in order.

Source: CloudEvents 1.0.2, Kafka protocol binding 1.0.2, section 3.2.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from kafka.consumer.fetcher import ConsumerRecord
from pydantic import ValidationError

from adapters.codec import UndecodableError, UnknownTopicError
from adapters.kafka_log.producer import Record
from domain.ids import StreamId
from projections.publishing import (
    EVENTS_TOPIC,
    NOTES,
    DecidedEvent,
    Note,
    Published,
    PublishedEvent,
    PublishedNote,
    Window,
)

#: who says it, in the CloudEvents sense
SOURCE: Final = f"/dealsync/{EVENTS_TOPIC}"
#: what kinds of events are called to outsiders, and where their schemas stand in the repository
SCHEMA: Final = "urn:dealsync:schemas:events:"
#: as many digits as the largest event id has, so that texts sort as numbers
SEQUENCE_DIGITS: Final = 19
_NOTES: Final = {kind.TOPIC: kind for kind in NOTES}
_JSON: Final = b"application/json"


def event_record(
    event: DecidedEvent, window: Window, *, previous: int, topic: str, partition: int
) -> Record:
    """Return the record of an event.

    Args:
        event: what was decided.
        window: the window it is sent in.
        previous: the event id before it in its partition; 0: none.
        topic: as the cluster calls it.
        partition: where it goes.
    """
    said = json.loads(event.state)
    return Record(
        topic=topic,
        partition=partition,
        key=event.stream.encode(),
        value=event.state,
        headers=_headers(
            id=f"{window.epoch}-{event.id}",
            type=event.topic,
            time=said["at"],
            subject=event.stream,
            dataschema=f"{SCHEMA}{event.topic}",
            partitionkey=event.stream,
            recordedtime=event.decided_at.isoformat(),
            causationid=said["cause"],
            sequence=str(event.id).zfill(SEQUENCE_DIGITS),
            epoch=str(window.epoch),
            streamversion=str(event.version),
            factsource=event.source,
            factoffset=str(event.offset),
            previous=str(previous),
            acknowledged=str(window.mark),
        ),
    )


def note_record(note: Note, identity: str, *, topic: str, partition: int) -> Record:
    """Return the record of a note.

    Args:
        note: what the publisher says.
        identity: what makes this one different from others of its kind and epoch.
        topic: as the cluster calls it.
        partition: where it goes.
    """
    return Record(
        topic=topic,
        partition=partition,
        key=note.TOPIC.encode(),
        value=note.model_dump_json().encode(),
        headers=_headers(
            id=f"{note.epoch}-{note.TOPIC}-{identity}", type=note.TOPIC, epoch=str(note.epoch)
        ),
    )


def published(record: ConsumerRecord) -> Published:
    """Read a record.

    Raises:
        UnknownTopicError: a newer program published a note that this one does not know.
        UndecodableError: the record is none of ours.
    """
    headers = {name: value.decode() for name, value in record.headers}
    try:
        if "ce_sequence" in headers:
            return _event(record, headers)
        return PublishedNote(record.partition, _note(headers["ce_type"], record.value))
    except (KeyError, ValueError, ValidationError) as error:
        message = (
            f"expected an event or a note that dealsync published at {record.topic}:"
            f"{record.partition}:{record.offset}, found: {type(error).__name__} {error}"
        )
        raise UndecodableError(message) from error


def _event(record: ConsumerRecord, headers: Mapping[str, str]) -> PublishedEvent:
    return PublishedEvent(
        partition=record.partition,
        epoch=int(headers["ce_epoch"]),
        mark=int(headers["ce_acknowledged"]),
        previous=int(headers["ce_previous"]),
        event=DecidedEvent(
            id=int(headers["ce_sequence"]),
            stream=StreamId(headers["ce_subject"]),
            version=int(headers["ce_streamversion"]),
            topic=headers["ce_type"],
            state=record.value,
            source=headers["ce_factsource"],
            offset=int(headers["ce_factoffset"]),
            decided_at=datetime.fromisoformat(headers["ce_recordedtime"]),
        ),
    )


def _note(topic: str, value: bytes) -> Note:
    kind = _NOTES.get(topic)
    if kind is None:
        message = f"expected a note that this program knows, found {topic!r}: start a newer one"
        raise UnknownTopicError(message)
    return kind.model_validate_json(value)


def _headers(**attributes: str) -> tuple[tuple[str, bytes], ...]:
    named = {"specversion": "1.0", "source": SOURCE, **attributes}
    return (
        ("content-type", _JSON),
        *((f"ce_{name}", text.encode()) for name, text in named.items()),
    )
