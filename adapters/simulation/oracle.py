"""What both CRMs should show in the end, told from the chronicle alone.

It knows the field rules as a customer reads them, and nothing of how the engine works: not its
registers, events or clocks. Where people changed both sides of a field and neither had seen the
other's value, either may stand, for only the clocks of the CRMs can tell; both sides must agree.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.sandbox.hubspot.rows import Record, as_record
from adapters.simulation.chronicle import Change, Chronicle
from adapters.simulation.sight import FIELDS, NO_COUNTERPART, Sight
from domain.ids import Crm
from domain.mapping import FieldRule

#: cleared in HubSpot, these go back to what Salesforce has
NEVER_CLEARED: Final = ("name", "close_date", "stage", "owner")
#: what `dealsync_state` says of a pair that syncs
LIVE: Final = "live"


@dataclass(frozen=True, slots=True)
class Edit:
    """A value of one field of one side that somebody put."""

    number: int
    side: Crm
    value: str | None
    is_ours: bool
    #: the engine's actor; blank: a person
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Couple:
    """An opportunity and the deal that name each other, both alive."""

    opportunity_id: str
    deal_id: str
    #: neither was ever deleted, merged or moved out: nothing but its fields changed
    is_simple: bool

    def on(self, side: Crm) -> str:
        """Return the side's record."""
        return self.opportunity_id if side is Crm.SALESFORCE else self.deal_id


@dataclass(frozen=True, slots=True)
class Wrong:
    """A field that shows what it should not."""

    couple: Couple
    field: str
    salesforce: str | None
    hubspot: str | None
    #: what it could show; empty: both sides must agree
    expected: tuple[str | None, ...]
    edits: tuple[Edit, ...]


def couples(chronicle: Chronicle, sight: Sight, handled: Collection[str] = ()) -> Iterator[Couple]:
    """Yield the pairs that should be in step, as the CRMs' own links tell.

    Args:
        chronicle: what happened.
        sight: what the CRMs show.
        handled: opportunities that a person paired, took apart or brought back.
    """
    deals = sight.deals()
    replaced = _replaced(chronicle)
    for opportunity_id, row in sight.opportunities().items():
        deal = deals.get(str(row.get("DealSync_Deal_Id__c") or ""))
        if row["IsDeleted"] or deal is None or deal["archivedMs"] is not None:
            continue
        link = deal["values"].get("dealsync_opportunity_id", "")
        if link.partition(":")[0] != opportunity_id or not sight.is_synced(deal):
            continue
        if opportunity_id in replaced.get(deal["id"], ()):
            continue  # both came back to find others in their place
        couple = Couple(
            opportunity_id,
            deal["id"],
            is_simple=opportunity_id not in handled
            and _is_simple(chronicle, sight, opportunity_id, deal["id"]),
        )
        if couple.is_simple or deal["values"].get("dealsync_state") == LIVE:
            yield couple


def wrong(
    chronicle: Chronicle,
    sight: Sight,
    rules: Mapping[str, FieldRule],
    *,
    but: Collection[str] = (),
    handled: Collection[str] = (),
) -> Iterator[Wrong]:
    """Yield the fields of pairs that are not as they should be.

    Args:
        chronicle: what happened.
        sight: what the CRMs show.
        rules: of each field, as long as the world lasted.
        but: opportunities of which nothing can be said.
        handled: opportunities that a person paired, took apart or brought back.
    """
    for couple in couples(chronicle, sight, handled):
        if couple.opportunity_id in but:
            continue
        on_salesforce = sight.of_opportunity(sight.opportunities()[couple.opportunity_id])
        on_hubspot = sight.of_deal(sight.deals()[couple.deal_id])
        for field in FIELDS:
            if field not in rules or rules[field] is FieldRule.DONT_SYNC:
                continue
            found = tuple(edits(chronicle, sight, couple, field))
            if _is_open(rules[field], found):
                continue
            left, right = on_salesforce[field], on_hubspot[field]
            expected = _expected(field, rules[field], found) if couple.is_simple else None
            if not _is_right(field, left, right, expected):
                yield Wrong(couple, field, left, right, expected or (), found)


def untouched(
    chronicle: Chronicle, sight: Sight, since: datetime, *, no_triggers: Collection[str]
) -> frozenset[str]:
    """Return the opportunities that show, with their deals, what they showed at an instant.

    What a field shows that does not take part in the sync is no trigger.
    """

    def triggers(shown: Mapping[str, str | None]) -> dict[str, str | None]:
        return {field: value for field, value in shown.items() if field not in no_triggers}

    then: dict[str, dict[str, str | None]] = {}
    for change in chronicle.changes:
        if change.at <= since and change.after is not None:
            if change.table == "Opportunity":
                then[change.key] = triggers(sight.of_opportunity(change.after))
            elif change.table == "deals":
                then[change.key] = triggers(sight.of_deal(as_record(change.after)))
    touched: set[str] = set()
    for opportunity_id, row in sight.opportunities().items():
        if then.get(opportunity_id) != triggers(sight.of_opportunity(row)):
            touched.add(opportunity_id)
    for deal_id, deal in sight.deals().items():
        if then.get(deal_id) != triggers(sight.of_deal(deal)):
            touched.add(deal["values"].get("dealsync_opportunity_id", "").partition(":")[0])
    return frozenset(sight.opportunities().keys() - touched)


def _is_open(rule: FieldRule, edits: Sequence[Edit]) -> bool:
    """Tell whether the rule leaves both sides as they are, or may."""
    sides = {edit.side for edit in edits if not edit.is_ours}
    if rule is FieldRule.HOLD:
        return len(sides) > 1  # a person decides
    return rule is FieldRule.ALWAYS_SALESFORCE and Crm.SALESFORCE not in sides


def _is_right(
    field: str, left: str | None, right: str | None, expected: Sequence[str | None] | None
) -> bool:
    if field == "owner" and NO_COUNTERPART in (left, right):
        return True  # an owner whom the other side does not know stays where it is
    if field == "owner" and right is None and left is not None:
        return False
    if left != right:
        return False
    return expected is None or left in expected


def _expected(field: str, rule: FieldRule, edits: Sequence[Edit]) -> tuple[str | None, ...] | None:
    """Return the values that may stand in the end; None: both sides must agree, no more."""
    people = [edit for edit in edits if not edit.is_ours]
    in_salesforce = [edit for edit in people if edit.side is Crm.SALESFORCE]
    in_hubspot = [
        edit
        for edit in people
        if edit.side is Crm.HUBSPOT
        and edit.value != NO_COUNTERPART
        and (edit.value is not None or field not in NEVER_CLEARED)
    ]
    if not in_salesforce and not in_hubspot:
        return None
    in_both = _by_rule(rule, in_salesforce, in_hubspot, edits)
    last = next((edit for edit in reversed(people) if edit.side is Crm.HUBSPOT), None)
    if last is not None and last.value is None and field in NEVER_CLEARED and in_salesforce:
        # What was there for a moment before it was cleared need not have been seen.
        return None if in_both is None else (*in_both, in_salesforce[-1].value)
    return in_both


def _by_rule(
    rule: FieldRule,
    in_salesforce: Sequence[Edit],
    in_hubspot: Sequence[Edit],
    edits: Sequence[Edit],
) -> tuple[str | None, ...] | None:
    if not in_hubspot:
        return (in_salesforce[-1].value,)
    match rule:
        case FieldRule.TWO_WAY:
            return _latest(in_salesforce, in_hubspot, edits)
        case FieldRule.PREFER_SALESFORCE:
            if in_salesforce and in_salesforce[-1].value is not None:
                return (in_salesforce[-1].value,)
            return (None, *(edit.value for edit in in_hubspot))
        case FieldRule.ALWAYS_SALESFORCE:
            return (in_salesforce[-1].value,) if in_salesforce else None
        case _:
            return None


def _latest(
    in_salesforce: Sequence[Edit], in_hubspot: Sequence[Edit], edits: Sequence[Edit]
) -> tuple[str | None, ...]:
    if not in_salesforce:
        return (in_hubspot[-1].value,)
    first, last = sorted((in_salesforce[-1], in_hubspot[-1]), key=lambda edit: edit.number)
    shown: str | None = None
    seen = False
    for edit in edits:
        if edit.side is last.side and edit.number < last.number:
            # What the last author had before the eyes.
            shown = edit.value
            # Else it is equal by chance, and no clock can tell.
            seen = edit.is_ours and edit.number > first.number
    if seen and shown == first.value:
        return (last.value,)
    return (first.value, last.value)


def edits(chronicle: Chronicle, sight: Sight, couple: Couple, field: str) -> Iterator[Edit]:
    """Yield every value that the field had, on either side, in order."""
    for change in chronicle.changes:
        if change.after is None:
            continue
        if change.table == "Opportunity" and change.key == couple.opportunity_id:
            yield from _changed(change, field, sight.of_opportunity)
        elif change.table == "deals" and change.key == couple.deal_id:
            yield from _changed(change, field, lambda row: sight.of_deal(as_record(row)))


def _changed(change: Change, field: str, words: object) -> Iterator[Edit]:
    assert callable(words), "one of the two sides' words"
    assert change.after is not None, "a record that is gone has no values"
    before = None if change.before is None else words(change.before)[field]
    after = words(change.after)[field]
    if before != after:
        yield Edit(change.number, change.crm, after, change.is_ours, change.actor)


def _replaced(chronicle: Chronicle) -> Mapping[str, Collection[str]]:
    """Return, by deal, the opportunities that it had before we made another one for it."""
    had: dict[str, set[str]] = {}
    replaced: dict[str, set[str]] = {}
    for change in chronicle.of(Crm.SALESFORCE, "Opportunity"):
        if change.after is None:
            continue
        deal_id, _, again = str(change.after.get("DealSync_Deal_Id__c") or "").partition(":")
        if again and change.is_ours and change.before is None:
            replaced.setdefault(deal_id, set()).update(had.get(deal_id, ()))
        had.setdefault(deal_id, set()).add(change.key)
    return replaced


def _is_simple(chronicle: Chronicle, sight: Sight, opportunity_id: str, deal_id: str) -> bool:
    for change in chronicle.changes:
        if change.table == "merged" and change.after is not None:
            if deal_id in (change.after.get("to"), change.key.partition("|")[2]):
                return False
        elif change.table == "Opportunity" and change.key == opportunity_id:
            if change.after is None or change.after["IsDeleted"]:
                return False
        elif change.table == "deals" and change.key == deal_id:
            if change.after is None or _is_out(as_record(change.after), sight):
                return False
        elif change.table == "deals" and change.after is not None:
            values = as_record(change.after)["values"]
            if values.get("dealsync_opportunity_id", "").partition(":")[0] == opportunity_id:
                return False
    return True


def _is_out(deal: Record, sight: Sight) -> bool:
    return deal["archivedMs"] is not None or not sight.is_synced(deal)
