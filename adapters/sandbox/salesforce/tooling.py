"""The part of the Tooling API that makes and removes custom fields."""

import re
from collections.abc import Mapping

from adapters.sandbox.salesforce import errors, ids
from adapters.sandbox.salesforce.custom_fields import field_of
from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.tables import JsonValue, Row

PREFIX = "00N"
#: `Opportunity.DealSync_Deal_Id__c`
FULL_NAME = re.compile(r"(\w+)\.([A-Za-z](?:\w*[A-Za-z0-9])?)__c\Z")
DEVELOPER_NAME_MAX = 40


def create_custom_field(call: Call, body: Mapping[str, JsonValue]) -> str:
    """Add a custom field to an object and return its id.

    Nobody sees the field until FieldPermissions open it.

    Raises:
        RefusedError: the caller may not, the name is taken, or the metadata is not sound.
    """
    if not call.access.may_set_up():
        raise errors.insufficient_access()
    full_name = body.get("FullName")
    metadata = body.get("Metadata")
    if not isinstance(metadata, dict):
        raise errors.required_missing(("Metadata",))
    found = FULL_NAME.match(str(full_name or ""))
    object_type = None if found is None else call.org.schema.object(found[1])
    if found is None or object_type is None or "__" in found[2]:
        raise RefusedError(
            "FIELD_INTEGRITY_EXCEPTION",
            f"The FullName '{full_name}' is not an object and a custom field: Object.Name__c",
            fields=("FullName",),
        )
    developer_name = found[2]
    if len(developer_name) > DEVELOPER_NAME_MAX:
        raise RefusedError(
            "STRING_TOO_LONG",
            f"Field Name: data value too large: {developer_name} (max length={DEVELOPER_NAME_MAX})",
            fields=("FullName",),
        )
    name = f"{developer_name}__c"
    if object_type.field(name) is not None:
        raise RefusedError(
            "DUPLICATE_DEVELOPER_NAME",
            f"There is already a field named {developer_name} on {object_type.label}.",
            fields=("DeveloperName",),
        )
    field_of(name, metadata)
    store = call.org.store
    field_id = ids.numbered(PREFIX, store.tables.next_number(f"id:{PREFIX}"))
    row: Row = {
        "Id": field_id,
        "DeveloperName": developer_name,
        "NamespacePrefix": None,
        "TableEnumOrId": object_type.name,
        "FullName": f"{object_type.name}.{name}",
        "ManageableState": "unmanaged",
        "FieldName": name,
        "Metadata": metadata,
        "CreatedDate": call.stamp,
        "CreatedById": call.user_id,
        "LastModifiedDate": call.stamp,
        "LastModifiedById": call.user_id,
        "SystemModstamp": call.stamp,
    }
    store.put("CustomField", field_id, row)
    return field_id


def read_custom_field(call: Call, text: str) -> Row:
    """Return a custom field with its metadata."""
    row = call.org.store.get("CustomField", _normalised(text))
    if row is None:
        raise errors.no_resource()
    shown: Row = {
        "attributes": {
            "type": "CustomField",
            "url": f"/services/data/v{call.version}/tooling/sobjects/CustomField/{row['Id']}",
        }
    }
    shown.update((key, value) for key, value in row.items() if key != "FieldName")
    return shown


def delete_custom_field(call: Call, text: str) -> str:
    """Remove a custom field; its values go with it, and so do its permissions."""
    if not call.access.may_set_up():
        raise errors.insufficient_access()
    store = call.org.store
    row = store.get("CustomField", _normalised(text))
    if row is None:
        raise errors.no_resource()
    name, table = str(row["FieldName"]), str(row["TableEnumOrId"])
    for key, record in list(store.rows(table).items()):
        if name in record:
            store.put(table, key, {each: record[each] for each in record if each != name})
    for key, permission in list(store.rows("FieldPermissions").items()):
        if permission["Field"] == row["FullName"]:
            store.drop("FieldPermissions", key)
    store.drop("CustomField", str(row["Id"]))
    return str(row["Id"])


def _normalised(text: str) -> str:
    try:
        return ids.normalise(text)
    except ids.MalformedIdError as error:
        raise errors.malformed_id(text) from error
