"""Saving and reading one record: the order of a save is the one of Salesforce.

Read the values, fill in what was left out, let the flows run, check what is required, refers to
something or must be unique, let the validation rules object, then save.
"""

from collections.abc import Mapping

from adapters.sandbox.salesforce import automation, effects, errors, ids
from adapters.sandbox.salesforce.checks import check_references, check_unique
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.schema import Field, ObjectType
from adapters.sandbox.salesforce.values import saved
from adapters.sandbox.tables import JsonValue, Row

ATTRIBUTES = "attributes"


def create(call: Call, object_type: ObjectType, given: Mapping[str, JsonValue]) -> str:
    """Save a new record and return its id.

    Raises:
        errors.RefusedError: nothing was saved.
    """
    _may_write(call, object_type, allowed=object_type.createable)
    values = _values(call, object_type, given, creating=True)
    record_id = _next_id(call, object_type)
    row: Row = {"Id": record_id}
    for field in object_type.fields:
        if field.name in values:
            row[field.name] = values[field.name]
        elif field.type == "boolean":
            row[field.name] = bool(field.default)
        elif field.name != "Id":
            row[field.name] = field.default
    row.update(
        CreatedDate=call.stamp,
        CreatedById=call.user_id,
        LastModifiedDate=call.stamp,
        LastModifiedById=call.user_id,
        SystemModstamp=call.stamp,
    )
    effects.fill_in(call, object_type, row)
    _save(call, object_type, None, row, values)
    return record_id


def update(
    call: Call, object_type: ObjectType, record_id: str, given: Mapping[str, JsonValue]
) -> None:
    """Save changes of a record.

    Raises:
        errors.RefusedError: nothing was saved.
    """
    before = living(call, object_type, record_id)
    _may_write(call, object_type, allowed=object_type.updateable)
    values = _values(call, object_type, given, creating=False)
    after = {**before, **values}
    after.update(
        LastModifiedDate=call.stamp, LastModifiedById=call.user_id, SystemModstamp=call.stamp
    )
    _save(call, object_type, before, after, values)


def living(call: Call, object_type: ObjectType, record_id: str) -> Row:
    """Return a record that is there and not deleted.

    Raises:
        errors.RefusedError: it is gone or never was.
    """
    row = call.org.row(object_type, record_id)
    if row is None:
        if call.org.store.get("deletion", f"{object_type.name}:{record_id}") is not None:
            raise errors.entity_is_deleted()
        raise errors.no_resource()
    if row.get("IsDeleted"):
        raise errors.entity_is_deleted()
    return row


def record_id_of(text: str) -> str:
    """Return the id in a path or a body.

    Raises:
        errors.RefusedError: it is none.
    """
    try:
        return ids.normalise(text)
    except ids.MalformedIdError as error:
        raise errors.malformed_id(text) from error


def shown(
    call: Call, object_type: ObjectType, row: Row, fields: tuple[Field, ...] | None = None
) -> dict[str, JsonValue]:
    """Return a record as the API shows it: all fields that the caller sees, or those given."""
    body: dict[str, JsonValue] = {ATTRIBUTES: attributes(call, object_type, str(row["Id"]))}
    for field in call.access.readable(object_type) if fields is None else fields:
        body[field.name] = row.get(field.name, False if field.type == "boolean" else None)
    return body


def attributes(call: Call, object_type: ObjectType, record_id: str) -> dict[str, JsonValue]:
    """Return the type and address that stand before a record's fields."""
    return {
        "type": object_type.name,
        "url": f"/services/data/v{call.version}/sobjects/{object_type.name}/{record_id}",
    }


def _values(
    call: Call, object_type: ObjectType, given: Mapping[str, JsonValue], *, creating: bool
) -> Row:
    values: Row = {}
    for name, value in given.items():
        if name == ATTRIBUTES:
            continue
        field = call.access.sees(object_type, name)
        if field is None:
            raise errors.no_such_column(name, object_type.name)
        writable = field.createable if creating else field.updateable
        if not writable or call.access.field_level(object_type, field) != "edit":
            raise errors.not_writable((field.name,))
        values[field.name] = saved(field, value)
    return values


def _save(call: Call, object_type: ObjectType, before: Row | None, after: Row, values: Row) -> None:
    automation.run_flows(call, object_type, before, after)
    effects.before_save(call, object_type, before, after, values)
    missing = [
        field.name
        for field in object_type.fields
        if field.createable and not field.nillable and after.get(field.name) is None
    ]
    if missing:
        raise errors.required_missing(missing)
    check_references(call, object_type, before, after)
    check_unique(call, object_type, before, after)
    automation.check_rules(call, object_type, before, after)
    if call.client:
        after["_client"] = call.client
    else:
        after.pop("_client", None)
    call.org.store.put(object_type.name, str(after["Id"]), after)
    effects.after_save(call, object_type, before, after)


def _may_write(call: Call, object_type: ObjectType, *, allowed: bool) -> None:
    if not allowed:
        raise errors.RefusedError(
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            f"entity type {object_type.name} does not support this operation",
            fields=(),
        )
    if not call.access.may_change(object_type):
        raise errors.insufficient_access()


def _next_id(call: Call, object_type: ObjectType) -> str:
    number = call.org.store.tables.next_number(f"id:{object_type.prefix}")
    return ids.numbered(object_type.prefix, number)
