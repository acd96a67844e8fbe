"""What an org says of its objects and fields to a caller, who sees what he may see."""

from adapters.sandbox.salesforce import ids, processes
from adapters.sandbox.salesforce.deletion import CASCADE
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.schema import ID_TYPES, Field, ObjectType, PicklistValue
from adapters.sandbox.tables import JsonValue

MASTER = "Master"
BATCH_MAX = 200
SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
}


def every_object(call: Call) -> dict[str, JsonValue]:
    """Return the list of objects: the answer to `sobjects`."""
    shown: list[JsonValue] = [
        summary(call, each)
        for each in call.org.schema.all()
        if not each.tooling and call.access.object_level(each) != "none"
    ]
    return {"encoding": "UTF-8", "maxBatchSize": BATCH_MAX, "sobjects": shown}


def summary(call: Call, object_type: ObjectType) -> dict[str, JsonValue]:
    """Return an object without its fields."""
    address = f"/services/data/v{call.version}/sobjects/{object_type.name}"
    changeable = call.access.may_change(object_type)
    return {
        "name": object_type.name,
        "label": object_type.label,
        "labelPlural": object_type.plural,
        "keyPrefix": object_type.prefix or None,
        "custom": False,
        "customSetting": False,
        "activateable": False,
        "createable": object_type.createable and changeable,
        "updateable": object_type.updateable and changeable,
        "deletable": object_type.deletable and changeable,
        "undeletable": object_type.undeletable,
        "mergeable": object_type.mergeable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "layoutable": True,
        "queryable": True,
        "replicateable": object_type.replicateable,
        "retrieveable": True,
        "searchable": True,
        "triggerable": True,
        "urls": {
            "sobject": address,
            "describe": f"{address}/describe",
            "rowTemplate": f"{address}/{{ID}}",
        },
    }


def whole_object(call: Call, object_type: ObjectType) -> dict[str, JsonValue]:
    """Return an object with its fields and record types: the answer to `describe`."""
    fields: list[JsonValue] = [
        _field(call, object_type, each) for each in call.access.readable(object_type)
    ]
    children: list[JsonValue] = [
        {
            "relationshipName": each.name,
            "childSObject": each.object_name,
            "field": each.field_name,
            "cascadeDelete": (each.object_name, each.field_name)
            in CASCADE.get(object_type.name, ()),
            "deprecatedAndHidden": False,
        }
        for each in object_type.children
    ]
    return summary(call, object_type) | {
        "fields": fields,
        "listviewable": None,
        "lookupLayoutable": None,
        "searchLayoutable": True,
        "childRelationships": children,
        "recordTypeInfos": record_type_infos(call, object_type),
    }


def record_type_infos(call: Call, object_type: ObjectType) -> list[JsonValue]:
    """Return the record types as the caller has them, the master one last."""
    default = processes.default_record_type(call, object_type)
    address = f"/services/data/v{call.version}/sobjects/{object_type.name}/describe/layouts"
    infos: list[JsonValue] = [
        {
            "active": row["IsActive"],
            "available": processes.available(call, row),
            "defaultRecordTypeMapping": row["Id"] == default,
            "developerName": row["DeveloperName"],
            "master": False,
            "name": row["Name"],
            "recordTypeId": row["Id"],
            "urls": {"layout": f"{address}/{row['Id']}"},
        }
        for row in processes.record_types(call.org, object_type)
    ]
    infos.append(
        {
            "active": True,
            "available": True,
            "defaultRecordTypeMapping": default is None,
            "developerName": MASTER,
            "master": True,
            "name": MASTER,
            "recordTypeId": ids.MASTER_RECORD_TYPE,
            "urls": {"layout": f"{address}/{ids.MASTER_RECORD_TYPE}"},
        }
    )
    return infos


def _field(call: Call, object_type: ObjectType, field: Field) -> dict[str, JsonValue]:
    editable = call.access.field_level(object_type, field) == "edit"
    key = field.external_id or field.name == "Id"
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "soapType": SOAP_TYPES.get(field.type, "xsd:string"),
        "length": field.length,
        "byteLength": field.length * 3,
        "precision": field.precision,
        "scale": field.scale,
        "digits": field.precision if field.type == "int" else 0,
        "nillable": field.nillable,
        "createable": field.createable and editable,
        "updateable": field.updateable and editable,
        "calculated": field.calculated,
        "calculatedFormula": None,
        "controllerName": None,
        "defaultedOnCreate": field.defaulted,
        "defaultValue": field.default,
        "defaultValueFormula": None,
        "externalId": field.external_id,
        "idLookup": key or (field.name == "Email" and object_type.name in {"Contact", "Lead"}),
        "unique": field.unique,
        "caseSensitive": field.case_sensitive,
        "autoNumber": False,
        "custom": field.custom,
        "deprecatedAndHidden": False,
        "filterable": field.filterable,
        "sortable": field.filterable,
        "groupable": field.filterable and field.type not in {"currency", "double", "datetime"},
        "nameField": field.name == "Name",
        "namePointing": False,
        "htmlFormatted": False,
        "inlineHelpText": None,
        "dependentPicklist": False,
        "restrictedPicklist": field.restricted,
        "picklistValues": _picklist_values(call, object_type, field),
        "referenceTo": [field.refers_to] if field.type in ID_TYPES and field.refers_to else [],
        "relationshipName": field.relationship or None,
        "relationshipOrder": None,
        "writeRequiresMasterRead": False,
    }


def _picklist_values(call: Call, object_type: ObjectType, field: Field) -> list[JsonValue]:
    return [
        {
            "active": active,
            "defaultValue": each.default,
            "label": each.label,
            "validFor": None,
            "value": each.value,
        }
        for each, active in _values(call, object_type, field)
    ]


def _values(call: Call, object_type: ObjectType, field: Field) -> list[tuple[PicklistValue, bool]]:
    if (object_type.name, field.name) == ("Opportunity", "StageName"):
        return [
            (PicklistValue(str(row["ApiName"]), str(row["MasterLabel"])), bool(row["IsActive"]))
            for row in processes.stages(call.org)
        ]
    return [(each, True) for each in field.values]
