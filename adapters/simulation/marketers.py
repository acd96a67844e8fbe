"""What people do in HubSpot, with the habits of people.

Each habit is one thing that somebody does, drawn by the dice of one choice; it returns the thing in
words, blank where there was nothing to do it to. What HubSpot refuses is refused as in life.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from adapters.sandbox.hubspot.rows import Record, as_record
from adapters.sandbox.tables import JsonValue
from adapters.simulation.desks import Desks
from adapters.simulation.dice import Dice, happens, weighted
from adapters.simulation.plans import (
    ACCOUNTS_MAX,
    CONTACTS_MAX,
    DAYS,
    EDITS_MAX,
    NAMES,
    RECORDS_MAX,
    TYPES,
    Plans,
    amount,
)
from domain.ids import Crm

#: the primary company of a deal
_COMPANY_OF_DEAL: Final = 5
#: HubSpot's own pipeline, which is never synced
OUTSIDE: Final = ("default", "appointmentscheduled")

Habit: TypeAlias = Callable[[Dice], str]


class Marketers:
    """Those who work in HubSpot.

    Args:
        desks: where they work.
        plans: what was made so far.
    """

    def __init__(self, desks: Desks, plans: Plans) -> None:
        self._desks = desks
        self._plans = plans

    def edit(self, dice: Dice) -> str:
        """Let somebody change what is there; nothing comes or goes."""
        habits: Sequence[tuple[Habit, float]] = (
            (self._edit_deal, 6.0),
            (self._move_stage, 2.0),
            (self._move_out, 1.0),
            (self._associate, 1.0),
        )
        return weighted(dice, habits)(dice)

    def work(self, dice: Dice) -> str:
        """Let somebody do something."""
        habits: Sequence[tuple[Habit, float]] = (
            (self._new_deal, 2.5 if self._plans.records < RECORDS_MAX else 0.0),
            (self._edit_deal, 8.0),
            (self._move_stage, 3.0),
            (self._move_out, 1.2),
            (self._move_in, 1.8),
            (self._change_owner, 1.0),
            (self._delete_deal, 0.7),
            (self._restore_deal, 0.8),
            (self._merge_deals, 0.3),
            (self._new_contact, 1.0 if self._plans.contacts < CONTACTS_MAX else 0.0),
            (self._new_company, 0.7 if self._plans.companies < ACCOUNTS_MAX else 0.0),
            (self._give_company, 0.7),
            (self._associate, 1.5),
            (self._dissociate, 0.5),
        )
        return weighted(dice, habits)(dice)

    def _new_deal(self, dice: Dice) -> str:
        self._plans.records += 1
        pipeline, stage = self._place(dice) if happens(dice, 0.8) else OUTSIDE
        values: dict[str, JsonValue] = {
            "dealname": f"{dice.choice(NAMES)} {self._plans.records}",
            "pipeline": pipeline,
            "dealstage": stage,
        }
        if happens(dice, 0.85):
            values["closedate"] = f"{dice.choice(DAYS)}T12:00:00.000Z"
        if happens(dice, 0.8):
            values["amount"] = amount(dice)
        if happens(dice, 0.5):
            values["dealtype"] = dice.choice(TYPES)[1]
        made = self._desks.hubspot("POST", "/crm/v3/objects/deals", {"properties": values})
        return f"makes deal {made.id} {values}"

    def _edit_deal(self, dice: Dice) -> str:
        deal = self._deal(dice)
        if deal is None:
            return ""
        said = []
        for _ in range(1 + (dice.randrange(0, EDITS_MAX) if happens(dice, 0.3) else 0)):
            values = self._hubspot_values(dice)
            self.change(deal["id"], values)
            said.append(str(values))
        return f"edits deal {deal['id']}: {', '.join(said)}"

    def _hubspot_values(self, dice: Dice) -> dict[str, JsonValue]:
        match dice.randrange(0, 6):
            case 0 | 1:
                cleared = happens(dice, 0.25)
                return {"amount": "" if cleared else amount(dice)}
            case 2:
                return {"dealname": f"{dice.choice(NAMES)} {dice.randrange(1, 9)}"}
            case 3:
                return {"closedate": f"{dice.choice(DAYS)}T12:00:00.000Z"}
            case 4:
                return {"dealtype": "" if happens(dice, 0.3) else dice.choice(TYPES)[1]}
            case _:
                cleared = happens(dice, 0.3)
                return {"description": "" if cleared else f"says {dice.randrange(1, 99)}"}

    def _move_stage(self, dice: Dice) -> str:
        deal = self._deal(dice)
        if deal is None:
            return ""
        stages = self._stages(deal["values"].get("pipeline", ""))
        if not stages:
            return ""
        stage = dice.choice(stages)
        self.change(deal["id"], {"dealstage": stage})
        return f"moves deal {deal['id']} to stage {stage}"

    def _move_out(self, dice: Dice) -> str:
        deal = self._deal(dice)
        if deal is None:
            return ""
        self.change(deal["id"], {"pipeline": OUTSIDE[0], "dealstage": OUTSIDE[1]})
        return f"moves deal {deal['id']} out of the synced pipelines"

    def _move_in(self, dice: Dice) -> str:
        deals = [
            deal for deal in self.deals() if deal["values"].get("pipeline") == OUTSIDE[0]
        ] or self.deals()
        if not deals:
            return ""
        deal, (pipeline, stage) = dice.choice(deals), self._place(dice)
        self.change(deal["id"], {"pipeline": pipeline, "dealstage": stage})
        return f"moves deal {deal['id']} into pipeline {pipeline}, stage {stage}"

    def _change_owner(self, dice: Dice) -> str:
        deal = self._deal(dice)
        owners = [str(row["id"]) for row in self._desks.rows(Crm.HUBSPOT, "owner")]
        if deal is None or not owners:
            return ""
        owner = "" if happens(dice, 0.15) else dice.choice(owners)
        self.change(deal["id"], {"hubspot_owner_id": owner})
        return f"gives deal {deal['id']} to owner {owner or 'nobody'}"

    def _delete_deal(self, dice: Dice) -> str:
        deal = self._deal(dice)
        if deal is None:
            return ""
        self._desks.hubspot("DELETE", f"/crm/v3/objects/deals/{deal['id']}")
        return f"deletes deal {deal['id']}"

    def _restore_deal(self, dice: Dice) -> str:
        deals = self.deals(archived=True)
        if not deals:
            return ""
        deal = dice.choice(deals)
        self._desks.act(Crm.HUBSPOT, "restore", object="deals", id=deal["id"])
        return f"restores deal {deal['id']}"

    def _merge_deals(self, dice: Dice) -> str:
        deals = self.deals()
        if len(deals) < 2:  # noqa: PLR2004 - a merge takes two
            return ""
        first = dice.choice(deals)
        other = dice.choice([deal for deal in deals if deal["id"] != first["id"]])
        body: JsonValue = {"primaryObjectId": first["id"], "objectIdToMerge": other["id"]}
        made = self._desks.hubspot("POST", "/crm/v3/objects/deals/merge", body)
        return f"merges deal {other['id']} into {first['id']}: {made.id}"

    def _new_contact(self, dice: Dice) -> str:
        self._plans.contacts += 1
        email = f"person{dice.randrange(1, CONTACTS_MAX + 1)}@customer.example"
        body: JsonValue = {
            "properties": {"email": email, "lastname": f"Person {self._plans.contacts}"}
        }
        made = self._desks.hubspot("POST", "/crm/v3/objects/contacts", body)
        return f"makes HubSpot contact {made.id} {email}" if made.is_done else ""

    def _new_company(self, dice: Dice) -> str:
        self._plans.companies += 1
        name = f"{dice.choice(NAMES)} Inc"
        values: dict[str, JsonValue] = {"name": name}
        if happens(dice, 0.5):
            values["domain"] = f"{name.partition(' ')[0].lower()}.example"
        made = self._desks.hubspot("POST", "/crm/v3/objects/companies", {"properties": values})
        return f"makes company {made.id} {values}"

    def _give_company(self, dice: Dice) -> str:
        deal = self._deal(dice)
        companies = [as_record(row) for row in self._desks.rows(Crm.HUBSPOT, "companies")]
        living = [one["id"] for one in companies if one["archivedMs"] is None]
        if deal is None or not living:
            return ""
        company_id = dice.choice(living)
        body: JsonValue = [
            {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": _COMPANY_OF_DEAL}
        ]
        path = f"/crm/v4/objects/deals/{deal['id']}/associations/companies/{company_id}"
        self._desks.hubspot("PUT", path, body)
        return f"makes company {company_id} the primary one of deal {deal['id']}"

    def _associate(self, dice: Dice) -> str:
        deal, contacts = self._deal(dice), self._hubspot_contacts()
        if deal is None or not contacts:
            return ""
        contact_id = dice.choice(contacts)
        path = f"/crm/v4/objects/deals/{deal['id']}/associations/default/contacts/{contact_id}"
        self._desks.hubspot("PUT", path)
        return f"associates contact {contact_id} with deal {deal['id']}"

    def _dissociate(self, dice: Dice) -> str:
        deal, contacts = self._deal(dice), self._hubspot_contacts()
        if deal is None or not contacts:
            return ""
        contact_id = dice.choice(contacts)
        path = f"/crm/v4/objects/deals/{deal['id']}/associations/contacts/{contact_id}"
        self._desks.hubspot("DELETE", path)
        return f"removes contact {contact_id} from deal {deal['id']}"

    def change(self, deal_id: str, values: dict[str, JsonValue]) -> None:
        """Change properties of a deal."""
        self._desks.hubspot("PATCH", f"/crm/v3/objects/deals/{deal_id}", {"properties": values})

    def _deal(self, dice: Dice) -> Record | None:
        deals = self.deals()
        return dice.choice(deals) if deals else None

    def deals(self, *, archived: bool = False) -> list[Record]:
        """Return the deals that are there, or those in the bin."""
        found = [as_record(row) for row in self._desks.rows(Crm.HUBSPOT, "deals")]
        return [deal for deal in found if (deal["archivedMs"] is not None) is archived]

    def _hubspot_contacts(self) -> list[str]:
        found = [as_record(row) for row in self._desks.rows(Crm.HUBSPOT, "contacts")]
        return [one["id"] for one in found if one["archivedMs"] is None]

    def _place(self, dice: Dice) -> tuple[str, str]:
        """Return a synced pipeline and a stage of it."""
        pipelines = [
            str(row["id"])
            for row in self._desks.rows(Crm.HUBSPOT, "pipeline")
            if str(row.get("label", "")).startswith("Salesforce - ")
        ]
        pipeline = dice.choice(pipelines)
        return pipeline, dice.choice(self._stages(pipeline))

    def _stages(self, pipeline_id: str) -> list[str]:
        row = self._desks.row(Crm.HUBSPOT, "pipeline", pipeline_id)
        stages = row.get("stages") if row is not None else None
        if not isinstance(stages, list):
            return []
        return [str(stage["id"]) for stage in stages if isinstance(stage, dict)]
