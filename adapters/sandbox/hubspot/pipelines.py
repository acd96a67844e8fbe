"""Deal pipelines and their stages: what a deal may be in, and the rows they are kept in.

A pipeline's row holds its stages. Stage ids are unique over all pipelines. The paths under which
they are read and changed are in `pipeline_paths`.
"""

from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import row_in, rows_in, text
from adapters.sandbox.tables import Row, Tables

TABLE = "pipeline"
DEFAULT = "default"
_EPOCH = "1970-01-01T00:00:00Z"
_DEFAULT_STAGES = (
    ("appointmentscheduled", "Appointment Scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified To Buy", "0.4"),
    ("presentationscheduled", "Presentation Scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
    ("contractsent", "Contract Sent", "0.9"),
    ("closedwon", "Closed Won", "1.0"),
    ("closedlost", "Closed Lost", "0.0"),
)
_CLOSED = frozenset({"closedwon", "closedlost"})
_LIFECYCLE = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)
#: the order that `lifecyclestage` goes through, first to last
LIFECYCLE_ORDER = tuple(stage_id for stage_id, _ in _LIFECYCLE)


def seed(tables: Tables) -> None:
    """Put the pipeline that every account has."""
    stages: list[Row] = [
        stage_row(
            stage_id,
            label,
            order,
            {"isClosed": "true" if stage_id in _CLOSED else "false", "probability": probability},
            _EPOCH,
        )
        for order, (stage_id, label, probability) in enumerate(_DEFAULT_STAGES)
    ]
    put(tables, pipeline_row(DEFAULT, "Sales Pipeline", 0, stages, _EPOCH))


def lifecycle_pipeline() -> Row:
    """Return the one pipeline that contacts have."""
    stages = [
        stage_row(
            stage_id,
            label,
            order,
            {
                "isClosed": "true" if stage_id == "other" else "false",
                "state": "CLOSED" if stage_id == "other" else "OPEN",
            },
            _EPOCH,
        )
        for order, (stage_id, label) in enumerate(_LIFECYCLE)
    ]
    return pipeline_row(
        "contacts-lifecycle-pipeline", "Lifecycle Stage Pipeline", 0, stages, _EPOCH
    )


def stage_row(stage_id: str, label: str, order: int, metadata: Row, at: str) -> Row:
    """Return a new stage."""
    return {
        "label": label,
        "displayOrder": order,
        "metadata": metadata,
        "id": stage_id,
        "createdAt": at,
        "updatedAt": at,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        "archived": False,
    }


def pipeline_row(pipeline_id: str, label: str, order: int, stages: list[Row], at: str) -> Row:
    """Return a new pipeline."""
    return {
        "label": label,
        "displayOrder": order,
        "id": pipeline_id,
        "stages": list(stages),
        "createdAt": at,
        "updatedAt": at,
        "archived": False,
    }


def put(tables: Tables, pipeline: Row) -> None:
    """Keep a pipeline with its stages, and where each of its stages is found."""
    before = tables.get(TABLE, text(pipeline, "id"))
    stages = {text(stage, "id") for stage in live_stages(pipeline)}
    for stage in rows_in(before or {}, "stages"):
        if text(stage, "id") not in stages:
            tables.drop("stage", text(stage, "id"))
    tables.put(TABLE, text(pipeline, "id"), pipeline)
    for stage in live_stages(pipeline):
        found: Row = {
            "pipeline": pipeline["id"],
            "metadata": row_in(stage, "metadata"),
            "label": stage["label"],
        }
        if tables.get("stage", text(stage, "id")) != found:
            tables.put("stage", text(stage, "id"), found)


def live(tables: Tables) -> list[Row]:
    """Return the pipelines that are not archived, in their order."""
    pipelines = [one for one in tables.rows(TABLE).values() if not one["archived"]]
    return sorted(pipelines, key=lambda one: (int(str(one["displayOrder"])), text(one, "id")))


def live_stages(pipeline: Row) -> list[Row]:
    """Return a pipeline's stages that are not archived, in their order."""
    if pipeline["archived"]:
        return []
    stages = [stage for stage in rows_in(pipeline, "stages") if not stage["archived"]]
    return sorted(stages, key=lambda one: (int(str(one["displayOrder"])), text(one, "id")))


def pipeline_of_stage(tables: Tables, stage_id: str) -> str | None:
    """Return the id of the pipeline that has this stage, None where none has."""
    found = tables.get("stage", stage_id)
    return None if found is None else text(found, "pipeline")


def exists(tables: Tables, pipeline_id: str) -> bool:
    """Return whether deals can be in this pipeline."""
    found = tables.get(TABLE, pipeline_id)
    return found is not None and not found["archived"]


def probability(portal: Portal, stage_id: str) -> str:
    """Return a stage's probability as HubSpot writes it, "" for an unknown stage."""
    found = portal.tables.get("stage", stage_id)
    return "" if found is None else text(row_in(found, "metadata"), "probability")


def is_closed(portal: Portal, stage_id: str) -> bool:
    """Return whether a deal in this stage is won or lost."""
    return probability(portal, stage_id) in {"0.0", "1.0"} or _says_closed(portal, stage_id)


def is_won(portal: Portal, stage_id: str) -> bool:
    """Return whether a deal in this stage is won."""
    return probability(portal, stage_id) == "1.0"


def _says_closed(portal: Portal, stage_id: str) -> bool:
    found = portal.tables.get("stage", stage_id)
    return found is not None and text(row_in(found, "metadata"), "isClosed") == "true"
