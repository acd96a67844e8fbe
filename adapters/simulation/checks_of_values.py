"""Checks of what the engine wrote over what people wrote; see `invariants` for each number."""

from collections.abc import Iterator, Mapping
from typing import Final

from adapters.simulation import oracle
from adapters.simulation.evidence import Evidence, Violation, reads, words_of
from adapters.simulation.oracle import Couple, Edit
from adapters.simulation.sight import FIELDS, NO_COUNTERPART
from domain.ids import Crm
from domain.mapping import FieldRule
from projections.audit_line import LineKind

#: HubSpot itself puts another close date while it takes ours; that is told by `I14`
_REWRITTEN: Final = ("close_date", "owner")


def _writes_over_nothing_newer(evidence: Evidence) -> Iterator[Violation]:
    """Find values of people that were overwritten by older ones which their authors had seen.

    Whoever wrote had read the record after the newer value was put there: what came between that
    look and the write cannot be told by anybody, and is repaired afterwards.
    """
    readings = reads(evidence)
    was_lost = any(line.kind is LineKind.UNKNOWN for _, line in evidence.stores.audit.lines)
    for couple in oracle.couples(evidence.chronicle, evidence.sight, evidence.handled):
        if not couple.is_simple:
            continue
        for field in FIELDS:
            if field in _REWRITTEN or evidence.rules.get(field) is not FieldRule.TWO_WAY:
                continue
            found = tuple(oracle.edits(evidence.chronicle, evidence.sight, couple, field))
            yield from _overwritten(couple, field, found, readings, was_lost=was_lost)


def _overwritten(
    couple: Couple,
    field: str,
    edits: tuple[Edit, ...],
    readings: Mapping[tuple[str, str], list[int]],
    *,
    was_lost: bool,
) -> Iterator[Violation]:
    standing: dict[Crm, Edit] = {}
    by_people: dict[Crm, Edit] = {}
    #: edits whose author had the other side's latest value before the eyes
    informed: set[int] = set()
    #: what we had put before: (side, over which value, which value)
    put: set[tuple[Crm, str | None, str | None]] = set()
    for edit in edits:
        before, other = standing.get(edit.side), by_people.get(edit.side.other)
        if not edit.is_ours:
            if other is None or (before is not None and _shows(before, other)):
                informed.add(edit.number)
            by_people[edit.side] = edit
        elif before is not None and not before.is_ours and before.number in informed:
            record_id = couple.on(edit.side)
            has_read = any(
                before.number < number < edit.number
                for number in readings.get((edit.actor, record_id), ())
            )
            is_older = other is None or other.number < before.number
            required = before.value is None and field in oracle.NEVER_CLEARED
            kept = before.value in (edit.value, NO_COUNTERPART) or required
            # Its answer was lost, and somebody put back what was there before: see `I14`.
            # HubSpot's history tells, Salesforce's values do not.
            again = was_lost and edit.side is Crm.SALESFORCE
            again = again and (edit.side, before.value, edit.value) in put
            kept = kept or again
            if has_read and is_older and not kept:
                text = f"{field} of {record_id}: {before.value!r} was overwritten by an older value"
                yield Violation("I5", f"{text}, {edit.value!r}")
        if edit.is_ours:
            put.add((edit.side, None if before is None else before.value, edit.value))
        standing[edit.side] = edit


def _shows(standing: Edit, other: Edit) -> bool:
    """Tell whether we put a value to show the other side's; else it is equal to it by chance."""
    return standing.is_ours and standing.value == other.value and standing.number > other.number


def _copies_amounts(evidence: Evidence) -> Iterator[Violation]:
    """Find amounts that the engine wrote and nobody ever put anywhere."""
    known: set[str | None] = {None}
    for change in evidence.chronicle.changes:
        if change.table not in ("Opportunity", "deals") or change.after is None:
            continue
        words = words_of(evidence.sight, change.table)
        before = None if change.before is None else words(change.before)["amount"]
        after = words(change.after)["amount"]
        if change.is_ours and before != after and after not in known:
            yield Violation("I12", f"amount {after} of {change.key} is nobody's")
        known.add(after)


CHECKS: Final = (_writes_over_nothing_newer, _copies_amounts)
