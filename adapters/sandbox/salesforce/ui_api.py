"""The part of the User Interface API that tells which picklist values a record type offers."""

from adapters.sandbox.salesforce import describe, errors, ids, processes
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.schema import Field, ObjectType
from adapters.sandbox.tables import JsonValue, Row

PICKLISTS = frozenset({"picklist", "multipicklist"})
ETAG = "0" * 32


def object_info(call: Call, object_type: ObjectType) -> dict[str, JsonValue]:
    """Return an object with its record types by id."""
    infos: dict[str, JsonValue] = {
        str(each["recordTypeId"]): {
            "available": each["available"],
            "defaultRecordTypeMapping": each["defaultRecordTypeMapping"],
            "master": each["master"],
            "name": each["name"],
            "recordTypeId": each["recordTypeId"],
        }
        for each in describe.record_type_infos(call, object_type)
        if isinstance(each, dict)
    }
    return {
        "apiName": object_type.name,
        "defaultRecordTypeId": processes.default_record_type(call, object_type)
        or ids.MASTER_RECORD_TYPE,
        "eTag": ETAG,
        "keyPrefix": object_type.prefix,
        "label": object_type.label,
        "labelPlural": object_type.plural,
        "recordTypeInfos": infos,
    }


def picklist_values(
    call: Call, object_type: ObjectType, record_type_id: str
) -> dict[str, JsonValue]:
    """Return the values of every picklist for a record type."""
    record_type = _record_type(call, object_type, record_type_id)
    fields: dict[str, JsonValue] = {
        each.name: _of_field(call, object_type, each, record_type)
        for each in call.access.readable(object_type)
        if each.type in PICKLISTS
    }
    return {"eTag": ETAG, "picklistFieldValues": fields}


def picklist_values_of(
    call: Call, object_type: ObjectType, record_type_id: str, field_name: str
) -> dict[str, JsonValue]:
    """Return the values of one picklist for a record type."""
    record_type = _record_type(call, object_type, record_type_id)
    field = call.access.sees(object_type, field_name)
    if field is None or field.type not in PICKLISTS:
        raise errors.no_resource()
    return _of_field(call, object_type, field, record_type)


def _record_type(call: Call, object_type: ObjectType, text: str) -> str | None:
    try:
        record_type_id = ids.normalise(text)
    except ids.MalformedIdError as error:
        raise errors.malformed_id(text) from error
    if record_type_id == ids.MASTER_RECORD_TYPE:
        return None
    row = call.org.store.get("RecordType", record_type_id)
    if row is None or row["SobjectType"] != object_type.name:
        raise errors.no_resource()
    return record_type_id


def _of_field(
    call: Call, object_type: ObjectType, field: Field, record_type: str | None
) -> dict[str, JsonValue]:
    values: list[JsonValue]
    if (object_type.name, field.name) == ("Opportunity", "StageName"):
        values = [_stage(row) for row in processes.stages_of(call.org, record_type)]
    else:
        values = [
            {"attributes": None, "label": each.label, "validFor": [], "value": each.value}
            for each in field.values
        ]
    shown = record_type or ids.MASTER_RECORD_TYPE
    address = f"/services/data/v{call.version}/ui-api/object-info/{object_type.name}"
    return {
        "controllerValues": {},
        "defaultValue": None,
        "eTag": ETAG,
        "url": f"{address}/picklist-values/{shown}/{field.name}",
        "values": values,
    }


def _stage(row: Row) -> dict[str, JsonValue]:
    return {
        "attributes": {
            "closed": row["IsClosed"],
            "defaultProbability": row["DefaultProbability"],
            "forecastCategoryName": row["ForecastCategoryName"],
            # Misspelt in the real answer too.
            "picklistAtrributesValueType": "OpportunityStage",
            "won": row["IsWon"],
        },
        "label": row["MasterLabel"],
        "validFor": [],
        "value": row["ApiName"],
    }
