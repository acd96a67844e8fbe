"""Property definitions and groups: `/crm/v3/properties/{type}…`.

Values of a property can be made unique only when it is created, for ten properties of a kind.
"""

import re
from collections.abc import Callable

from adapters.sandbox.hubspot import actors
from adapters.sandbox.hubspot.batch import inputs_of, reply
from adapters.sandbox.hubspot.call import NO_CONTENT, Call, Reply, needed
from adapters.sandbox.hubspot.default_properties import GROUPS
from adapters.sandbox.hubspot.errors import ApiError, invalid_json, no_such_path, not_allowed
from adapters.sandbox.hubspot.kinds import Kind, kind_of
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import row_in, rows_in, text
from adapters.sandbox.tables import JsonValue, Row

INPUTS_MAX = 100
UNIQUE_MAX = 10
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
#: type → field types that go with it
_FIELD_TYPES: dict[str, tuple[str, ...]] = {
    "string": ("text", "textarea", "html", "phonenumber", "file"),
    "number": ("number",),
    "bool": ("booleancheckbox",),
    "date": ("date",),
    "datetime": ("date",),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox"),
}
#: what the answer to a batch creation leaves out, as captured
_NOT_IN_BATCH = frozenset({"createdAt", "updatedAt", "createdUserId", "updatedUserId", "archived"})
_CHANGEABLE = ("label", "description", "groupName", "displayOrder", "hidden", "formField")


def answer(portal: Portal, call: Call, type_name: str, rest: tuple[str, ...]) -> Reply:
    """Answer what follows the type in the path."""
    kind = kind_of(type_name)
    reads = call.method == "GET" or rest == ("batch", "read")
    scope = f"crm.schemas.{kind.name}.{'read' if reads else 'write'}"
    actors.require(portal.tables, call.edit.actor, scope)
    match call.method, rest:
        case "GET", ():
            return _list(portal, call, kind)
        case "POST", ():
            made = _create(portal, call, kind, call.body())
            return Reply(201, made)
        case "POST", ("batch", what):
            return _batch(portal, call, kind, what)
        case _, ("groups", *names):
            return _groups(portal, call, kind, tuple(names))
        case "GET", (name,):
            return Reply(200, _stored(portal, call, kind, name))
        case "PATCH", (name,):
            return _update(portal, call, kind, name)
        case "DELETE", (name,):
            _archive(portal, call, kind, name)
            return NO_CONTENT
        case _, () | (_,):
            raise not_allowed()
        case _:
            raise no_such_path(call.path)


def _list(portal: Portal, call: Call, kind: Kind) -> Reply:
    archived = call.flag("archived")
    found: list[JsonValue] = [
        one
        for one in portal.tables.rows(kind.properties).values()
        if bool(one.get("archived")) == archived
    ]
    return Reply(200, {"results": found})


def _stored(portal: Portal, call: Call, kind: Kind, name: str) -> Row:
    found = portal.tables.get(kind.properties, name)
    if found is None or bool(found.get("archived")) != call.flag("archived"):
        raise _no_property(name)
    return found


def _no_property(name: str) -> ApiError:
    return ApiError(
        404,
        f"Property {name} does not exist",
        category="OBJECT_NOT_FOUND",
        sub_category="Properties.PROPERTY_NOT_FOUND",
        context={"name": [name]},
    )


def _create(portal: Portal, call: Call, kind: Kind, asked: Row) -> Row:
    """Create a property.

    Raises:
        ApiError: the definition is not valid, the name is taken, or too many are unique.
    """
    name = needed(asked, "name")
    before = portal.tables.get(kind.properties, name)
    if before is not None and not before.get("archived"):
        raise ApiError(
            409,
            f"A property named '{name}' already exists.",
            category="OBJECT_ALREADY_EXISTS",
            sub_category="Properties.PROPERTY_WITH_NAME_EXISTS",
            context={"name": [name]},
        )
    if not _NAME.fullmatch(name):
        raise ApiError(400, f"Property name must be lowercase, but given: {name}")
    definition = _definition(portal, call, kind, asked)
    if definition["hasUniqueValue"]:
        _refuse_too_many_unique(portal, kind)
    portal.tables.put(kind.properties, name, definition)
    portal.forget_rules(kind)
    call.records.append(name)
    call.changed = True
    return definition


def _definition(portal: Portal, call: Call, kind: Kind, asked: Row) -> Row:
    value_type, field_type = needed(asked, "type"), needed(asked, "fieldType")
    if field_type not in _FIELD_TYPES.get(value_type, ()):
        raise ApiError(400, f"Field type {field_type} is not valid for type {value_type}")
    group = needed(asked, "groupName")
    if portal.tables.get(GROUPS, f"{kind.name}|{group}") is None:
        raise _no_group(group)
    options = _options(asked)
    if value_type == "enumeration" and not options and not asked.get("externalOptions"):
        raise ApiError(400, f"Property {asked['name']} of type enumeration needs options")
    author = str(actors.PERSON_USER_ID)
    return {
        "updatedAt": call.edit.iso,
        "createdAt": call.edit.iso,
        "name": text(asked, "name"),
        "label": needed(asked, "label"),
        "type": value_type,
        "fieldType": field_type,
        "description": text(asked, "description"),
        "groupName": group,
        "options": list[JsonValue](options),
        "createdUserId": author,
        "updatedUserId": author,
        "displayOrder": asked.get("displayOrder", -1),
        "calculated": bool(asked.get("calculationFormula")),
        "externalOptions": bool(asked.get("externalOptions")),
        "archived": False,
        "hasUniqueValue": asked.get("hasUniqueValue") is True,
        "hidden": asked.get("hidden") is True,
        "modificationMetadata": {
            "archivable": True,
            "readOnlyDefinition": False,
            "readOnlyValue": bool(asked.get("calculationFormula")),
        },
        "formField": asked.get("formField") is True,
        "dataSensitivity": text(asked, "dataSensitivity", "non_sensitive"),
    }


def _options(asked: Row) -> list[Row]:
    options: list[Row] = [
        {
            "label": text(one, "label"),
            "value": needed(one, "value"),
            "description": text(one, "description"),
            "displayOrder": one.get("displayOrder", place),
            "hidden": one.get("hidden") is True,
        }
        for place, one in enumerate(rows_in(asked, "options"))
    ]
    values = [text(one, "value") for one in options]
    if len(set(values)) < len(values):
        raise ApiError(400, "Option values must be unique")
    return options


def _refuse_too_many_unique(portal: Portal, kind: Kind) -> None:
    unique = [
        one
        for one in portal.tables.rows(kind.properties).values()
        if one.get("hasUniqueValue") and not one.get("hubspotDefined") and not one.get("archived")
    ]
    if len(unique) >= UNIQUE_MAX:
        raise ApiError(
            400,
            f"{kind.upper} already has {UNIQUE_MAX} properties with unique values",
            sub_category="Properties.UNIQUE_PROPERTY_LIMIT_EXCEEDED",
        )


def _update(portal: Portal, call: Call, kind: Kind, name: str) -> Reply:
    before, asked = _stored(portal, call, kind, name), call.body()
    if row_in(before, "modificationMetadata").get("readOnlyDefinition"):
        raise ApiError(400, f"Property {name} is read only; its definition cannot be changed")
    after: Row = {**before, **{one: asked[one] for one in _CHANGEABLE if one in asked}}
    if "options" in asked:
        after["options"] = list[JsonValue](_options(asked))
    if asked.get("hasUniqueValue", before["hasUniqueValue"]) != before["hasUniqueValue"]:
        raise ApiError(400, f"hasUniqueValue of {name} cannot be changed after its creation")
    call.records.append(name)
    if after != before:
        after["updatedAt"] = call.edit.iso
        portal.tables.put(kind.properties, name, after)
        portal.forget_rules(kind)
        call.changed = True
    return Reply(200, after)


def _archive(portal: Portal, call: Call, kind: Kind, name: str) -> None:
    found = portal.tables.get(kind.properties, name)
    if found is None:
        raise _no_property(name)
    if found.get("hubspotDefined"):
        raise ApiError(400, f"Property {name} is defined by HubSpot and cannot be archived")
    call.records.append(name)
    if not found.get("archived"):
        archived: Row = {**found, "archived": True, "archivedAt": call.edit.iso}
        portal.tables.put(kind.properties, name, archived)
        portal.forget_rules(kind)
        call.changed = True


def _batch(portal: Portal, call: Call, kind: Kind, what: str) -> Reply:
    inputs = inputs_of(call.body(), INPUTS_MAX)
    if what == "archive":
        for one in inputs:
            if portal.tables.get(kind.properties, text(one, "name")) is not None:
                _archive(portal, call, kind, text(one, "name"))
        return NO_CONTENT
    each: Callable[[Row], Row]
    match what:
        case "create":
            status = 201

            def each(one: Row) -> Row:
                made = _create(portal, call, kind, one)
                return {name: made[name] for name in made if name not in _NOT_IN_BATCH}

        case "read":
            status = 200

            def each(one: Row) -> Row:
                return _stored(portal, call, kind, text(one, "name"))

        case _:
            raise no_such_path(call.path)
    results: list[JsonValue] = []
    errors: list[JsonValue] = []
    for one in inputs:
        try:
            results.append(each(one))
        except ApiError as error:
            errors.append(error.in_batch(None))
    return reply(call, status, results, errors)


def _groups(portal: Portal, call: Call, kind: Kind, names: tuple[str, ...]) -> Reply:
    tables = portal.tables
    match call.method, names:
        case "GET", ():
            found: list[JsonValue] = [
                row for key, row in tables.rows(GROUPS).items() if key.startswith(f"{kind.name}|")
            ]
            return Reply(200, {"results": found})
        case "POST", ():
            return Reply(201, _create_group(portal, call, kind))
        case "GET", (name,):
            row = tables.get(GROUPS, f"{kind.name}|{name}")
            if row is None:
                raise _no_group(name)
            return Reply(200, row)
        case "PATCH", (name,):
            return Reply(200, _update_group(portal, call, kind, name))
        case "DELETE", (name,):
            _drop_group(portal, call, kind, name)
            return NO_CONTENT
        case _, () | (_,):
            raise not_allowed()
        case _:
            raise no_such_path(call.path)


def _create_group(portal: Portal, call: Call, kind: Kind) -> Row:
    asked = call.body()
    name = needed(asked, "name")
    if portal.tables.get(GROUPS, f"{kind.name}|{name}") is not None:
        raise ApiError(
            409,
            f"A property group named '{name}' already exists.",
            category="OBJECT_ALREADY_EXISTS",
            sub_category="Properties.PROPERTY_GROUP_WITH_NAME_EXISTS",
            context={"name": [name]},
        )
    row: Row = {
        "name": name,
        "label": needed(asked, "label"),
        "displayOrder": asked.get("displayOrder", _groups_of(portal, kind)),
        "archived": False,
    }
    portal.tables.put(GROUPS, f"{kind.name}|{name}", row)
    call.records.append(name)
    call.changed = True
    return row


def _groups_of(portal: Portal, kind: Kind) -> int:
    return sum(key.startswith(f"{kind.name}|") for key in portal.tables.rows(GROUPS))


def _update_group(portal: Portal, call: Call, kind: Kind, name: str) -> Row:
    before, asked = portal.tables.get(GROUPS, f"{kind.name}|{name}"), call.body()
    if before is None:
        raise _no_group(name)
    after: Row = {
        **before,
        **{one: asked[one] for one in ("label", "displayOrder") if one in asked},
    }
    call.records.append(name)
    if after != before:
        portal.tables.put(GROUPS, f"{kind.name}|{name}", after)
        call.changed = True
    return after


def _drop_group(portal: Portal, call: Call, kind: Kind, name: str) -> None:
    if portal.tables.get(GROUPS, f"{kind.name}|{name}") is None:
        raise _no_group(name)
    used = any(
        one["groupName"] == name and not one.get("archived")
        for one in portal.tables.rows(kind.properties).values()
    )
    if used:
        raise ApiError(400, f"Property group {name} has properties and cannot be archived")
    portal.tables.drop(GROUPS, f"{kind.name}|{name}")
    call.records.append(name)
    call.changed = True


def _no_group(name: str) -> ApiError:
    return (
        ApiError(
            400,
            f"Property group {name} does not exist",
            sub_category="Properties.PROPERTY_GROUP_NOT_FOUND",
            context={"groupName": [name]},
        )
        if name
        else invalid_json("groupName")
    )
