"""Checks of a history at any time; see `invariants` for what each number promises."""

from collections.abc import Iterator, Mapping
from typing import Final

from adapters.sandbox.hubspot.rows import Record, as_record
from adapters.sandbox.tables import Row
from adapters.simulation.chronicle import Change
from adapters.simulation.evidence import (
    Evidence,
    Violation,
    changed_names,
    link_of,
    ours,
    reads,
    words_of,
)
from adapters.simulation.sight import FIELDS
from domain.ids import Crm
from domain.mapping import FieldRule

#: what shows a pair's state on its deal
STATUS: Final = frozenset(
    {"dealsync_link", "dealsync_state", "dealsync_synced_at", "dealsync_issue"}
)
#: what the one put-back of a moved deal writes
PUT_BACK: Final = frozenset({"pipeline", "dealstage"})
#: writes of one field of one record after one edit: to each side, and one more where a CRM rewrote
ECHOES_MAX: Final = 3


def _deletes_no_opportunity(evidence: Evidence) -> Iterator[Violation]:
    for change in ours(evidence, Crm.SALESFORCE, "Opportunity"):
        if change.after is None or change.after["IsDeleted"]:
            yield Violation("I1", f"the engine deleted opportunity {change.key}")


def _leaves_moved_deals_alone(evidence: Evidence) -> Iterator[Violation]:
    """Find writes to a pair by an actor that had read its deal after it was moved out."""
    sight = evidence.sight
    links: dict[str, str] = {}
    moved_at: dict[str, int] = {}
    changes = iter(evidence.chronicle.changes)
    looked = reads(evidence)
    for change in changes:
        if change.table == "deals" and change.after is not None:
            deal = as_record(change.after)
            if change.is_ours and change.before is not None:
                names = changed_names(change)
                out = _seen_out(moved_at.get(change.key), change, looked, change.key)
                is_gone = deal["archivedMs"] is not None
                was_gone = as_record(change.before)["archivedMs"] is not None
                if out and is_gone and not was_gone:
                    yield Violation("I2", f"moved deal {change.key} was deleted")
                elif out and not names <= STATUS | PUT_BACK:
                    yield Violation("I2", f"{sorted(names)} written to moved deal {change.key}")
            if sight.is_synced(deal):
                moved_at.pop(change.key, None)
            else:
                moved_at.setdefault(change.key, change.number)
        elif change.table == "Opportunity" and change.after is not None:
            before, link = links.get(change.key), str(change.after.get("DealSync_Deal_Id__c") or "")
            # A link to another deal is what a resumed pair gets: what was moved is not its own.
            deal_id = link or before
            if change.is_ours and before is not None and change.before is not None and deal_id:
                out = _seen_out(moved_at.get(deal_id), change, looked, deal_id)
                if out:
                    names = changed_names(change)
                    text = f"{sorted(names)} written to opportunity {change.key}, deal moved out"
                    yield Violation("I2", text)
            links[change.key] = link


def _respects_directions(evidence: Evidence) -> Iterator[Violation]:
    sight = evidence.sight
    for change in evidence.chronicle.changes:
        if not change.is_ours or change.after is None:
            continue
        if change.table not in ("Opportunity", "deals"):
            continue
        words = words_of(sight, change.table)
        before = {} if change.before is None else words(change.before)
        after = words(change.after)
        forbidden = {FieldRule.DONT_SYNC}
        if change.table == "Opportunity" and change.before is not None:
            forbidden.add(FieldRule.ALWAYS_SALESFORCE)
        for field in FIELDS:
            if before.get(field) != after[field] and evidence.rules.get(field) in forbidden:
                rule = evidence.rules[field]
                yield Violation("I3", f"{field} of {change.key} was written under {rule}")


def _makes_no_second_counterpart(evidence: Evidence) -> Iterator[Violation]:
    opportunities: dict[str, Row] = {}
    deals: dict[str, Record] = {}
    #: deals that were in the bin once: a newer one may have got their place
    binned: set[str] = set()
    #: survivor of a merge → the opportunities whose deals went into it: only one can keep it
    heirs: dict[str, set[str]] = {}
    for change in evidence.chronicle.changes:
        if change.table == "merged" and change.after is not None:
            merged, survivor = change.key.partition("|")[2], str(change.after.get("to"))
            if merged in binned:
                binned.add(survivor)
            heirs.setdefault(survivor, set()).update(
                key
                for key, row in opportunities.items()
                if row.get("DealSync_Deal_Id__c") == merged
            )
        elif change.table == "Opportunity":
            made = change.is_ours and change.before is None
            if made and change.after is not None:
                key = str(change.after.get("DealSync_Deal_Id__c") or "")
                for other in opportunities.values():
                    if other.get("DealSync_Deal_Id__c") == key and not other["IsDeleted"]:
                        text = f"deal {key} has {other['Id']} and got {change.key}"
                        yield Violation("I4", text)
                deal = deals.get(key)
                link = link_of(deal) if deal is not None else ""
                named = opportunities.get(link)
                if (
                    named is not None
                    and not named["IsDeleted"]
                    and not _has_another(named, deals, key)
                ):
                    yield Violation("I4", f"deal {key} names {link} and got {change.key}")
            _keep(opportunities, change.key, change.after)
        elif change.table == "deals":
            if change.is_ours and change.before is None and change.after is not None:
                link = link_of(as_record(change.after))
                for other_deal in deals.values():
                    if other_deal["id"] in binned or other_deal["archivedMs"] is not None:
                        continue
                    if len(heirs.get(other_deal["id"], ())) > 1:
                        continue
                    if other_deal["id"] in {
                        row.get("DealSync_Deal_Id__c")
                        for row in opportunities.values()
                        if row["Id"] != link
                    }:
                        continue  # the survivor of a merge, which another pair has
                    if link_of(other_deal) == link:
                        text = f"opportunity {link} has {other_deal['id']} and got {change.key}"
                        yield Violation("I4", text)
            if change.after is None:
                deals.pop(change.key, None)
            else:
                deals[change.key] = as_record(change.after)
                if deals[change.key]["archivedMs"] is not None:
                    binned.add(change.key)


def _has_another(opportunity: Row, deals: Mapping[str, Record], deal_id: str) -> bool:
    """Tell whether an opportunity has a living deal besides the one that names it."""
    own = deals.get(str(opportunity.get("DealSync_Deal_Id__c") or "").partition(":")[0])
    return own is not None and own["id"] != deal_id and own["archivedMs"] is None


def _makes_nothing_deleted_again(evidence: Evidence) -> Iterator[Violation]:
    deleted: dict[str, int] = {}
    for change in evidence.chronicle.changes:
        if change.table == "Opportunity" and change.after is not None:
            if change.after["IsDeleted"]:
                deleted.setdefault(change.key, change.number)
            else:
                deleted.pop(change.key, None)
        elif change.table == "deals" and change.is_ours and change.before is None:
            assert change.after is not None, "a row that was not there has come"
            link = link_of(as_record(change.after))
            # Every create is preceded by a look at its opportunity, a query of its actor's.
            since = deleted.get(link)
            if since is not None and any(
                call.actor == change.actor and since < call.number < change.number
                for call in evidence.chronicle.calls
                if call.crm is Crm.SALESFORCE and "/query" in call.path
            ):
                yield Violation("I6", f"deal {change.key} was made for deleted {link}")


def _echoes_nothing(evidence: Evidence) -> Iterator[Violation]:
    """Count our writes of one field of one record since somebody last changed anything there."""
    sight = evidence.sight
    written: dict[tuple[str, str], int] = {}
    for change in evidence.chronicle.changes:
        if change.table not in ("Opportunity", "deals") or change.after is None:
            continue
        if not change.is_ours:
            written.clear()
            continue
        words = words_of(sight, change.table)
        before = {} if change.before is None else words(change.before)
        after = words(change.after)
        for field in FIELDS:
            if before.get(field) != after[field]:
                written[change.key, field] = written.get((change.key, field), 0) + 1
                if written[change.key, field] > ECHOES_MAX:
                    yield Violation("I7", f"{field} of {change.key} is written again and again")


def _seen_out(
    moved_at: int | None,
    change: Change,
    reads: Mapping[tuple[str, str], list[int]],
    deal_id: str,
) -> bool:
    """Tell whether who made a change had read, after the move, that the deal is out."""
    if moved_at is None:
        return False
    return any(moved_at < n < change.number for n in reads.get((change.actor, deal_id), ()))


def _keep(rows: dict[str, Row], key: str, row: Row | None) -> None:
    if row is None:
        rows.pop(key, None)
    else:
        rows[key] = row


CHECKS: Final = (
    _deletes_no_opportunity,
    _leaves_moved_deals_alone,
    _respects_directions,
    _makes_no_second_counterpart,
    _makes_nothing_deleted_again,
    _echoes_nothing,
)
