"""The paths of associations v4: one pair of records, a record's associations, batches, labels."""

from adapters.sandbox.hubspot import actors, association_types, associations
from adapters.sandbox.hubspot.association_types import LinkType
from adapters.sandbox.hubspot.batch import inputs_of, reply
from adapters.sandbox.hubspot.call import NO_CONTENT, Call, Reply
from adapters.sandbox.hubspot.errors import (
    ApiError,
    invalid_json,
    no_such_path,
    not_found,
)
from adapters.sandbox.hubspot.kinds import Kind, kind_of
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import row_in, rows_in, text, whole
from adapters.sandbox.tables import JsonValue, Row

PAGE_MAX = 500
BATCH_READ_MAX = 1_000
BATCH_CREATE_MAX = 2_000
BATCH_ARCHIVE_MAX = 100


def answer_record(
    portal: Portal, call: Call, type_name: str, record_id: str, rest: tuple[str, ...]
) -> Reply:
    """Answer `…/objects/{type}/{id}/associations/{rest}`."""
    kind = kind_of(type_name)
    _require(portal, call, kind, reads=call.method == "GET")
    match call.method, rest:
        case "GET", (to_type,):
            return _list(portal, call, kind, record_id, kind_of(to_type))
        case "PUT", ("default", to_type, to_id):
            return _put_default(portal, call, (kind, kind_of(to_type)), (record_id, to_id))
        case "PUT", (to_type, to_id):
            return _put_labelled(portal, call, (kind, kind_of(to_type)), (record_id, to_id))
        case "DELETE", (to_type, to_id):
            other = kind_of(to_type)
            association_types.default_type(kind, other)
            _dissociate(portal, call, (kind, other), (record_id, to_id), None)
            return NO_CONTENT
        case _:
            raise no_such_path(call.path)


def answer_pair(
    portal: Portal, call: Call, from_type: str, to_type: str, rest: tuple[str, ...]
) -> Reply:
    """Answer `…/associations/{from}/{to}/{rest}`."""
    kinds = kind_of(from_type), kind_of(to_type)
    reads = call.method == "GET" or rest == ("batch", "read")
    _require(portal, call, kinds[0], reads=reads)
    match call.method, rest:
        case "GET", ("labels",):
            shown: list[JsonValue] = [
                one.shown() for one in association_types.types_between(portal.tables, *kinds)
            ]
            return Reply(200, {"results": shown})
        case "POST", ("labels",):
            made = association_types.create_label(portal.tables, *kinds, call.body())
            call.changed = True
            return Reply(200, {"results": made})
        case "POST", ("batch", "read"):
            return _batch_read(portal, call, kinds)
        case "POST", ("batch", "create"):
            return _batch_create(portal, call, kinds)
        case "POST", ("batch", "associate", "default"):
            return _batch_default(portal, call, kinds)
        case "POST", ("batch", "archive"):
            return _batch_archive(portal, call, kinds)
        case "POST", ("batch", "labels", "archive"):
            return _batch_labels_archive(portal, call, kinds)
        case _:
            raise no_such_path(call.path)


def _require(portal: Portal, call: Call, kind: Kind, *, reads: bool) -> None:
    scope = f"crm.objects.{kind.name}.{'read' if reads else 'write'}"
    actors.require(portal.tables, call.edit.actor, scope)


def _list(portal: Portal, call: Call, kind: Kind, record_id: str, other: Kind) -> Reply:
    association_types.default_type(kind, other)
    record = portal.live(kind, record_id)
    if record is None:
        raise not_found()
    call.records.append(record["id"])
    limit = call.limit(PAGE_MAX, PAGE_MAX)
    results, next_after = _page(portal, (kind, other), record["id"], call.after(), limit)
    body: Row = {"results": results}
    if next_after is not None:
        link = f"{call.origin}{call.path}?limit={limit}&after={next_after}"
        body["paging"] = {"next": {"after": next_after, "link": link}}
    return Reply(200, body)


def _page(
    portal: Portal, kinds: tuple[Kind, Kind], record_id: str, first: int, limit: int
) -> tuple[list[JsonValue], str | None]:
    """Return a page in order of id, and the first id of the next one."""
    kind, other = kinds
    links = associations.linked_live(portal, kind, record_id, other)
    ids = sorted(one for one in map(int, links) if one >= first)
    results: list[JsonValue] = [
        {
            "toObjectId": one,
            "associationTypes": [
                association_types.by_code(portal.tables, kind, other, code).shown()
                for code in sorted(links[str(one)])
            ],
        }
        for one in ids[:limit]
    ]
    return results, str(ids[limit]) if len(ids) > limit else None


def _put_default(
    portal: Portal, call: Call, kinds: tuple[Kind, Kind], ids: tuple[str, str]
) -> Reply:
    found = _ends(portal, kinds, ids)
    unlabelled = association_types.default_type(*kinds)
    _associate(portal, call, kinds, found, [unlabelled])
    results: list[JsonValue] = list(_default_shown(kinds, found))
    return reply(call, 200, results, [])


def _put_labelled(
    portal: Portal, call: Call, kinds: tuple[Kind, Kind], ids: tuple[str, str]
) -> Reply:
    found = _ends(portal, kinds, ids)
    types = _types(portal, kinds, _list_body(call))
    _associate(portal, call, kinds, found, types)
    return Reply(201, _pair_shown(kinds, found, types))


def _list_body(call: Call) -> list[Row]:
    # the one body of this API that is a bare list
    wrapped = Call(
        call.method,
        call.segments,
        call.query,
        b'{"types":' + (call.raw_body or b"[]") + b"}",
        call.edit,
        call.origin,
    )
    types = rows_in(wrapped.body(), "types")
    if not types:
        raise invalid_json("a list of association types")
    return types


def _types(portal: Portal, kinds: tuple[Kind, Kind], asked: list[Row]) -> list[LinkType]:
    return [association_types.asked_for(portal.tables, *kinds, one) for one in asked]


def _ends(portal: Portal, kinds: tuple[Kind, Kind], ids: tuple[str, str]) -> tuple[str, str]:
    """Return the ids of two live records.

    Raises:
        ApiError: one is none, or both are the same.
    """
    found = []
    for kind, name in zip(kinds, ids, strict=True):
        if whole(name) is None:
            raise ApiError(
                400,
                f"{name} is not a valid ID",
                sub_category="crm.associations.INVALID_IDENTIFIER",
                context={"id": [name]},
            )
        record = portal.live(kind, name)
        if record is None:
            raise ApiError(
                404,
                f"Could not get some {kind.upper} objects, they may be deleted or not exist."
                " Check that ids are valid.",
                category="OBJECT_NOT_FOUND",
                context={"ids": [name]},
            )
        found.append(record["id"])
    if ids[0] == ids[1]:
        raise ApiError(400, f"Object {ids[0]} cannot be associated to itself ({ids[1]})")
    association_types.default_type(*kinds)
    return found[0], found[1]


def _associate(
    portal: Portal,
    call: Call,
    kinds: tuple[Kind, Kind],
    ids: tuple[str, str],
    types: list[LinkType],
) -> None:
    call.records += ids
    made = associations.associate(portal, kinds, ids, types, call.edit)
    call.changed = call.changed or made


def _dissociate(
    portal: Portal,
    call: Call,
    kinds: tuple[Kind, Kind],
    ids: tuple[str, str],
    types: list[LinkType] | None,
) -> None:
    near, far = (portal.survivor_id(kind, one) for kind, one in zip(kinds, ids, strict=True))
    call.records += (near, far)
    gone = associations.dissociate(portal, kinds, (near, far), types, call.edit)
    call.changed = call.changed or gone


def _pair_shown(kinds: tuple[Kind, Kind], ids: tuple[str, str], types: list[LinkType]) -> Row:
    return {
        "fromObjectTypeId": kinds[0].type_id,
        "fromObjectId": int(ids[0]),
        "toObjectTypeId": kinds[1].type_id,
        "toObjectId": int(ids[1]),
        "labels": [one.label for one in types if one.label is not None],
    }


def _default_shown(kinds: tuple[Kind, Kind], ids: tuple[str, str]) -> list[Row]:
    """Return both directions of an unlabelled association."""
    there = association_types.default_type(*kinds)
    back = association_types.default_type(kinds[1], kinds[0])
    return [
        {
            "from": {"id": near},
            "to": {"id": far},
            "associationSpec": {
                "associationCategory": one.category,
                "associationTypeId": one.type_id,
            },
        }
        for near, far, one in ((ids[0], ids[1], there), (ids[1], ids[0], back))
    ]


def _pair(one: Row) -> tuple[str, str]:
    return text(row_in(one, "from"), "id"), text(row_in(one, "to"), "id")


def _batch_read(portal: Portal, call: Call, kinds: tuple[Kind, Kind]) -> Reply:
    kind, other = kinds
    association_types.default_type(kind, other)
    results: list[JsonValue] = []
    errors: list[JsonValue] = []
    for one in inputs_of(call.body(), BATCH_READ_MAX):
        name = text(one, "id")
        record_id = portal.survivor_id(kind, name)
        call.records.append(record_id)
        first = whole(text(one, "after", "0")) or 0
        page, next_after = _page(portal, kinds, record_id, first, PAGE_MAX)
        if not page:
            errors.append(_none_found(kinds, name))
            continue
        shown: Row = {"from": {"id": record_id}, "to": page}
        if next_after is not None:
            shown["paging"] = {"next": {"after": next_after}}
        results.append(shown)
    return reply(call, 200, results, errors)


def _none_found(kinds: tuple[Kind, Kind], record_id: str) -> Row:
    kind, other = kinds
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {other.singular} is associated with {kind.singular} {record_id}.",
        "context": {
            "fromObjectId": [record_id],
            "fromObjectType": [kind.singular],
            "toObjectType": [other.singular],
        },
    }


def _batch_create(portal: Portal, call: Call, kinds: tuple[Kind, Kind]) -> Reply:
    results: list[JsonValue] = []
    errors: list[JsonValue] = []
    for one in inputs_of(call.body(), BATCH_CREATE_MAX):
        try:
            ids = _ends(portal, kinds, _pair(one))
            types = _types(portal, kinds, rows_in(one, "types"))
        except ApiError as error:
            errors.append(error.in_batch(None))
            continue
        _associate(portal, call, kinds, ids, types)
        results.append(_pair_shown(kinds, ids, types))
    return reply(call, 201, results, errors)


def _batch_default(portal: Portal, call: Call, kinds: tuple[Kind, Kind]) -> Reply:
    results: list[JsonValue] = []
    errors: list[JsonValue] = []
    unlabelled = association_types.default_type(*kinds)
    for one in inputs_of(call.body(), BATCH_CREATE_MAX):
        try:
            ids = _ends(portal, kinds, _pair(one))
        except ApiError as error:
            errors.append(error.in_batch(None))
            continue
        _associate(portal, call, kinds, ids, [unlabelled])
        results += _default_shown(kinds, ids)
    return reply(call, 200, results, errors)


def _batch_archive(portal: Portal, call: Call, kinds: tuple[Kind, Kind]) -> Reply:
    association_types.default_type(*kinds)
    for one in inputs_of(call.body(), BATCH_ARCHIVE_MAX):
        near = text(row_in(one, "from"), "id")
        for to in rows_in(one, "to"):
            _dissociate(portal, call, kinds, (near, text(to, "id")), None)
    return NO_CONTENT


def _batch_labels_archive(portal: Portal, call: Call, kinds: tuple[Kind, Kind]) -> Reply:
    for one in inputs_of(call.body(), BATCH_CREATE_MAX):
        types = _types(portal, kinds, rows_in(one, "types"))
        _dissociate(portal, call, kinds, _pair(one), types)
    return NO_CONTENT
