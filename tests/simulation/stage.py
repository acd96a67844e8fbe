"""A small world whose people follow a script: where crashes are placed one by one.

No dice: the people do what a scenario says, the engine makes whole rounds, and every crossing of a
port is announced to whoever watches.
"""

from adapters.sandbox import record_clock
from adapters.sandbox.hubspot.rows import Record
from adapters.sandbox.tables import JsonValue, Row
from adapters.simulation.faults import NONE
from adapters.simulation.sight import Sight
from adapters.simulation.world import ROUNDS_MAX, World
from domain.ids import Crm
from domain.mapping import FieldRule
from domain.policy import Policy

#: rounds in which each CRM is polled more than once
_ROUNDS_MIN = 4
_OUTSIDE = {"pipeline": "default", "dealstage": "appointmentscheduled"}


class Stage:
    """Both CRMs, the engine, and hands for those who work in them."""

    def __init__(self) -> None:
        self.world = World(1, policy=Policy(), odds=NONE)
        for front in self.world.fronts.values():
            record_clock.set_offset(front.box.tables, 0)
        self.sight = Sight(self.world.fronts)
        self.restless = ""

    # -- time ----------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let the engine work until nothing moves."""
        for number in range(ROUNDS_MAX):
            self.world.round()
            if number + 1 >= _ROUNDS_MIN and not self.world.moving():
                return
        self.restless = ", ".join(self.world.moving())

    def steps(self, *actors: str) -> None:
        """Let actors make one step each."""
        for actor in actors:
            self.world.step(actor, armed=False)
            self.world.pass_time(1)

    def days(self, number: float) -> None:
        """Let days pass, the engine asleep."""
        self.world.pass_time(number * 86_400)

    # -- Salesforce ----------------------------------------------------------------------------

    def opportunity(self, name: str, **fields: JsonValue) -> str:
        """Make an opportunity; return its id."""
        record_type = self.record_types()[0]
        row = self.world.desks.row(Crm.SALESFORCE, "sales_process", record_type)
        stages = row["stages"] if row is not None else None
        first = stages[0] if isinstance(stages, list) else "Prospecting"
        values: dict[str, JsonValue] = {
            "Name": name,
            "RecordTypeId": record_type,
            "StageName": first,
            "CloseDate": "2026-10-15",
            **fields,
        }
        made = self.world.desks.salesforce("POST", "/sobjects/Opportunity", values)
        assert made.id is not None, made.body
        return made.id

    def record_types(self) -> list[str]:
        """Return the record types of opportunities."""
        return [
            str(row["Id"])
            for row in self.world.desks.rows(Crm.SALESFORCE, "RecordType")
            if row["SobjectType"] == "Opportunity" and row["IsActive"]
        ]

    def make(self, kind: str, **values: JsonValue) -> str:
        """Make another Salesforce record; return its id."""
        made = self.world.desks.salesforce("POST", f"/sobjects/{kind}", values)
        assert made.id is not None, made.body
        return made.id

    def edit(self, opportunity_id: str, **values: JsonValue) -> None:
        """Change an opportunity."""
        path = f"/sobjects/Opportunity/{opportunity_id}"
        done = self.world.desks.salesforce("PATCH", path, values)
        assert done.is_done, done.body

    def delete(self, opportunity_id: str, kind: str = "Opportunity") -> None:
        """Delete a Salesforce record."""
        self.world.desks.salesforce("DELETE", f"/sobjects/{kind}/{opportunity_id}")

    def undelete(self, opportunity_id: str) -> None:
        """Bring an opportunity back."""
        self.world.desks.act(Crm.SALESFORCE, "undelete", id=opportunity_id)

    def stage_names(self, record_type_id: str) -> list[str]:
        """Return the stages of a record type."""
        row = self.world.desks.row(Crm.SALESFORCE, "sales_process", record_type_id)
        stages = row["stages"] if row is not None else None
        assert isinstance(stages, list), "every record type has a sales process"
        return [str(one) for one in stages]

    def row(self, opportunity_id: str) -> Row:
        """Return an opportunity."""
        found = self.world.desks.row(Crm.SALESFORCE, "Opportunity", opportunity_id)
        assert found is not None, opportunity_id
        return found

    def refuse(self, field: str) -> None:
        """Let a validation rule refuse a field to the engine."""
        self.world.desks.act(
            Crm.SALESFORCE,
            "add_validation_rule",
            object="Opportunity",
            name="Not from outside",
            field=field,
            operator="changed",
            only_for="integration@sandbox.example",
        )

    # -- HubSpot -------------------------------------------------------------------------------

    def deal(self, name: str, *, outside: bool = False, **properties: str) -> str:
        """Make a deal; return its id."""
        place = _OUTSIDE if outside else self.place()
        values: dict[str, JsonValue] = {
            "dealname": name,
            "closedate": "2026-10-15T12:00:00.000Z",
            **place,
            **properties,
        }
        body: JsonValue = {"properties": values}
        made = self.world.desks.hubspot("POST", "/crm/v3/objects/deals", body)
        assert made.id is not None, made.body
        return made.id

    def place(self, number: int = 0, stage: int = 0) -> dict[str, str]:
        """Return a synced pipeline and one of its stages."""
        pipelines = [
            row
            for row in self.world.desks.rows(Crm.HUBSPOT, "pipeline")
            if str(row.get("label", "")).startswith("Salesforce - ")
        ]
        stages = pipelines[number]["stages"]
        assert isinstance(stages, list), "a pipeline has stages"
        chosen = stages[stage]
        assert isinstance(chosen, dict), "a stage is an object"
        return {"pipeline": str(pipelines[number]["id"]), "dealstage": str(chosen["id"])}

    def change(self, deal_id: str, **properties: str) -> None:
        """Change properties of a deal."""
        body: JsonValue = {"properties": dict(properties)}
        done = self.world.desks.hubspot("PATCH", f"/crm/v3/objects/deals/{deal_id}", body)
        assert done.is_done, done.body

    def move_out(self, deal_id: str) -> None:
        """Move a deal out of the synced pipelines."""
        self.change(deal_id, **_OUTSIDE)

    def archive(self, deal_id: str) -> None:
        """Delete a deal."""
        self.world.desks.hubspot("DELETE", f"/crm/v3/objects/deals/{deal_id}")

    def restore(self, deal_id: str) -> None:
        """Bring a deal back."""
        self.world.desks.act(Crm.HUBSPOT, "restore", object="deals", id=deal_id)

    def merge(self, kept_id: str, lost_id: str) -> None:
        """Merge two deals."""
        body: JsonValue = {"primaryObjectId": kept_id, "objectIdToMerge": lost_id}
        done = self.world.desks.hubspot("POST", "/crm/v3/objects/deals/merge", body)
        assert done.is_done, done.body

    def add(self, kind: str, **properties: str) -> str:
        """Make another HubSpot record; return its id."""
        body: JsonValue = {"properties": dict(properties)}
        made = self.world.desks.hubspot("POST", f"/crm/v3/objects/{kind}", body)
        assert made.id is not None, made.body
        return made.id

    def associate(self, deal_id: str, contact_id: str) -> None:
        """Associate a contact with a deal."""
        path = f"/crm/v4/objects/deals/{deal_id}/associations/default/contacts/{contact_id}"
        self.world.desks.hubspot("PUT", path)

    def dissociate(self, deal_id: str, contact_id: str) -> None:
        """Remove a contact from a deal."""
        path = f"/crm/v4/objects/deals/{deal_id}/associations/contacts/{contact_id}"
        self.world.desks.hubspot("DELETE", path)

    # -- both ----------------------------------------------------------------------------------

    def pair(self, name: str = "Acme", **fields: JsonValue) -> tuple[str, str]:
        """Make an opportunity and wait for its deal; return both ids."""
        opportunity_id = self.opportunity(name, **fields)
        self.settle()
        return opportunity_id, self.deal_of(opportunity_id)

    def deal_of(self, opportunity_id: str) -> str:
        """Return the deal that an opportunity names."""
        return str(self.row(opportunity_id).get("DealSync_Deal_Id__c") or "")

    def rule(self, field: str, rule: FieldRule) -> None:
        """Adopt another rule for a field."""
        mappings = tuple(
            one.model_copy(update={"rule": rule}) if one.name == field else one
            for one in self.world.policy.mappings
        )
        self.world.rules.pop(field, None)
        self.world.propose(self.world.policy.model_copy(update={"mappings": mappings}))

    def switch(self, **switches: object) -> None:
        """Adopt other switches."""
        policy = self.world.policy
        changed = policy.switches.model_copy(update=switches)
        self.world.propose(policy.model_copy(update={"switches": changed}))

    def picture(self) -> list[str]:
        """Return what both CRMs show, without the ids that they gave."""
        shown = []
        roles = list(self.world.desks.rows(Crm.SALESFORCE, "OpportunityContactRole"))
        for key, row in self.sight.opportunities().items():
            words = self.sight.of_opportunity(row)
            people = sum(r["OpportunityId"] == key and not r["IsDeleted"] for r in roles)
            linked = bool(row.get("DealSync_Deal_Id__c"))
            shown.append(f"opportunity {words} {row['IsDeleted']} {linked} {people}")
        deals = self.sight.deals().values()
        shown += [f"deal {self.sight.of_deal(deal)} {_extras(deal)}" for deal in deals]
        return sorted(shown)

    def creates(self) -> int:
        """Return how many records the engine made."""
        return sum(
            change.is_ours and change.before is None for change in self.world.chronicle.changes
        )


def _extras(deal: Record) -> tuple[str, ...]:
    values = deal["values"]
    linked = bool(values.get("dealsync_opportunity_id"))
    # The issue is left out: it rides along with whichever write goes next.
    return (
        str(deal["archivedMs"] is not None),
        str(linked),
        values.get("dealsync_state", ""),
    )
