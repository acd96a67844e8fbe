"""A fact as a record: CloudEvents 1.0 in binary mode, and back.

The value is the fact as JSON; everything else is a header. The key is what the fact is about, and
decides the partition.

Source: CloudEvents 1.0.2, Kafka protocol binding 1.0.2, section 3.2.
"""

from datetime import datetime
from typing import Any, Final

from adapters import codec
from adapters.kafka_log.producer import Record
from domain.ports import KeyedFact, LoggedFact

#: what kinds of facts are called to outsiders, and where their schemas stand in the repository
SCHEMA: Final = "urn:dealsync:schemas:facts:"
#: who says it, in the CloudEvents sense; the topic follows
SOURCE: Final = "/dealsync/"
_TYPE: Final = "ce_type"
_ALWAYS: Final = (("content-type", b"application/json"), ("ce_specversion", b"1.0"))


def record_of(keyed: KeyedFact, *, topic: str, partition: int, recorded_at: datetime) -> Record:
    """Return the record of a fact.

    Args:
        keyed: the fact.
        topic: as the cluster calls it.
        partition: where it goes.
        recorded_at: our clock.
    """
    fact = keyed.fact
    kind, body = codec.encode_fact(fact)
    key = keyed.key.encode()
    name = kind.encode()
    cause = () if fact.cause is None else (("ce_causationid", fact.cause.encode()),)
    return Record(
        topic=topic,
        partition=partition,
        key=key,
        value=body,
        headers=(
            *_ALWAYS,
            ("ce_id", fact.id.encode()),
            ("ce_source", f"{SOURCE}{keyed.topic}".encode()),
            (_TYPE, name),
            ("ce_time", fact.at.isoformat().encode()),
            ("ce_subject", key),
            ("ce_dataschema", f"{SCHEMA}{kind}".encode()),
            ("ce_partitionkey", key),
            ("ce_recordedtime", recorded_at.isoformat().encode()),
            *cause,
        ),
    )


def logged_of(record: Any, source: str) -> LoggedFact:  # noqa: ANN401 - kafka-python has no types
    """Read a record.

    Args:
        record: a consumer's.
        source: what its partition is called as a source of facts.

    Raises:
        UnknownTopicError: a newer program wrote it.
        UndecodableError: it is none of ours.
    """
    for name, value in record.headers:
        if name == _TYPE:
            return LoggedFact(
                source, record.offset, codec.decode_fact(value.decode(), record.value)
            )
    message = f"expected a fact with its type at {source}:{record.offset}, found a record without"
    raise codec.UndecodableError(message)
