"""What a handler is given and gives back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.http_transport import HttpRequest
from adapters.sandbox.salesforce import errors
from adapters.sandbox.salesforce.errors import RefusedError, UnreadableError
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.schema import ObjectType
from adapters.sandbox.tables import JsonValue

OK = 200
CREATED = 201
NO_CONTENT = 204
MULTIPLE_CHOICES = 300


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is written out."""

    #: JSON, or bytes that are written out already
    body: "JsonValue | bytes" = None
    status: int = OK
    #: ids that the request was about; where it changed something, those that changed
    records: tuple[str, ...] = ()
    changed: bool = False
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that was signed in and counted."""

    call: Call
    request: HttpRequest
    #: the parameters in the address
    parameters: Mapping[str, str]
    #: the parts of the path that the route leaves open, in order
    open: tuple[str, ...] = field(default=())

    def object_type(self, position: int = 0) -> ObjectType:
        """Return the object that the path names.

        Raises:
            RefusedError: NOT_FOUND.
        """
        found = self.call.org.schema.object(self.open[position])
        if found is None or found.tooling or self.call.access.object_level(found) == "none":
            raise errors.no_resource()
        return found

    def body(self) -> JsonValue:
        """Return the JSON in the body.

        Raises:
            RefusedError: it is none, or does not say that it is.
        """
        kind = self.request.header("content-type") or ""
        if "json" not in kind.lower():
            raise RefusedError(
                "UNSUPPORTED_MEDIA_TYPE",
                f"Content type '{kind}' is not supported here; send application/json",
                status=errors.UNSUPPORTED_MEDIA_TYPE,
            )
        try:
            read: JsonValue = json.loads(self.request.body, parse_constant=_no_number)
            if b"\\u" in self.request.body:
                # Only an escape can bring half a character, which no store keeps.
                json.dumps(read, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise UnreadableError(f"Unexpected character or end of input: {error}") from error
        return read

    def values(self) -> dict[str, JsonValue]:
        """Return the JSON object in the body.

        Raises:
            RefusedError: it is none.
        """
        body = self.body()
        if not isinstance(body, dict):
            raise UnreadableError("Cannot deserialize instance of object from this body")
        return body


def written(body: JsonValue) -> bytes:
    """Return a body as it goes over the wire."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    # A message may quote half a character that the caller sent.
    return text.encode("utf-8", "replace")


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON number")
