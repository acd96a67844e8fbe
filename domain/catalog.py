"""What both CRMs are made of: record types and pipelines, stages, people, fields.

One aggregate, fed by ingest with whole pictures; it knows which pipeline stands for which record
type and which stage for which. Pairs read it through the lookups below. What is missing it decides
to make in `rules.pipelines` and `rules.stages`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain import events
from domain.copying import replace
from domain.facts import (
    FieldSeen,
    HubSpotCatalogObserved,
    OpportunityStageSeen,
    PersonSeen,
    PipelineSeen,
    RecordTypeSeen,
    SalesforceCatalogObserved,
)
from domain.ids import CATALOG_STREAM, Crm, StreamId, WriteId
from domain.policy import Policy
from domain.writes import Write


class Scope(StrEnum):
    """Whether a record type's opportunities take part in the sync."""

    #: it has its pipeline and all its stages
    READY = "ready"
    #: it is to have one, and has not yet
    NOT_READY = "not_ready"
    #: beyond the subscription's limit
    BEYOND_LIMIT = "beyond_limit"
    #: no such active record type
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Catalog:
    """The state of the catalog stream."""

    stream: StreamId = CATALOG_STREAM
    version: int = 0
    salesforce: SalesforceCatalogObserved | None = None
    hubspot: HubSpotCatalogObserved | None = None
    #: record type id → pipeline id
    pipelines: Mapping[str, str] = field(default_factory=dict)
    #: (record type id, StageName) → stage id
    stages: Mapping[tuple[str, str], str] = field(default_factory=dict)
    #: writes that are not closed yet
    open: Mapping[WriteId, Write] = field(default_factory=dict)
    #: writes that HubSpot or Salesforce refused: write topic and subject → code
    refused: Mapping[str, str] = field(default_factory=dict)
    #: what was made and not read again yet: subject → where and when; not to be made twice
    made: Mapping[str, tuple[Crm, datetime]] = field(default_factory=dict)
    #: (code, subject) → text
    issues: Mapping[tuple[str, str], str] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    setup_asked: bool = False
    accounts_imported: bool = False
    parked: tuple[events.FactParked, ...] = ()

    # -- record types and pipelines

    def record_type(self, record_type_id: str) -> RecordTypeSeen | None:
        """Return the record type, active or not, or None."""
        if self.salesforce is None:
            return None
        return next((r for r in self.salesforce.record_types if r.id == record_type_id), None)

    def synced_record_types(self, policy: Policy) -> tuple[str, ...]:
        """Return the ids of the record types within the limit, in their order of precedence.

        Policy's order first, then those already linked, then creation date, then id (rule
        `pipeline-limit`). A deactivated one that has its pipeline keeps its place.
        """
        if self.salesforce is None:
            return ()
        order = {record_type_id: n for n, record_type_id in enumerate(policy.pipelines.order)}
        wanted = [r for r in self.salesforce.record_types if r.is_active or r.id in self.pipelines]
        wanted.sort(
            key=lambda r: (
                order.get(r.id, len(order)),
                r.id not in self.pipelines,
                r.created_at,
                r.id,
            )
        )
        known = [r.id for r in wanted]
        gone = [i for i in self.pipelines if i not in set(known)]
        return tuple((gone + known)[: policy.pipelines.limit])

    def scope_of(self, record_type_id: str, policy: Policy) -> Scope:
        """Tell whether a record type's opportunities can sync now."""
        if record_type_id not in self.synced_record_types(policy):
            return Scope.GONE if self.record_type(record_type_id) is None else Scope.BEYOND_LIMIT
        pipeline_id = self.pipelines.get(record_type_id)
        if pipeline_id is None:
            return Scope.NOT_READY
        record_type = self.record_type(record_type_id)
        if record_type is None:
            return Scope.READY
        active = self._active_stage_names()
        missing = [
            name
            for name in record_type.stage_names
            if name in active and self.stage_id(record_type_id, name, policy) is None
        ]
        return Scope.NOT_READY if missing else Scope.READY

    def record_type_of(self, pipeline_id: str, policy: Policy) -> str | None:
        """Return the record type that a pipeline stands for, if it is synced, or None."""
        synced = self.synced_record_types(policy)
        for record_type_id, linked in self.pipelines.items():
            if linked == pipeline_id and record_type_id in synced:
                return record_type_id
        return None

    def pipeline(self, pipeline_id: str) -> PipelineSeen | None:
        """Return the pipeline as HubSpot shows it, or None."""
        if self.hubspot is None:
            return None
        return next((p for p in self.hubspot.pipelines if p.id == pipeline_id), None)

    # -- stages

    def stage_id(self, record_type_id: str, stage_name: str, policy: Policy) -> str | None:
        """Return the HubSpot stage of a Salesforce stage, or None."""
        for override in policy.stages:
            if (override.record_type_id, override.stage_name) == (record_type_id, stage_name):
                return override.stage_id
        return self.stages.get((record_type_id, stage_name))

    def stage_name(self, record_type_id: str, stage_id: str, policy: Policy) -> str | None:
        """Return the Salesforce stage that may be written for a HubSpot stage, or None."""
        active = self._active_stage_names()
        record_type = self.record_type(record_type_id)
        allowed = set(record_type.stage_names) if record_type is not None else active
        names = [
            o.stage_name
            for o in policy.stages
            if (o.record_type_id, o.stage_id) == (record_type_id, stage_id)
        ]
        names += [
            name
            for (owner, name), linked in self.stages.items()
            if owner == record_type_id and linked == stage_id
        ]
        return next((name for name in names if name in active and name in allowed), None)

    def opportunity_stage(self, stage_name: str) -> OpportunityStageSeen | None:
        """Return the org's stage of that API name, or None."""
        if self.salesforce is None:
            return None
        return next((s for s in self.salesforce.stages if s.name == stage_name), None)

    def _active_stage_names(self) -> set[str]:
        if self.salesforce is None:
            return set()
        return {s.name for s in self.salesforce.stages if s.is_active}

    # -- people

    def user(self, user_id: str) -> PersonSeen | None:
        """Return the Salesforce user, or None."""
        if self.salesforce is None:
            return None
        return next((u for u in self.salesforce.users if u.id == user_id), None)

    def owner(self, owner_id: str) -> PersonSeen | None:
        """Return the HubSpot owner, or None."""
        if self.hubspot is None:
            return None
        return next((o for o in self.hubspot.owners if o.id == owner_id), None)

    def owner_of(self, user_id: str) -> str | None:
        """Return the HubSpot owner with the user's e-mail and full name, or None."""
        user = self.user(user_id)
        if user is None or not user.is_active or self.hubspot is None:
            return None
        return _same_person(user, self.hubspot.owners)

    def user_of(self, owner_id: str) -> str | None:
        """Return the active Salesforce user with the owner's e-mail and full name, or None."""
        owner = self.owner(owner_id)
        if owner is None or not owner.is_active or self.salesforce is None:
            return None
        return _same_person(owner, self.salesforce.users)

    # -- fields, time

    def salesforce_field(self, name: str) -> FieldSeen | None:
        """Return the opportunity's field, or None."""
        return _field(self.salesforce.fields if self.salesforce else (), "opportunity", name)

    def hubspot_property(self, name: str, of: str = "deal") -> FieldSeen | None:
        """Return a deal's (contact's, company's) property, or None."""
        return _field(self.hubspot.properties if self.hubspot else (), of, name)

    def zone(self, policy: Policy) -> tzinfo:
        """Return the zone whose days are the days of dates."""
        name = policy.clocks.time_zone
        if name == "account":
            name = self.hubspot.time_zone if self.hubspot is not None else "UTC"
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            return UTC


def evolve(catalog: Catalog, event: events.Event) -> Catalog:
    """Fold one event of the catalog stream."""
    catalog = replace(catalog, version=catalog.version + 1)
    match event:
        case events.SalesforceCatalogNoted():
            made = _unread(catalog.made, Crm.SALESFORCE, event.catalog.read_begun_at)
            return replace(catalog, salesforce=event.catalog, made=made)
        case events.HubSpotCatalogNoted():
            made = _unread(catalog.made, Crm.HUBSPOT, event.catalog.read_begun_at)
            return replace(catalog, hubspot=event.catalog, made=made)
        case events.SetupAsked():
            return replace(catalog, setup_asked=True, refused={})
        case events.PipelineLinked():
            linked = {**catalog.pipelines, event.record_type_id: event.pipeline_id}
            return replace(catalog, pipelines=linked)
        case events.StageLinked():
            key = (event.record_type_id, event.stage_name)
            return replace(catalog, stages={**catalog.stages, key: event.stage_id})
        case events.AccountImportCompleted():
            return replace(catalog, accounts_imported=True)
        case events.WriteDecided():
            return replace(catalog, open={**catalog.open, event.write.id: event.write})
        case events.WriteClosed():
            return _close(catalog, event)
        case events.IssueOpened():
            issues = {**catalog.issues, (event.code, event.subject): event.text}
            return replace(catalog, issues=issues)
        case events.IssueClosed():
            gone = (event.code, event.subject)
            return replace(catalog, issues={k: v for k, v in catalog.issues.items() if k != gone})
        case events.WaitingChanged():
            return replace(catalog, waiting=event.keys)
        case events.FactParked():
            return replace(catalog, parked=(*catalog.parked, event))
        case events.ParkedFactSettled():
            left = tuple(p for p in catalog.parked if p.position != event.position)
            return replace(catalog, parked=left)
        case _:
            return catalog


def subject_of(write: Write) -> str:
    """Return the text that names what a catalog write makes: equal for the same wish."""
    named = write.model_dump(exclude={"id", "stream", "fields", "stages"})
    stage = named.pop("stage", None)
    parts = [str(named[name]) for name in sorted(named)]
    if isinstance(stage, dict):
        parts.append(str(stage["stage_name"]))
    return " ".join(parts)


def _close(catalog: Catalog, event: events.WriteClosed) -> Catalog:
    if event.outcome in ("unknown", "held"):
        return catalog
    write = catalog.open.get(event.write_id)
    still_open = {k: v for k, v in catalog.open.items() if k != event.write_id}
    refused = dict(catalog.refused)
    if write is not None and event.outcome == "rejected":
        refused[subject_of(write)] = event.code
    made = dict(catalog.made)
    if write is not None and event.outcome == "done" and event.answered_at is not None:
        made[subject_of(write)] = (write.CRM, event.answered_at)
    return replace(catalog, open=still_open, refused=refused, made=made)


def _unread(
    made: Mapping[str, tuple[Crm, datetime]], crm: Crm, read_begun_at: datetime
) -> Mapping[str, tuple[Crm, datetime]]:
    """Return what was made after a CRM was read, or in the other CRM."""
    return {
        subject: (where, made_at)
        for subject, (where, made_at) in made.items()
        if where is not crm or made_at > read_begun_at
    }


def _same_person(person: PersonSeen, others: tuple[PersonSeen, ...]) -> str | None:
    """Match by e-mail in any case and full name, among the active; None: none, or several."""
    matches = [
        o.id
        for o in others
        if o.is_active
        and o.email.casefold() == person.email.casefold()
        and " ".join(o.name.split()) == " ".join(person.name.split())
    ]
    return matches[0] if len(matches) == 1 else None


def _field(fields: tuple[FieldSeen, ...], of: str, name: str) -> FieldSeen | None:
    return next((f for f in fields if f.object == of and f.name == name), None)
