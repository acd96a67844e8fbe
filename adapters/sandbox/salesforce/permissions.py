"""What a user may do: system permissions, objects, fields and record types.

System permissions come from the permission sets assigned to the user; each user has one of his
own, as if his profile were his alone. Fields and objects are open unless the table `access`
narrows them for the user, except that a new custom field is nobody's until a FieldPermissions row
of an assigned permission set opens it: so it is in a real org.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from adapters.sandbox.salesforce.schema import Field, ObjectType
from adapters.sandbox.salesforce.setup_objects import SYSTEM_PERMISSIONS
from adapters.sandbox.salesforce.store import Store
from adapters.sandbox.tables import JsonValue, Row

Level: TypeAlias = Literal["none", "read", "edit"]
LEVELS: Mapping[str, Level] = {"none": "none", "read": "read", "edit": "edit"}
#: what only someone who may customise the application sets up
SETUP_OBJECTS = frozenset({"PermissionSet", "PermissionSetAssignment", "FieldPermissions"})


@dataclass(slots=True)
class Access:
    """The permissions of one user, until the schema moves."""

    system: frozenset[str]
    objects: Mapping[str, Level]
    fields: Mapping[str, Level]
    #: by record type id; absent means assigned
    record_types: Mapping[str, bool]
    _readable: dict[str, tuple[Field, ...]] = field(default_factory=dict)

    def object_level(self, object_type: ObjectType) -> Level:
        """Return how far the user may go with an object."""
        return self.objects.get(object_type.name, "edit")

    def field_level(self, object_type: ObjectType, field_: Field) -> Level:
        """Return how far the user may go with a field."""
        level = self.fields.get(f"{object_type.name}.{field_.name}")
        if level is None:
            return "none" if field_.custom else "edit"
        return level

    def readable(self, object_type: ObjectType) -> tuple[Field, ...]:
        """Return the fields that the user sees, in the order of describe."""
        fields = self._readable.get(object_type.name)
        if fields is None:
            fields = self._readable[object_type.name] = tuple(
                each for each in object_type.fields if self.field_level(object_type, each) != "none"
            )
        return fields

    def sees(self, object_type: ObjectType, name: str) -> Field | None:
        """Return the field of that name if the user sees it."""
        found = object_type.field(name)
        if found is None or self.field_level(object_type, found) == "none":
            return None
        return found

    def raised(self) -> "Access":
        """Return the same with every system permission: what the org itself may do."""
        return replace(self, system=frozenset(SYSTEM_PERMISSIONS), _readable={})

    def may_set_up(self) -> bool:
        """Whether the user may create fields."""
        return bool(
            self.system
            & {
                "PermissionsModifyAllData",
                "PermissionsModifyMetadata",
                "PermissionsCustomizeApplication",
            }
        )

    def may_change(self, object_type: ObjectType) -> bool:
        """Whether the user may write records of an object at all."""
        if object_type.name in SETUP_OBJECTS:
            return self.may_set_up()
        if object_type.name == "User":
            return "PermissionsManageUsers" in self.system
        return self.object_level(object_type) == "edit"


def access_of(store: Store, user_id: str) -> Access:
    """Read a user's permissions from the tables."""
    sets = assigned_sets(store, user_id)
    narrowed = store.get("access", user_id) or {}
    fields: dict[str, Level] = {}
    if store.setting("new_fields_visible"):
        fields.update(
            (f"{row['TableEnumOrId']}.{row['FieldName']}", "edit")
            for row in store.rows("CustomField").values()
        )
    for permission_set in sets:
        for key in store.find("FieldPermissions", "ParentId", permission_set["Id"]):
            row = store.rows("FieldPermissions")[key]
            level = level_of(row)
            # Standard fields are open already, and no permission set takes anything away.
            if str(row["Field"]).endswith("__c") and fields.get(str(row["Field"])) != "edit":
                fields[str(row["Field"])] = level
    fields.update(_levels(narrowed.get("fields")))
    record_types = narrowed.get("record_types")
    return Access(
        frozenset(
            name for name in SYSTEM_PERMISSIONS if any(row.get(name) is True for row in sets)
        ),
        _levels(narrowed.get("objects")),
        fields,
        {key: bool(value) for key, value in record_types.items()}
        if isinstance(record_types, dict)
        else {},
    )


def assigned_sets(store: Store, user_id: str) -> list[Row]:
    """Return the permission sets assigned to a user, his own first."""
    rows = store.rows("PermissionSetAssignment")
    return [
        permission_set
        for key in store.find("PermissionSetAssignment", "AssigneeId", user_id)
        if (permission_set := store.get("PermissionSet", str(rows[key]["PermissionSetId"])))
    ]


def level_of(row: Row) -> Level:
    """Return what a FieldPermissions row gives."""
    if row.get("PermissionsEdit"):
        return "edit"
    return "read" if row.get("PermissionsRead") else "none"


def _levels(saved: JsonValue) -> dict[str, Level]:
    if not isinstance(saved, dict):
        return {}
    return {key: LEVELS[str(value)] for key, value in saved.items()}
