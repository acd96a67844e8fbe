"""Checks of a world in calm; see `invariants` for what each number promises."""

from collections.abc import Iterator
from typing import Final

from adapters.sandbox.hubspot.rows import as_record
from adapters.simulation import oracle
from adapters.simulation.chronicle import Change
from adapters.simulation.evidence import Evidence, Violation, changed_names, reads
from domain import facts
from domain.ids import Crm
from domain.mapping import FieldRule
from projections.audit_line import LineKind
from projections.following import CONTACT_ROLLUP, REACTIONS, SYNC_STATUS

#: of the log
_EVERYTHING: Final = 10**9


def _converges(evidence: Evidence) -> Iterator[Violation]:
    found = oracle.wrong(
        evidence.chronicle,
        evidence.sight,
        evidence.rules,
        but=evidence.unsettled,
        handled=evidence.handled,
    )
    for one in found:
        if one.field in evidence.refused:
            continue  # held until a person asks for it again, or it changes
        if _may_be_lost(evidence, one) or _was_blank_whenever_read(evidence, one):
            continue
        history = ", ".join(
            f"#{e.number} {e.side} {'engine' if e.is_ours else 'person'} {e.value!r}"
            for e in one.edits
        )
        yield Violation(
            "I14",
            f"{one.field} of {one.couple.opportunity_id} / {one.couple.deal_id}: Salesforce"
            f" {one.salesforce!r}, HubSpot {one.hubspot!r}, expected"
            f" {' or '.join(map(repr, one.expected)) or 'equal values'}; {history}",
        )


def _may_be_lost(evidence: Evidence, one: oracle.Wrong) -> bool:
    """Tell whether nobody can know if our value was ever there.

    A write's answer was lost and the opportunity shows what was there before: either it had no
    effect, or somebody put the old value back. (HubSpot's history tells the two apart.)
    """
    decided = {
        line.write_id
        for _, line in evidence.stores.audit.lines
        if line.kind is LineKind.UNKNOWN
        and line.opportunity_id in ("", None, one.couple.opportunity_id)
    }
    if not decided or one.salesforce != one.hubspot:
        return False
    standing: dict[object, str | None] = {}
    for edit in one.edits:
        ours = edit.is_ours and edit.side is Crm.SALESFORCE
        if ours and standing.get(edit.side) in one.expected:
            return True
        standing[edit.side] = edit.value
    return False


def _was_blank_whenever_read(evidence: Evidence, one: oracle.Wrong) -> bool:
    """Tell whether a field that goes to HubSpot only was filled and cleared between two looks.

    Our create left it blank, and it is blank: as long as Salesforce has nothing to say, what
    HubSpot has stays there.
    """
    edits = [edit for edit in one.edits if edit.side is Crm.SALESFORCE]
    if evidence.rules.get(one.field) is not FieldRule.ALWAYS_SALESFORCE or not edits:
        return False
    if edits[-1].value is not None or any(edit.is_ours for edit in edits):
        return False
    return not any(
        edits[0].number < number < edits[-1].number
        for (_, record), numbers in reads(evidence).items()
        if record == one.couple.opportunity_id
        for number in numbers
    )


def _has_seen_everything(evidence: Evidence) -> Iterator[Violation]:
    shown: dict[str, facts.OpportunityObserved | facts.DealObserved] = {}
    gone: set[str] = set()
    logged = evidence.stores.log.read({}, limit=_EVERYTHING)
    for one in logged:
        fact = one.fact
        match fact:
            case facts.OpportunityObserved():
                key = fact.opportunity_id
            case facts.DealObserved():
                key = fact.deal_id
            case facts.RecordDeleted() | facts.RecordMerged():
                gone.add(fact.record_id)
                continue
            case _:
                continue
        before = shown.get(key)
        if before is None or before.read_begun_at <= fact.read_begun_at:
            shown[key] = fact
    for record_id, row in evidence.sight.opportunities().items():
        last = shown.get(record_id)
        if row["IsDeleted"]:
            if last is not None and record_id not in gone:
                yield Violation("I16", f"the deletion of {record_id} was never seen")
            continue
        stage = last.stage_name if isinstance(last, facts.OpportunityObserved) else None
        if last is None or stage != row["StageName"]:
            yield Violation("I16", f"{record_id} was never seen as it is")
    for record_id, deal in evidence.sight.deals().items():
        last = shown.get(record_id)
        if deal["archivedMs"] is not None:
            if last is not None and record_id not in gone:
                yield Violation("I16", f"the deletion of {record_id} was never seen")
            continue
        stage_id = last.stage_id if isinstance(last, facts.DealObserved) else None
        if last is None or stage_id != deal["values"].get("dealstage"):
            yield Violation("I16", f"{record_id} was never seen as it is")


def _projects_what_happened(evidence: Evidence) -> Iterator[Violation]:
    followers = evidence.stores.followers
    live = followers.tables
    if followers.folded_again(SYNC_STATUS).statuses != live.statuses:
        yield Violation("I18", "sync_status is not what its events say")
    rollups = followers.folded_again(CONTACT_ROLLUP)
    if (rollups.deals, rollups.rollups) != (live.deals, live.rollups):
        yield Violation("I18", "contact_rollup is not what its events say")
    reactions = followers.folded_again(REACTIONS)
    if (reactions.waits, reactions.directory) != (live.waits, live.directory):
        yield Violation("I18", "reactions is not what its events say")


def _audits_everything(evidence: Evidence) -> Iterator[Violation]:
    lines = [line for _, line in evidence.stores.audit.lines]
    decided = {line.write_id: line for line in lines if line.kind is LineKind.DECIDED}
    delivered = [
        (line.record_id, decided[line.write_id])
        for line in lines
        if line.kind is LineKind.DELIVERED and line.write_id in decided
    ]
    # A call that a sleeping deliverer made after others had found no effect of it.
    late = {
        (decided[line.write_id].object, decided[line.write_id].operation)
        for line in lines
        if line.kind is LineKind.UNKNOWN and line.write_id in decided
    }
    told = {(record_id, line.object, line.operation) for record_id, line in delivered}
    happened: set[tuple[str, str, str]] = set()
    for change in evidence.chronicle.changes:
        if not change.is_ours or change.table not in ("Opportunity", "deals"):
            continue
        said = _operation(change)
        if said is None:
            continue
        happened.add(said)
        if said not in told and said[1:] not in late:
            key, what, operation = said
            text = f"{operation} of {what} {key} by {change.actor} is in no audit line"
            yield Violation("I19", text)
    # Deleting what somebody had just deleted is answered as done.
    binned = {
        change.key
        for change in evidence.chronicle.of(Crm.HUBSPOT, "deals")
        if change.after is None or as_record(change.after)["archivedMs"] is not None
    }
    # A deal that was merged before its create was answered is found as the survivor, by its key.
    survivors = {
        str(change.after.get("to"))
        for change in evidence.chronicle.of(Crm.HUBSPOT, "merged")
        if change.after is not None
    }
    asked = {record for call in evidence.chronicle.calls if call.actor for record in call.records}
    for record_id, line in delivered:
        if line.object not in ("opportunity", "deal") or record_id is None:
            continue
        claim = (record_id, str(line.object), str(line.operation))
        by_others = line.operation == "archive" and record_id in binned
        by_others = by_others or (line.operation == "create" and record_id in survivors)
        if line.operation in ("create", "archive") and claim not in happened and not by_others:
            yield Violation("I19", f"{claim} is told as delivered and did not happen")
        if record_id not in asked:
            yield Violation("I19", f"{claim} is told as delivered and nobody asked")


def _operation(change: Change) -> tuple[str, str, str] | None:
    what = "opportunity" if change.table == "Opportunity" else "deal"
    if change.before is None:
        return change.key, what, "create"
    if change.table == "deals" and change.after is not None:
        before, after = as_record(change.before), as_record(change.after)
        if before["archivedMs"] is None and after["archivedMs"] is not None:
            return change.key, what, "archive"
        if not changed_names(change):
            return None
    return change.key, what, "update"


CHECKS: Final = (
    _converges,
    _has_seen_everything,
    _projects_what_happened,
    _audits_everything,
)
