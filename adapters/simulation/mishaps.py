"""What befell a world, by the numbers of the fault catalogue: at which boundary, how often.

Faults of our own making are counted where they strike; what people and operators did to the engine
is read from the chronicle, which believes nobody.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.sandbox.hubspot.rows import as_record
from adapters.simulation.chronicle import Chronicle
from adapters.simulation.evidence import changed_names
from adapters.simulation.sight import Sight

#: fault → (its number, what it is)
CATALOGUE: Final[Mapping[str, tuple[str, str]]] = {
    "webhook twice": ("F1", "a delivery came twice"),
    "webhooks reordered": ("F2", "deliveries came in another order"),
    "webhook late": ("F3", "a delivery came late"),
    "days asleep": ("F3", "three days or more passed"),
    "webhook dropped": ("F4", "a delivery never came"),
    "webhook replayed": ("F5", "an old delivery came again, its signature still good"),
    "old webhook replayed": ("F5", "an old delivery came again, too late to be believed"),
    "crash": ("F6", "an actor died"),
    "throttle": ("F7", "a CRM refused a call for a while"),
    "throttle_retry_after": ("F7", "a CRM refused a call and said for how long"),
    "unavailable": ("F8", "a CRM answered 503"),
    "reset_before": ("F8", "the connection broke before the effect"),
    "timeout_after_commit": ("F9", "the effect was there, its answer was not"),
    "partial": ("F10", "some rows of a batch failed"),
    "deletions unseen": ("F11", "a deletion came in a world that lost webhooks or days"),
    "skewed clock": ("F12", "a CRM's clock went wrong by up to ten minutes"),
    "edits at once": ("F13", "two people edited one field of one pair at once"),
    "edit inside a step": ("F13", "somebody worked while an actor was in the middle of a step"),
    "deleted": ("F14", "somebody deleted a record"),
    "brought back": ("F14", "somebody brought a record back"),
    "merged": ("F14", "somebody merged two deals"),
    "moved out": ("F15", "somebody moved a deal out of the synced pipelines"),
    "moved in": ("F15", "somebody moved a deal into a synced pipeline"),
    "record type changed": ("F15", "somebody changed an opportunity's record type"),
    "field refused": ("F16", "a validation rule refused one field to the engine"),
    "unauthenticated": ("F17", "a CRM did not know us any more"),
    "sessions ended": ("F17", "a CRM ended our sessions"),
    "search lags": ("F18", "HubSpot's search showed what was"),
    "interrupt": ("F19", "others made whole steps in the middle of one's"),
    "sleep": ("F19", "an actor slept past its lease while others worked"),
    "store failed": ("F20", "our own store did not answer"),
    "log failed": ("F21", "our own log took nothing, or some, or all, and did not say so"),
    "poison": ("F22", "a fact could not be decided until it was mended"),
    "side by side": ("F23", "the same work was done by the old and the new one of two"),
    "policy changed": ("F24", "the policy was changed"),
}


def of_people(chronicle: Chronicle, sight: Sight, *, lossy: bool) -> Counter[tuple[str, str]]:
    """Return what people did to records: (fault, CRM) → how often.

    Args:
        chronicle: what happened.
        sight: tells which pipelines are synced.
        lossy: whether deliveries were lost, or days passed.
    """
    found: Counter[tuple[str, str]] = Counter()
    for change in chronicle.changes:
        if change.is_ours or change.after is None:
            continue
        if change.table == "merged":
            found["merged", "hubspot"] += 1
        elif change.before is None:
            continue
        elif change.table == "Opportunity":
            was, is_now = bool(change.before["IsDeleted"]), bool(change.after["IsDeleted"])
            found["deleted", "salesforce"] += is_now and not was
            found["deletions unseen", "salesforce"] += lossy and is_now and not was
            found["brought back", "salesforce"] += was and not is_now
            found["record type changed", "salesforce"] += "RecordTypeId" in changed_names(change)
        elif change.table == "deals":
            before, after = as_record(change.before), as_record(change.after)
            was, is_now = before["archivedMs"] is not None, after["archivedMs"] is not None
            found["deleted", "hubspot"] += is_now and not was
            found["deletions unseen", "hubspot"] += lossy and is_now and not was
            found["brought back", "hubspot"] += was and not is_now
            found["moved out", "hubspot"] += sight.is_synced(before) and not sight.is_synced(after)
            found["moved in", "hubspot"] += sight.is_synced(after) and not sight.is_synced(before)
    return +found


@dataclass(frozen=True, slots=True)
class Counted:
    """One fault of the catalogue."""

    what: str
    count: int
    #: boundary → how often, most frequent first
    at: Mapping[str, int]


def by_number(faults: Mapping[tuple[str, str], int]) -> Mapping[str, Counted]:
    """Return each fault of the catalogue, by number and name."""
    report: dict[str, Counted] = {}
    for fault, (number, what) in CATALOGUE.items():
        at = {str(where): n for (name, where), n in faults.items() if name == fault}
        frequent = dict(sorted(at.items(), key=lambda one: (-one[1], one[0])))
        report[f"{number} {fault}"] = Counted(what, sum(at.values()), frequent)
    return report
