"""HubSpot's records as facts: the only place that gives HubSpot's properties their meaning.

A fact carries the whole record as it was shown; the difference is taken by whoever decides. Values
stay HubSpot's own text, and blank is None (rule `blank`). Each value has its own time and author
(rule `value-time`); a value is ours only by its own source tag, never by the record's last author.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from adapters.hubspot import names
from adapters.hubspot.wire import AssociationTarget, HistoryRow, RecordRow
from domain import facts
from domain.canonical import NotCanonicalError, Value, parse_instant
from domain.facts import Reading
from domain.ids import FactId, Kind, Ref, derived

#: asked by a person; an import's reason may go on with the fields it names, `import:amount`
_BY_HAND: Final = frozenset({"import", "import_named", "sync_now"})
#: why a source reads by itself, and what webhooks and requests ask; other wishes are refreshes
_KEPT_REASONS: Final = frozenset({"baseline", "webhook", *_BY_HAND})
#: a source came by it alone: the same state read again is the same fact
_REPEATED_REASONS: Final = frozenset({"baseline", "poll"})
_INTEGRATION: Final = "INTEGRATION"
#: source types of HubSpot's own rules and of workflows, which run on top of a write
_AUTOMATIC: Final = frozenset(
    {"AUTOMATION_PLATFORM", "CALCULATED", "DEALS", "HUBSPOT_INTERNAL", "WORKFLOWS"}
)

_Observation = TypeVar(
    "_Observation",
    facts.DealObserved,
    facts.AssociationsObserved,
    facts.HubSpotContactObserved,
    facts.CompanyObserved,
    facts.RecordDeleted,
    facts.RecordMerged,
    facts.HubSpotCatalogObserved,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """How a record came to be read."""

    #: our app's id: what it wrote carries this
    app_id: str
    reason: str
    #: our clock, before the request went out
    begun_at: datetime
    cause: str | None = None


def reason_of(wish_reason: str) -> str:
    """Return an observation's reason for the reason of a wish to read."""
    return wish_reason if _word(wish_reason) in _KEPT_REASONS else "refresh"


def is_by_hand(reason: str) -> bool:
    """Tell whether a person asked for this very record."""
    return _word(reason) in _BY_HAND


def deal_observed(row: RecordRow, shown: Collection[str], seen: Seen) -> facts.DealObserved:
    """Make the fact of a deal.

    Args:
        row: read with histories.
        shown: the properties that become readings.
        seen: how it came to be read.
    """
    readings = readings_of(row, shown, seen.app_id)
    pipeline = reading(row, names.PIPELINE, seen.app_id)
    stage = reading(row, names.STAGE, seen.app_id)
    set_at = [one.at for one in (pipeline, stage) if one.at is not None]
    modified_at = _instant(row.properties.get(names.MODIFIED[Kind.DEAL])) or row.updated_at
    return identified(
        facts.DealObserved(
            id=FactId(""),
            at=modified_at,
            by=_last_author(readings),
            cause=seen.cause,
            read_begun_at=seen.begun_at,
            reason=seen.reason,
            deal_id=row.id,
            created_at=_instant(row.properties.get(names.CREATED)) or row.created_at,
            modified_at=modified_at,
            pipeline_id=pipeline.value,
            stage_id=stage.value,
            stage_at=max(set_at, default=None),
            stage_by=stage.by,
            stage_ours=stage.ours,
            pipeline_at=pipeline.at,
            pipeline_ours=pipeline.ours,
            owner_id=_blank(row.properties.get(names.OWNER)),
            currency_code=_blank(row.properties.get(names.CURRENCY)),
            link=_blank(row.properties.get(names.DEAL_KEY)),
            vendor_opportunity_id=_blank(row.properties.get(names.VENDOR_DEAL_LINK)),
            vendor_synced_at=_instant(row.properties.get(names.VENDOR_SYNCED)),
            created_by_us=_is_created_by(row, seen.app_id),
            merged_ids=tuple(sorted(merged_ids(row) - {row.id})),
            overwritten_move=_overwritten_move(row, pipeline, seen.app_id),
            readings=readings,
        )
    )


def associations_observed(
    deal_id: str,
    contacts: Sequence[AssociationTarget],
    companies: Sequence[AssociationTarget],
    seen: Seen,
    at: datetime,
) -> facts.AssociationsObserved:
    """Make the fact of a deal's whole sets of contacts and companies."""
    labelled = {
        target.to_object_id: any(
            way.category != names.HUBSPOT_DEFINED for way in target.association_types
        )
        for target in contacts
    }
    primary = [
        target.to_object_id
        for target in companies
        if any(
            way.type_id == names.DEAL_TO_PRIMARY_COMPANY and way.category == names.HUBSPOT_DEFINED
            for way in target.association_types
        )
    ]
    return identified(
        facts.AssociationsObserved(
            id=FactId(""),
            at=at,
            cause=seen.cause,
            read_begun_at=seen.begun_at,
            reason=seen.reason,
            deal_id=deal_id,
            contacts=tuple(
                facts.ContactAssociation(contact_id=contact_id, labelled=labelled[contact_id])
                for contact_id in sorted(labelled, key=lambda text: (len(text), text))
            ),
            company_id=min(primary, key=lambda text: (len(text), text), default=None),
        ),
        timeless=True,
    )


def contact_observed(row: RecordRow, seen: Seen) -> facts.HubSpotContactObserved:
    """Make the fact of a contact."""
    shown = (names.LIFECYCLE, *names.ROLLUP)
    return identified(
        facts.HubSpotContactObserved(
            id=FactId(""),
            at=_instant(row.properties.get(names.MODIFIED[Kind.CONTACT])) or row.updated_at,
            cause=seen.cause,
            read_begun_at=seen.begun_at,
            reason=seen.reason,
            contact_id=row.id,
            email=_blank(row.properties.get("email")),
            salesforce_contact_id=_blank(row.properties.get(names.VENDOR_CONTACT_LINK)),
            lifecycle_stage=_blank(row.properties.get(names.LIFECYCLE)),
            readings=readings_of(row, shown, seen.app_id),
        )
    )


def company_observed(row: RecordRow, seen: Seen) -> facts.CompanyObserved:
    """Make the fact of a company."""
    domain = _blank(row.properties.get("domain"))
    return identified(
        facts.CompanyObserved(
            id=FactId(""),
            at=_instant(row.properties.get(names.MODIFIED[Kind.COMPANY])) or row.updated_at,
            cause=seen.cause,
            read_begun_at=seen.begun_at,
            reason=seen.reason,
            company_id=row.id,
            name=_blank(row.properties.get("name")),
            domain=None if domain is None else domain.strip().lower().removeprefix("www."),
            salesforce_account_id=_blank(row.properties.get(names.VENDOR_COMPANY_LINK))
            or _blank(row.properties.get(names.COMPANY_KEY)),
        )
    )


def record_deleted(asked: Ref, at: datetime, seen: Seen) -> facts.RecordDeleted:
    """Make the fact that a record is archived or gone.

    Args:
        asked: which record.
        at: when it was archived; when somebody told us, if it is gone.
        seen: how we know.
    """
    return identified(
        facts.RecordDeleted(
            id=FactId(""),
            at=at,
            cause=seen.cause,
            read_begun_at=seen.begun_at,
            reason=seen.reason,
            crm=asked.crm,
            kind=asked.kind,
            record_id=asked.id,
        )
    )


def record_merged(
    asked: Ref, survivor: RecordRow, primary_id: Value, at: datetime, seen: Seen
) -> facts.RecordMerged:
    """Make the fact that a record is answered with another one."""
    return identified(
        facts.RecordMerged(
            id=FactId(""),
            at=at,
            cause=seen.cause,
            read_begun_at=seen.begun_at,
            reason=seen.reason,
            crm=asked.crm,
            kind=asked.kind,
            record_id=asked.id,
            winner_id=survivor.id,
            primary_id=primary_id,
            link=_blank(survivor.properties.get(names.DEAL_KEY)),
            merged_ids=tuple(sorted(merged_ids(survivor) - {survivor.id})),
        ),
        timeless=True,
    )


def merged_ids(row: RecordRow) -> frozenset[str]:
    """Return the ids of the records that were merged into this one, as far as it tells."""
    text = row.properties.get(names.MERGED_IDS) or ""
    return frozenset(part.strip() for part in text.replace(",", ";").split(";") if part.strip())


def readings_of(row: RecordRow, shown: Collection[str], app_id: str) -> tuple[Reading, ...]:
    """Return the readings of a record; a property that the account does not have has none."""
    return tuple(
        reading(row, name, app_id) for name in sorted(set(shown)) if name in row.properties
    )


def reading(row: RecordRow, name: str, app_id: str) -> Reading:
    """Return one property with the time and the author of its value, where the row tells."""
    value = _blank(row.properties.get(name))
    history = row.properties_with_history.get(name, ())
    last = _last(history)
    if last is None:
        return Reading(name=name, value=value)
    ours = None if is_ours(last, app_id) else _last([r for r in history if is_ours(r, app_id)])
    return Reading(
        name=name,
        value=value,
        at=last.timestamp,
        by=_author(last),
        ours=is_ours(last, app_id),
        automatic=last.source_type in _AUTOMATIC,
        followed_ours=ours is not None,
        our_value=_blank(ours.value) if ours is not None else None,
        overwritten=_overwritten(history, app_id) if is_ours(last, app_id) else None,
    )


def _overwritten(history: Sequence[HistoryRow], app_id: str) -> facts.Overwritten | None:
    """Return what a person or another program had put before our newest value."""
    last = _last([one for one in history if not is_ours(one, app_id)])
    if last is None or last.source_type in _AUTOMATIC:
        return None
    return facts.Overwritten(value=_blank(last.value), at=last.timestamp, by=_author(last))


def _overwritten_move(row: RecordRow, pipeline: Reading, app_id: str) -> facts.PipelineMove | None:
    """Return where somebody else had put the deal before our own value, if ours is the latest."""
    history = row.properties_with_history.get(names.PIPELINE, ())
    if not pipeline.ours:
        return None
    last = _last([one for one in history if not is_ours(one, app_id)])
    if last is None or not last.value:
        return None
    stages = row.properties_with_history.get(names.STAGE, ())
    stage = _last(
        [one for one in stages if not is_ours(one, app_id) and one.timestamp <= last.timestamp]
    )
    return facts.PipelineMove(
        at=last.timestamp,
        pipeline_id=last.value,
        stage_id=stage.value or None if stage is not None else None,
    )


def _last(history: Sequence[HistoryRow]) -> HistoryRow | None:
    """Return the newest value; of two at one time the one that stands first."""
    return max(history, key=lambda row: row.timestamp, default=None)


def _author(row: HistoryRow) -> str:
    return f"{row.source_type} {row.source_id or ''}".strip()


def is_ours(row: HistoryRow, app_id: str) -> bool:
    """Tell whether a value was set by our app."""
    return row.source_type == _INTEGRATION and row.source_id == app_id


def _is_created_by(row: RecordRow, app_id: str) -> bool:
    """Tell whether an app created the record: by its source, else by its first createdate."""
    source = row.properties.get(names.SOURCE)
    if source:
        return source == _INTEGRATION and row.properties.get(names.SOURCE_ID) == app_id
    history = row.properties_with_history.get(names.CREATED, ())
    first = min(history, key=lambda one: one.timestamp, default=None)
    return first is not None and is_ours(first, app_id)


def _last_author(readings: Sequence[Reading]) -> str:
    timed = [(one.at, one.by) for one in readings if one.at is not None and one.by]
    return max(timed)[1] if timed else ""


def _blank(text: Value) -> Value:
    return None if text is None or not text.strip() else text


def _instant(text: Value) -> datetime | None:
    if text is None or not text.strip():
        return None
    try:
        return parse_instant(text)
    except NotCanonicalError:
        return None


def _word(reason: str) -> str:
    return reason.partition(":")[0]


def identified(fact: _Observation, *, timeless: bool = False) -> _Observation:
    """Give a fact the id that follows from what it says.

    Args:
        fact: without one.
        timeless: whether its state may come back without any stamp that tells it from the first
            time; then every reading is a fact of its own, as it is where somebody asked for it.
    """
    parts = [fact.TOPIC, fact.model_dump_json(exclude={"id", "cause", "read_begun_at"})]
    if timeless or _word(fact.reason) not in _REPEATED_REASONS:
        parts.append(fact.read_begun_at.isoformat())
    return fact.model_copy(update={"id": FactId(derived(*parts))})
