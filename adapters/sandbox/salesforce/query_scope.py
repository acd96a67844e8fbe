"""What the names in a query mean to its caller: objects, fields, parents; and how to read them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.schema import Field, ObjectType
from adapters.sandbox.salesforce.soql import Path
from adapters.sandbox.salesforce.soql_text import Lifting, pointed
from adapters.sandbox.tables import JsonValue, Row

Getter: TypeAlias = Callable[[Row], JsonValue]
#: how many parents a path may climb
CLIMB_MAX = 5


@dataclass(frozen=True, slots=True)
class Scope:
    """One object inside one query of one caller."""

    call: Call
    object_type: ObjectType
    #: the query as it was sent, for messages
    text: str
    lifting: Lifting
    #: deleted records count too
    with_deleted: bool
    tooling: bool

    def within(self, object_type: ObjectType) -> "Scope":
        """Return the scope of another object in the same query."""
        return Scope(
            self.call, object_type, self.text, self.lifting, self.with_deleted, self.tooling
        )

    def object_named(self, name: str, column: int) -> ObjectType:
        """Return the object after FROM.

        Raises:
            RefusedError: INVALID_TYPE.
        """
        found = self.call.org.schema.object(name)
        if (
            found is None
            or (found.tooling and not self.tooling)
            or self.call.access.object_level(found) == "none"
        ):
            raise RefusedError(
                "INVALID_TYPE",
                self.pointed(
                    column,
                    f"sObject type '{name}' is not supported. If you are attempting to use a custom"
                    " object, be sure to append the '__c' after the entity name. Please reference"
                    " your WSDL or the describe call for the appropriate names.",
                ),
            )
        return found

    def field(self, name: str, column: int) -> Field:
        """Return a field of this object.

        Raises:
            RefusedError: INVALID_FIELD.
        """
        found = self.call.access.sees(self.object_type, name)
        if found is None:
            raise RefusedError(
                "INVALID_FIELD",
                self.pointed(
                    column,
                    f"No such column '{name}' on entity '{self.object_type.name}'. If you are"
                    " attempting to use a custom field, be sure to append the '__c' after the"
                    " custom field name. Please reference your WSDL or the describe call for the"
                    " appropriate names.",
                ),
            )
        return found

    def parent(self, name: str, column: int) -> tuple[Field, ObjectType]:
        """Return the reference field behind a relationship, and the object it refers to.

        Raises:
            RefusedError: INVALID_FIELD.
        """
        field = self.object_type.by_relationship.get(name.lower())
        target = None if field is None else self.call.org.schema.object(field.refers_to)
        if field is None or target is None or self.call.access.object_level(target) == "none":
            raise RefusedError(
                "INVALID_FIELD",
                self.pointed(
                    column,
                    f"Didn't understand relationship '{name}' in field path. If you are attempting"
                    " to use a custom relationship, be sure to append the '__r' after the custom"
                    " relationship name. Please reference your WSDL or the describe call for the"
                    " appropriate names.",
                ),
            )
        return field, target

    def steps(self, path: Path) -> tuple[str, ...]:
        """Return the names of a path without the object's own name before them."""
        names = path.names
        if len(names) > 1 and names[0].lower() == self.object_type.name.lower():
            return names[1:]
        if len(names) > CLIMB_MAX + 1:
            raise RefusedError(
                "INVALID_FIELD", self.pointed(path.column, "the path climbs too far")
            )
        return names

    def reader(self, path: Path) -> tuple[Field, Getter]:
        """Return the field at the end of a path, and how to read it from a row of this object."""
        return self._reader(self.steps(path), path.column)

    def rows(self) -> Iterable[Row]:
        """Return every row of the object, deleted ones included."""
        if self.object_type.name == "UserPermissionAccess":
            return (user_permission_access(self.call, self.object_type),)
        return self.call.org.store.rows(self.object_type.name).values()

    def pointed(self, column: int, reason: str) -> str:
        """Return a message that points at a place in the query."""
        return pointed(self.text, self.lifting.original(column), reason)

    def _reader(self, names: tuple[str, ...], column: int) -> tuple[Field, Getter]:
        if len(names) == 1:
            field = self.field(names[0], column)
            return field, getter(field)
        reference, target = self.parent(names[0], column)
        field, read = self.within(target)._reader(names[1:], column)  # noqa: SLF001 - itself
        key = reference.name
        rows = self.call.org.store.rows(target.name)

        def read_parent(row: Row) -> JsonValue:
            parent = rows.get(str(row.get(key)))
            return None if parent is None else read(parent)

        return field, read_parent


def getter(field: Field) -> Getter:
    """Return how to read a field of a row; a box that was never ticked is false."""
    name = field.name
    if field.type == "boolean":
        return lambda row: row.get(name, False)
    return lambda row: row.get(name)


def user_permission_access(call: Call, object_type: ObjectType) -> Row:
    """Return the one row of UserPermissionAccess: the caller's own permissions."""
    row: Row = {"Id": "000000000000000AAA"}
    for field in object_type.fields:
        if field.type == "boolean":
            row[field.name] = field.name in call.access.system
    return row
