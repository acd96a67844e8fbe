"""What must hold at the end, judged by the CRMs' APIs and access logs, and by the audit log.

It knows nothing of the engine but what `dealsync audit export` prints. Each check returns what is
wrong, one line each, so that one run tells everything.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from tests.crash.person import Person
from tests.crash.story import CONCURRENT, FIELDS, Record, Story, shown_in_salesforce

Json = dict[str, Any]

#: what of a path says what a call does
_OPERATIONS: Final = (
    (r"/objects/\w+/batch/create$", "create"),
    (r"/objects/\w+/batch/update$", "update"),
    (r"/objects/\w+/batch/archive$", "archive"),
    (r"/composite/sobjects/Opportunity/\w+$", "create"),
    (r"PATCH .*/composite/sobjects$", "update"),
    (r"POST .*/composite/sobjects$", "add_role"),
    (r"/associations/deals/contacts/batch/associate", "associate"),
    (r"POST .*/properties/\w+$", "create_property"),
    (r"POST .*/pipelines/deals$", "create_pipeline"),
)
#: made along with a definition, and no write of their own
_BY_THE_WAY: Final = r"/properties/\w+/groups$|/tooling/sobjects/CustomField$|/FieldPermissions$"
#: longer than a step of the decide loop takes
STEP: Final = timedelta(seconds=1)
_DEAL: Final = re.compile(r"3\d{9}")


@dataclass
class Write:
    """A write, as the audit log tells of it."""

    crm: str
    operation: str
    record_id: str
    decided_at: str
    closed_at: str = ""
    kinds: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what it did to what."""
        return self.crm, self.operation, self.record_id


def counterparts(person: Person, story: Story) -> Iterator[str]:
    """Each record has at most one counterpart, and none is nobody's."""
    opportunities, deals = person.all_opportunities(), person.all_deals()
    begun = {r.opportunity_id for r in story.records if r.began_in == "Salesforce"}
    begun_deals = {r.deal_id for r in story.records if r.began_in == "HubSpot"}
    claims: dict[str, list[str]] = defaultdict(list)
    for opportunity_id, found in opportunities.items():
        deal_id = found["DealSync_Deal_Id__c"]
        if opportunity_id not in begun:
            claims[str(deal_id)].append(opportunity_id)
            if deal_id not in begun_deals:
                yield f"opportunity {opportunity_id} is nobody's: it names deal {deal_id}"
    for deal_id, found in deals.items():
        key = str(found["dealsync_opportunity_id"] or "").partition(":")[0]
        if deal_id not in begun_deals:
            claims[key].append(deal_id)
            if key not in begun:
                yield f"deal {deal_id} is nobody's: it names opportunity {key or None}"
    for record_id, made in claims.items():
        if len(made) > 1:
            yield f"{record_id} has several counterparts: {', '.join(made)}"


def values(person: Person, story: Story, lines: Iterable[Json]) -> Iterator[str]:
    """No edit is lost: both sides hold the last value of each field."""
    opportunities, deals = person.all_opportunities(), person.all_deals()
    by_link = {str(o["DealSync_Deal_Id__c"]): key for key, o in opportunities.items()}
    by_key = {str(d["dealsync_opportunity_id"]).partition(":")[0]: key for key, d in deals.items()}
    losers = {
        (line["opportunity_id"], field["losing"])
        for line in lines
        for field in line["fields"]
        if field["field"] == CONCURRENT.lower()
    }
    for record in story.records:
        record.opportunity_id = record.opportunity_id or by_link.get(str(record.deal_id))
        record.deal_id = record.deal_id or by_key.get(str(record.opportunity_id))
        opportunity = opportunities.get(str(record.opportunity_id))
        deal = deals.get(str(record.deal_id))
        name = f"{record.opportunity_id} / {record.deal_id}"
        if record.deleted_in is not None:
            yield from _deleted(name, record, opportunity, deal)
        elif opportunity is None or deal is None:
            yield f"{name}: has no counterpart"
        elif opportunity["IsDeleted"] or deal["archived"]:
            yield f"{name}: was deleted by nobody"
        else:
            yield from _links(name, record, opportunity, deal)
            for wrong in _fields(story, record, opportunity, deal, losers):
                yield f"{name}: {wrong}"


def contacts(person: Person, story: Story) -> Iterator[str]:
    """Roles and associations are the same people, and people show how many deals they have."""
    counts: dict[str, int] = defaultdict(int)
    for record in story.records:
        if record.deleted_in is not None:
            continue
        assert record.opportunity_id is not None
        assert record.deal_id is not None
        name = f"{record.opportunity_id} / {record.deal_id}"
        roles = [role["ContactId"] for role in person.roles(record.opportunity_id)]
        if sorted(roles) != sorted(record.contacts):
            yield f"{name}: roles of {sorted(roles)}, expected {sorted(record.contacts)}"
        associated = person.associated(record.deal_id, "contacts")
        expected = [story.contacts[contact_id] for contact_id in record.contacts]
        if sorted(associated) != sorted(expected):
            yield f"{name}: contacts {sorted(associated)}, expected {sorted(expected)}"
        for contact_id in associated:
            counts[contact_id] += 1
    for contact_id in story.contacts.values():
        shown = int((person.contact(contact_id) or {})["dealsync_associated_deals"] or 0)
        if shown != counts[contact_id]:
            yield f"contact {contact_id} shows {shown} deals, expected {counts[contact_id]}"


def audit(
    calls: Mapping[str, Iterable[Json]], lines: Iterable[Json], *, step: timedelta = STEP
) -> Iterator[str]:
    """What the access logs say was changed is what the audit log says was delivered.

    Args:
        calls: the engine's calls that changed something or were taken, by CRM.
        lines: the audit log.
        step: longer than a step of the decide loop takes.
    """
    writes = _writes(lines)
    effects: dict[tuple[str, str, str], list[tuple[str, bool]]] = defaultdict(list)
    for crm, made in calls.items():
        for call in made:
            path = f"{call['method']} {call['path']}"
            operation = next((name for form, name in _OPERATIONS if re.search(form, path)), None)
            if operation is not None:
                for record_id in _touched(operation, call["records"]):
                    effects[crm, operation, record_id].append((call["at"], call["changed"]))
            elif call["changed"] and not re.search(_BY_THE_WAY, path):
                yield f"the engine changed something in {crm} that no write is for: {path}"
    for write in writes:
        # A line bears the time at which the step began that wrote it.
        write.closed_at = _later(write.closed_at, step) if write.closed_at else ""
        if write.kinds == []:
            yield f"{write.key}, decided at {write.decided_at}, has no end"
        within = [at for at, _ in effects[write.key] if write.decided_at <= at <= write.closed_at]
        if "delivered" in write.kinds and not within and write.operation != "create_field":
            yield f"{write.key}, delivered at {write.closed_at}, changed nothing"
    for key, instants in effects.items():
        yield from _explained(key, instants, [write for write in writes if write.key == key])


def _explained(
    key: tuple[str, str, str], instants: list[tuple[str, bool]], writes: list[Write]
) -> Iterator[str]:
    """Each effect has a write of its own, which was delivered, or whose result stayed unknown.

    Where nothing changed, the CRM may have refused it.
    """
    free = sorted(writes, key=lambda write: write.closed_at)
    for at, changed in sorted(instants):
        ends = {"delivered", "unknown"} if changed else {"delivered", "unknown", "rejected"}
        write = next(
            (w for w in free if w.decided_at <= at <= w.closed_at and ends & set(w.kinds)), None
        )
        if write is None:
            yield f"{key}: changed at {at} without a write of its own"
        else:
            free.remove(write)


def _writes(lines: Iterable[Json]) -> list[Write]:
    found: dict[str, Write] = {}
    for line in lines:
        if line["write_id"] is None:
            continue
        if line["kind"] == "decided":
            found[line["write_id"]] = Write(
                line["crm"], line["operation"], str(line["record_id"]), line["at"]
            )
        elif line["kind"] != "observed":
            write = found[line["write_id"]]
            write.kinds.append(line["kind"])
            write.closed_at = max(write.closed_at, line["at"])
            write.record_id = str(line["record_id"] or write.record_id)
    return list(found.values())


def _later(instant: str, step: timedelta) -> str:
    later = datetime.fromisoformat(instant) + step
    return later.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _touched(operation: str, records: list[str]) -> list[str]:
    if operation == "associate":  # deals and contacts, in turn
        return [record_id for record_id in records if _DEAL.fullmatch(record_id)]
    return records[:1] if operation == "create_pipeline" else records


def _deleted(
    name: str, record: Record, opportunity: Json | None, deal: Json | None
) -> Iterator[str]:
    if deal is not None and not deal["archived"]:
        yield f"{name}: the deal lives, though it or its opportunity was deleted"
    if record.deleted_in == "HubSpot" and opportunity is not None and opportunity["IsDeleted"]:
        yield f"{name}: the opportunity was deleted with its deal"


def _links(name: str, record: Record, opportunity: Json, deal: Json) -> Iterator[str]:
    if opportunity["DealSync_Deal_Id__c"] != record.deal_id:
        yield f"{name}: the opportunity names deal {opportunity['DealSync_Deal_Id__c']}"
    if deal["dealsync_opportunity_id"] != record.opportunity_id:
        yield f"{name}: the deal names opportunity {deal['dealsync_opportunity_id']}"
    if deal["dealsync_state"] != "live":
        yield f"{name}: the deal says that it is {deal['dealsync_state']}"


def _fields(
    story: Story, record: Record, opportunity: Json, deal: Json, losers: set[tuple[str, str]]
) -> Iterator[str]:
    for name in FIELDS:
        edits = record.edits.get(name, [])
        last = edits[-1].value if edits else None
        salesforce = shown_in_salesforce(opportunity, name)
        hubspot = story.shown_in_hubspot(deal, name)
        told = f"{name} is {salesforce!r} in Salesforce, {hubspot!r} in HubSpot"
        if salesforce != hubspot:
            yield f"{told}; last edit {edits[-1:]}"
        elif name != CONCURRENT and salesforce != last:
            yield f"{told}; expected {last!r} of {edits[-2:]}"
        elif salesforce != last and (
            salesforce not in {edit.value for edit in edits}
            or (record.opportunity_id, last) not in losers
        ):
            yield f"{told}; {last!r} was lost silently; edits {edits[-3:]}"
