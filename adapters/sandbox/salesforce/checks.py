"""What must hold between a record and others before it is saved: references and unique values."""

from adapters.sandbox.salesforce import errors, processes
from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.schema import Field, ObjectType
from adapters.sandbox.tables import JsonValue, Row


def check_references(call: Call, object_type: ObjectType, before: Row | None, after: Row) -> None:
    """Refuse references to what is not there, not of the right object, or not the caller's to use.

    Only references that people can set, and that this save changes, are looked at.
    """
    for field in object_type.fields:
        value = after.get(field.name)
        if field.type != "reference" or value is None or not field.createable:
            continue
        if before is not None and before.get(field.name) == value:
            continue
        _check_reference(call, field, str(value))


def _check_reference(call: Call, field: Field, value: str) -> None:
    target = call.org.schema.object(field.refers_to)
    if target is None or call.org.schema.of_id(value) is not target:
        raise RefusedError(
            "FIELD_INTEGRITY_EXCEPTION",
            f"{field.label}: id value of incorrect type: {value}",
            fields=(field.name,),
        )
    row = call.org.row(target, value)
    if field.name == "RecordTypeId" and (row is None or not processes.available(call, row)):
        raise RefusedError(
            "INVALID_CROSS_REFERENCE_KEY",
            f"Record Type ID: this ID value isn't valid for the user: {value}",
            fields=(field.name,),
        )
    if row is None or row.get("IsDeleted"):
        raise errors.invalid_cross_reference((field.name,))
    if field.name == "OwnerId" and not row["IsActive"]:
        raise RefusedError(
            "INACTIVE_OWNER_OR_USER",
            f"operation performed with inactive user [{value}] as owner of record",
            fields=(field.name,),
        )


def check_unique(call: Call, object_type: ObjectType, before: Row | None, after: Row) -> None:
    """Refuse a value that another living record has in a unique field."""
    for field in object_type.fields:
        if not field.unique:
            continue
        value = after.get(field.name)
        if value is None or (before is not None and before.get(field.name) == value):
            continue
        for key in holders(call, object_type, field, value):
            if key != after["Id"]:
                raise errors.duplicate_value(field.name, key)


def holders(call: Call, object_type: ObjectType, field: Field, value: JsonValue) -> tuple[str, ...]:
    """Return the ids of the living records that have a value in a field."""
    rows = call.org.store.rows(object_type.name)
    return tuple(
        key
        for key in call.org.store.find(object_type.name, field.name, value)
        if not rows[key].get("IsDeleted")
        and (not field.case_sensitive or rows[key][field.name] == value)
    )
