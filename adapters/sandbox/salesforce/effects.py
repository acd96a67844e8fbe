"""What Salesforce does by itself when a record of a certain object is saved.

Opportunities take their standing from their stage; people get a full name; an opportunity has one
primary contact; a user gets a permission set that is his alone.
"""

from adapters.sandbox.salesforce import errors, ids, processes
from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.schema import ObjectType
from adapters.sandbox.salesforce.setup_objects import SYSTEM_PERMISSIONS
from adapters.sandbox.salesforce.values import EMAIL
from adapters.sandbox.tables import JsonValue, Row

PERSONS = frozenset({"Contact", "Lead", "User"})
#: the profile that a new user gets
STANDARD_PROFILE = "Standard User"
ADMIN_PROFILE = "System Administrator"
#: what each profile allows, as the user's own permission set will
PROFILE_PERMISSIONS = {
    ADMIN_PROFILE: SYSTEM_PERMISSIONS,
    STANDARD_PROFILE: ("PermissionsApiEnabled", "PermissionsViewSetup"),
}
PERCENT = 100
ALIAS_LENGTH = 8


def fill_in(call: Call, object_type: ObjectType, row: Row) -> None:
    """Give a new record what its caller left out and Salesforce knows."""
    if row.get("OwnerId") is None and "OwnerId" in object_type.by_name:
        row["OwnerId"] = call.user_id
    if object_type.has_record_types and row.get("RecordTypeId") is None:
        row["RecordTypeId"] = processes.default_record_type(call, object_type)
    if object_type.name == "User" and row.get("ProfileId") is None:
        row["ProfileId"] = profile_named(call, STANDARD_PROFILE)
    if object_type.name == "User" and row.get("Alias") is None:
        row["Alias"] = str(row["LastName"] or "")[:ALIAS_LENGTH].lower() or None


def before_save(
    call: Call, object_type: ObjectType, before: Row | None, after: Row, values: Row
) -> None:
    """Change and check the record that is about to be saved.

    Args:
        call: who saves, and when.
        object_type: of the record.
        before: the record as it is, None for a new one.
        after: the record as it will be; changed here.
        values: what the caller gave.
    """
    match object_type.name:
        case "Opportunity":
            _opportunity(call, before, after, values)
        case "Lead" if before is not None and before["IsConverted"]:
            raise RefusedError(
                "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", fields=()
            )
        case "User":
            _user(call, after)
        case "FieldPermissions":
            _field_permissions(call, before, after)
        case "PermissionSetAssignment":
            _assignment(call, after)
        case _:
            pass
    if object_type.name in PERSONS:
        names = (after.get("FirstName"), after.get("LastName"))
        after["Name"] = " ".join(str(name) for name in names if name)


def after_save(call: Call, object_type: ObjectType, before: Row | None, after: Row) -> None:
    """Change other records because this one was saved."""
    if object_type.name == "OpportunityContactRole" and after["IsPrimary"]:
        _only_primary(call, after)
    if object_type.name == "User" and before is None:
        _own_permission_set(call, after)


def profile_named(call: Call, name: str) -> str:
    """Return the id of a profile."""
    (profile_id,) = call.org.store.find("Profile", "Name", name)
    return profile_id


def _opportunity(call: Call, before: Row | None, after: Row, values: Row) -> None:
    if before is not None and before["HasOpportunityLineItem"]:
        # With products the amount is their sum; a write to it is accepted and has no effect.
        after["Amount"] = before["Amount"]
    stage_moved = before is None or before["StageName"] != after["StageName"]
    type_moved = before is None or before["RecordTypeId"] != after["RecordTypeId"]
    if after["StageName"] is None:
        return
    if stage_moved or type_moved:
        stage = _stage_offered(call, after)
        after["StageName"] = stage["ApiName"]
        if stage_moved:
            set_standing(after, stage, call.stamp, keep_probability="Probability" in values)
    set_expected_revenue(after)


def _stage_offered(call: Call, opportunity: Row) -> Row:
    wanted = str(opportunity["StageName"])
    record_type_id = opportunity["RecordTypeId"]
    process = str(record_type_id) if record_type_id else None
    for row in processes.stages_of(call.org, process):
        if str(row["ApiName"]).lower() == wanted.lower():
            return row
    raise errors.restricted_picklist("StageName", wanted)


def set_standing(opportunity: Row, stage: Row, stamp: str, *, keep_probability: bool) -> None:
    """Give an opportunity what its stage says: closed, won, probability, forecast."""
    opportunity["IsClosed"] = stage["IsClosed"]
    opportunity["IsWon"] = stage["IsWon"]
    opportunity["ForecastCategoryName"] = stage["ForecastCategoryName"]
    opportunity["LastStageChangeDate"] = stamp
    if not keep_probability or opportunity["Probability"] is None:
        opportunity["Probability"] = stage["DefaultProbability"]


def set_expected_revenue(opportunity: Row) -> None:
    """Compute the expected revenue from amount and probability."""
    amount, probability = opportunity["Amount"], opportunity["Probability"]
    opportunity["ExpectedRevenue"] = (
        round(amount * probability / PERCENT, 2)
        if isinstance(amount, (int, float)) and isinstance(probability, (int, float))
        else None
    )


def _only_primary(call: Call, primary: Row) -> None:
    store = call.org.store
    for key in store.find("OpportunityContactRole", "OpportunityId", primary["OpportunityId"]):
        row = store.rows("OpportunityContactRole")[key]
        if key != primary["Id"] and row["IsPrimary"] and not row["IsDeleted"]:
            changed: Row = {
                "IsPrimary": False,
                "LastModifiedDate": call.stamp,
                "LastModifiedById": call.user_id,
                "SystemModstamp": call.stamp,
            }
            store.put("OpportunityContactRole", key, {**row, **changed})


def _user(call: Call, after: Row) -> None:
    username = after.get("Username")
    if username is None:
        return
    if not EMAIL.match(str(username)):
        raise RefusedError(
            "INVALID_EMAIL_ADDRESS",
            f"Username: invalid username: {username}",
            fields=("Username",),
        )
    if any(key != after["Id"] for key in call.org.store.find("User", "Username", username)):
        raise RefusedError("DUPLICATE_USERNAME", "Duplicate Username.", fields=("Username",))


def _own_permission_set(call: Call, user: Row) -> None:
    profile = call.org.store.get("Profile", str(user["ProfileId"]))
    name = STANDARD_PROFILE if profile is None else str(profile["Name"])
    own = _stamped(call, "0PS")
    own.update(
        Name=f"X{own['Id']}",
        Label=name,
        Description=None,
        IsOwnedByProfile=True,
        ProfileId=user["ProfileId"],
    )
    allowed = PROFILE_PERMISSIONS.get(name, ())
    own.update({permission: permission in allowed for permission in SYSTEM_PERMISSIONS})
    call.org.store.put("PermissionSet", str(own["Id"]), own)
    assignment = _stamped(call, "0Pa")
    assignment.update(PermissionSetId=own["Id"], AssigneeId=user["Id"])
    call.org.store.put("PermissionSetAssignment", str(assignment["Id"]), assignment)


def _stamped(call: Call, prefix: str) -> dict[str, JsonValue]:
    number = call.org.store.tables.next_number(f"id:{prefix}")
    return {
        "Id": ids.numbered(prefix, number),
        "CreatedDate": call.stamp,
        "CreatedById": call.user_id,
        "LastModifiedDate": call.stamp,
        "LastModifiedById": call.user_id,
        "SystemModstamp": call.stamp,
    }


def _field_permissions(call: Call, before: Row | None, after: Row) -> None:
    object_type = call.org.schema.object(str(after.get("SobjectType")))
    object_name, _, field_name = str(after.get("Field")).partition(".")
    field = None if object_type is None else object_type.field(field_name)
    if object_type is None:
        raise errors.restricted_picklist("SobjectType", after.get("SobjectType"))
    if field is None or object_name.lower() != object_type.name.lower():
        raise errors.restricted_picklist("Field", after.get("Field"))
    after["SobjectType"] = object_type.name
    after["Field"] = f"{object_type.name}.{field.name}"
    if after["PermissionsEdit"] and not after["PermissionsRead"]:
        raise RefusedError(
            "FIELD_INTEGRITY_EXCEPTION",
            f"Permission Edit {after['Field']} depends on permission(s): Read {after['Field']}",
            fields=(),
        )
    if before is None:
        _not_twice(call, "FieldPermissions", ("ParentId", "Field"), after)


def _assignment(call: Call, after: Row) -> None:
    _not_twice(call, "PermissionSetAssignment", ("AssigneeId", "PermissionSetId"), after)


def _not_twice(call: Call, table: str, keys: tuple[str, str], after: Row) -> None:
    first, second = keys
    for key in call.org.store.find(table, first, after[first]):
        if call.org.store.rows(table)[key][second] == after[second]:
            raise RefusedError(
                "DUPLICATE_VALUE",
                f"Duplicate {table}.  {first}: {after[first]}; {second}: {after[second]}",
                fields=keys,
            )
