"""Read-only values that HubSpot works out from other records, here when they are read.

A contact's or company's deal roll-ups follow HubSpot's own definitions: amount and close date are
those of the deal last *won*, revenue is the sum over won deals. They have no history.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from adapters.sandbox.hubspot import associations, pipelines
from adapters.sandbox.hubspot.kinds import COMPANIES, CONTACTS, DEALS, Kind
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import Record

_Computed = Callable[[Portal, Kind, Record], str]


def value_of(portal: Portal, kind: Kind, record: Record, name: str) -> str | None:
    """Return a property's value, None if it is blank or no property."""
    value = record["values"].get(name)
    if value is not None:
        return value
    compute = _COMPUTED.get((kind.name, name))
    return None if compute is None else compute(portal, kind, record) or None


def computed_names(kind: Kind) -> tuple[str, ...]:
    """Return the properties of a kind that are worked out here."""
    return tuple(name for kind_name, name in _COMPUTED if kind_name == kind.name)


def _is_closed(portal: Portal, _kind: Kind, deal: Record) -> str:
    closed = pipelines.is_closed(portal, deal["values"].get("dealstage", ""))
    return "true" if closed else "false"


def _is_won(portal: Portal, _kind: Kind, deal: Record) -> str:
    return "true" if pipelines.is_won(portal, deal["values"].get("dealstage", "")) else "false"


def _probability(portal: Portal, _kind: Kind, deal: Record) -> str:
    return pipelines.probability(portal, deal["values"].get("dealstage", ""))


def _contact_count(portal: Portal, kind: Kind, record: Record) -> str:
    return str(len(associations.linked_live(portal, kind, record["id"], CONTACTS)))


def _primary_company(portal: Portal, kind: Kind, record: Record) -> str:
    return associations.primary_company(portal, kind, record["id"]) or ""


def _deals(portal: Portal, kind: Kind, record: Record) -> list[Record]:
    found = (
        portal.stored(DEALS, deal_id)
        for deal_id in associations.linked(portal, kind, record["id"], DEALS)
    )
    return [deal for deal in found if deal is not None and deal["archivedMs"] is None]


def _won(portal: Portal, kind: Kind, record: Record) -> list[Record]:
    return [
        deal
        for deal in _deals(portal, kind, record)
        if pipelines.is_won(portal, deal["values"].get("dealstage", ""))
    ]


def _last_won(portal: Portal, kind: Kind, record: Record) -> dict[str, str]:
    won = _won(portal, kind, record)
    if not won:
        return {}
    last = max(won, key=lambda deal: (deal["values"].get("closedate", ""), int(deal["id"])))
    return last["values"]


def _deal_count(portal: Portal, kind: Kind, record: Record) -> str:
    return str(len(_deals(portal, kind, record)))


def _first_created(portal: Portal, kind: Kind, record: Record) -> str:
    created = (deal["values"]["createdate"] for deal in _deals(portal, kind, record))
    return min(created, default="")


def _recent_close_date(portal: Portal, kind: Kind, record: Record) -> str:
    return _last_won(portal, kind, record).get("closedate", "")


def _recent_amount(portal: Portal, kind: Kind, record: Record) -> str:
    return _last_won(portal, kind, record).get("amount", "")


def _revenue(portal: Portal, kind: Kind, record: Record) -> str:
    won = _won(portal, kind, record)
    return str(sum((_amount(deal) for deal in won), Decimal(0))) if won else ""


def _amount(deal: Record) -> Decimal:
    try:
        return Decimal(deal["values"].get("amount", "0"))
    except InvalidOperation:
        return Decimal(0)


def _name_or_email(_portal: Portal, _kind: Kind, contact: Record) -> str:
    values = contact["values"]
    name = " ".join(values[part] for part in ("firstname", "lastname") if part in values)
    return name or values.get("email", "")


_DEAL_ROLLUPS: dict[str, _Computed] = {
    "num_associated_deals": _deal_count,
    "first_deal_created_date": _first_created,
    "recent_deal_close_date": _recent_close_date,
    "recent_deal_amount": _recent_amount,
    "total_revenue": _revenue,
}
_COMPUTED: dict[tuple[str, str], _Computed] = {
    (DEALS.name, "hs_is_closed"): _is_closed,
    (DEALS.name, "hs_is_closed_won"): _is_won,
    (DEALS.name, "hs_deal_stage_probability"): _probability,
    (DEALS.name, "num_associated_contacts"): _contact_count,
    (DEALS.name, "hs_primary_associated_company"): _primary_company,
    (CONTACTS.name, "associatedcompanyid"): _primary_company,
    (CONTACTS.name, "hs_full_name_or_email"): _name_or_email,
    (COMPANIES.name, "num_associated_contacts"): _contact_count,
    **{
        (kind.name, name): compute
        for kind in (CONTACTS, COMPANIES)
        for name, compute in _DEAL_ROLLUPS.items()
    },
}
