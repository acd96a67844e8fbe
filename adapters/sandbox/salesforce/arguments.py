"""Reads the arguments of an action, and says which one is wrong and what was expected."""

from collections.abc import Mapping

from adapters.sandbox.box import ActionRefusedError
from adapters.sandbox.salesforce import ids
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.schema import ObjectType
from adapters.sandbox.tables import JsonValue, Row


class Arguments:
    """The arguments of one action by name."""

    def __init__(self, action: str, given: Mapping[str, JsonValue]) -> None:
        self._action = action
        self._given = given

    def value(self, name: str) -> JsonValue:
        """Return an argument of any kind, None if it is absent."""
        return self._given.get(name)

    def text(self, name: str) -> str:
        """Return a text that must be there."""
        value = self._given.get(name)
        if not isinstance(value, str) or not value.strip():
            raise ActionRefusedError(f"{self._action} needs '{name}', a text; it got {value!r}")
        return value.strip()

    def text_or(self, name: str, otherwise: str | None) -> str | None:
        """Return a text, or something else if it is absent."""
        return otherwise if self._given.get(name) is None else self.text(name)

    def texts(self, name: str) -> list[str]:
        """Return a list of texts; a single text counts as one."""
        value = self._given.get(name)
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list) or not value or not all(isinstance(x, str) for x in value):
            raise ActionRefusedError(f"{self._action} needs '{name}', a list of texts")
        return [str(each) for each in value]

    def whole(self, name: str, otherwise: int | None = None) -> int:
        """Return a whole number."""
        value = self._given.get(name, otherwise)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ActionRefusedError(f"{self._action} needs '{name}', a whole number")
        return value

    def flag(self, name: str) -> bool:
        """Return a yes or no; absent is no."""
        value = self._given.get(name, False)
        if not isinstance(value, bool):
            raise ActionRefusedError(f"{self._action} needs '{name}' to be true or false")
        return value


def object_named(call: Call, name: str) -> ObjectType:
    """Return the object of that name.

    Raises:
        ActionRefusedError: there is none.
    """
    found = call.org.schema.object(name)
    if found is None:
        raise ActionRefusedError(f"there is no object named '{name}'")
    return found


def record(call: Call, text: str, object_name: str | None = None) -> tuple[ObjectType, Row]:
    """Return a record by its id, deleted or not.

    Raises:
        ActionRefusedError: there is none, or it is of another object.
    """
    try:
        record_id = ids.normalise(text)
    except ids.MalformedIdError as error:
        raise ActionRefusedError(f"'{text}' is no Salesforce id") from error
    found = call.org.schema.of_id(record_id)
    row = None if found is None else call.org.row(found, record_id)
    if found is None or row is None:
        raise ActionRefusedError(f"there is no record {record_id}")
    if object_name is not None and found.name != object_name:
        raise ActionRefusedError(f"{record_id} is an {found.name}; {object_name} was expected")
    return found, row


def living(call: Call, text: str, object_name: str) -> Row:
    """Return a record that is not deleted.

    Raises:
        ActionRefusedError: there is none.
    """
    _, row = record(call, text, object_name)
    if row.get("IsDeleted"):
        raise ActionRefusedError(f"{row['Id']} is deleted")
    return row


def record_type(call: Call, text: str) -> Row:
    """Return a record type by id, developer name or name.

    Raises:
        ActionRefusedError: there is none.
    """
    rows = call.org.store.rows("RecordType")
    for row in rows.values():
        names = {str(row["Name"]).lower(), str(row["DeveloperName"]).lower()}
        if text.lower() in names or str(row["Id"]).startswith(text[: ids.SHORT]):
            return row
    known = ", ".join(str(row["DeveloperName"]) for row in rows.values()) or "none at all"
    raise ActionRefusedError(f"there is no record type '{text}'; there are: {known}")


def user(call: Call, name: str) -> Row:
    """Return a user by user name or id.

    Raises:
        ActionRefusedError: there is none.
    """
    found = call.org.user_named(name)
    if found is None:
        found = call.org.store.get("User", name)
    if found is None:
        raise ActionRefusedError(f"there is no user '{name}'")
    return found
