"""Collections calls: up to 200 records in one call, an answer for each, in their order.

What a call answers becomes `Answer`s: by error code, row by row. A call that Salesforce refuses as
a whole is cut in halves until the row to blame is alone, because it had no effect.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from adapters.http_transport import NoAnswerError, NotSentError
from adapters.salesforce import wire
from adapters.salesforce.connection import Connection
from adapters.salesforce.errors import THROTTLED_SECONDS, Meaning, Refusal, port_error
from adapters.salesforce.wire import Json, RowAnswer, UnexpectedBodyError
from domain.deliveries import Answer, Done, NotSent, Rejected, Unknown
from domain.errors import PortError, RetryableError, ThrottledError

_NO_SUCH_COLUMN: Final = re.compile(r"[Nn]o such column '(\w+)'")


@dataclass(frozen=True, slots=True)
class RowWrite:
    """One record of a collections call."""

    #: as it stands in the body's list, or in the query's for a deletion
    values: dict[str, Json] = field(default_factory=dict)
    #: the record written to; None: it is created
    record_id: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A collections call."""

    method: str
    #: below the API's version
    path: str


class RowWriter:
    """Makes collections calls."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def write(self, batch: Batch, rows: Sequence[RowWrite], at: datetime) -> tuple[Answer, ...]:
        """Write rows; return one answer a row, in order.

        Raises:
            PortError: the whole call had no effect and may be made again later.
        """
        if not rows:
            return ()
        try:
            answered = self._send(batch, rows, at)
        except NotSentError as error:
            raise RetryableError(
                f"expected Salesforce to take {batch.method} {batch.path}, found {error}"
            ) from error
        except (NoAnswerError, UnexpectedBodyError) as error:
            return tuple(Unknown(str(error)) for _ in rows)
        if not isinstance(answered, Refusal):
            return tuple(_answer(row, each, at) for row, each in zip(rows, answered, strict=True))
        match answered.meaning:
            case Meaning.UNSURE:
                return tuple(Unknown(answered.text) for _ in rows)
            case Meaning.GONE | Meaning.REFUSED:
                if len(rows) == 1:
                    return (rejected((answered,), is_gone=False),)
                half = len(rows) // 2
                first = self.write(batch, rows[:half], at)
                return first + self._write_rest(batch, rows[half:], at)
            case _:
                raise port_error(answered, f"{batch.method} {batch.path}", at)

    def _write_rest(
        self, batch: Batch, rows: Sequence[RowWrite], at: datetime
    ) -> tuple[Answer, ...]:
        """Write rows after others were written: nothing may be raised any more."""
        try:
            return self.write(batch, rows, at)
        except PortError as error:
            until = error.until if isinstance(error, ThrottledError) else None
            return tuple(NotSent(str(error), until) for _ in rows)

    def _send(
        self, batch: Batch, rows: Sequence[RowWrite], at: datetime
    ) -> tuple[RowAnswer, ...] | Refusal:
        if batch.method == "DELETE":
            ids = ",".join(row.record_id or "" for row in rows)
            path = f"{batch.path}?ids={ids}&allOrNone=false"
            answered = self._connection.send(batch.method, path, None, at)
        else:
            body: dict[str, Json] = {
                "allOrNone": False,
                "records": [dict(row.values) for row in rows],
            }
            answered = self._connection.send(batch.method, batch.path, body, at)
        if answered.refusals:
            return answered.refusals[0]
        answers = wire.row_answers(answered.body)
        if len(answers) != len(rows):
            raise UnexpectedBodyError(
                f"expected {len(rows)} answers from Salesforce, found {len(answers)}"
            )
        return answers


def rejected(refusals: Sequence[Refusal], *, is_gone: bool) -> Rejected:
    """Return the answer that refusals of a write are; a column that is not there is blamed."""
    fields = [name for refusal in refusals for name in refusal.fields]
    for refusal in refusals:
        named = _NO_SUCH_COLUMN.search(refusal.message)
        fields += [named[1]] if named else []
    return Rejected(
        code=refusals[0].code or "UNKNOWN_EXCEPTION",
        message="; ".join(refusal.message for refusal in refusals),
        fields=tuple(dict.fromkeys(fields)),
        gone=is_gone,
    )


def _answer(row: RowWrite, answered: RowAnswer, at: datetime) -> Answer:
    if answered.success:
        return Done(answered.id or row.record_id)
    refusals = answered.refusals or (Refusal("UNKNOWN_EXCEPTION", "no reason was given"),)
    meanings = {refusal.meaning for refusal in refusals}
    if Meaning.REFUSED in meanings or Meaning.FORBIDDEN in meanings:
        return rejected(refusals, is_gone=False)
    if Meaning.GONE in meanings:
        return rejected(refusals, is_gone=row.record_id is not None)
    if Meaning.UNSURE in meanings:
        return Unknown(refusals[0].text)
    retry_at = at + timedelta(seconds=THROTTLED_SECONDS) if Meaning.THROTTLED in meanings else None
    return NotSent(refusals[0].text, retry_at)
