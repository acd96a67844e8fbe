"""What each resource of the REST API does: reads the request, calls the idea, words the answer."""

from adapters.sandbox.salesforce import (
    deletion,
    describe,
    errors,
    ids,
    records,
    replication,
    rows,
    tooling,
    ui_api,
    upsert,
    usage,
)
from adapters.sandbox.salesforce import query as soql
from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.reply import (
    CREATED,
    MULTIPLE_CHOICES,
    NO_CONTENT,
    OK,
    Ask,
    Reply,
    written,
)
from adapters.sandbox.salesforce.schema import Field, ObjectType
from adapters.sandbox.tables import JsonValue

#: from this version on an upsert that updates answers with a body
UPSERT_BODY_VERSION = 46.0
#: what `…/vXX.0/` lists
RESOURCES = ("composite", "limits", "query", "queryAll", "sobjects", "tooling", "ui-api")


def resources(ask: Ask) -> Reply:
    base = f"/services/data/v{ask.call.version}"
    return Reply({name: f"{base}/{name}" for name in RESOURCES})


def limits(ask: Ask) -> Reply:
    store = ask.call.org.store
    most = usage.daily_limit(store)
    daily: dict[str, JsonValue] = {"Max": most, "Remaining": max(most - usage.used(store), 0)}
    return Reply({"DailyApiRequests": daily})


def objects(ask: Ask) -> Reply:
    return Reply(describe.every_object(ask.call))


def object_summary(ask: Ask) -> Reply:
    object_type = ask.object_type()
    return Reply({"objectDescribe": describe.summary(ask.call, object_type), "recentItems": []})


def describe_object(ask: Ask) -> Reply:
    call, object_type = ask.call, ask.object_type()
    key = (object_type.name, call.version, str(call.user["Id"]))
    return Reply(
        call.org.remembered(key, lambda: written(describe.whole_object(call, object_type)))
    )


def object_info(ask: Ask) -> Reply:
    return Reply(ui_api.object_info(ask.call, ask.object_type()))


def picklists(ask: Ask) -> Reply:
    return Reply(ui_api.picklist_values(ask.call, ask.object_type(), ask.open[1]))


def picklist(ask: Ask) -> Reply:
    return Reply(ui_api.picklist_values_of(ask.call, ask.object_type(), ask.open[1], ask.open[2]))


def query(ask: Ask) -> Reply:
    return _query(ask, with_deleted=False, of_tooling=False)


def query_all(ask: Ask) -> Reply:
    return _query(ask, with_deleted=True, of_tooling=False)


def tooling_query(ask: Ask) -> Reply:
    return _query(ask, with_deleted=False, of_tooling=True)


def query_more(ask: Ask) -> Reply:
    return Reply(soql.more(ask.call, ask.open[0]))


def updated(ask: Ask) -> Reply:
    start, end = ask.parameters.get("start"), ask.parameters.get("end")
    return Reply(replication.updated(ask.call, ask.object_type(), start, end))


def deleted(ask: Ask) -> Reply:
    start, end = ask.parameters.get("start"), ask.parameters.get("end")
    return Reply(replication.deleted(ask.call, ask.object_type(), start, end))


def create(ask: Ask) -> Reply:
    object_type = ask.object_type()
    return _created(ask, object_type, records.create(ask.call, object_type, ask.values()))


def read(ask: Ask) -> Reply:
    object_type = ask.object_type()
    return _read(ask, object_type, _record_id(object_type, ask.open[1]))


def update(ask: Ask) -> Reply:
    object_type = ask.object_type()
    record_id = _record_id(object_type, ask.open[1])
    records.update(ask.call, object_type, record_id, ask.values())
    return Reply(status=NO_CONTENT, records=(record_id,), changed=True)


def delete(ask: Ask) -> Reply:
    object_type = ask.object_type()
    record_id = _record_id(object_type, ask.open[1])
    deletion.delete(ask.call, object_type, record_id)
    return Reply(status=NO_CONTENT, records=(record_id,), changed=True)


def read_by_external_id(ask: Ask) -> Reply:
    object_type = ask.object_type()
    try:
        record_id = _found(ask, object_type)
    except upsert.ManyMatchError as error:
        return _many(ask, object_type, error)
    return _read(ask, object_type, record_id)


def upsert_by_external_id(ask: Ask) -> Reply:
    object_type = ask.object_type()
    field = upsert.external_id_field(ask.call, object_type, ask.open[1])
    try:
        done = upsert.upsert(ask.call, object_type, field, ask.open[2], ask.values())
    except upsert.ManyMatchError as error:
        return _many(ask, object_type, error)
    if done.created:
        return _created(ask, object_type, done.record_id, created=True)
    with_body = float(ask.call.version) >= UPSERT_BODY_VERSION
    return Reply(
        {"id": done.record_id, "success": True, "errors": [], "created": False}
        if with_body
        else None,
        status=OK if with_body else NO_CONTENT,
        records=(done.record_id,),
        changed=True,
    )


def delete_by_external_id(ask: Ask) -> Reply:
    object_type = ask.object_type()
    try:
        record_id = _found(ask, object_type)
    except upsert.ManyMatchError as error:
        return _many(ask, object_type, error)
    deletion.delete(ask.call, object_type, record_id)
    return Reply(status=NO_CONTENT, records=(record_id,), changed=True)


def create_rows(ask: Ask) -> Reply:
    return _rows(rows.create(ask.call, ask.body()))


def update_rows(ask: Ask) -> Reply:
    return _rows(rows.update(ask.call, ask.body()))


def upsert_rows(ask: Ask) -> Reply:
    object_type = ask.object_type()
    field = upsert.external_id_field(ask.call, object_type, ask.open[1])
    return _rows(rows.write_by_external_id(ask.call, object_type, field, ask.body()))


def delete_rows(ask: Ask) -> Reply:
    texts = [text for text in ask.parameters.get("ids", "").split(",") if text]
    all_or_none = ask.parameters.get("allOrNone", "").lower() == "true"
    return _rows(rows.delete(ask.call, texts, all_or_none=all_or_none))


def read_rows(ask: Ask) -> Reply:
    texts = [text for text in ask.parameters.get("ids", "").split(",") if text]
    names = [name for name in ask.parameters.get("fields", "").split(",") if name]
    return Reply(rows.read(ask.call, ask.object_type(), texts, names), records=tuple(texts))


def read_rows_posted(ask: Ask) -> Reply:
    values = ask.values()
    texts = rows.texts_of(values.get("ids"))
    names = rows.texts_of(values.get("fields"))
    return Reply(rows.read(ask.call, ask.object_type(), texts, names), records=tuple(texts))


def create_custom_field(ask: Ask) -> Reply:
    field_id = tooling.create_custom_field(ask.call, ask.values())
    body: JsonValue = {"id": field_id, "success": True, "errors": [], "warnings": [], "infos": []}
    return Reply(body, status=CREATED, records=(field_id,), changed=True)


def read_custom_field(ask: Ask) -> Reply:
    return Reply(tooling.read_custom_field(ask.call, ask.open[0]))


def delete_custom_field(ask: Ask) -> Reply:
    field_id = tooling.delete_custom_field(ask.call, ask.open[0])
    return Reply(status=NO_CONTENT, records=(field_id,), changed=True)


def _query(ask: Ask, *, with_deleted: bool, of_tooling: bool) -> Reply:
    text = ask.parameters.get("q")
    if text is None:
        raise RefusedError("MALFORMED_QUERY", "A query string has to be specified")
    page = soql.page_size(ask.request.header("sforce-query-options"))
    asked = soql.Asked(text, with_deleted=with_deleted, tooling=of_tooling, page=page)
    try:
        return Reply(soql.run(ask.call, asked))
    except RecursionError as error:
        raise RefusedError(
            "QUERY_TOO_COMPLICATED",
            "Query is either selecting too many fields or the filter conditions are too"
            " complicated.",
        ) from error


def _read(ask: Ask, object_type: ObjectType, record_id: str) -> Reply:
    row = records.living(ask.call, object_type, record_id)
    names = ask.parameters.get("fields")
    fields = None if names is None else _fields(ask, object_type, names)
    return Reply(records.shown(ask.call, object_type, row, fields), records=(record_id,))


def _fields(ask: Ask, object_type: ObjectType, names: str) -> tuple[Field, ...]:
    fields: dict[str, Field] = {}
    for name in ("Id", *(each.strip() for each in names.split(","))):
        field = ask.call.access.sees(object_type, name)
        if field is None:
            raise errors.no_such_column(name, object_type.name)
        fields[field.name] = field
    # The address of a record ends its fields in the real answer too: Id comes last.
    return (*(each for each in fields.values() if each.name != "Id"), fields["Id"])


def _found(ask: Ask, object_type: ObjectType) -> str:
    field = upsert.external_id_field(ask.call, object_type, ask.open[1])
    record_id = upsert.found(ask.call, object_type, field, ask.open[2])
    if record_id is None:
        raise errors.no_resource()
    return record_id


def _record_id(object_type: ObjectType, text: str) -> str:
    """Return the id in a path; what is no id at all is taken for the name of an external id."""
    try:
        record_id = ids.normalise(text)
    except ids.MalformedIdError as error:
        if len(text) in (ids.SHORT, ids.LONG) and text.startswith(object_type.prefix):
            raise errors.malformed_id(text) from error
        raise errors.no_external_id(text) from error
    if not record_id.startswith(object_type.prefix):
        raise errors.no_resource()
    return record_id


def _created(
    ask: Ask, object_type: ObjectType, record_id: str, *, created: bool | None = None
) -> Reply:
    body: dict[str, JsonValue] = {"id": record_id, "success": True, "errors": []}
    if created is not None:
        body["created"] = created
    address = f"/services/data/v{ask.call.version}/sobjects/{object_type.name}/{record_id}"
    return Reply(
        body,
        status=CREATED,
        records=(record_id,),
        changed=True,
        headers=(("Location", address),),
    )


def _many(ask: Ask, object_type: ObjectType, error: upsert.ManyMatchError) -> Reply:
    base = f"/services/data/v{ask.call.version}/sobjects/{object_type.name}"
    return Reply(
        [f"{base}/{record_id}" for record_id in error.record_ids],
        status=MULTIPLE_CHOICES,
        records=error.record_ids,
    )


def _rows(answers: list[JsonValue]) -> Reply:
    every = [each for each in answers if isinstance(each, dict)]
    changed = tuple(str(each["id"]) for each in every if each["success"])
    about = tuple(str(each["id"]) for each in every if "id" in each)
    return Reply(answers, records=changed or about, changed=bool(changed))
