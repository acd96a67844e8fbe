"""Stages and record types: which stages a record type offers, and what a stage says of a record.

A record type has a sales process, which is a list of stages; without record types the master one
offers every active stage. Kept in the tables `RecordType`, `OpportunityStage`, `sales_process`.
"""

from adapters.sandbox.salesforce import ids
from adapters.sandbox.salesforce.org import Call, Org
from adapters.sandbox.salesforce.schema import ObjectType
from adapters.sandbox.tables import Row

PROCESS = "sales_process"


def stages(org: Org) -> list[Row]:
    """Return all stages in their order."""
    rows = org.store.rows("OpportunityStage").values()
    return sorted(rows, key=lambda row: int(str(row["SortOrder"])))


def stage_named(org: Org, name: str) -> Row | None:
    """Return the stage of that name, in any case."""
    for key in org.store.find("OpportunityStage", "ApiName", name):
        return org.store.get("OpportunityStage", key)
    return None


def stages_of(org: Org, record_type_id: str | None) -> list[Row]:
    """Return the active stages that a record type offers, in their order."""
    process = org.store.get(PROCESS, record_type_id or ids.MASTER_RECORD_TYPE)
    names = None if process is None else process["stages"]
    return [
        row
        for row in stages(org)
        if row["IsActive"] and (not isinstance(names, list) or row["ApiName"] in names)
    ]


def record_types(org: Org, object_type: ObjectType) -> list[Row]:
    """Return the record types of an object, oldest first."""
    return [
        row
        for row in org.store.rows("RecordType").values()
        if row["SobjectType"] == object_type.name
    ]


def available(call: Call, record_type: Row) -> bool:
    """Whether the caller may give this record type to a record."""
    assigned = call.access.record_types.get(str(record_type["Id"]), True)
    return bool(record_type["IsActive"]) and assigned


def default_record_type(call: Call, object_type: ObjectType) -> str | None:
    """Return the record type that a record of the caller gets if he names none."""
    for row in record_types(call.org, object_type):
        if available(call, row):
            return str(row["Id"])
    return None
