"""Writing by external id: creates the record, or updates the one that has the value."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.sandbox.salesforce import errors, records
from adapters.sandbox.salesforce.checks import holders
from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.schema import Field, ObjectType
from adapters.sandbox.salesforce.values import saved
from adapters.sandbox.tables import JsonValue


class ManyMatchError(Exception):
    """Several living records have the value."""

    def __init__(self, record_ids: tuple[str, ...]) -> None:
        super().__init__(", ".join(record_ids))
        self.record_ids = record_ids


@dataclass(frozen=True, slots=True)
class Upserted:
    """What an upsert did."""

    record_id: str
    created: bool


def external_id_field(call: Call, object_type: ObjectType, name: str) -> Field:
    """Return the field of that name if it is an external id that the caller sees.

    Raises:
        RefusedError: NOT_FOUND.
    """
    field = call.access.sees(object_type, name)
    if field is None or not (field.external_id or field.name == "Id"):
        raise errors.no_external_id(name)
    return field


def found(call: Call, object_type: ObjectType, field: Field, text: str) -> str | None:
    """Return the id of the living record with the value, or None.

    Raises:
        ManyMatchError: there are several.
    """
    if field.name == "Id":
        record_id = records.record_id_of(text)
        return record_id if call.org.row(object_type, record_id) is not None else None
    matching = holders(call, object_type, field, saved(field, text))
    if len(matching) > 1:
        raise ManyMatchError(matching)
    return matching[0] if matching else None


def upsert(
    call: Call, object_type: ObjectType, field: Field, text: str, given: Mapping[str, JsonValue]
) -> Upserted:
    """Create or update a record by the value of an external id.

    Raises:
        ManyMatchError: several records have the value; nothing was written.
        RefusedError: nothing was written.
    """
    if any(name.lower() == field.name.lower() for name in given):
        raise RefusedError(
            "INVALID_FIELD",
            f"The {field.name} field should not be specified in the sobject data.",
        )
    record_id = found(call, object_type, field, text)
    if record_id is not None:
        records.update(call, object_type, record_id, given)
        return Upserted(record_id, created=False)
    if field.name == "Id":
        raise errors.invalid_cross_reference(("Id",))
    return Upserted(records.create(call, object_type, {**given, field.name: text}), created=True)
