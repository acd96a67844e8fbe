"""What has to exist in both CRMs (rules `record-type-pipeline`, `pipeline-limit`, `stage-map`).

"パイプラインに「Salesforce - [Salesforce内のレコードタイプID]」という名前が付けられます。…1つのパイプラインしか
作成されていない場合は…「Salesforce - 既定のパイプライン」" (a pipeline is called `Salesforce - <record type
id>`, the only one `Salesforce - Default Pipeline`).

| case | answer |
|---|---|
| an active record type within the limit, no pipeline | one of exactly our label is adopted, else one is created with its stages |
| policy binds it to a pipeline | that one |
| a second record type appears | its own pipeline; the first keeps its label |
| beyond the subscription's limit | not synced, one issue each; everything else goes on |
| HubSpot says that the account is full | the same issue |
| a stage is added in Salesforce | created; renamed: its label is renamed; made inactive: stays |
| one of our own properties or our external id field is missing | created |
| the integration user lacks the permission | one issue; writes wait and go on by themselves |

Probabilities cross in HubSpot's steps of 0.1; open stages keep off 0.0 and 1.0, which mean lost and
won there.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from domain import catalog as catalogs
from domain import events, issues, people
from domain.catalog import Catalog
from domain.context import Context
from domain.facts import (
    Fact,
    HubSpotCatalogObserved,
    ImportRequested,
    OpportunityStageSeen,
    PipelineSeen,
    Reconsider,
    RecordTypeSeen,
    SalesforceCatalogObserved,
    SetupRequested,
    WriteCancelled,
    WriteDone,
    WriteHeld,
    WriteRejected,
    WriteUnknown,
)
from domain.ids import Kind
from domain.issues import Problem
from domain.rules import RuleId, prerequisites
from domain.rules.rollups import MIRROR
from domain.telling import Telling
from domain.writes import (
    CreateField,
    CreatePipeline,
    CreateProperty,
    CreateStage,
    RenameStage,
    StageWanted,
    Write,
)

LINK_FIELD: Final = "DealSync_Deal_Id__c"
_LINK_FIELD_LENGTH: Final = 32
#: (object, name, label, type, unique)
OWN_PROPERTIES: Final = (
    ("deal", "dealsync_opportunity_id", "Salesforce opportunity (dealsync)", "string", True),
    ("deal", "dealsync_link", "dealsync: linked to", "string", False),
    ("deal", "dealsync_state", "dealsync: state", "string", False),
    ("deal", "dealsync_synced_at", "dealsync: last sync", "datetime", False),
    ("deal", "dealsync_issue", "dealsync: open issue", "string", False),
    ("contact", MIRROR[0], "Associated deals (dealsync)", "number", False),
    ("contact", MIRROR[1], "First deal created date (dealsync)", "datetime", False),
    ("contact", MIRROR[2], "Recent deal close date (dealsync)", "date", False),
    ("contact", MIRROR[3], "Recent deal amount (dealsync)", "number", False),
    ("contact", MIRROR[4], "Total revenue (dealsync)", "number", False),
    ("company", "dealsync_account_id", "Salesforce account (dealsync)", "string", True),
)


def decide(state: Catalog | None, fact: Fact, context: Context) -> tuple[events.Event, ...]:
    """Decide a fact about the catalog, and what has to be made."""
    telling = Telling(state or Catalog(), fact, context, catalogs.evolve)
    match fact:
        case SalesforceCatalogObserved():
            telling.tell(
                events.SalesforceCatalogNoted(
                    **telling.said(RuleId.RECORD_TYPE_PIPELINE), catalog=fact
                )
            )
        case HubSpotCatalogObserved():
            telling.tell(
                events.HubSpotCatalogNoted(
                    **telling.said(RuleId.RECORD_TYPE_PIPELINE), catalog=fact
                )
            )
        case SetupRequested():
            telling.tell(events.SetupAsked(**telling.said(RuleId.RECORD_TYPE_PIPELINE)))
        case ImportRequested():
            _import(telling, fact)
        case WriteDone() | WriteRejected() | WriteUnknown() | WriteHeld() | WriteCancelled():
            _answer(telling, fact)
        case Reconsider():
            pass
        case _:
            telling.not_because(RuleId.TRIGGER_FIELDS, "no such fact concerns the catalog")
            return telling.all_told("")
    _plan(telling)
    return telling.all_told("both CRMs have what the sync needs")


def label_of(state: Catalog, record_type: RecordTypeSeen, context: Context) -> str:
    """Return the label of a record type's pipeline that does not exist yet."""
    active = [r for r in state.salesforce.record_types if r.is_active] if state.salesforce else []
    if len(active) <= 1:
        return context.policy.pipelines.single_label
    return f"Salesforce - {record_type.id}"


def probability(stage: OpportunityStageSeen) -> str:
    """Return a stage's probability in HubSpot's terms: `0.0` lost, `1.0` won, between: open."""
    if stage.is_closed:
        return "1.0" if stage.is_won else "0.0"
    tenth = (Decimal(stage.probability) / 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return str(min(max(tenth, Decimal("0.1")), Decimal("0.9")))


def _plan(telling: Telling[Catalog]) -> None:
    """Decide what is missing, and report what cannot be."""
    state, context = telling.state, telling.context
    if state.salesforce is None or state.hubspot is None or context.policy_version == 0:
        telling.not_because(RuleId.RECORD_TYPE_PIPELINE, "a catalog or a policy is not known yet")
        return
    if not (context.deal_sync or state.setup_asked):
        telling.not_because(RuleId.DEAL_SYNC_SWITCH, "deal sync is off and no setup was asked for")
        return
    problems: dict[tuple[str, str], str] = {}
    _permission(telling, problems)
    _own_fields(telling)
    for record_type_id in state.synced_record_types(context.policy):
        record_type = state.record_type(record_type_id)
        if record_type is not None:
            _record_type(telling, record_type)
    _beyond_limit(telling, problems)
    for subject, code in telling.state.refused.items():
        full = "LIMIT" in code.upper()
        kind = issues.BEYOND_LIMIT if full else issues.CATALOG_REFUSED
        problems[kind.code, subject] = f"{subject}: refused with {code}; {kind.fix}"
    _settle_issues(telling, problems)


def _record_type(telling: Telling[Catalog], record_type: RecordTypeSeen) -> None:
    state, context = telling.state, telling.context
    pipeline_id = state.pipelines.get(record_type.id)
    if pipeline_id is not None:
        pipeline = state.pipeline(pipeline_id)
        if pipeline is not None:
            _stages(telling, record_type, pipeline)
        return
    bound = next(
        (
            b.pipeline_id
            for b in context.policy.pipelines.bind
            if b.record_type_id == record_type.id
        ),
        None,
    )
    label = label_of(state, record_type, context)
    found = state.pipeline(bound) if bound is not None else _by_label(state, label)
    if found is not None:
        telling.tell(
            events.PipelineLinked(
                **telling.said(RuleId.RECORD_TYPE_PIPELINE),
                record_type_id=record_type.id,
                pipeline_id=found.id,
                label=found.label,
                how="bound" if bound is not None else "adopted",
            )
        )
        _stages(telling, record_type, found)
        return
    if bound is not None:
        return
    write = CreatePipeline(
        id=telling.write_id(),
        stream=state.stream,
        record_type_id=record_type.id,
        label=label,
        stages=tuple(_wanted(stage) for stage in _active_stages(state, record_type)),
    )
    _make(telling, RuleId.RECORD_TYPE_PIPELINE, write, f"record type {record_type.name}")


def _stages(telling: Telling[Catalog], record_type: RecordTypeSeen, pipeline: PipelineSeen) -> None:
    """Link, make or rename the stages of a record type's pipeline."""
    by_label = {stage.label: stage.id for stage in pipeline.stages}
    labels = {stage.id: stage.label for stage in pipeline.stages}
    for stage in _active_stages(telling.state, record_type):
        policy = telling.context.policy
        linked = telling.state.stage_id(record_type.id, stage.name, policy)
        if linked is None:
            found = by_label.get(stage.label)
            if found is not None:
                telling.tell(
                    events.StageLinked(
                        **telling.said(RuleId.STAGE_MAP),
                        record_type_id=record_type.id,
                        stage_name=stage.name,
                        stage_id=found,
                    )
                )
                continue
            write: Write = CreateStage(
                id=telling.write_id(),
                stream=telling.state.stream,
                record_type_id=record_type.id,
                pipeline_id=pipeline.id,
                stage=_wanted(stage),
            )
            _make(telling, RuleId.STAGE_MAP, write, f"stage {stage.name} has no counterpart")
        elif linked in labels and labels[linked] != stage.label and stage.label not in by_label:
            write = RenameStage(
                id=telling.write_id(),
                stream=telling.state.stream,
                pipeline_id=pipeline.id,
                stage_id=linked,
                label=stage.label,
            )
            _make(telling, RuleId.STAGE_MAP, write, f"stage {stage.name} was renamed")


def _own_fields(telling: Telling[Catalog]) -> None:
    """Make our own properties and our external id field."""
    for of, name, label, type_, unique in OWN_PROPERTIES:
        if telling.state.hubspot_property(name, of) is None:
            write: Write = CreateProperty(
                id=telling.write_id(),
                stream=telling.state.stream,
                object=of,
                name=name,
                label=label,
                type=type_,
                is_unique=unique,
            )
            _make(telling, RuleId.LINK_IDS, write, "one of our own properties is missing")
    if telling.state.salesforce_field(LINK_FIELD) is None:
        write = CreateField(
            id=telling.write_id(),
            stream=telling.state.stream,
            object="Opportunity",
            name=LINK_FIELD,
            label="HubSpot deal (dealsync)",
            length=_LINK_FIELD_LENGTH,
        )
        _make(telling, RuleId.LINK_IDS, write, "our external id field is missing")


def _make(telling: Telling[Catalog], rule: RuleId, write: Write, why: str) -> None:
    """Decide to make something, unless that is under way, was refused, or was just made."""
    subject = catalogs.subject_of(write)
    if subject in telling.state.refused or subject in telling.state.made:
        return
    if any(catalogs.subject_of(w) == subject for w in telling.state.open.values()):
        return
    telling.ask(rule, write, why)


def _answer(
    telling: Telling[Catalog],
    fact: WriteDone | WriteRejected | WriteUnknown | WriteHeld | WriteCancelled,
) -> None:
    """Take an outcome in; what was made is read again."""
    write = telling.state.open.get(fact.write_id)
    people.close(telling, fact)
    if write is None or not isinstance(fact, WriteDone):
        return
    if isinstance(write, CreatePipeline) and fact.record_id is not None:
        telling.tell(
            events.PipelineLinked(
                **telling.said(RuleId.RECORD_TYPE_PIPELINE),
                record_type_id=write.record_type_id,
                pipeline_id=fact.record_id,
                label=write.label,
                how="created",
            )
        )
    if not any(w.CRM is write.CRM for w in telling.state.open.values()):
        telling.tell(
            events.RefreshWanted(
                **telling.said(RuleId.RECORD_TYPE_PIPELINE),
                crm=write.CRM,
                kind=Kind.CATALOG,
                record_id="",
                because="something was made",
            )
        )


def _import(telling: Telling[Catalog], fact: ImportRequested) -> None:
    if fact.kind is Kind.ACCOUNT and telling.context.policy.switches.company_sync:
        telling.tell(
            events.AccountImportCompleted(
                **telling.said(RuleId.ACCOUNT_IDENTITY),
                selection=fact.selection,
                count=fact.count,
            )
        )
    else:
        telling.not_because(RuleId.IMPORT, f"{fact.count} {fact.kind} are read: {fact.selection}")


def _permission(telling: Telling[Catalog], problems: dict[tuple[str, str], str]) -> None:
    text = prerequisites.missing_permission(telling.state)
    seen = telling.state.salesforce
    if text is not None and seen is not None:
        problems[issues.PERMISSION_MISSING.code, seen.integration_user_name] = text


def _beyond_limit(telling: Telling[Catalog], problems: dict[tuple[str, str], str]) -> None:
    state, policy = telling.state, telling.context.policy
    synced = state.synced_record_types(policy)
    for record_type in state.salesforce.record_types if state.salesforce is not None else ():
        if record_type.is_active and record_type.id not in synced:
            kind = issues.BEYOND_LIMIT
            problems[kind.code, record_type.id] = (
                f"record type {record_type.name} ({record_type.id}) is beyond the limit of"
                f" {policy.pipelines.limit} pipelines; {kind.fix}"
            )


def _settle_issues(telling: Telling[Catalog], problems: dict[tuple[str, str], str]) -> None:
    """Open what is new, close what is gone."""
    for code, subject in sorted(telling.state.issues):
        if (code, subject) not in problems:
            rule = issues.PROBLEMS[code].rule
            closed = events.IssueClosed(**telling.said(rule), code=code, subject=subject)
            telling.tell(closed)
    for (code, subject), text in sorted(problems.items()):
        if telling.state.issues.get((code, subject)) != text:
            rule = _problem(code).rule
            telling.tell(
                events.IssueOpened(**telling.said(rule), code=code, subject=subject, text=text)
            )


def _problem(code: str) -> Problem:
    return issues.PROBLEMS[code]


def _by_label(state: Catalog, label: str) -> PipelineSeen | None:
    taken = set(state.pipelines.values())
    found = [p for p in state.hubspot.pipelines if p.label == label] if state.hubspot else []
    return next((p for p in found if p.id not in taken), None)


def _active_stages(state: Catalog, record_type: RecordTypeSeen) -> tuple[OpportunityStageSeen, ...]:
    stages = (state.opportunity_stage(name) for name in record_type.stage_names)
    return tuple(stage for stage in stages if stage is not None and stage.is_active)


def _wanted(stage: OpportunityStageSeen) -> StageWanted:
    return StageWanted(
        stage_name=stage.name,
        label=stage.label,
        order=stage.order,
        is_closed=stage.is_closed,
        probability=probability(stage),
    )
