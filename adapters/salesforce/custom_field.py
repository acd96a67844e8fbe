"""Makes our external id field on the opportunity, and opens it to those who need it.

A new field is nobody's until a permission set opens it. The integration user gets a set of its own;
administrators, who may change all data anyway, see the field through their profiles. Every part is
looked for before it is made: doing it twice is harmless, and half a job is finished by the next.
"""

from contextlib import suppress
from datetime import datetime
from typing import Final

from adapters.http_transport import NoAnswerError, NotSentError
from adapters.salesforce import names, soql, wire
from adapters.salesforce.connection import Connection
from adapters.salesforce.errors import Meaning, Refusal, port_error
from adapters.salesforce.row_writes import rejected
from adapters.salesforce.schema import Schema
from adapters.salesforce.wire import Json
from domain.deliveries import Answer, Done, NotSent, Unknown
from domain.errors import RetryableError
from domain.writes import CreateField

PERMISSION_SET: Final = "DealSync"
_ALREADY_THERE: Final = frozenset({"DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE"})
_OBJECTS: Final = {"opportunity": names.OPPORTUNITY}


class _RefusedError(Exception):
    """A part was refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


class FieldMaker:
    """Makes one custom field through the Tooling API."""

    def __init__(self, connection: Connection, schema: Schema) -> None:
        self._connection = connection
        self._schema = schema

    def make(self, write: CreateField, at: datetime) -> Answer:
        """Make the field, or finish making it.

        Raises:
            PortError: nothing was made.
        """
        object_name = _OBJECTS.get(write.object, write.object)
        if self._is_usable(object_name, write.name, at):
            return Done(None)
        try:
            self._make_field(object_name, write, at)
            self._open_to_administrators(object_name, write.name, at)
            self._schema.forget()
            if not self._is_usable(object_name, write.name, at):
                self._open(object_name, write.name, at)
        except _RefusedError as error:
            return rejected((error.refusal,), is_gone=False)
        except NotSentError as error:
            return NotSent(str(error))
        except (NoAnswerError, RetryableError) as error:
            return Unknown(str(error))
        return Done(None)

    def is_made(self, write: CreateField, at: datetime) -> bool:
        """Tell whether the field is there and we may write it.

        Raises:
            PortError: Salesforce did not answer.
        """
        self._schema.forget()
        return self._is_usable(_OBJECTS.get(write.object, write.object), write.name, at)

    def _is_usable(self, object_name: str, name: str, at: datetime) -> bool:
        field = self._schema.fields(object_name, at).get(name)
        return field is not None and field.createable and field.updateable

    def _make_field(self, object_name: str, write: CreateField, at: datetime) -> None:
        self._create(
            "/tooling/sobjects/CustomField",
            {
                "FullName": f"{object_name}.{write.name}",
                "Metadata": {
                    "label": write.label,
                    "type": "Text",
                    "length": write.length,
                    "externalId": True,
                    # Not unique: a person may clone an opportunity (rule `copied-link`).
                    "unique": False,
                    "required": False,
                    "description": "The HubSpot deal that this opportunity is kept in step with.",
                },
            },
            at,
        )

    def _open(self, object_name: str, name: str, at: datetime) -> None:
        user_id = self._connection.session(at).user_id
        set_id = self._found("PermissionSet", {"Name": PERMISSION_SET}, at) or self._create(
            "/sobjects/PermissionSet",
            {
                "Name": PERMISSION_SET,
                "Label": PERMISSION_SET,
                "Description": "Fields that dealsync reads and writes.",
            },
            at,
        )
        self._permit(set_id, object_name, name, at)
        assigned = {"PermissionSetId": set_id, "AssigneeId": user_id}
        if self._found("PermissionSetAssignment", assigned, at) is None:
            given: dict[str, Json] = dict(assigned)
            self._create("/sobjects/PermissionSetAssignment", given, at)
        self._schema.forget()

    def _open_to_administrators(self, object_name: str, name: str, at: datetime) -> None:
        """Open the field where all data may be changed; who is refused can do it by hand."""
        rows = self._connection.query(
            soql.select(
                ("Id",),
                "PermissionSet",
                where="IsOwnedByProfile = true AND PermissionsModifyAllData = true",
            ),
            at,
        )
        for row in rows:
            with suppress(_RefusedError):
                self._permit(row.id, object_name, name, at)

    def _permit(self, set_id: str, object_name: str, name: str, at: datetime) -> None:
        field = f"{object_name}.{name}"
        if self._found("FieldPermissions", {"ParentId": set_id, "Field": field}, at) is None:
            self._create(
                "/sobjects/FieldPermissions",
                {
                    "ParentId": set_id,
                    "SobjectType": object_name,
                    "Field": field,
                    "PermissionsRead": True,
                    "PermissionsEdit": True,
                },
                at,
            )

    def _found(self, of: str, values: dict[str, str], at: datetime) -> str | None:
        where = " AND ".join(f"{name} = {soql.quoted(value)}" for name, value in values.items())
        rows = self._connection.query(soql.select(("Id",), of, where=where, limit=1), at)
        return rows[0].id if rows else None

    def _create(self, path: str, body: dict[str, Json], at: datetime) -> str:
        """Create something, or find that it is there; return its id, blank if unknown."""
        answered = self._connection.send("POST", path, body, at)
        if answered.refusals:
            refusal = answered.refusals[0]
            if refusal.code in _ALREADY_THERE:
                return ""
            if refusal.meaning in (Meaning.REFUSED, Meaning.GONE):
                raise _RefusedError(refusal)
            raise port_error(refusal, f"POST {path}", at)
        return wire.row_answer(answered.body).id or ""
