"""What an admin sets: permissions, automation, limits, currencies, sessions, record types."""

import jwt

from adapters.sandbox.box import ActionRefusedError
from adapters.sandbox.salesforce import automation, processes, stages
from adapters.sandbox.salesforce.arguments import (
    Arguments,
    living,
    object_named,
    record_type,
    user,
)
from adapters.sandbox.salesforce.oauth import PUBLIC_KEY, SESSION
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.permissions import LEVELS, assigned_sets
from adapters.sandbox.salesforce.setup_objects import SYSTEM_PERMISSIONS
from adapters.sandbox.salesforce.stages import Stage
from adapters.sandbox.tables import JsonValue, Row

ACCESS = "access"
FLOW_OPERATIONS = ("set", "upper", "keep")


def set_permission(call: Call, arguments: Arguments) -> Row:
    """Give or take a permission of one user.

    `permission` is a system permission (`ModifyAllData`; value true or false), an object
    (`Opportunity`), a field (`Opportunity.Amount`; value none, read or edit, where true means edit
    and false none), or a record type (`RecordType.Renewal`; true or false).
    """
    of_user = user(call, arguments.text("user"))
    permission = arguments.text("permission")
    value = arguments.value("value")
    head, _, rest = permission.partition(".")
    if head == "RecordType" and rest:
        row = record_type(call, rest)
        _narrow(call, of_user, "record_types", str(row["Id"]), _flag(permission, value))
    elif (system := f"Permissions{permission.removeprefix('Permissions')}") in SYSTEM_PERMISSIONS:
        _set_system(call, of_user, system, allowed=_flag(permission, value))
    else:
        object_type = object_named(call, head)
        if rest:
            field = object_type.field(rest)
            if field is None:
                raise ActionRefusedError(f"{object_type.name} has no field '{rest}'")
            name = f"{object_type.name}.{field.name}"
            _narrow(call, of_user, "fields", name, _level(permission, value))
        else:
            _narrow(call, of_user, "objects", object_type.name, _level(permission, value))
    return {"user": of_user["Username"], "permission": permission, "value": value}


def add_validation_rule(call: Call, arguments: Arguments) -> Row:
    """Refuse records of an object from now on, if a field is as `operator` and `value` say.

    `unnamed` makes the refusal name no field; `only_for` is a user name.
    """
    object_type = object_named(call, arguments.text("object"))
    name = arguments.text("name")
    operator = arguments.text_or("operator", "always")
    if operator not in automation.OPERATORS:
        known = ", ".join(automation.OPERATORS)
        raise ActionRefusedError(f"'{operator}' is no operator; there are: {known}")
    field = object_type.field(arguments.text("field"))
    if field is None:
        raise ActionRefusedError(f"{object_type.name} has no field {arguments.text('field')!r}")
    row: Row = {
        "object": object_type.name,
        "field": field.name,
        "operator": operator,
        "value": arguments.value("value"),
        "message": arguments.text_or("message", f"{name} does not allow this"),
        "unnamed": arguments.flag("unnamed"),
        "only_for": arguments.text_or("only_for", None),
    }
    call.org.store.put(automation.RULE, name, row)
    return {"name": name}


def add_flow(call: Call, arguments: Arguments) -> Row:
    """Let a before-save flow rewrite a field: `set` a value, make it `upper`, or `keep` the old."""
    object_type = object_named(call, arguments.text("object"))
    field = object_type.field(arguments.text("field"))
    operation = arguments.text_or("operation", "set")
    if field is None or operation not in FLOW_OPERATIONS:
        raise ActionRefusedError(
            f"a flow needs a field of {object_type.name} and an operation:"
            f" {', '.join(FLOW_OPERATIONS)}"
        )
    name = arguments.text_or("name", f"{object_type.name}.{field.name}")
    assert name is not None, "a default was given"
    row: Row = {
        "object": object_type.name,
        "field": field.name,
        "operation": operation,
        "value": arguments.value("value"),
    }
    call.org.store.put(automation.FLOW, name, row)
    return {"name": name}


def remove(call: Call, table: str, arguments: Arguments) -> Row:
    """Remove a validation rule or a flow by name."""
    name = arguments.text("name")
    if call.org.store.get(table, name) is None:
        raise ActionRefusedError(f"there is none named '{name}'")
    call.org.store.drop(table, name)
    return {"name": name}


def make_amount_rollup(call: Call, arguments: Arguments) -> Row:
    """Give an opportunity products: its amount is their sum now, and writes to it do nothing."""
    row = living(call, arguments.text("id"), "Opportunity")
    changed: Row = {**row, "HasOpportunityLineItem": True, "SystemModstamp": call.stamp}
    call.org.store.put("Opportunity", str(row["Id"]), changed)
    return {"id": row["Id"]}


def create_record_type(call: Call, arguments: Arguments) -> Row:
    """Add a record type of opportunities, with the stages given or with all."""
    given = None if arguments.value("stages") is None else arguments.texts("stages")
    return {"id": stages.add_record_type(call, arguments.text("name"), given)}


def deactivate_record_type(call: Call, arguments: Arguments) -> Row:
    """Keep a record type, but let nobody give it to a record any more."""
    row = record_type(call, arguments.text("id"))
    inactive: Row = {**row, "IsActive": False, "SystemModstamp": call.stamp}
    call.org.store.put("RecordType", str(row["Id"]), inactive)
    return {"id": row["Id"]}


def delete_record_type(call: Call, arguments: Arguments) -> Row:
    """Remove a record type; its records get `replace_with`, or keep the id that is gone."""
    row = record_type(call, arguments.text("id"))
    given = arguments.text_or("replace_with", None)
    store = call.org.store
    if given is not None:
        other = record_type(call, given)
        for key in store.find("Opportunity", "RecordTypeId", row["Id"]):
            changed: Row = {"RecordTypeId": other["Id"], "SystemModstamp": call.stamp}
            store.put("Opportunity", key, {**store.rows("Opportunity")[key], **changed})
    store.drop("RecordType", str(row["Id"]))
    store.drop(processes.PROCESS, str(row["Id"]))
    return {"id": row["Id"]}


def create_stage(call: Call, arguments: Arguments) -> Row:
    """Add a stage if it is new, and let a record type offer it; without one, all of them."""
    label = arguments.text("stage")
    if processes.stage_named(call.org, label) is None:
        closed, won = arguments.flag("closed"), arguments.flag("won")
        probability = arguments.whole("probability", 100 if won else 0 if closed else 50)
        forecast = "Closed" if won else "Omitted" if closed else "Pipeline"
        stages.add_stage(call, Stage(label, probability, forecast, closed=closed or won, won=won))
    for row in _record_types(call, arguments):
        stages.offer_stage(call, str(row["Id"]), label)
    return {"stage": label}


def rename_stage(call: Call, arguments: Arguments) -> Row:
    """Rename a stage wherever it is: stages belong to the org, not to one record type.

    With `label_only` it keeps its API name.
    """
    rename = stages.relabel_stage if arguments.flag("label_only") else stages.rename_stage
    rename(call, arguments.text("stage"), arguments.text("label"))
    return {"stage": arguments.text("label")}


def deactivate_stage(call: Call, arguments: Arguments) -> Row:
    """Take a stage from one record type, or from the org."""
    given = arguments.text_or("record_type", None)
    row = None if given is None else record_type(call, given)
    record_type_id = None if row is None else str(row["Id"])
    stages.withdraw_stage(call, record_type_id, arguments.text("stage"))
    return {"stage": arguments.text("stage")}


def set_daily_limit(call: Call, arguments: Arguments) -> Row:
    """Set how many API calls the org has in 24 hours."""
    call.org.store.set("daily_limit", arguments.whole("count"))
    return {"count": arguments.whole("count")}


def set_user_active(call: Call, arguments: Arguments) -> Row:
    """Activate or deactivate a user."""
    row = user(call, arguments.text("user"))
    changed: Row = {**row, "IsActive": arguments.flag("value"), "SystemModstamp": call.stamp}
    call.org.store.put("User", str(row["Id"]), changed)
    return {"id": row["Id"]}


def expire_sessions(call: Call, arguments: Arguments) -> Row:
    """End every session of a user."""
    of_user = user(call, arguments.text("user"))
    store = call.org.store
    tokens = [key for key, row in store.rows(SESSION).items() if row["user"] == of_user["Id"]]
    for token in tokens:
        store.drop(SESSION, token)
    return {"ended": len(tokens)}


def register_public_key(call: Call, arguments: Arguments) -> Row:
    """Trust a key, in PEM, for JWT bearer assertions; from then on no other signature counts."""
    pem = arguments.text("pem")
    try:
        jwt.get_algorithm_by_name("RS256").prepare_key(pem)
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise ActionRefusedError(f"'pem' is no RSA public key: {error}") from error
    number = call.org.store.tables.next_number(PUBLIC_KEY)
    call.org.store.put(PUBLIC_KEY, str(number), {"pem": pem})
    return {"number": number}


def enable_multicurrency(call: Call, _arguments: Arguments) -> Row:
    """Give records a currency; there is no way back."""
    call.org.store.set("multicurrency", value=True)
    return {"multicurrency": True}


def _record_types(call: Call, arguments: Arguments) -> list[Row]:
    given = arguments.text_or("record_type", None)
    if given is not None:
        return [record_type(call, given)]
    return list(call.org.store.rows("RecordType").values())


def _flag(permission: str, value: JsonValue) -> bool:
    if not isinstance(value, bool):
        raise ActionRefusedError(f"{permission} is true or false, not {value!r}")
    return value


def _level(permission: str, value: JsonValue) -> str:
    level = {True: "edit", False: "none"}[value] if isinstance(value, bool) else value
    if level not in LEVELS:
        raise ActionRefusedError(f"{permission} is one of {', '.join(LEVELS)}, not {value!r}")
    return str(level)


def _narrow(call: Call, of_user: Row, kind: str, name: str, value: JsonValue) -> None:
    user_id = str(of_user["Id"])
    row = call.org.store.get(ACCESS, user_id) or {}
    before = row.get(kind)
    changed: dict[str, JsonValue] = {**before} if isinstance(before, dict) else {}
    changed[name] = value
    call.org.store.put(ACCESS, user_id, {**row, kind: changed})


def _set_system(call: Call, of_user: Row, permission: str, *, allowed: bool) -> None:
    sets = assigned_sets(call.org.store, str(of_user["Id"]))
    # Giving touches the user's own set alone; taking needs every set that he has.
    for row in sets[:1] if allowed else sets:
        changed: Row = {**row, permission: allowed, "SystemModstamp": call.stamp}
        call.org.store.put("PermissionSet", str(row["Id"]), changed)
