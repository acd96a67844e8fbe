"""Which path is answered by which function, below `/services/data/vXX.0/`.

A star in a path is a part that the handler reads. The first route that fits is taken.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias
from urllib.parse import unquote

from adapters.sandbox.salesforce import errors
from adapters.sandbox.salesforce import handlers as to
from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.reply import Ask, Reply

Handler: TypeAlias = Callable[[Ask], Reply]

ROUTES: tuple[tuple[str, Mapping[str, Handler]], ...] = (
    ("", {"GET": to.resources}),
    ("limits", {"GET": to.limits}),
    ("query", {"GET": to.query}),
    ("query/*", {"GET": to.query_more}),
    ("queryAll", {"GET": to.query_all}),
    ("queryAll/*", {"GET": to.query_more}),
    ("sobjects", {"GET": to.objects}),
    ("sobjects/*", {"GET": to.object_summary, "POST": to.create}),
    ("sobjects/*/describe", {"GET": to.describe_object}),
    ("sobjects/*/updated", {"GET": to.updated}),
    ("sobjects/*/deleted", {"GET": to.deleted}),
    ("sobjects/*/*", {"GET": to.read, "PATCH": to.update, "DELETE": to.delete}),
    (
        "sobjects/*/*/*",
        {
            "GET": to.read_by_external_id,
            "PATCH": to.upsert_by_external_id,
            "DELETE": to.delete_by_external_id,
        },
    ),
    (
        "composite/sobjects",
        {"POST": to.create_rows, "PATCH": to.update_rows, "DELETE": to.delete_rows},
    ),
    ("composite/sobjects/*", {"GET": to.read_rows, "POST": to.read_rows_posted}),
    ("composite/sobjects/*/*", {"PATCH": to.upsert_rows}),
    ("ui-api/object-info/*", {"GET": to.object_info}),
    ("ui-api/object-info/*/picklist-values/*", {"GET": to.picklists}),
    ("ui-api/object-info/*/picklist-values/*/*", {"GET": to.picklist}),
    ("tooling/query", {"GET": to.tooling_query}),
    ("tooling/query/*", {"GET": to.query_more}),
    ("tooling/sobjects/CustomField", {"POST": to.create_custom_field}),
    (
        "tooling/sobjects/CustomField/*",
        {"GET": to.read_custom_field, "DELETE": to.delete_custom_field},
    ),
)

_BY_LENGTH: dict[int, list[tuple[tuple[str, ...], Mapping[str, Handler]]]] = {}
for _path, _handlers in ROUTES:
    _parts = tuple(_path.split("/")) if _path else ()
    _BY_LENGTH.setdefault(len(_parts), []).append((_parts, _handlers))


def route(method: str, path: str) -> tuple[Handler, tuple[str, ...]]:
    """Return the handler of a path below the version, and the parts that it reads.

    Raises:
        RefusedError: NOT_FOUND or METHOD_NOT_ALLOWED.
    """
    parts = [unquote(part) for part in path.split("/") if part]
    for pattern, handlers in _BY_LENGTH.get(len(parts), ()):
        if not all(expected in ("*", part) for expected, part in zip(pattern, parts, strict=True)):
            continue
        handler = handlers.get(method)
        if handler is None:
            raise RefusedError(
                "METHOD_NOT_ALLOWED",
                f"HTTP Method '{method}' not allowed. Allowed are {','.join(handlers)}",
                status=errors.METHOD_NOT_ALLOWED,
            )
        opened = tuple(
            part for expected, part in zip(pattern, parts, strict=True) if expected == "*"
        )
        return handler, opened
    raise errors.no_resource()
