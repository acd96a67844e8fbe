"""Salesforce rows become facts: whole records, in the words of `domain.facts`.

Nothing is compared or decided here. A fact is made without an id and gets one in `identified`:
derived from what it says and why it was read, so the same state read twice is recognisable.
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from adapters.salesforce import names
from adapters.salesforce.wire import Row, compose
from domain.canonical import Value
from domain.facts import (
    AccountObserved,
    ContactRole,
    OpportunityObserved,
    Reading,
    RecordDeleted,
    RecordMerged,
    RolesObserved,
    SalesforceContactObserved,
)
from domain.ids import Crm, FactId, Kind, derived

Shown: TypeAlias = (
    OpportunityObserved
    | RolesObserved
    | SalesforceContactObserved
    | AccountObserved
    | RecordDeleted
    | RecordMerged
)

_UNIDENTIFIED: Final = FactId("")
_FINGERPRINT_BYTES: Final = 8
_LAST_AUTHOR: Final = "LastModifiedBy.Name"
_COMMON: Final = ("Id", "SystemModstamp", "LastModifiedById", _LAST_AUTHOR, "IsDeleted")

#: fields that every query of an object reads where the user can see them
READ_FIELDS: Final = {
    names.OPPORTUNITY: (
        "CreatedDate",
        names.RECORD_TYPE_FIELD,
        names.STAGE_FIELD,
        "IsClosed",
        "IsWon",
        "OwnerId",
        "AccountId",
        names.CURRENCY_FIELD,
        names.LINK_FIELD,
    ),
    names.ROLE: ("OpportunityId", "ContactId", "Role", "IsPrimary"),
    names.CONTACT: ("Email", "Name", "AccountId", "MasterRecordId"),
    names.ACCOUNT: ("Name", "Website", "MasterRecordId"),
}
#: what an object is in our words
KINDS: Final = {
    names.OPPORTUNITY: Kind.OPPORTUNITY,
    names.CONTACT: Kind.CONTACT,
    names.ACCOUNT: Kind.ACCOUNT,
}


@dataclass(frozen=True, slots=True)
class Look:
    """One reading: when, why, and as whom."""

    #: our clock before the request
    begun_at: datetime
    #: a reason as `facts` lists them
    reason: str
    #: the user that we are
    user_id: str
    cause: str | None = None


def queried(visible: Collection[str]) -> tuple[str, ...]:
    """Return what a query selects, given the visible fields of `READ_FIELDS` and of policy."""
    return tuple(dict.fromkeys((*_COMMON, *visible)))


def opportunity(row: Row, readings: Collection[str], look: Look) -> OpportunityObserved:
    """Return the fact of an opportunity; `readings` names the fields that policy wants."""
    return OpportunityObserved(
        id=_UNIDENTIFIED,
        at=row.instant("SystemModstamp"),
        by=_author(row),
        cause=look.cause,
        read_begun_at=look.begun_at,
        reason=look.reason,
        opportunity_id=row.id,
        created_at=row.instant("CreatedDate"),
        modified_at=row.instant("SystemModstamp"),
        modified_by_us=row.reference("LastModifiedById") == look.user_id,
        record_type_id=row.reference(names.RECORD_TYPE_FIELD) or names.MASTER_RECORD_TYPE,
        stage_name=row.text(names.STAGE_FIELD),
        is_closed=row.flag("IsClosed"),
        is_won=row.flag("IsWon"),
        owner_id=row.reference("OwnerId"),
        account_id=row.reference("AccountId"),
        currency_code=row.text(names.CURRENCY_FIELD),
        linked_deal_id=_trimmed(row.text(names.LINK_FIELD)),
        readings=tuple(
            Reading(name=name, value=row.text(name)) for name in sorted(readings) if row.has(name)
        ),
    )


def roles(opportunity_id: str, rows: Iterable[Row], look: Look) -> RolesObserved:
    """Return the fact of an opportunity's whole role set."""
    found = sorted(rows, key=lambda row: row.id)
    newest = max(found, key=lambda row: row.instant("SystemModstamp"), default=None)
    return RolesObserved(
        id=_UNIDENTIFIED,
        at=look.begun_at if newest is None else newest.instant("SystemModstamp"),
        by="" if newest is None else _author(newest),
        cause=look.cause,
        read_begun_at=look.begun_at,
        reason=look.reason,
        opportunity_id=opportunity_id,
        roles=tuple(
            ContactRole(
                id=row.id,
                contact_id=row.reference("ContactId") or "",
                role=row.text("Role"),
                is_primary=row.flag("IsPrimary"),
            )
            for row in found
            if row.reference("ContactId") is not None
        ),
    )


def contact(row: Row, look: Look) -> SalesforceContactObserved:
    """Return the fact of a contact."""
    return SalesforceContactObserved(
        id=_UNIDENTIFIED,
        at=row.instant("SystemModstamp"),
        by=_author(row),
        cause=look.cause,
        read_begun_at=look.begun_at,
        reason=look.reason,
        contact_id=row.id,
        email=_trimmed(row.text("Email")),
        name=row.text("Name"),
        account_id=row.reference("AccountId"),
    )


def account(row: Row, look: Look) -> AccountObserved:
    """Return the fact of an account."""
    return AccountObserved(
        id=_UNIDENTIFIED,
        at=row.instant("SystemModstamp"),
        by=_author(row),
        cause=look.cause,
        read_begun_at=look.begun_at,
        reason=look.reason,
        account_id=row.id,
        name=row.text("Name"),
        domain=host_of(row.text("Website")),
    )


def deleted(kind: Kind, record_id: str, at: datetime, look: Look, *, by: str = "") -> RecordDeleted:
    """Return the fact of a deletion that Salesforce reports."""
    return RecordDeleted(
        id=_UNIDENTIFIED,
        at=at,
        by=by,
        cause=look.cause,
        read_begun_at=look.begun_at,
        reason=look.reason,
        crm=Crm.SALESFORCE,
        kind=kind,
        record_id=record_id,
    )


def gone(kind: Kind, row: Row, look: Look) -> RecordDeleted | RecordMerged:
    """Return the fact of a row that is marked as deleted: merged if it names a winner."""
    winner_id = row.reference("MasterRecordId")
    if winner_id is None:
        return deleted(kind, row.id, row.instant("SystemModstamp"), look, by=_author(row))
    return RecordMerged(
        id=_UNIDENTIFIED,
        at=row.instant("SystemModstamp"),
        by=_author(row),
        cause=look.cause,
        read_begun_at=look.begun_at,
        reason=look.reason,
        crm=Crm.SALESFORCE,
        kind=kind,
        record_id=row.id,
        winner_id=winner_id,
        primary_id=winner_id,
    )


def record_id_of(fact: Shown) -> str:
    """Return the id of the record that a fact is about."""
    match fact:
        case OpportunityObserved() | RolesObserved():
            return fact.opportunity_id
        case SalesforceContactObserved():
            return fact.contact_id
        case AccountObserved():
            return fact.account_id
        case RecordDeleted() | RecordMerged():
            return fact.record_id


def fingerprint(fact: Shown) -> str:
    """Return a short text that differs when what the CRM showed differs, whenever it was read."""
    blind = {"id", "cause", "read_begun_at", "reason"}
    if isinstance(fact, RolesObserved) and not fact.roles:
        blind.add("at")  # an empty set has no time of its own
    shown = fact.model_dump_json(exclude=blind)
    return hashlib.blake2b(shown.encode(), digest_size=_FINGERPRINT_BYTES).hexdigest()


def row_fingerprint(row: Row) -> str:
    """Return a short text that differs when any value of the row differs."""
    shown = compose({name: row.values[name] for name in sorted(row.values)})
    return hashlib.blake2b(shown, digest_size=_FINGERPRINT_BYTES).hexdigest()


def role_ids(fact: Shown) -> tuple[tuple[str, str], ...]:
    """Return the role ids of a role set, each with its opportunity's id; else nothing."""
    if not isinstance(fact, RolesObserved):
        return ()
    return tuple((role.id, fact.opportunity_id) for role in fact.roles)


def identified(fact: Shown, occasion: str) -> Shown:
    """Return the fact with its id.

    Args:
        fact: as the functions above make it.
        occasion: what tells this reading from another of the same state: the instant it began
            where somebody asked for it, what was known before where we came by it.
    """
    parts = ("fact", fact.TOPIC, record_id_of(fact), fact.reason, fingerprint(fact), occasion)
    return fact.model_copy(update={"id": FactId(derived(*parts))})


def host_of(website: Value) -> Value:
    """Return the host of a web address: lower case, without `www.`; None: there is none."""
    if website is None or not website.strip():
        return None
    text = website.strip()
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname
    except ValueError:
        return None
    if host is None or "." not in host:
        return None
    return host.lower().removeprefix("www.").rstrip(".") or None


def _author(row: Row) -> str:
    author = row.parent("LastModifiedBy")
    return (author.text("Name") if author is not None else None) or ""


def _trimmed(text: Value) -> Value:
    return text.strip() or None if text is not None else None
