"""What the checks of a world look at, and the words they share."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.bootstrap.crms import LOCAL_LIMITS
from adapters.sandbox.hubspot.rows import Record, as_record
from adapters.sandbox.tables import Row
from adapters.simulation.chronicle import Change, Chronicle
from adapters.simulation.sight import Sight
from adapters.simulation.stores import Stores
from domain.deliveries import CallLimits
from domain.ids import Crm
from domain.mapping import FieldRule

#: HubSpot's own stamps and what it works out
_STAMPS: Final = ("hs_", "days_to_close", "num_", "createdate", "closed_")


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must never be, and is."""

    #: I1 … I24, or `bug`
    invariant: str
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the checks may look at."""

    chronicle: Chronicle
    sight: Sight
    stores: Stores
    #: of the fields whose rule never changed
    rules: Mapping[str, FieldRule]
    #: opportunities whose last edit was made while sync was off
    unsettled: Collection[str] = ()
    #: opportunities that a person paired, took apart or brought back
    handled: Collection[str] = ()
    #: fields that Salesforce refused to the engine for a while
    refused: Collection[str] = ()
    #: facts that could not be decided, and never were by the rules
    poisoned: Collection[str] = ()
    #: what the engine may ask of each CRM
    limits: Mapping[Crm, CallLimits] = field(default_factory=lambda: LOCAL_LIMITS)


def ours(evidence: Evidence, crm: Crm, table: str) -> Iterator[Change]:
    """Yield the changes of a table that the engine made."""
    return (change for change in evidence.chronicle.of(crm, table) if change.is_ours)


def changed_names(change: Change) -> frozenset[str]:
    """Return the fields or properties that a change gave another value, stamps left out."""
    assert change.after is not None, "the record is there"
    before, after = change.before or {}, change.after
    if change.table == "deals":
        old = as_record(before)["values"] if before else {}
        new = as_record(after)["values"]
        return frozenset(
            name
            for name in old.keys() | new.keys()
            if old.get(name) != new.get(name) and not name.startswith(_STAMPS)
        )
    return frozenset(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )


def link_of(deal: Record) -> str:
    """Return the opportunity that a deal names."""
    return deal["values"].get("dealsync_opportunity_id", "").partition(":")[0]


def words_of(sight: Sight, table: str) -> Callable[[Row], dict[str, str | None]]:
    """Return what puts a row of a table into common words."""
    if table == "Opportunity":
        return sight.of_opportunity
    return lambda row: sight.of_deal(as_record(row))


def reads(evidence: Evidence) -> Mapping[tuple[str, str], list[int]]:
    """Return when which actor read which record, in order."""
    found: dict[tuple[str, str], list[int]] = {}
    for call in evidence.chronicle.calls:
        if not call.changed:
            for record in call.records:
                found.setdefault((call.actor, record), []).append(call.number)
    return found
