"""Deals, contacts and companies written in batches: created by key, changed and archived by id.

A create is never an upsert: its key is a unique value fixed before the call, and a conflict on it
is answered by reading who has it, archived records included (rule `once`). Results and refusals are
paired with their writes by `objectWriteTraceId`, because a batch keeps no order. A batch that is
refused whole is sent again one by one, so that only the guilty are refused.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from adapters.hubspot import names, translate
from adapters.hubspot.account import Account
from adapters.hubspot.errors import Problem, Verdict, problem_of_row
from adapters.hubspot.reader import Reader, Wanted
from adapters.hubspot.sending import Sending, rejected, row_answer
from adapters.hubspot.wire import HistoryRow, Json, RecordBatch, RecordRow
from domain.canonical import Value
from domain.deliveries import Answer, Done, NotSent, Rejected, Unknown
from domain.effect import found_before, took_effect
from domain.facts import Reading
from domain.ids import Kind
from domain.writes import FieldChange

#: the property that holds a kind's creation key
KEYS: Final = {Kind.DEAL: names.DEAL_KEY, Kind.COMPANY: names.COMPANY_KEY}


@dataclass(frozen=True, slots=True)
class Creation:
    """A record to create."""

    trace_id: str
    key: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Fields of a record to set."""

    trace_id: str
    record_id: str
    fields: tuple[FieldChange, ...]
    #: our clock, before the call; None: none went out
    sent_at: datetime | None = None


class RecordWrites:
    """Writes of one account's records.

    Args:
        reader: reads records.
        account: says which app is ours.
        shown: which properties of an answer are told back, by kind.
        skew: how far HubSpot's clock may be from ours, as of now.
    """

    def __init__(
        self,
        reader: Reader,
        account: Account,
        shown: Callable[[Kind], Sequence[str]],
        skew: Callable[[], timedelta],
    ) -> None:
        self._reader = reader
        self._account = account
        self._shown = shown
        self._skew = skew

    # -- creates --------------------------------------------------------------------------------

    def create(self, sending: Sending, kind: Kind, wanted: Sequence[Creation]) -> dict[str, Answer]:
        """Create records; answers by trace id.

        Raises:
            PortError: nothing was created.
        """
        key_name = KEYS[kind]
        # Before the call: a failure after it would tell that nothing was sent.
        shown = self._shown(kind)
        inputs: dict[str, Json] = {
            one.trace_id: {
                "properties": {**_properties(one.fields, skip_blank=True), key_name: one.key},
                "associations": [],
                "objectWriteTraceId": one.trace_id,
            }
            for one in wanted
        }
        outcomes = self._batch(sending, kind, "create", inputs)
        answers: dict[str, Answer] = {}
        taken: list[Creation] = []
        for one in wanted:
            outcome = outcomes[one.trace_id]
            if isinstance(outcome, Problem) and _is_conflict(outcome, key_name):
                taken.append(one)
            else:
                answers[one.trace_id] = _answer(shown, outcome)
        if not taken:
            return answers
        sending.begun()
        holders = sending.read(lambda: self._holders(kind, taken, sending))
        for one in taken:
            if isinstance(holders, NotSent):
                answers[one.trace_id] = holders
            elif one.key in holders:
                answers[one.trace_id] = _done(shown, holders[one.key])
            else:
                answers[one.trace_id] = _answer(shown, outcomes[one.trace_id])
        return answers

    def resolve_create(
        self, sending: Sending, kind: Kind, wanted: Sequence[Creation]
    ) -> dict[str, Answer]:
        """Tell by the keys which creates took effect."""
        holders = self._holders(kind, wanted, sending)
        return {
            one.trace_id: _done(self._shown(kind), holders[one.key])
            if one.key in holders
            else NotSent(f"no {names.SINGULAR[kind]} has the key {one.key}")
            for one in wanted
        }

    def _holders(
        self, kind: Kind, wanted: Sequence[Creation], sending: Sending
    ) -> dict[str, RecordRow]:
        """Return who has the keys; a living record goes before an archived one."""
        keys = [one.key for one in wanted]
        shown = Wanted((names.OBJECT_ID, KEYS[kind], *self._shown(kind)))
        holders: dict[str, RecordRow] = {}
        for archived in (False, True):
            rest = [key for key in keys if key not in holders]
            if not rest:
                break
            rows = self._reader.batch(
                kind, rest, shown, sending.at, archived=archived, id_property=KEYS[kind]
            )
            for row in rows:
                key = row.properties.get(KEYS[kind])
                if key in rest:
                    holders.setdefault(key, row)
        return holders

    # -- updates --------------------------------------------------------------------------------

    def update(self, sending: Sending, kind: Kind, wanted: Sequence[Change]) -> dict[str, Answer]:
        """Set properties; changes of one record go together, a later value goes before an earlier.

        Raises:
            PortError: nothing was changed.
        """
        shown = self._shown(kind)  # as in `create`
        merged: dict[str, dict[str, Json]] = {}
        for one in wanted:
            merged.setdefault(one.record_id, {}).update(_properties(one.fields))
        inputs: dict[str, Json] = {
            record_id: {
                "id": record_id,
                "properties": properties,
                "objectWriteTraceId": record_id,
            }
            for record_id, properties in merged.items()
        }
        outcomes = self._batch(sending, kind, "update", inputs)
        return {one.trace_id: _answer(shown, outcomes[one.record_id]) for one in wanted}

    def resolve_update(
        self, sending: Sending, kind: Kind, wanted: Sequence[Change]
    ) -> dict[str, Answer]:
        """Tell by reading which changes are there, or were before somebody went on.

        The history knows what the values do not: whether ours was there, where somebody has put
        the old one back since.

        Raises:
            PortError: HubSpot did not answer.
        """
        written = {change.name for one in wanted for change in one.fields}
        of_kind = self._shown(kind)
        plain = dict.fromkeys((*of_kind, *sorted(written)))
        shown = Wanted((names.OBJECT_ID, *plain), history=tuple(sorted(written)))
        app_id = self._account.app_id(sending.at)
        rows = self._rows(kind, [one.record_id for one in wanted], shown, sending)
        answers: dict[str, Answer] = {}
        for one in wanted:
            row = rows.get(one.record_id)
            if row is None:
                answers[one.trace_id] = _gone(kind, one.record_id)
            elif took_effect(one.fields, row.properties) or self._was_there(
                one, [other for other in wanted if other.record_id == one.record_id], row, app_id
            ):
                answers[one.trace_id] = _done(of_kind, row)
            else:
                answers[one.trace_id] = NotSent("the record shows other values")
        return answers

    def _was_there(
        self, wanted: Change, beside: Sequence[Change], row: RecordRow, app_id: str
    ) -> bool:
        """Tell whether the history shows a value of ours, set since the call.

        Clocks differ, so that an earlier write of the same value can seem to be later: ours comes
        after what it expected to find.

        Args:
            wanted: what was asked.
            beside: everything that was asked of that record: it may have gone in one call.
            row: the record with its history.
            app_id: whose values are ours.
        """
        if wanted.sent_at is None:
            return False
        since = wanted.sent_at - self._skew()
        return any(
            translate.is_ours(entry, app_id)
            and entry.timestamp >= since
            and took_effect([change], {change.name: entry.value})
            for change in wanted.fields
            if change.guarded
            for entry in _after_what_was_expected(
                [other for one in beside for other in one.fields if other.name == change.name],
                row.properties_with_history.get(change.name, ()),
            )
        )

    # -- archiving ------------------------------------------------------------------------------

    def archive(self, sending: Sending, kind: Kind, ids: Mapping[str, str]) -> dict[str, Answer]:
        """Put records into the bin; one that is there already is no failure.

        Args:
            sending: the send.
            kind: what they are.
            ids: record ids by trace id.

        Raises:
            PortError: nothing was archived.
        """
        body: Json = {"inputs": [{"id": one} for one in dict.fromkeys(ids.values())]}
        answer = sending.write("POST", f"{names.objects(kind)}/batch/archive", body)
        if isinstance(answer, Problem) and len(set(ids.values())) > 1:
            return {
                trace_id: answered
                for trace_id, record_id in ids.items()
                for answered in self.archive(sending, kind, {trace_id: record_id}).values()
            }
        match answer:
            case bytes():
                return {trace_id: Done(record_id) for trace_id, record_id in ids.items()}
            case Problem() if answer.verdict is Verdict.GONE:
                return {trace_id: Done(record_id) for trace_id, record_id in ids.items()}
            case Problem():
                return dict.fromkeys(ids, rejected(answer))
            case _:
                return dict.fromkeys(ids, answer)

    def resolve_archive(
        self, sending: Sending, kind: Kind, ids: Mapping[str, str]
    ) -> dict[str, Answer]:
        """Tell by reading which records are in the bin."""
        rows = self._rows(kind, list(ids.values()), Wanted((names.OBJECT_ID,)), sending)
        return {
            trace_id: NotSent("the record is there") if record_id in rows else Done(record_id)
            for trace_id, record_id in ids.items()
        }

    # -- batches --------------------------------------------------------------------------------

    def _rows(
        self, kind: Kind, ids: Sequence[str], shown: Wanted, sending: Sending
    ) -> dict[str, RecordRow]:
        return {row.id: row for row in self._reader.batch(kind, ids, shown, sending.at)}

    def _batch(
        self, sending: Sending, kind: Kind, verb: str, inputs: Mapping[str, Json]
    ) -> dict[str, RecordRow | Problem | NotSent | Unknown]:
        """Send a batch; return what became of each input, by trace id."""
        body: Json = {"inputs": list(inputs.values())}
        answer = sending.write("POST", f"{names.objects(kind)}/batch/{verb}", body)
        if isinstance(answer, Problem) and len(inputs) > 1:
            alone: dict[str, RecordRow | Problem | NotSent | Unknown] = {}
            for trace_id, one in inputs.items():
                alone |= self._batch(sending, kind, verb, {trace_id: one})
            return alone
        if isinstance(answer, bytes):
            return _paired(list(inputs), answer)
        return dict.fromkeys(inputs, answer)


def _answer(shown: Sequence[str], outcome: RecordRow | Problem | NotSent | Unknown) -> Answer:
    match outcome:
        case RecordRow():
            return _done(shown, outcome)
        case Problem():
            return row_answer(outcome)
        case NotSent() | Unknown():
            return outcome


def _done(shown: Sequence[str], row: RecordRow) -> Done:
    return Done(
        row.id,
        tuple(
            Reading(name=name, value=_blank(row.properties[name]))
            for name in dict.fromkeys(shown)
            if name in row.properties
        ),
    )


def _paired(
    trace_ids: Sequence[str], body: bytes
) -> dict[str, RecordRow | Problem | NotSent | Unknown]:
    """Pair a batch answer with its inputs; what the answer does not tell apart stays unknown."""
    try:
        batch = RecordBatch.model_validate_json(body)
    except ValidationError:
        return dict.fromkeys(trace_ids, Unknown("the answer is no batch answer"))
    found: dict[str, RecordRow | Problem | NotSent | Unknown] = {}
    for row in batch.results:
        for trace_id in (row.object_write_trace_id, row.id):
            if trace_id is not None and trace_id in trace_ids:
                found[trace_id] = row
                break
    unpaired: list[Problem] = []
    for error in batch.errors:
        problem = problem_of_row(error)
        about = [one for one in (*problem.trace_ids, *problem.record_ids) if one in trace_ids]
        found |= dict.fromkeys(about, problem)
        if not about:
            unpaired.append(problem)
    missing = [trace_id for trace_id in trace_ids if trace_id not in found]
    if len(missing) == 1 and len(unpaired) == 1:
        found[missing[0]] = unpaired[0]
        missing = []
    return found | dict.fromkeys(missing, Unknown("the answer does not name this record"))


def _after_what_was_expected(
    changes: Sequence[FieldChange], history: Sequence[HistoryRow]
) -> Iterator[HistoryRow]:
    """Yield the values of a property that came after one which our updates expected to find.

    Args:
        changes: of that property; each may have expected what another was to write.
        history: in any order.
    """
    earliest_first = sorted(history, key=lambda entry: entry.timestamp)
    found = found_before(changes, None) and not any(
        found_before(changes, entry.value) for entry in history
    )
    for entry in earliest_first:
        if found:
            yield entry
        found = found or found_before(changes, entry.value)


def _properties(fields: Sequence[FieldChange], *, skip_blank: bool = False) -> dict[str, Json]:
    return {
        change.name: change.wire or "" for change in fields if not (skip_blank and not change.wire)
    }


def _is_conflict(problem: Problem, key_name: str) -> bool:
    return problem.verdict is Verdict.CONFLICT or key_name in problem.fields


def _blank(text: Value) -> Value:
    return None if text is None or not text.strip() else text


def _gone(kind: Kind, record_id: str) -> Rejected:
    return Rejected(
        code="OBJECT_NOT_FOUND",
        message=f"{names.SINGULAR[kind]} {record_id} is archived or gone",
        gone=True,
    )
