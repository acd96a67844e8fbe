"""Many records in one call: up to 100, each on its own, in an answer that keeps no order.

An error of one record leaves the others alone where it can be told apart (207); a creation or
change can be told apart by its `objectWriteTraceId`, without one the whole batch is refused.
A property that does not exist, an id given twice, or too many inputs refuse the whole batch.
"""

from collections.abc import Callable, Sequence

from adapters.sandbox.hubspot import checking, creation, finding, records, showing, unique
from adapters.sandbox.hubspot.call import NO_CONTENT, Call, Reply
from adapters.sandbox.hubspot.errors import (
    CONFLICT,
    ApiError,
    InvalidValuesError,
    Problem,
    invalid_json,
    no_such_path,
    some_not_found,
)
from adapters.sandbox.hubspot.kinds import Kind
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import Record, row_in, rows_in, text, texts_in
from adapters.sandbox.hubspot.showing import Shown
from adapters.sandbox.tables import JsonValue, Row

INPUTS_MAX = 100


def answer(portal: Portal, call: Call, kind: Kind, what: str) -> Reply:
    """Answer `…/batch/{what}`."""
    handler = _HANDLERS.get(what)
    if handler is None:
        raise no_such_path(call.path)
    body = call.body()
    return handler(portal, call, kind, body, inputs_of(body, INPUTS_MAX))


def inputs_of(body: Row, highest: int) -> list[Row]:
    """Return the inputs of a batch.

    Raises:
        ApiError: there are none, or too many.
    """
    if not isinstance(body.get("inputs"), list):
        raise invalid_json("inputs")
    inputs = rows_in(body, "inputs")
    if len(inputs) > highest:
        raise ApiError(
            400, f"The maximum number of inputs supported in a batch request is {highest}."
        )
    return inputs


def reply(call: Call, status: int, results: list[JsonValue], errors: list[JsonValue]) -> Reply:
    """Return a batch's envelope; with errors the results come in another order than asked."""
    body: Row = {
        "completedAt": call.edit.iso,
        "status": "COMPLETE",
        "startedAt": call.edit.iso,
        "results": results,
    }
    if not errors:
        return Reply(status, body)
    body |= {"results": results[::-1], "errors": errors, "numErrors": len(errors)}
    # version 2026-09 has no 207: the errors stand beside the results of a success
    return Reply(status if "2026-09" in call.segments else 207, body)


def _read(portal: Portal, call: Call, kind: Kind, body: Row, inputs: list[Row]) -> Reply:
    shown = Shown(texts_in(body, "properties"), texts_in(body, "propertiesWithHistory"))
    id_property = text(body, "idProperty")
    archived = call.flag("archived")
    found: dict[str, Record] = {}
    missing: list[str] = []
    for one in inputs:
        name = text(one, "id")
        record = (
            finding.archived_named(portal, kind, name, id_property, call.edit.ms)
            if archived
            else finding.named(portal, kind, name, id_property)
        )
        if record is None:
            missing.append(name)
        else:
            found[record["id"]] = record
    call.records += found
    results: list[JsonValue] = [
        showing.read(portal, kind, record, shown) for record in found.values()
    ]
    return reply(call, 200, results, _missing(kind, missing))


def _create(portal: Portal, call: Call, kind: Kind, _body: Row, inputs: list[Row]) -> Reply:
    _refuse_unknown(portal, kind, inputs)
    if not _all_traced(inputs):
        _refuse_whole_if_any(portal, kind, [(one, None) for one in inputs])
    results: list[JsonValue] = []
    errors: list[JsonValue] = []
    for one in inputs:
        try:
            record = creation.created(portal, call, kind, one)
        except ApiError as error:
            errors.append(error.in_batch(text(one, "objectWriteTraceId") or None))
            continue
        results.append(_traced(showing.written(portal, kind, record, None), one))
    return reply(call, 201, results, errors)


def _update(portal: Portal, call: Call, kind: Kind, body: Row, inputs: list[Row]) -> Reply:
    _refuse_duplicates(inputs)
    _refuse_unknown(portal, kind, inputs)
    named = [(one, _named(portal, kind, one, body)) for one in inputs]
    found = [(one, record) for one, record in named if record is not None]
    if not _all_traced(inputs):
        _refuse_whole_if_any(portal, kind, found)
    results: list[JsonValue] = []
    errors: list[JsonValue] = []
    for one, record in found:
        call.records.append(record["id"])
        # read again: an earlier input may name the same record in another way
        now = portal.stored(kind, record["id"]) or record
        try:
            results.append(_traced(_updated(portal, call, kind, now, one), one))
        except ApiError as error:
            errors.append(_in_update(error, one))
    missing = [text(one, "id") for one, record in named if record is None]
    return reply(call, 200, results, errors + _missing(kind, missing))


def _updated(portal: Portal, call: Call, kind: Kind, record: Record, one: Row) -> Row:
    properties = row_in(one, "properties")
    after = records.update(portal, kind, record, properties, call.edit)
    call.changed = call.changed or after is not record
    return showing.written(portal, kind, after, properties)


def _upsert(portal: Portal, call: Call, kind: Kind, body: Row, inputs: list[Row]) -> Reply:
    _refuse_duplicates(inputs)
    _refuse_unknown(portal, kind, inputs)
    if not _all_traced(inputs):
        named: list[tuple[Row, Record | None]] = [
            (one, _named(portal, kind, one, body)) for one in inputs
        ]
        _refuse_whole_if_any(portal, kind, named)
    results: list[JsonValue] = []
    errors: list[JsonValue] = []
    for one in inputs:
        try:
            results.append(_traced(_upserted(portal, call, kind, one, body), one))
        except ApiError as error:
            errors.append(_in_update(error, one))
    return reply(call, 200, results, errors)


def _named(portal: Portal, kind: Kind, one: Row, body: Row) -> Record | None:
    return finding.named(portal, kind, text(one, "id"), _id_property(one, body))


def _id_property(one: Row, body: Row) -> str:
    """Return the property that names an input's record: its own, else the batch's."""
    return text(one, "idProperty", text(body, "idProperty"))


def _upserted(portal: Portal, call: Call, kind: Kind, one: Row, body: Row) -> Row:
    record = _named(portal, kind, one, body)
    if record is not None:
        call.records.append(record["id"])
        return _updated(portal, call, kind, record, one) | {"new": False}
    properties, id_property = row_in(one, "properties"), _id_property(one, body)
    if id_property and id_property != "hs_object_id":
        properties = {id_property: text(one, "id"), **properties}
    created = creation.created(portal, call, kind, {**one, "properties": properties})
    return showing.written(portal, kind, created, None) | {"new": True}


def _archive(portal: Portal, call: Call, kind: Kind, _body: Row, inputs: list[Row]) -> Reply:
    for one in inputs:
        record = portal.stored(kind, text(one, "id"))
        if record is not None and record["archivedMs"] is None:
            records.archive(portal, kind, record, call.edit)
            call.records.append(record["id"])
            call.changed = True
    return NO_CONTENT


_HANDLERS: dict[str, Callable[[Portal, Call, Kind, Row, list[Row]], Reply]] = {
    "read": _read,
    "create": _create,
    "update": _update,
    "upsert": _upsert,
    "archive": _archive,
}


def _missing(kind: Kind, missing: list[str]) -> list[JsonValue]:
    return [some_not_found(kind.upper, missing)] if missing else []


def _traced(shown: Row, one: Row) -> Row:
    if "objectWriteTraceId" in one:
        shown["objectWriteTraceId"] = text(one, "objectWriteTraceId")
    return shown


def _in_update(error: ApiError, one: Row) -> Row:
    trace_id = text(one, "objectWriteTraceId") if "objectWriteTraceId" in one else None
    listed = error.in_batch(trace_id)
    context = row_in(listed, "context")
    return {**listed, "context": {"ids": [text(one, "id")], **context}}


def _refuse_duplicates(inputs: list[Row]) -> None:
    ids = [text(one, "id") for one in inputs]
    twice = list(dict.fromkeys(one for one in ids if ids.count(one) > 1))
    if twice:
        raise ApiError(
            400,
            f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique",
            context={"ids": list[JsonValue](twice)},
        )


def _refuse_unknown(portal: Portal, kind: Kind, inputs: list[Row]) -> None:
    rules = portal.rules(kind)
    problems = [
        Problem(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
        for one in inputs
        for name in row_in(one, "properties")
        if name not in rules
    ]
    if problems:
        raise InvalidValuesError(problems)


def _all_traced(inputs: list[Row]) -> bool:
    return all("objectWriteTraceId" in one for one in inputs)


def _refuse_whole_if_any(
    portal: Portal, kind: Kind, inputs: Sequence[tuple[Row, Record | None]]
) -> None:
    """Check all before any is written: without trace ids nobody could tell which was."""
    seen: set[tuple[str, str]] = set()
    for one, record in inputs:
        creation.inline_links(portal, kind, one)
        given = checking.checked(portal, kind, row_in(one, "properties"), record)
        unique.check(portal, kind, given, None if record is None else record["id"])
        claimed = {(name, given.get(name, "")) for name in portal.unique_names(kind)}
        claimed = {(name, value) for name, value in claimed if value}
        if claimed & seen:
            raise ApiError(409, f"{kind.upper.capitalize()} already exists", category=CONFLICT)
        seen |= claimed
