"""Many records in one call: up to 100, each on its own, in an answer that keeps no order.

An error of one record leaves the others alone where it can be told apart (207); a creation or
change can be told apart by its `objectWriteTraceId`, without one the whole batch is refused.
A property that does not exist, an id given twice, or too many inputs refuse the whole batch.
"""

from collections.abc import Callable

from adapters.sandbox.hubspot import checking, creation, finding, records, showing, unique
from adapters.sandbox.hubspot.call import NO_CONTENT, Call, Reply
from adapters.sandbox.hubspot.errors import (
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
        _refuse_whole_if_any(portal, kind, inputs)
    results: list[JsonValue] = []
    errors: list[JsonValue] = []
    for one in inputs:
        try:
            record = creation.created(portal, call, kind, one)
        except ApiError as error:
            if "objectWriteTraceId" not in one:
                raise
            errors.append(error.in_batch(text(one, "objectWriteTraceId")))
            continue
        results.append(_traced(showing.written(portal, kind, record, None), one))
    return reply(call, 201, results, errors)


def _update(portal: Portal, call: Call, kind: Kind, body: Row, inputs: list[Row]) -> Reply:
    _refuse_duplicates(inputs)
    _refuse_unknown(portal, kind, inputs)
    id_property = text(body, "idProperty")
    results: list[JsonValue] = []
    errors: list[JsonValue] = []
    missing: list[str] = []
    for one in inputs:
        name = text(one, "id")
        record = finding.named(portal, kind, name, text(one, "idProperty", id_property))
        if record is None:
            missing.append(name)
            continue
        call.records.append(record["id"])
        try:
            after = records.update(portal, kind, record, row_in(one, "properties"), call.edit)
        except ApiError as error:
            if "objectWriteTraceId" not in one and not call.changed:
                raise
            errors.append(_in_update(error, one))
            continue
        call.changed = call.changed or after is not record
        shown = showing.written(portal, kind, after, row_in(one, "properties"))
        results.append(_traced(shown, one))
    return reply(call, 200, results, errors + _missing(kind, missing))


def _upsert(portal: Portal, call: Call, kind: Kind, body: Row, inputs: list[Row]) -> Reply:
    _refuse_duplicates(inputs)
    _refuse_unknown(portal, kind, inputs)
    id_property = text(body, "idProperty")
    results: list[JsonValue] = []
    errors: list[JsonValue] = []
    for one in inputs:
        try:
            results.append(
                _traced(
                    _upserted(portal, call, kind, one, text(one, "idProperty", id_property)), one
                )
            )
        except ApiError as error:
            if "objectWriteTraceId" not in one and not call.changed:
                raise
            errors.append(_in_update(error, one))
    return reply(call, 200, results, errors)


def _upserted(portal: Portal, call: Call, kind: Kind, one: Row, id_property: str) -> Row:
    properties = row_in(one, "properties")
    record = finding.named(portal, kind, text(one, "id"), id_property)
    if record is None:
        named = properties
        if id_property and id_property != "hs_object_id":
            named = {id_property: text(one, "id"), **properties}
        record = creation.created(portal, call, kind, {**one, "properties": named})
        return showing.written(portal, kind, record, None) | {"new": True}
    call.records.append(record["id"])
    after = records.update(portal, kind, record, properties, call.edit)
    call.changed = call.changed or after is not record
    return showing.written(portal, kind, after, properties) | {"new": False}


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


def _refuse_whole_if_any(portal: Portal, kind: Kind, inputs: list[Row]) -> None:
    """Check all before any is created: without trace ids nobody could tell which was."""
    for one in inputs:
        creation.inline_links(portal, kind, one)
        given = checking.checked(portal, kind, row_in(one, "properties"), None)
        unique.check(portal, kind, given, None)
