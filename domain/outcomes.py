"""Facts about what became of a write; deliver says them, each once, in the change log.

The id is derived from write, state and attempt, so saying one twice is recognisable.
"""

from datetime import datetime

from domain.deliveries import Done, Rejected
from domain.facts import WriteCancelled, WriteDone, WriteHeld, WriteRejected, WriteUnknown
from domain.ids import FactId, StreamId, WriteId, derived
from domain.rules import RuleId
from domain.writes import Write


def done(
    write: Write, answer: Done, *, number: int, sent_at: datetime, answered_at: datetime
) -> WriteDone:
    """Say that the CRM took it."""
    return WriteDone(
        id=_id(write.id, "done", number),
        at=answered_at,
        stream=write.stream,
        write_id=write.id,
        record_id=answer.record_id,
        sent_at=sent_at,
        answered_at=answered_at,
        readings=answer.readings,
    )


def rejected(write: Write, answer: Rejected, *, number: int, at: datetime) -> WriteRejected:
    """Say that the CRM refused it."""
    return WriteRejected(
        id=_id(write.id, "rejected", number),
        at=at,
        stream=write.stream,
        write_id=write.id,
        code=answer.code,
        message=answer.message,
        fields=answer.fields,
        gone=answer.gone,
    )


def unknown(
    stream: StreamId, write_id: WriteId, *, number: int, sent_at: datetime, at: datetime
) -> WriteUnknown:
    """Say that only a reading can tell."""
    return WriteUnknown(
        id=_id(write_id, "unknown", number),
        at=at,
        stream=stream,
        write_id=write_id,
        sent_at=sent_at,
    )


def held(
    stream: StreamId, write_id: WriteId, *, number: int, reason: str, at: datetime
) -> WriteHeld:
    """Say that it waits for a person."""
    return WriteHeld(
        id=_id(write_id, "held", number), at=at, stream=stream, write_id=write_id, reason=reason
    )


def cancelled(
    stream: StreamId,
    write_id: WriteId,
    *,
    number: int,
    rule: RuleId | str,
    reason: str,
    at: datetime,
) -> WriteCancelled:
    """Say that it was given up before it had an effect."""
    return WriteCancelled(
        id=_id(write_id, "cancelled", number),
        at=at,
        stream=stream,
        write_id=write_id,
        reason=reason,
        rule=str(rule),
    )


def _id(write_id: WriteId, state: str, number: int) -> FactId:
    return FactId(derived("outcome", write_id, state, str(number)))
