"""What Salesforce says when it refuses: a code, a sentence, the fields, and a status.

The same refusal is written in two ways: alone as `[{message, errorCode, fields?}]`, and as a row of
a collection's answer as `{statusCode, message, fields}`.
"""

from collections.abc import Sequence

from adapters.sandbox.tables import JsonValue

BAD_REQUEST = 400
UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
METHOD_NOT_ALLOWED = 405
UNSUPPORTED_MEDIA_TYPE = 415


class RefusedError(Exception):
    """One refusal; `fields` is None where the real answer has no such key."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        fields: Sequence[str] | None = None,
        status: int = BAD_REQUEST,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = fields
        self.status = status

    def alone(self) -> dict[str, JsonValue]:
        """Return it as the answer to a request about one record."""
        body: dict[str, JsonValue] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            body["fields"] = list(self.fields)
        return body

    def in_row(self) -> dict[str, JsonValue]:
        """Return it as one error of a row in a collection's answer."""
        return {
            "statusCode": self.code,
            "message": self.message,
            "fields": list(self.fields or ()),
        }


class UnreadableError(RefusedError):
    """The body is not what the JSON reader expects: refuses the whole request, not one row."""

    def __init__(self, message: str) -> None:
        super().__init__("JSON_PARSER_ERROR", message)


def no_resource() -> RefusedError:
    return RefusedError("NOT_FOUND", "The requested resource does not exist", status=NOT_FOUND)


def no_external_id(name: str) -> RefusedError:
    return RefusedError(
        "NOT_FOUND",
        f"Provided external ID field does not exist or is not accessible: {name}",
        status=NOT_FOUND,
    )


def entity_is_deleted() -> RefusedError:
    return RefusedError("ENTITY_IS_DELETED", "entity is deleted", fields=(), status=NOT_FOUND)


def no_such_column(field: str, object_name: str) -> RefusedError:
    return RefusedError(
        "INVALID_FIELD", f"No such column '{field}' on sobject of type {object_name}"
    )


def not_writable(fields: Sequence[str]) -> RefusedError:
    return RefusedError(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        f"Unable to create/update fields: {', '.join(fields)}. Please check the security settings"
        " of this field and verify that it is read/write for your profile or permission set.",
        fields=fields,
    )


def required_missing(fields: Sequence[str]) -> RefusedError:
    return RefusedError(
        "REQUIRED_FIELD_MISSING",
        f"Required fields are missing: [{', '.join(fields)}]",
        fields=fields,
    )


def malformed_id(text: str) -> RefusedError:
    return RefusedError("MALFORMED_ID", f"malformed id {text}", fields=())


def invalid_cross_reference(fields: Sequence[str] = ()) -> RefusedError:
    return RefusedError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=fields)


def restricted_picklist(field: str, value: JsonValue) -> RefusedError:
    return RefusedError(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        f"{field}: bad value for restricted picklist field: {value}",
        fields=(field,),
    )


def duplicate_value(field: str, record_id: str) -> RefusedError:
    return RefusedError(
        "DUPLICATE_VALUE",
        f"duplicate value found: {field} duplicates value on record with id: {record_id}",
        fields=(field,),
    )


def insufficient_access() -> RefusedError:
    return RefusedError(
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "insufficient access rights on object id",
        fields=(),
        status=FORBIDDEN,
    )


def session_invalid() -> RefusedError:
    return RefusedError("INVALID_SESSION_ID", "Session expired or invalid", status=UNAUTHORIZED)
