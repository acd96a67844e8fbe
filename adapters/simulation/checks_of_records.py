"""Checks of which records must be there in calm (I14); told from the chronicle alone.

Only of records with a simple fate: what people merged, moved out, brought back or handled by
request has more than one right end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from adapters.sandbox.hubspot.rows import Record, as_record
from adapters.simulation import oracle
from adapters.simulation.evidence import Evidence, Violation, link_of
from domain import events
from domain.ids import Crm

#: without these Salesforce takes no opportunity
_REQUIRED: Final = ("dealname", "closedate")


@dataclass(slots=True)
class _Fate:
    """What happened to one record."""

    by_people: bool
    #: it was deleted, brought back, merged or moved out by somebody
    is_simple: bool = True
    #: the engine was the last to delete it
    archived_by_us: bool = False
    #: opportunities: the deal that it named, alive and in scope, when a person deleted it
    deal_when_deleted: str = ""
    #: deals: every opportunity that it ever named
    links: set[str] = field(default_factory=set)


def _has_its_counterparts(evidence: Evidence) -> Iterator[Violation]:
    if not _always_on(evidence):
        return
    opportunities, deals = _fates(evidence)
    living = {
        link_of(deal): key
        for key, deal in evidence.sight.deals().items()
        if deal["archivedMs"] is None
    }
    for key, fate in opportunities.items():
        row = evidence.sight.opportunities().get(key)
        if row is None or key in evidence.handled:
            continue
        # A deal whose own link was never written is known by the opportunity's.
        namesakes = [
            deal
            for deal_id, deal in deals.items()
            if key in deal.links or deal_id == fate.deal_when_deleted
        ]
        if any(not deal.is_simple for deal in namesakes):
            continue
        if row["IsDeleted"]:
            left = evidence.sight.deals().get(fate.deal_when_deleted)
            if left is not None and left["archivedMs"] is None and fate.is_simple:
                yield Violation(
                    "I14", f"opportunity {key} is deleted, its deal {left['id']} is not"
                )
        elif fate.by_people and key not in living:
            yield Violation("I14", f"opportunity {key} lives and has no deal")
    if evidence.refused:
        return
    named = {
        str(change.after.get("DealSync_Deal_Id__c") or "")
        for change in evidence.chronicle.of(Crm.SALESFORCE, "Opportunity")
        if change.after is not None
    }
    for key, fate in deals.items():
        deal = evidence.sight.deals().get(key)
        if (
            deal is None
            or deal["archivedMs"] is not None
            or not (fate.by_people and fate.is_simple)
            or fate.links - {""}
        ):
            continue
        is_whole = all(deal["values"].get(name) for name in _REQUIRED)
        if evidence.sight.is_synced(deal) and is_whole and key not in named:
            yield Violation("I14", f"deal {key} is in scope and never had an opportunity")


def _links_contacts(evidence: Evidence) -> Iterator[Violation]:
    """Find roles that were given once and for all, and did not cross."""
    if not _always_on(evidence):
        return
    fronts = evidence.sight.fronts
    contacts = fronts[Crm.SALESFORCE].box.tables.rows("Contact")
    people = [as_record(row) for row in fronts[Crm.HUBSPOT].box.tables.rows("contacts").values()]
    simple = {
        couple.opportunity_id
        for couple in oracle.couples(evidence.chronicle, evidence.sight, evidence.handled)
        if couple.is_simple
    }
    given = {
        change.key
        for change in evidence.chronicle.of(Crm.SALESFORCE, "OpportunityContactRole")
        if change.before is None and not change.is_ours
    }
    gone = {
        (str(change.after.get("OpportunityId")), str(change.after.get("ContactId")))
        for change in evidence.chronicle.of(Crm.SALESFORCE, "OpportunityContactRole")
        if change.after is not None and change.after["IsDeleted"]
    }
    for role in fronts[Crm.SALESFORCE].box.tables.rows("OpportunityContactRole").values():
        opportunity_id, contact_id = str(role["OpportunityId"]), str(role["ContactId"])
        row = evidence.sight.opportunities().get(opportunity_id)
        contact = contacts.get(contact_id)
        if (
            role["Id"] not in given
            or role["IsDeleted"]
            or row is None
            or row["IsDeleted"]
            or contact is None
        ):
            continue
        deal_id = str(row.get("DealSync_Deal_Id__c") or "")
        email = str(contact.get("Email") or "").lower()
        here = [c for c in contacts.values() if str(c.get("Email") or "").lower() == email]
        there = [c for c in people if c["values"].get("email", "").lower() == email]
        is_plain = len(here) == len(there) == 1 and there[0]["archivedMs"] is None
        if opportunity_id not in simple:
            continue
        if not is_plain or (opportunity_id, contact_id) in gone:
            continue
        there_id = there[0]["id"]
        removed = any(
            change.key == f"deals|{deal_id}|contacts"
            and there_id in str(change.before)
            and there_id not in str(change.after)
            for change in evidence.chronicle.of(Crm.HUBSPOT, "association")
        )
        if removed:
            continue
        if not _associated(evidence, deal_id, there_id):
            text = f"contact {contact_id} has a role in {opportunity_id}, {email} none in {deal_id}"
            yield Violation("I14", text)


def _associated(evidence: Evidence, deal_id: str, contact_id: str) -> bool:
    rows = evidence.sight.fronts[Crm.HUBSPOT].box.tables.rows("association")
    return contact_id in str(rows.get(f"deals|{deal_id}|contacts"))


def _always_on(evidence: Evidence) -> bool:
    return all(
        stored.event.policy.switches.deal_sync
        for stored in evidence.stores.decisions.events
        if isinstance(stored.event, events.PolicyAdopted)
    )


def _fates(evidence: Evidence) -> tuple[dict[str, _Fate], dict[str, _Fate]]:
    """Return what happened to every opportunity and to every deal."""
    opportunities: dict[str, _Fate] = {}
    deals: dict[str, _Fate] = {}
    standing: dict[str, Record] = {}
    sight = evidence.sight
    for change in evidence.chronicle.changes:
        after = change.after
        if change.table == "merged" and after is not None:
            for deal_id in (str(after.get("to")), change.key.partition("|")[2]):
                deals.setdefault(deal_id, _Fate(by_people=False)).is_simple = False
        elif change.table == "Opportunity" and after is not None:
            by_people = change.before is None and not change.is_ours
            fate = opportunities.setdefault(change.key, _Fate(by_people=by_people))
            was = change.before is not None and bool(change.before["IsDeleted"])
            if was and not after["IsDeleted"]:
                fate.deal_when_deleted = ""
            elif after["IsDeleted"] and not was:
                deal = standing.get(str(after.get("DealSync_Deal_Id__c") or ""))
                is_there = deal is not None and deal["archivedMs"] is None
                if deal is not None and is_there and sight.is_synced(deal):
                    fate.deal_when_deleted = deal["id"]
        elif change.table == "deals" and after is not None:
            by_people = change.before is None and not change.is_ours
            fate = deals.setdefault(change.key, _Fate(by_people=by_people))
            deal = standing[change.key] = as_record(after)
            fate.links.add(link_of(deal))
            is_gone = deal["archivedMs"] is not None
            if not change.is_ours and (is_gone or not sight.is_synced(deal)):
                fate.is_simple = False
            if not change.is_ours and fate.archived_by_us and not is_gone:
                fate.is_simple = False
            fate.archived_by_us = is_gone and change.is_ours
    return opportunities, deals


CHECKS: Final = (_has_its_counterparts, _links_contacts)
