"""Fields as the standard objects need them: each kind by one word, and those that many share."""

from collections.abc import Iterable
from dataclasses import replace

from adapters.sandbox.salesforce.schema import Field, FieldType, PicklistValue

FORECAST_CATEGORIES = ("Omitted", "Pipeline", "Best Case", "Commit", "Closed")


def values(names: Iterable[str], default: str = "") -> tuple[PicklistValue, ...]:
    """Return picklist values that are called what they are."""
    return tuple(PicklistValue(name, name, default=name == default) for name in names)


def text(name: str, label: str, length: int, *, required: bool = False) -> Field:
    """Return a text in one line."""
    return Field(name, "string", label, length=length, nillable=not required)


def typed(name: str, kind: FieldType, label: str, length: int = 0) -> Field:
    """Return a field of a type that needs no more said, or a length."""
    return Field(name, kind, label, length=length)


def picklist(name: str, label: str, names: Iterable[str], *, restricted: bool = False) -> Field:
    """Return a choice of one value."""
    return Field(name, "picklist", label, length=255, values=values(names), restricted=restricted)


def number(name: str, kind: FieldType, label: str, precision: int, scale: int) -> Field:
    """Return a number of so many digits, some of them after the point."""
    return Field(name, kind, label, precision=precision, scale=scale)


def flag(name: str, label: str) -> Field:
    """Return a box to tick, not ticked at first."""
    return Field(name, "boolean", label, nillable=False, defaulted=True, default=False)


def preset(name: str, label: str, default: str) -> Field:
    """Return a text that Salesforce fills in."""
    return replace(text(name, label, 40, required=True), defaulted=True, default=default)


def reference(name: str, label: str, refers_to: str, relationship: str) -> Field:
    """Return a reference to a record, and the name of the way to it."""
    return Field(
        name, "reference", label, length=18, refers_to=refers_to, relationship=relationship
    )


def required(optional: Field) -> Field:
    """Return the field as one that must have a value."""
    return replace(optional, nillable=False)


def create_only(writable: Field) -> Field:
    """Return the field as one that is given at first and never changed."""
    return replace(writable, updateable=False, nillable=False)


def read_only(writable: Field) -> Field:
    """Return the field as one that nobody writes."""
    return replace(writable, createable=False, updateable=False, defaulted=True)


OWNER = Field(
    "OwnerId",
    "reference",
    "Owner ID",
    length=18,
    nillable=False,
    defaulted=True,
    refers_to="User",
    relationship="Owner",
)
RECORD_TYPE = Field(
    "RecordTypeId",
    "reference",
    "Record Type ID",
    length=18,
    defaulted=True,
    refers_to="RecordType",
    relationship="RecordType",
)
DESCRIPTION = typed("Description", "textarea", "Description", 32_000)

ID = Field(
    "Id",
    "id",
    "Record ID",
    length=18,
    createable=False,
    updateable=False,
    nillable=False,
    defaulted=True,
)
AUDIT = (
    read_only(flag("IsDeleted", "Deleted")),
    read_only(required(typed("CreatedDate", "datetime", "Created Date"))),
    read_only(required(reference("CreatedById", "Created By ID", "User", "CreatedBy"))),
    read_only(required(typed("LastModifiedDate", "datetime", "Last Modified Date"))),
    read_only(
        required(reference("LastModifiedById", "Last Modified By ID", "User", "LastModifiedBy"))
    ),
    read_only(required(typed("SystemModstamp", "datetime", "System Modstamp"))),
)


def person(last_name_length: int = 80) -> tuple[Field, ...]:
    """Return the names of a person; the full one is made of the others."""
    return (
        text("LastName", "Last Name", last_name_length, required=True),
        text("FirstName", "First Name", 40),
        read_only(text("Name", "Full Name", 121, required=True)),
    )
