"""The paths of pipelines and stages: `/crm/v3/pipelines/{type}…`.

Labels are unique among the pipelines of the account and among the stages of a pipeline, in any
case. A stage's probability is a text in steps of 0.1. No captured body of these refusals was
found: they have the shape of the captured `OBJECT_ALREADY_EXISTS`.
"""

from decimal import Decimal, InvalidOperation

from adapters.sandbox.hubspot import actors, pipelines
from adapters.sandbox.hubspot.call import NO_CONTENT, Call, Reply, needed
from adapters.sandbox.hubspot.errors import ApiError, invalid_json, no_such_path, not_allowed
from adapters.sandbox.hubspot.kinds import CONTACTS, DEALS, kind_of
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import as_record, number, row_in, rows_in, text
from adapters.sandbox.tables import JsonValue, Row, Tables

#: HubSpot Professional
LIMIT_DEFAULT = 15
_LIMIT = "pipeline_limit"
_ID_BASE = 600_000_000
_STAGE_ID_BASE = 900_000_000
_STEPS = frozenset(Decimal(tenth) / 10 for tenth in range(11))


def set_limit(tables: Tables, count: int) -> None:
    """Let the account have so many deal pipelines, those it has included."""
    tables.put(_LIMIT, "deals", {"count": count})


def limit(tables: Tables) -> int:
    """Return how many deal pipelines the account may have."""
    row = tables.get(_LIMIT, "deals")
    return LIMIT_DEFAULT if row is None else number(row, "count", LIMIT_DEFAULT)


def answer(portal: Portal, call: Call, type_name: str, rest: tuple[str, ...]) -> Reply:
    """Answer what follows the type in the path."""
    kind = kind_of(type_name)
    access = "read" if call.method == "GET" else "write"
    actors.require(portal.tables, call.edit.actor, f"crm.schemas.{kind.name}.{access}")
    if kind is CONTACTS and call.method == "GET" and not rest:
        return Reply(200, {"results": [pipelines.lifecycle_pipeline()]})
    if kind is not DEALS:
        raise ApiError(400, f"Pipelines of {kind.upper} cannot be changed here")
    match rest:
        case ():
            return _collection(portal, call)
        case (pipeline_id,):
            return _one(portal, call, _live(portal.tables, pipeline_id))
        case (pipeline_id, "audit") if call.method == "GET":
            _live(portal.tables, pipeline_id)
            return Reply(200, {"results": []})
        case (pipeline_id, "stages"):
            return _stages(portal, call, _live(portal.tables, pipeline_id))
        case (pipeline_id, "stages", stage_id):
            return _one_stage(portal, call, _live(portal.tables, pipeline_id), stage_id)
        case _:
            raise no_such_path(call.path)


def _collection(portal: Portal, call: Call) -> Reply:
    if call.method == "GET":
        found: list[JsonValue] = [_shown(one) for one in pipelines.live(portal.tables)]
        return Reply(200, {"results": found})
    if call.method == "POST":
        return Reply(201, _create(portal, call))
    raise not_allowed()


def _one(portal: Portal, call: Call, pipeline: Row) -> Reply:
    match call.method:
        case "GET":
            return Reply(200, _shown(pipeline))
        case "PATCH" | "PUT":
            return Reply(200, _update(portal, call, pipeline))
        case "DELETE":
            _archive(portal, call, pipeline)
            return NO_CONTENT
        case _:
            raise not_allowed()


def _stages(portal: Portal, call: Call, pipeline: Row) -> Reply:
    if call.method == "GET":
        return Reply(200, {"results": list[JsonValue](pipelines.live_stages(pipeline))})
    if call.method != "POST":
        raise not_allowed()
    stage = _new_stage(portal.tables, call, call.body(), pipelines.live_stages(pipeline))
    _keep(portal.tables, call, pipeline, [*rows_in(pipeline, "stages"), stage])
    call.records.append(text(stage, "id"))
    return Reply(201, stage)


def _one_stage(portal: Portal, call: Call, pipeline: Row, stage_id: str) -> Reply:
    stages = rows_in(pipeline, "stages")
    stage = next(
        (one for one in stages if text(one, "id") == stage_id and not one["archived"]), None
    )
    if stage is None:
        raise ApiError(404, f"Stage {stage_id} does not exist", category="OBJECT_NOT_FOUND")
    match call.method:
        case "GET":
            return Reply(200, stage)
        case "PATCH" | "PUT":
            after = _changed_stage(call, stage, pipelines.live_stages(pipeline))
        case "DELETE":
            _refuse_used(portal, call, stage_id=stage_id)
            after = {**stage, "archived": True, "archivedAt": call.edit.iso}
        case _:
            raise not_allowed()
    call.records.append(stage_id)
    if after != stage:
        kept = [after if one is stage else one for one in stages]
        _keep(portal.tables, call, pipeline, kept)
    return NO_CONTENT if call.method == "DELETE" else Reply(200, after)


def _create(portal: Portal, call: Call) -> Row:
    tables, asked = portal.tables, call.body()
    label = needed(asked, "label")
    _refuse_taken_label(label, pipelines.live(tables), "pipeline")
    if len(pipelines.live(tables)) >= limit(tables):
        raise ApiError(
            400,
            f"The account has reached its limit of {limit(tables)} deal pipelines.",
            sub_category="PipelineError.PIPELINE_LIMIT_EXCEEDED",
            context={"limit": [str(limit(tables))]},
        )
    pipeline_id = text(asked, "pipelineId") or str(_ID_BASE + tables.next_number("pipeline"))
    stages: list[Row] = []
    for wanted in rows_in(asked, "stages"):
        stages.append(_new_stage(tables, call, wanted, stages))
    if not stages:
        raise invalid_json("stages")
    order = number(asked, "displayOrder", len(pipelines.live(tables)))
    pipeline = pipelines.pipeline_row(pipeline_id, label, order, stages, call.edit.iso)
    pipelines.put(tables, pipeline)
    call.records += [pipeline_id, *(text(stage, "id") for stage in stages)]
    call.changed = True
    return pipeline


def _update(portal: Portal, call: Call, pipeline: Row) -> Row:
    tables, asked = portal.tables, call.body()
    after = dict(pipeline)
    if "label" in asked:
        others = [one for one in pipelines.live(tables) if one is not pipeline]
        _refuse_taken_label(needed(asked, "label"), others, "pipeline")
        after["label"] = text(asked, "label")
    if "displayOrder" in asked:
        after["displayOrder"] = number(asked, "displayOrder")
    if call.method == "PUT":
        after["stages"] = list[JsonValue](_replaced_stages(portal, call, pipeline, asked))
    call.records.append(text(pipeline, "id"))
    if after != pipeline:
        after["updatedAt"] = call.edit.iso
        pipelines.put(tables, after)
        call.changed = True
    return _shown(after)


def _replaced_stages(portal: Portal, call: Call, pipeline: Row, asked: Row) -> list[Row]:
    """Return the stages that a PUT asks for: those with a known id are kept."""
    before = {text(one, "id"): one for one in pipelines.live_stages(pipeline)}
    stages: list[Row] = []
    for wanted in rows_in(asked, "stages"):
        known = before.get(text(wanted, "stageId", text(wanted, "id")))
        stages.append(
            _new_stage(portal.tables, call, wanted, stages)
            if known is None
            else _merged_stage(call, known, wanted, stages)
        )
    if not stages:
        raise invalid_json("stages")
    for stage_id in before.keys() - {text(one, "id") for one in stages}:
        _refuse_used(portal, call, stage_id=stage_id)
    return stages


def _archive(portal: Portal, call: Call, pipeline: Row) -> None:
    if text(pipeline, "id") == pipelines.DEFAULT:
        raise ApiError(400, "The default pipeline cannot be deleted")
    _refuse_used(portal, call, pipeline_id=text(pipeline, "id"))
    archived: Row = {**pipeline, "archived": True, "archivedAt": call.edit.iso}
    pipelines.put(portal.tables, archived)
    call.records.append(text(pipeline, "id"))
    call.changed = True


def _keep(tables: Tables, call: Call, pipeline: Row, stages: list[Row]) -> None:
    pipelines.put(
        tables,
        {**pipeline, "stages": list[JsonValue](stages), "updatedAt": call.edit.iso},
    )
    call.changed = True


def _new_stage(tables: Tables, call: Call, asked: Row, others: list[Row]) -> Row:
    label = needed(asked, "label")
    _refuse_taken_label(label, others, "stage")
    stage_id = text(asked, "stageId") or str(_STAGE_ID_BASE + tables.next_number("stage"))
    if tables.get("stage", stage_id) is not None:
        raise _taken("stage", "id", stage_id)
    order = number(asked, "displayOrder", len(others))
    metadata = _metadata(row_in(asked, "metadata"), {})
    return pipelines.stage_row(stage_id, label, order, metadata, call.edit.iso)


def _changed_stage(call: Call, stage: Row, all_stages: list[Row]) -> Row:
    return _merged_stage(call, stage, call.body(), [one for one in all_stages if one is not stage])


def _merged_stage(call: Call, stage: Row, asked: Row, others: list[Row]) -> Row:
    after = dict(stage)
    if "label" in asked:
        _refuse_taken_label(needed(asked, "label"), others, "stage")
        after["label"] = text(asked, "label")
    if "displayOrder" in asked:
        after["displayOrder"] = number(asked, "displayOrder")
    if row_in(asked, "metadata"):
        after["metadata"] = _metadata(row_in(asked, "metadata"), row_in(stage, "metadata"))
    if after != stage:
        after["updatedAt"] = call.edit.iso
    return after


def _metadata(asked: Row, before: Row) -> Row:
    """Return a stage's metadata as texts; won and lost stages are closed."""
    sent = text(asked, "probability", text(before, "probability"))
    try:
        probability = Decimal(sent)
    except InvalidOperation:
        probability = Decimal(-1)
    if not probability.is_finite() or probability not in _STEPS:
        raise ApiError(
            400,
            f"probability must be between 0.0 and 1.0 in increments of 0.1, not {sent or 'absent'}",
            sub_category="PipelineError.INVALID_STAGE_METADATA",
            context={"probability": [sent]},
        )
    closed = text(asked, "isClosed", text(before, "isClosed")).lower() == "true"
    return {
        "isClosed": "true" if closed or probability in {Decimal(0), Decimal(1)} else "false",
        "probability": f"{probability:.1f}",
    }


def _refuse_taken_label(label: str, others: list[Row], what: str) -> None:
    if any(text(one, "label").casefold() == label.casefold() for one in others):
        raise _taken(what, "label", label)


def _taken(what: str, name: str, value: str) -> ApiError:
    return ApiError(
        409,
        f"A {what} with the {name} '{value}' already exists.",
        category="OBJECT_ALREADY_EXISTS",
        sub_category=f"PipelineError.{what.upper()}_{name.upper()}_EXISTS",
        context={name: [value]},
    )


def _refuse_used(
    portal: Portal, call: Call, *, stage_id: str | None = None, pipeline_id: str | None = None
) -> None:
    """Refuse to delete what deals are in, where the caller asked for that check."""
    if not (
        call.flag("validateReferencesBeforeDelete")
        or call.flag("validateDealStageUsagesBeforeDelete")
    ):
        return
    name = "dealstage" if stage_id is not None else "pipeline"
    value = stage_id if stage_id is not None else pipeline_id
    used = [
        key
        for key, row in portal.tables.rows(DEALS.name).items()
        if as_record(row)["values"].get(name) == value and as_record(row)["archivedMs"] is None
    ]
    if used:
        raise ApiError(
            400,
            f"{len(used)} deals are in it",
            sub_category="PipelineError.STAGE_ID_IN_USE",
            context={"objectIds": list[JsonValue](used[:100])},
        )


def _live(tables: Tables, pipeline_id: str) -> Row:
    found = tables.get(pipelines.TABLE, pipeline_id)
    if found is None or found["archived"]:
        raise ApiError(404, f"Pipeline {pipeline_id} does not exist", category="OBJECT_NOT_FOUND")
    return found


def _shown(pipeline: Row) -> Row:
    return {**pipeline, "stages": list[JsonValue](pipelines.live_stages(pipeline))}
