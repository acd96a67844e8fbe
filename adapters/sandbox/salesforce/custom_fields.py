"""A custom field as the Tooling API describes it, and as the schema knows it.

Source: the CustomField type of the Metadata API: `Text`, `Number`, `Picklist`, …
"""

from collections.abc import Mapping

from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.schema import Field, FieldType, PicklistValue
from adapters.sandbox.tables import JsonValue, Row

#: the metadata's type: the type that describe names
TYPES: Mapping[str, FieldType] = {
    "Text": "string",
    "TextArea": "textarea",
    "LongTextArea": "textarea",
    "Email": "email",
    "Phone": "phone",
    "Url": "url",
    "Number": "double",
    "Currency": "currency",
    "Percent": "percent",
    "Date": "date",
    "DateTime": "datetime",
    "Checkbox": "boolean",
    "Picklist": "picklist",
    "MultiselectPicklist": "multipicklist",
    "Lookup": "reference",
}
#: lengths where the metadata gives none
LENGTHS = {
    "TextArea": 255,
    "Email": 80,
    "Phone": 40,
    "Url": 255,
    "Picklist": 255,
    "MultiselectPicklist": 4_099,
    "Lookup": 18,
}
#: types of which the metadata must give the length
SIZED = frozenset({"Text", "LongTextArea"})
LENGTH_MAX = {"Text": 255, "LongTextArea": 131_072}
PRECISION = 18
#: types that can be an external id or unique
KEYS = frozenset({"Text", "Number", "Email"})


def field_of_row(row: Row) -> Field:
    """Return the field that a CustomField row stands for."""
    metadata = row["Metadata"]
    assert isinstance(metadata, dict), "the Tooling API stored it as an object"
    return field_of(str(row["FieldName"]), metadata)


def field_of(name: str, metadata: Mapping[str, JsonValue]) -> Field:
    """Return the field that a piece of metadata describes.

    Raises:
        RefusedError: the metadata is not complete or not consistent.
    """
    kind = str(metadata.get("type"))
    if kind not in TYPES:
        raise _refused(f"Field type '{kind}' is not supported here")
    length = metadata.get("length", LENGTHS.get(kind, 0))
    if kind in SIZED and (
        not isinstance(length, int)
        or not 1 <= length <= LENGTH_MAX[kind]
        or "length" not in metadata
    ):
        raise _refused(f"Must specify 'length' for a CustomField of type {kind}")
    if (metadata.get("externalId") or metadata.get("unique")) and kind not in KEYS:
        raise _refused(f"Cannot specify 'externalId' or 'unique' for a CustomField of type {kind}")
    if kind == "Checkbox" and "defaultValue" not in metadata:
        raise _refused("Must specify 'defaultValue' for a CustomField of type Checkbox")
    checkbox = kind == "Checkbox"
    return Field(
        name,
        TYPES[kind],
        str(metadata.get("label") or name),
        length=length if isinstance(length, int) else 0,
        precision=_whole(metadata.get("precision"), PRECISION),
        scale=_whole(metadata.get("scale"), 0),
        nillable=not checkbox and not metadata.get("required"),
        defaulted=checkbox,
        default=str(metadata.get("defaultValue")).lower() == "true" if checkbox else None,
        external_id=bool(metadata.get("externalId")),
        unique=bool(metadata.get("unique")),
        case_sensitive=bool(metadata.get("caseSensitive")),
        restricted=bool(_value_set(metadata).get("restricted")),
        values=_picklist_values(metadata),
        refers_to=str(metadata.get("referenceTo") or ""),
        relationship=f"{name.removesuffix('__c')}__r" if kind == "Lookup" else "",
        custom=True,
    )


def _picklist_values(metadata: Mapping[str, JsonValue]) -> tuple[PicklistValue, ...]:
    definition = _value_set(metadata).get("valueSetDefinition")
    values = definition.get("value") if isinstance(definition, dict) else None
    found = []
    for each in values if isinstance(values, list) else ():
        if isinstance(each, dict):
            name = str(each.get("fullName") or each.get("label") or each.get("valueName"))
            label = str(each.get("label") or name)
            found.append(PicklistValue(name, label, default=bool(each.get("default"))))
    return tuple(found)


def _value_set(metadata: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    value_set = metadata.get("valueSet")
    return value_set if isinstance(value_set, dict) else {}


def _whole(value: JsonValue, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise


def _refused(message: str) -> RefusedError:
    return RefusedError("FIELD_INTEGRITY_EXCEPTION", message, fields=("Metadata",))
