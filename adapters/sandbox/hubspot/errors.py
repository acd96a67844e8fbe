"""HubSpot's error bodies, each in the shape of a captured one where there is one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from typing_extensions import override

from adapters.sandbox.tables import JsonValue, Row

VALIDATION_ERROR = "VALIDATION_ERROR"
OBJECT_NOT_FOUND = "OBJECT_NOT_FOUND"
CONFLICT = "CONFLICT"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one property's value is not taken."""

    name: str
    code: str
    message: str

    def listed(self) -> Row:
        """Return it as an element of `errors`."""
        return {
            "message": self.message,
            "code": self.code,
            "context": {"propertyName": [self.name]},
        }

    def told(self) -> Row:
        """Return it as it stands, in JSON, inside the message."""
        return {
            "isValid": False,
            "message": self.message,
            "error": self.code,
            "name": self.name,
        }


class ApiError(Exception):
    """An answer that is not a success."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        category: str | None = VALIDATION_ERROR,
        sub_category: str | None = None,
        context: Row | None = None,
        problems: Sequence[Problem] = (),
        extra: Row | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.category = category
        self.sub_category = sub_category
        self.context = context
        self.problems = tuple(problems)
        self.extra = extra
        self.headers = headers

    def body(self, correlation_id: str) -> Row:
        """Return the envelope of a failed request."""
        body: Row = {
            "status": "error",
            "message": self.message,
            "correlationId": correlation_id,
        }
        if self.context is not None:
            body["context"] = self.context
        if self.problems:
            body["errors"] = [problem.listed() for problem in self.problems]
        if self.category is not None:
            body["category"] = self.category
        if self.sub_category is not None:
            body["subCategory"] = self.sub_category
        return body | (self.extra or {})

    def in_batch(self, trace_id: str | None) -> Row:
        """Return it as an element of a 207: captured ones have no `errors` or `links`."""
        context: Row = {} if trace_id is None else {"objectWriteTraceId": [trace_id]}
        context |= self.context or {}
        body: Row = {"status": "error"}
        if self.category is not None:
            body["category"] = self.category
        if self.sub_category is not None:
            body["subCategory"] = self.sub_category
        body["message"] = self.message
        if context:
            body["context"] = context
        return body


class ExistsError(ApiError):
    """A contact with that e-mail address exists. Alone the message has no id; in a batch it has."""

    def __init__(self, upper: str, existing_id: str) -> None:
        super().__init__(409, f"{upper.capitalize()} already exists", category=CONFLICT)
        self.existing_id = existing_id

    @override
    def in_batch(self, trace_id: str | None) -> Row:
        """Return it with the id of the one that exists."""
        named = ApiError(
            self.status,
            f"{self.message}. Existing ID: {self.existing_id}",
            category=CONFLICT,
            context={"existingId": [self.existing_id]},
        )
        return named.in_batch(trace_id)


class InvalidValuesError(ApiError):
    """One or more property values are not taken."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        told = json.dumps(
            [problem.told() for problem in problems], separators=(",", ":"), ensure_ascii=False
        )
        super().__init__(400, f"Property values were not valid: {told}", problems=problems)

    @property
    def names_unknown(self) -> bool:
        """Return whether a property does not exist: that fails a whole batch, as captured."""
        return any(problem.code == "PROPERTY_DOESNT_EXIST" for problem in self.problems)


def not_found() -> ApiError:
    """Return the 404 of a record that is not there."""
    return ApiError(404, "resource not found", category=OBJECT_NOT_FOUND)


def no_such_path(path: str) -> ApiError:
    """Return the 404 of a path that this API does not have."""
    return ApiError(404, f"No route for {path}", category=OBJECT_NOT_FOUND)


def not_allowed() -> ApiError:
    """Return the 405 of a path that is there, asked with another method."""
    return ApiError(405, "Method not allowed", category=VALIDATION_ERROR)


def invalid_json(expected: str) -> ApiError:
    """Return the 400 of a body that cannot be read."""
    return ApiError(400, f"Invalid input JSON: expected {expected}")


def some_not_found(upper: str, ids: Sequence[str]) -> Row:
    """Return the one element of `errors` that names all ids a batch could not find."""
    return {
        "status": "error",
        "category": OBJECT_NOT_FOUND,
        "message": f"Could not get some {upper} objects, they may be deleted or not exist."
        " Check that ids are valid.",
        "context": {"ids": list[JsonValue](ids)},
    }
