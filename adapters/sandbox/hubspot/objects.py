"""Single records: list, create, read, change, archive.

The paths are `/crm/v3/objects/{type}…` and `/crm/objects/{version}/{type}…`.
"""

from adapters.sandbox.hubspot import (
    actors,
    batch,
    creation,
    finding,
    merging,
    records,
    search,
    showing,
)
from adapters.sandbox.hubspot.call import NO_CONTENT, Call, Reply, needed
from adapters.sandbox.hubspot.errors import (
    invalid_json,
    no_such_path,
    not_allowed,
    not_found,
)
from adapters.sandbox.hubspot.kinds import CONTACTS, Kind, kind_of
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import text
from adapters.sandbox.hubspot.showing import Shown
from adapters.sandbox.tables import JsonValue, Row

_PAGE_DEFAULT = 10
_PAGE_MAX = 100
#: with history a page may hold half as many
_PAGE_WITH_HISTORY_MAX = 50


def answer(portal: Portal, call: Call, type_name: str, rest: tuple[str, ...]) -> Reply:
    """Answer what follows the type in the path."""
    kind = kind_of(type_name)
    reads = call.method == "GET" or rest in {("search",), ("batch", "read")}
    scope = f"crm.objects.{kind.name}.{'read' if reads else 'write'}"
    actors.require(portal.tables, call.edit.actor, scope)
    match call.method, rest:
        case "GET", ():
            return _list(portal, call, kind)
        case "POST", ():
            return _create(portal, call, kind)
        case "POST", ("search",):
            return search.answer(portal, call, kind)
        case "POST", ("merge",):
            return merging.answer(portal, call, kind)
        case "POST", ("gdpr-delete",) if kind is CONTACTS:
            return _gdpr_delete(portal, call)
        case "POST", ("batch", what):
            return batch.answer(portal, call, kind, what)
        case "GET", (name,):
            return _read(portal, call, kind, name)
        case "PATCH", (name,):
            return _update(portal, call, kind, name)
        case "DELETE", (name,):
            return _archive(portal, call, kind, name)
        case _, () | (_,) | ("batch", _):
            raise not_allowed()
        case _:
            raise no_such_path(call.path)


def _shown(call: Call) -> Shown:
    return Shown(
        properties=call.many("properties"),
        history=call.many("propertiesWithHistory"),
        associations=call.many("associations"),
    )


def _list(portal: Portal, call: Call, kind: Kind) -> Reply:
    shown = _shown(call)
    limit = call.limit(_PAGE_DEFAULT, _PAGE_WITH_HISTORY_MAX if shown.history else _PAGE_MAX)
    archived = call.flag("archived")
    results: list[JsonValue] = []
    body: Row = {"results": results}
    # `after` names the first record of the next page, as captured
    for record_id in portal.index(kind).after(call.after() - 1):
        record = portal.stored(kind, record_id)
        if record is None or (record["archivedMs"] is not None) != archived:
            continue
        if archived and portal.archived(kind, record_id, call.edit.ms) is None:
            continue
        if len(results) == limit:
            link = f"{call.origin}{call.path}?limit={limit}&after={record_id}"
            body["paging"] = {"next": {"after": record_id, "link": link}}
            break
        call.records.append(record_id)
        results.append(showing.read(portal, kind, record, shown))
    return Reply(200, body)


def _create(portal: Portal, call: Call, kind: Kind) -> Reply:
    body = call.body()
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise invalid_json("properties")
    record = creation.created(portal, call, kind, body)
    row = showing.written(portal, kind, record, None)
    if "objectWriteTraceId" in body:
        row["objectWriteTraceId"] = text(body, "objectWriteTraceId")
    return Reply(201, row)


def _read(portal: Portal, call: Call, kind: Kind, name: str) -> Reply:
    id_property = call.one("idProperty")
    if call.flag("archived"):
        record = finding.archived_named(portal, kind, name, id_property, call.edit.ms)
    else:
        record = finding.named(portal, kind, name, id_property)
    if record is None:
        raise not_found()
    call.records.append(record["id"])
    return Reply(200, showing.read(portal, kind, record, _shown(call)))


def _update(portal: Portal, call: Call, kind: Kind, name: str) -> Reply:
    properties = call.body().get("properties")
    if not isinstance(properties, dict):
        raise invalid_json("properties")
    record = finding.named(portal, kind, name, call.one("idProperty"))
    if record is None:
        raise not_found()
    call.records.append(record["id"])
    after = records.update(portal, kind, record, properties, call.edit)
    call.changed = after is not record
    return Reply(200, showing.written(portal, kind, after, properties))


def _archive(portal: Portal, call: Call, kind: Kind, name: str) -> Reply:
    record = portal.stored(kind, name)
    if record is None and portal.survivor_id(kind, name) == name:
        raise not_found()
    call.records.append(name)
    # an id that was merged away is archived already; its survivor stays
    if record is not None and record["archivedMs"] is None:
        records.archive(portal, kind, record, call.edit)
        call.changed = True
    return NO_CONTENT


def _gdpr_delete(portal: Portal, call: Call) -> Reply:
    body = call.body()
    name, id_property = needed(body, "objectId"), text(body, "idProperty")
    record = finding.named(portal, CONTACTS, name, id_property) or portal.stored(CONTACTS, name)
    if record is None:
        raise not_found()
    merging.delete_for_good(portal, CONTACTS, record, call.edit)
    call.records.append(record["id"])
    call.changed = True
    return NO_CONTENT
