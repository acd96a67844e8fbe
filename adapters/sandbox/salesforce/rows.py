"""sObject Collections: up to 200 records in one call, an answer for each, in their order.

With `allOrNone` one refusal takes everything back, and the rows that were fine say so.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from adapters.sandbox.salesforce import deletion, errors, records, upsert
from adapters.sandbox.salesforce.errors import RefusedError, UnreadableError
from adapters.sandbox.salesforce.ids import MalformedIdError, normalise
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.schema import Field, ObjectType
from adapters.sandbox.tables import JsonValue, Row

#: how many records one call may write, and read
WRITE_MAX = 200
READ_MAX = 2_000

#: writes one row and returns the answer for it
WriteRow: TypeAlias = Callable[[JsonValue], Row]


def create(call: Call, body: JsonValue) -> list[JsonValue]:
    """Create records, each of the object that its attributes name."""
    given, all_or_none = _records(body)

    def write(row: JsonValue) -> Row:
        object_type, values = _typed(call, row)
        return _success(records.create(call, object_type, values))

    return _each(call, given, write, all_or_none=all_or_none)


def update(call: Call, body: JsonValue) -> list[JsonValue]:
    """Update records by id."""
    given, all_or_none = _records(body)

    def write(row: JsonValue) -> Row:
        object_type, values = _typed(call, row)
        text = next((values.pop(name) for name in ("Id", "id") if name in values), None)
        if not isinstance(text, str) or not text:
            raise RefusedError("MISSING_ARGUMENT", "Id not specified in an update call")
        record_id = records.record_id_of(text)
        _exists(call, object_type, record_id)
        records.update(call, object_type, record_id, values)
        return _success(record_id)

    return _each(call, given, write, all_or_none=all_or_none)


def write_by_external_id(
    call: Call, object_type: ObjectType, field: Field, body: JsonValue
) -> list[JsonValue]:
    """Upsert records of one object by an external id that stands in each."""
    given, all_or_none = _records(body)
    met: set[str] = set()

    def write(row: JsonValue) -> Row:
        of_row, values = _typed(call, row)
        if of_row is not object_type:
            raise RefusedError("INVALID_TYPE", f"the record is no {object_type.name}")
        names = [name for name in values if name.lower() == field.name.lower()]
        text = values.pop(names[0]) if names else None
        if text is None:
            raise RefusedError("MISSING_ARGUMENT", f"{field.name} not specified")
        if str(text).lower() in met:
            raise RefusedError("DUPLICATE_VALUE", f"Duplicate external id specified: {text}")
        met.add(str(text).lower())
        try:
            done = upsert.upsert(call, object_type, field, str(text), values)
        except upsert.ManyMatchError as error:
            raise RefusedError(
                "DUPLICATE_EXTERNAL_ID",
                f"{field.name}: more than one record found for external id field:"
                f" [{', '.join(error.record_ids)}]",
                fields=(field.name,),
            ) from error
        return {**_success(done.record_id), "created": done.created}

    return _each(call, given, write, all_or_none=all_or_none)


def delete(call: Call, texts: Sequence[str], *, all_or_none: bool) -> list[JsonValue]:
    """Delete records by id, of any objects."""
    _check_count(len(texts), WRITE_MAX)

    def write(text: JsonValue) -> Row:
        record_id = records.record_id_of(str(text))
        object_type = call.org.schema.of_id(record_id)
        if object_type is None:
            raise errors.invalid_cross_reference()
        _exists(call, object_type, record_id)
        deletion.delete(call, object_type, record_id)
        return _success(record_id)

    return _each(call, texts, write, all_or_none=all_or_none)


def read(
    call: Call, object_type: ObjectType, texts: Sequence[str], names: Sequence[str]
) -> list[JsonValue]:
    """Return records by id, null for each that is not there."""
    _check_count(len(texts), READ_MAX)
    fields = []
    for name in dict.fromkeys(("Id", *names)):
        field = call.access.sees(object_type, name)
        if field is None:
            raise errors.no_such_column(name, object_type.name)
        if field not in fields:
            fields.append(field)
    found: list[JsonValue] = []
    for text in texts:
        try:
            row = call.org.row(object_type, normalise(text))
        except MalformedIdError:
            row = None
        gone = row is None or row.get("IsDeleted")
        found.append(
            None if gone or row is None else records.shown(call, object_type, row, tuple(fields))
        )
    return found


def texts_of(value: JsonValue) -> list[str]:
    """Return the texts of a list in a body."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise UnreadableError("Cannot deserialize instance of list of texts")
    return [str(each) for each in value]


def _each(
    call: Call, given: Sequence[JsonValue], write: WriteRow, *, all_or_none: bool
) -> list[JsonValue]:
    start = call.org.store.mark()
    answers: list[Row] = []
    refused = False
    for row in given:
        mark = call.org.store.mark()
        try:
            answers.append(write(row))
        except UnreadableError:
            call.org.store.roll_back(start)
            raise
        except RefusedError as error:
            call.org.store.roll_back(mark)
            refused = True
            answers.append(_failure(row, error))
    if all_or_none and refused:
        call.org.store.roll_back(start)
        rolled_back = RefusedError(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was using"
            " AllOrNone header",
        )
        answers = [
            _failure(None, rolled_back) if answer["success"] else answer for answer in answers
        ]
    return list(answers)


def _records(body: JsonValue) -> tuple[list[JsonValue], bool]:
    given = body.get("records") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(given, list):
        raise UnreadableError("Cannot deserialize instance of list of records")
    _check_count(len(given), WRITE_MAX)
    return given, body.get("allOrNone") is True


def _check_count(count: int, most: int) -> None:
    if count == 0:
        raise RefusedError("REQUIRED_FIELD_MISSING", "At least 1 record is required")
    if count > most:
        raise RefusedError(
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {most} records into this call",
        )


def _typed(call: Call, row: JsonValue) -> tuple[ObjectType, Row]:
    attributes = row.get(records.ATTRIBUTES) if isinstance(row, dict) else None
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(row, dict) or not isinstance(name, str):
        raise RefusedError("INVALID_TYPE", "The record has no attributes with a type")
    object_type = call.org.schema.object(name)
    if object_type is None or call.access.object_level(object_type) == "none":
        raise RefusedError("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return object_type, {key: row[key] for key in row if key != records.ATTRIBUTES}


def _exists(call: Call, object_type: ObjectType, record_id: str) -> None:
    """Refuse an id of nothing as a row does: a wrong reference, not a missing resource."""
    try:
        records.living(call, object_type, record_id)
    except RefusedError as error:
        if error.code == "NOT_FOUND":
            raise errors.invalid_cross_reference() from error
        raise


def _success(record_id: str) -> Row:
    return {"id": record_id, "success": True, "errors": []}


def _failure(row: JsonValue, error: RefusedError) -> Row:
    answer: Row = {"success": False, "errors": [error.in_row()]}
    given = row if isinstance(row, str) else None
    if isinstance(row, dict):
        given = str(row.get("Id") or row.get("id") or "") or None
    return answer if given is None else {"id": given, **answer}
