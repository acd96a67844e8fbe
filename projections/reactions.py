"""What an event means for other aggregates: the fold behind `react` (rule `contact-pending`).

Two tables are folded: who waits for what, and a directory of the values by which contacts, accounts
and companies find each other. Whichever of *waiting* and *known* comes second makes a `Due`; dues
become signals elsewhere (`signals`), and folding again makes none (rule `replay-silent`).

| event | who looks again |
|---|---|
| a contact, account is linked or unlinked | streams that wait for it |
| catalog content, a policy | streams that wait for `catalog`, `policy`; the catalog for a policy |
| a stream waits for what is known already | that stream, at once |
| a stream waits for an account that has no company | the account, so that it imports itself |
| a contact's e-mail or carried id, its life or link | HubSpot contacts that share the value |
| an account is imported; a company's id, domain, name, life | imported accounts that share it |
| a record should be read | nobody: a wish to read it |
| a done write was seen again | nobody: its delivery is marked |
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from domain import events, ids
from domain.canonical import NotCanonicalError, Value, parse_instant
from domain.ids import CATALOG_STREAM, Crm, Kind, Ref, StreamId
from domain.ports import Identity
from projections.following import Followed

EMAIL: Final = "email"
CARRIED_ID: Final = "carried_id"
DOMAIN: Final = "domain"
NAME: Final = "name"

CATALOG_KEY: Final = "catalog"
POLICY_KEY: Final = "policy"
_ACCOUNT: Final = "account:"
_TIME: Final = "time:"

#: what a record is found by: pairs of what and value
Values: TypeAlias = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Cause:
    """The event that makes something due."""

    event_id: int
    #: when it happened, by the clock of where it happened
    at: datetime
    epoch: int


class DueKind(StrEnum):
    """What is to be told, and to whom."""

    #: the stream `target` looks again, because of the key `because`
    RECONSIDER = "reconsider"
    #: the account `target` (a record) may import itself
    ACCOUNT = "account"
    #: the contact or account `target` (a record) has other candidates; because: added, removed
    CANDIDATES = "candidates"
    #: the account of the stream `target` was imported: it hears of its candidates, even of none
    IMPORTED = "imported"
    #: the HubSpot contact `target` (a record) has other values
    ROLLUP = "rollup"
    #: the record `target` should be read
    REFRESH = "refresh"
    #: the done write `target` was seen again: confirmed or rewritten, as `because` says
    ECHO = "echo"


@dataclass(frozen=True, slots=True)
class Due:
    """Something to tell; kind, target and because name it, so it is told once for many causes."""

    kind: DueKind
    #: a stream, or a record's `Ref.text`
    target: str
    because: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Match:
    """All records of that kind which have that value are due for candidates."""

    crm: Crm
    kind: Kind
    what: str
    value: str
    because: str
    cause: Cause


ADDED: Final = "added"
REMOVED: Final = "removed"


@dataclass(slots=True)
class Gathered:
    """What a batch of events says; of several about one thing the last counts."""

    #: what streams wait for, whole
    waits: dict[StreamId, tuple[frozenset[str], Cause]] = field(default_factory=dict)
    #: records with all values they are found by
    entries: dict[Ref, tuple[Values, Cause]] = field(default_factory=dict)
    #: records that died (or were unlinked): removed; that are back: added
    moved: dict[Ref, tuple[str, Cause]] = field(default_factory=dict)
    #: keys that came
    fired: dict[str, Cause] = field(default_factory=dict)
    #: accounts that are known from now on
    accounts: dict[str, Cause] = field(default_factory=dict)
    #: streams of imported accounts
    imported: dict[StreamId, Cause] = field(default_factory=dict)
    #: accounts may import themselves from now on
    imports_open: Cause | None = None
    dues: list[Due] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Spread:
    """Who is concerned by changed directory entries."""

    dues: tuple[Due, ...]
    matches: tuple[Match, ...]


#: event types that `gather` looks into
TOPICS: Final = frozenset(
    kind.TOPIC
    for kind in (
        events.WaitingChanged,
        events.PairAbsorbed,
        events.RefreshWanted,
        events.EchoSeen,
        events.RecordFounded,
        events.RecordBuried,
        events.RecordRevived,
        events.HubSpotContactNoted,
        events.SalesforceContactNoted,
        events.ContactLinked,
        events.ContactUnlinked,
        events.AccountNoted,
        events.CompanyNoted,
        events.AccountImported,
        events.AccountLinked,
        events.AccountUnlinked,
        events.SalesforceCatalogNoted,
        events.HubSpotCatalogNoted,
        events.PipelineLinked,
        events.StageLinked,
        events.AccountImportCompleted,
        events.PolicyAdopted,
    )
)
_DIRECTORY_KINDS: Final = frozenset({Kind.CONTACT, Kind.ACCOUNT, Kind.COMPANY})


def gather(followed: Iterable[Followed]) -> Gathered:
    """Return what a batch of events says, oldest first."""
    gathered = Gathered()
    for one in followed:
        if one.event is not None:
            cause = Cause(one.id, one.event.at, one.event.epoch)
            _gather(gathered, one.stream, one.event, cause)
    return gathered


def spread(gathered: Gathered, known: Mapping[Ref, Values]) -> Spread:
    """Return who is concerned by what the directory learns.

    Args:
        gathered: a batch.
        known: the directory's values, before the batch, of all records in `entries` and `moved`.
    """
    dues: list[Due] = list(gathered.dues)
    matches: list[Match] = []
    for ref, (values, cause) in gathered.entries.items():
        before = known.get(ref, frozenset())
        touched = before ^ values
        because = REMOVED if before - values else ADDED
        if touched:
            _concern(dues, matches, ref, touched, because, cause)
        if not before and ref.kind is Kind.CONTACT and ref.crm is Crm.SALESFORCE:
            matches.append(_carriers(ref, ADDED, cause))
    for ref, (because, cause) in gathered.moved.items():
        entry = gathered.entries.get(ref)
        values = entry[0] if entry is not None else known.get(ref, frozenset())
        _concern(dues, matches, ref, values, because, cause)
        if ref.kind is Kind.CONTACT and ref.crm is Crm.SALESFORCE:
            matches.append(_carriers(ref, because, cause))
    for stream, cause in gathered.imported.items():
        dues.append(Due(DueKind.IMPORTED, stream, "", cause))
    return Spread(tuple(dues), tuple(matches))


def awaited(
    stream: StreamId,
    keys: Iterable[str],
    identities: Mapping[Ref, Identity | None],
    woken_to: datetime | None,
    cause: Cause,
) -> tuple[Due, ...]:
    """Return what is due at once because a stream waits for keys that it did not wait for before.

    Args:
        stream: who waits.
        keys: the new ones.
        identities: of all records that the keys name (`key_ref`).
        woken_to: instants up to this have come; None: none has.
        cause: the event that says so.
    """
    dues: list[Due] = []
    for key in sorted(keys):
        instant = key_instant(key)
        if instant is not None and woken_to is not None and instant <= woken_to:
            dues.append(Due(DueKind.RECONSIDER, stream, key, cause))
        ref = key_ref(key)
        if ref is None:
            continue
        identity = identities.get(ref)
        if identity is None:
            dues.append(Due(DueKind.REFRESH, ref.text, key, cause))
        elif identity.alive and identity.linked_to is not None:
            dues.append(Due(DueKind.RECONSIDER, stream, key, cause))
        elif ref.kind is Kind.ACCOUNT and identity.alive:
            dues.append(Due(DueKind.ACCOUNT, ref.text, key, cause))
    return tuple(dues)


def key_ref(key: str) -> Ref | None:
    """Return the record that a key waits for, or None.

    `contact:salesforce:003…`, `contact:hubspot:77`, `account:001…`, `company:77`.
    """
    match key.split(":"):
        case ["contact", Crm.SALESFORCE | Crm.HUBSPOT as crm, record_id]:
            return Ref(Crm(crm), Kind.CONTACT, record_id)
        case ["account", record_id]:
            return Ref(Crm.SALESFORCE, Kind.ACCOUNT, record_id)
        case ["company", record_id]:
            return Ref(Crm.HUBSPOT, Kind.COMPANY, record_id)
        case _:
            return None


def key_instant(key: str) -> datetime | None:
    """Return the instant that a key waits for, or None."""
    if not key.startswith(_TIME):
        return None
    try:
        return parse_instant(key.removeprefix(_TIME))
    except NotCanonicalError:
        return None


def account_key(account_id: str) -> str:
    """Return the key of those who wait for an account to have its company."""
    return _ACCOUNT + account_id


def ref_of(text: str) -> Ref:
    """Read a `Ref.text` back."""
    crm, kind, record_id = text.split(":", 2)
    return Ref(Crm(crm), Kind(kind), record_id)


def _gather(gathered: Gathered, stream: StreamId, event: events.Event, cause: Cause) -> None:
    match event:
        case events.WaitingChanged():
            gathered.waits[stream] = (frozenset(event.keys), cause)
        case events.PairAbsorbed():
            gathered.waits[stream] = (frozenset(), cause)
        case events.RefreshWanted():
            ref = Ref(event.crm, event.kind, event.record_id)
            gathered.dues.append(Due(DueKind.REFRESH, ref.text, event.because, cause))
        case events.EchoSeen():
            gathered.dues.append(Due(DueKind.ECHO, event.write_id, event.how, cause))
        case events.RecordFounded() | events.RecordRevived():
            ref = Ref(event.crm, event.kind, event.record_id)
            if ref.kind is Kind.ACCOUNT:
                gathered.accounts[ref.id] = cause
            if isinstance(event, events.RecordRevived) and ref.kind in _DIRECTORY_KINDS:
                gathered.moved[ref] = (ADDED, cause)
        case events.RecordBuried():
            ref = Ref(event.crm, event.kind, event.record_id)
            if ref.kind in _DIRECTORY_KINDS:
                gathered.moved[ref] = (REMOVED, cause)
        case events.PolicyAdopted():
            gathered.fired[POLICY_KEY] = cause
            gathered.dues.append(Due(DueKind.RECONSIDER, CATALOG_STREAM, POLICY_KEY, cause))
        case _:
            _gather_people(gathered, event, cause)
            _gather_catalog(gathered, event, cause)


def _gather_people(gathered: Gathered, event: events.Event, cause: Cause) -> None:
    match event:
        case events.HubSpotContactNoted():
            ref = Ref(Crm.HUBSPOT, Kind.CONTACT, event.contact_id)
            carried = _salesforce_id(event.salesforce_contact_id)
            _enter(gathered, ref, cause, (EMAIL, _folded(event.email)), (CARRIED_ID, carried))
        case events.SalesforceContactNoted():
            ref = Ref(Crm.SALESFORCE, Kind.CONTACT, event.contact_id)
            _enter(gathered, ref, cause, (EMAIL, _folded(event.email)))
        case events.AccountNoted():
            ref = Ref(Crm.SALESFORCE, Kind.ACCOUNT, event.account_id)
            named = (NAME, _folded(event.name))
            _enter(gathered, ref, cause, (DOMAIN, _folded(event.domain)), named)
        case events.CompanyNoted():
            ref = Ref(Crm.HUBSPOT, Kind.COMPANY, event.company_id)
            carried = _salesforce_id(event.salesforce_account_id)
            named = (NAME, _folded(event.name))
            _enter(
                gathered,
                ref,
                cause,
                (CARRIED_ID, carried),
                (DOMAIN, _folded(event.domain)),
                named,
            )
        case events.ContactLinked() | events.ContactUnlinked():
            hubspot = Ref(Crm.HUBSPOT, Kind.CONTACT, event.contact_id)
            salesforce = Ref(Crm.SALESFORCE, Kind.CONTACT, event.salesforce_contact_id)
            for ref in (hubspot, salesforce):
                gathered.fired[f"contact:{ref.crm}:{ref.id}"] = cause
                if isinstance(event, events.ContactUnlinked):
                    gathered.moved[ref] = (REMOVED, cause)
        case events.AccountLinked() | events.AccountUnlinked():
            gathered.fired[account_key(event.account_id)] = cause
            gathered.fired[f"company:{event.company_id}"] = cause
        case events.AccountImported():
            gathered.imported[event.stream] = cause
        case _:
            pass


def _gather_catalog(gathered: Gathered, event: events.Event, cause: Cause) -> None:
    match event:
        case (
            events.SalesforceCatalogNoted()
            | events.HubSpotCatalogNoted()
            | events.PipelineLinked()
            | events.StageLinked()
        ):
            gathered.fired[CATALOG_KEY] = cause
        case events.AccountImportCompleted():
            gathered.fired[CATALOG_KEY] = cause
            gathered.imports_open = cause
        case _:
            pass


def _enter(gathered: Gathered, ref: Ref, cause: Cause, *found_by: tuple[str, Value]) -> None:
    values = frozenset((what, value) for what, value in found_by if value is not None)
    gathered.entries[ref] = (values, cause)


def _concern(
    dues: list[Due],
    matches: list[Match],
    ref: Ref,
    values: Values,
    because: str,
    cause: Cause,
) -> None:
    """Add who is concerned by values that a record got, lost, or has while it came or went."""
    match ref.kind:
        case Kind.CONTACT:
            if ref.crm is Crm.HUBSPOT:
                dues.append(Due(DueKind.CANDIDATES, ref.text, because, cause))
            for what, value in sorted(values):
                matches.append(Match(Crm.HUBSPOT, Kind.CONTACT, what, value, because, cause))
        case Kind.ACCOUNT:
            dues.append(Due(DueKind.CANDIDATES, ref.text, because, cause))
        case Kind.COMPANY:
            for what, value in sorted(values):
                if what == CARRIED_ID:
                    account = Ref(Crm.SALESFORCE, Kind.ACCOUNT, value)
                    dues.append(Due(DueKind.CANDIDATES, account.text, because, cause))
                else:
                    matches.append(Match(Crm.SALESFORCE, Kind.ACCOUNT, what, value, because, cause))
        case _:
            pass


def _carriers(ref: Ref, because: str, cause: Cause) -> Match:
    """Return the HubSpot contacts that carry a Salesforce contact's id."""
    return Match(Crm.HUBSPOT, Kind.CONTACT, CARRIED_ID, ref.id, because, cause)


def _folded(value: Value) -> Value:
    """Return a value as it compares: trimmed, in any case; blank: None."""
    return (value.strip().casefold() or None) if value is not None else None


def _salesforce_id(value: Value) -> Value:
    """Return the 18-character form of an id that a record carries; None: it carries none."""
    text = value.strip() if value is not None else ""
    return ids.salesforce_id(text) if ids.is_salesforce_id(text) else None
