"""Which stage is which (rules `stage-map`, `pipeline-move`).

"ステージ" is one of the fields that sync. A stage means something only within its record type or
pipeline, so both travel together: inside the engine a Salesforce stage is `<RecordTypeId>/<StageName>`
and a HubSpot stage `<pipeline>/<dealstage>`. They cross in one call, or are held together: a deal
moved between two synced pipelines changes the opportunity's record type and stage, and a changed
record type moves the deal. A stage without a counterpart holds that field only.
"""

from domain.context import Context
from domain.ids import Crm


def joined(scope_id: str | None, stage: str | None) -> str | None:
    """Return a stage with its record type or pipeline, or None if there is no stage."""
    return f"{scope_id or ''}/{stage}" if stage else None


def scope(value: str) -> str:
    """Return the record type or pipeline of a joined stage."""
    return value.partition("/")[0]


def bare(value: str) -> str:
    """Return the stage of a joined stage."""
    return value.partition("/")[2]


def counterpart(value: str, *, to: Crm, context: Context) -> str | None:
    """Return the joined stage of the other CRM, or None.

    Args:
        value: a joined stage of the CRM that is not `to`.
        to: the CRM whose stage is wanted.
        context: the catalog knows the links, the policy may override them.
    """
    here, stage = scope(value), bare(value)
    catalog, policy = context.catalog, context.policy
    if to is Crm.HUBSPOT:
        pipeline_id = catalog.pipelines.get(here)
        stage_id = catalog.stage_id(here, stage, policy)
        return joined(pipeline_id, stage_id) if pipeline_id is not None else None
    record_type_id = catalog.record_type_of(here, policy)
    if record_type_id is None:
        return None
    return joined(record_type_id, catalog.stage_name(record_type_id, stage, policy))
