"""Everything about the account that rules read, as one fact: pipelines, owners, properties, scopes.

About nine calls. Whether it is worth a fact (whether it changed) is the source's question.
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from adapters.hubspot import names
from adapters.hubspot.account import Account
from adapters.hubspot.reader import Reader
from adapters.hubspot.translate import Seen, identified
from adapters.hubspot.wire import (
    AccountDetails,
    OwnerPage,
    OwnerRow,
    PipelineList,
    PipelineRow,
    PropertyList,
    PropertyRow,
)
from domain import facts
from domain.errors import RetryableError
from domain.ids import FactId, Kind, derived

OWNERS_PAGE_SIZE: Final = 500
#: an account with more owners than this is no account
OWNER_PAGES_MAX: Final = 200
#: lists of properties read lately: large, read again with every catalog, and hardly ever another
_REMEMBERED: Final = 16

_Model = TypeVar("_Model", AccountDetails, OwnerPage, PipelineList, PropertyList)


def read_catalog(
    reader: Reader, account: Account, reason: str, cause: str | None, at: datetime
) -> facts.HubSpotCatalogObserved:
    """Read the whole catalog.

    Raises:
        PortError: HubSpot did not answer all of it.
    """
    owner = account.token_owner(at)
    details = _parsed(AccountDetails, reader.raw("GET", "/account-info/v3/details", at))
    pipelines = _parsed(PipelineList, reader.raw("GET", "/crm/v3/pipelines/deals", at)).results
    properties = {
        kind: _properties(kind, reader.raw("GET", f"/crm/v3/properties/{names.PLURAL[kind]}", at))
        for kind in names.KINDS
    }
    seen = Seen(app_id=owner.app_id, reason=reason, begun_at=at, cause=cause)
    return identified(
        facts.HubSpotCatalogObserved(
            id=FactId(""),
            at=at,
            cause=seen.cause,
            read_begun_at=at,
            reason=reason,
            portal_id=details.portal_id,
            time_zone=details.time_zone,
            pipelines=tuple(_pipeline(row) for row in _ordered(pipelines)),
            owners=_owners(reader, at),
            properties=tuple(one for found in properties.values() for one in found.fields),
            lifecycle_stages=properties[Kind.CONTACT].lifecycle_stages,
            scopes=tuple(sorted(owner.scopes)),
        ),
        timeless=True,
    )


def fingerprint(catalog: facts.HubSpotCatalogObserved) -> str:
    """Return a text that is equal for catalogs that say the same."""
    left_out = {"id", "at", "by", "cause", "read_begun_at", "reason"}
    return derived("hubspot.catalog", catalog.model_dump_json(exclude=left_out))


def zone_of(catalog: facts.HubSpotCatalogObserved) -> tzinfo | None:
    """Return the account's zone, None where this machine does not know it."""
    try:
        return ZoneInfo(catalog.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _owners(reader: Reader, at: datetime) -> tuple[facts.PersonSeen, ...]:
    """Read all owners; one that came back from the archive stands in both lists, and is active."""
    found: dict[str, facts.PersonSeen] = {}
    for archived in (True, False):
        after: str | None = None
        for _ in range(OWNER_PAGES_MAX):
            path = f"/crm/v3/owners?limit={OWNERS_PAGE_SIZE}&archived={str(archived).lower()}"
            if after is not None:
                path = f"{path}&after={after}"
            page = _parsed(OwnerPage, reader.raw("GET", path, at))
            found |= {row.id: _owner(row, is_active=not archived) for row in page.results}
            if page.paging is None or page.paging.next is None:
                break
            after = page.paging.next.after
    return tuple(found[owner_id] for owner_id in sorted(found))


def _owner(row: OwnerRow, *, is_active: bool) -> facts.PersonSeen:
    name = " ".join(part for part in (row.first_name, row.last_name) if part)
    return facts.PersonSeen(id=row.id, email=row.email or "", name=name, is_active=is_active)


def _ordered(pipelines: list[PipelineRow]) -> list[PipelineRow]:
    live = [row for row in pipelines if not row.archived]
    return sorted(live, key=lambda row: (row.display_order, row.id))


def _pipeline(row: PipelineRow) -> facts.PipelineSeen:
    stages = sorted(
        (stage for stage in row.stages if not stage.archived),
        key=lambda stage: (stage.display_order, stage.id),
    )
    return facts.PipelineSeen(
        id=row.id,
        label=row.label,
        stages=tuple(
            facts.StageSeen(
                id=stage.id,
                label=stage.label,
                order=stage.display_order,
                is_closed=stage.metadata.is_closed.lower() == "true",
                probability=stage.metadata.probability,
            )
            for stage in stages
        ),
    )


@dataclass(frozen=True, slots=True)
class _Properties:
    """What rules read of the properties of one kind of record."""

    fields: tuple[facts.FieldSeen, ...]
    lifecycle_stages: tuple[str, ...]


@lru_cache(_REMEMBERED)
def _properties(kind: Kind, body: bytes) -> _Properties:
    rows = _parsed(PropertyList, body).results
    fields = tuple(
        _property(names.SINGULAR[kind], row)
        for row in sorted(rows, key=lambda one: one.name)
        if not row.archived
    )
    return _Properties(fields, _lifecycle(rows))


def _property(kind: str, row: PropertyRow) -> facts.FieldSeen:
    is_restricted = row.type == "enumeration" and not row.external_options
    return facts.FieldSeen(
        object=kind,
        name=row.name,
        type=row.type,
        is_writable=not (row.calculated or row.modification_metadata.read_only_value),
        values=tuple(option.value for option in row.options) if is_restricted else (),
    )


def _lifecycle(properties: list[PropertyRow]) -> tuple[str, ...]:
    for row in properties:
        if row.name == names.LIFECYCLE:
            options = sorted(row.options, key=lambda one: one.display_order)
            return tuple(option.value for option in options)
    return ()


def _parsed(model: type[_Model], body: bytes) -> _Model:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise RetryableError(
            f"expected a {model.__name__} of HubSpot, found a body that is none:"
            f" {error.errors(include_input=False, include_url=False)[:1]}",
            code="UNREADABLE",
        ) from error
