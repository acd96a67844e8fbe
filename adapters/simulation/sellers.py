"""What people do in Salesforce, with the habits of people.

Each habit is one thing that somebody does, drawn by the dice of one choice; it returns the thing in
words, blank where there was nothing to do it to. What Salesforce refuses is refused as in life.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from adapters.sandbox.tables import JsonValue, Row
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

Habit: TypeAlias = Callable[[Dice], str]


class Sellers:
    """Those who work in Salesforce.

    Args:
        desks: where they work.
        users: their user names.
        plans: what was made so far.
    """

    def __init__(self, desks: Desks, users: Sequence[str], plans: Plans) -> None:
        self._desks = desks
        self._users = tuple(users)
        self._plans = plans

    def edit(self, dice: Dice) -> str:
        """Let somebody change what is there; nothing comes or goes."""
        habits: Sequence[tuple[Habit, float]] = (
            (self._edit_opportunity, 6.0),
            (self._move_stage, 2.0),
            (self._change_record_type, 0.5),
            (self._add_role, 1.0),
        )
        return weighted(dice, habits)(dice)

    def work(self, dice: Dice) -> str:
        """Let somebody do something."""
        habits: Sequence[tuple[Habit, float]] = (
            (self._new_opportunity, 3.0 if self._plans.records < RECORDS_MAX else 0.0),
            (self._edit_opportunity, 8.0),
            (self._move_stage, 3.0),
            (self._change_record_type, 0.7),
            (self._change_owner, 1.0),
            (self._delete_opportunity, 0.9),
            (self._undelete_opportunity, 0.9),
            (self._new_contact, 1.0 if self._plans.contacts < CONTACTS_MAX else 0.0),
            (self._new_account, 1.0 if self._plans.accounts < ACCOUNTS_MAX else 0.0),
            (self._give_account, 1.0),
            (self._add_role, 1.5),
            (self._remove_role, 0.5),
        )
        return weighted(dice, habits)(dice)

    def _new_opportunity(self, dice: Dice) -> str:
        record_type = dice.choice(self._record_types())
        self._plans.records += 1
        values: dict[str, JsonValue] = {
            "Name": f"{dice.choice(NAMES)} {self._plans.records}",
            "RecordTypeId": record_type,
            "StageName": self._stage_of(record_type, dice),
            "CloseDate": dice.choice(DAYS),
        }
        if happens(dice, 0.8):
            values["Amount"] = float(amount(dice))
        if happens(dice, 0.5):
            values["Type"] = dice.choice(TYPES)[0]
        user = dice.choice(self._users)
        made = self._desks.salesforce("POST", "/sobjects/Opportunity", values, user=user)
        return f"makes opportunity {made.id} {values}"

    def _edit_opportunity(self, dice: Dice) -> str:
        row = self._opportunity(dice)
        if row is None:
            return ""
        record_id, user = str(row["Id"]), dice.choice(self._users)
        said = []
        for _ in range(1 + (dice.randrange(0, EDITS_MAX) if happens(dice, 0.3) else 0)):
            values = self._salesforce_values(dice)
            self.change(record_id, values, user)
            said.append(str(values))
        return f"edits opportunity {record_id}: {', '.join(said)}"

    def _salesforce_values(self, dice: Dice) -> dict[str, JsonValue]:
        match dice.randrange(0, 6):
            case 0 | 1:
                cleared = happens(dice, 0.25)
                return {"Amount": None if cleared else float(amount(dice))}
            case 2:
                return {"Name": f"{dice.choice(NAMES)} {dice.randrange(1, 9)}"}
            case 3:
                return {"CloseDate": dice.choice(DAYS)}
            case 4:
                return {"Type": None if happens(dice, 0.3) else dice.choice(TYPES)[0]}
            case _:
                cleared = happens(dice, 0.3)
                return {"Description": None if cleared else f"says {dice.randrange(1, 99)}"}

    def _move_stage(self, dice: Dice) -> str:
        row = self._opportunity(dice)
        if row is None:
            return ""
        stage = self._stage_of(str(row["RecordTypeId"]), dice)
        self.change(str(row["Id"]), {"StageName": stage}, dice.choice(self._users))
        return f"moves opportunity {row['Id']} to {stage}"

    def _change_record_type(self, dice: Dice) -> str:
        row = self._opportunity(dice)
        if row is None:
            return ""
        record_type = dice.choice(self._record_types())
        stage = self._stage_of(record_type, dice)
        values: dict[str, JsonValue] = {"RecordTypeId": record_type, "StageName": stage}
        self.change(str(row["Id"]), values, dice.choice(self._users))
        return f"gives opportunity {row['Id']} {values}"

    def _change_owner(self, dice: Dice) -> str:
        row = self._opportunity(dice)
        owners = [
            str(user["Id"])
            for user in self._desks.rows(Crm.SALESFORCE, "User")
            if user["Username"] in self._users
        ]
        if row is None:
            return ""
        owner = dice.choice(owners)
        self.change(str(row["Id"]), {"OwnerId": owner}, dice.choice(self._users))
        return f"gives opportunity {row['Id']} to {owner}"

    def _delete_opportunity(self, dice: Dice) -> str:
        row = self._opportunity(dice)
        if row is None:
            return ""
        self._desks.salesforce("DELETE", f"/sobjects/Opportunity/{row['Id']}")
        return f"deletes opportunity {row['Id']}"

    def _undelete_opportunity(self, dice: Dice) -> str:
        row = self._opportunity(dice, deleted=True)
        if row is None:
            return ""
        self._desks.act(Crm.SALESFORCE, "undelete", id=str(row["Id"]))
        return f"undeletes opportunity {row['Id']}"

    def _new_contact(self, dice: Dice) -> str:
        self._plans.contacts += 1
        email = f"person{dice.randrange(1, CONTACTS_MAX + 1)}@customer.example"
        values: dict[str, JsonValue] = {
            "LastName": f"Person {self._plans.contacts}",
            "Email": email,
        }
        made = self._desks.salesforce("POST", "/sobjects/Contact", values)
        return f"makes Salesforce contact {made.id} {email}"

    def _new_account(self, dice: Dice) -> str:
        self._plans.accounts += 1
        name = f"{dice.choice(NAMES)} Inc"
        values: dict[str, JsonValue] = {"Name": name}
        if happens(dice, 0.5):
            values["Website"] = f"https://www.{name.partition(' ')[0].lower()}.example"
        made = self._desks.salesforce("POST", "/sobjects/Account", values)
        return f"makes account {made.id} {values}"

    def _give_account(self, dice: Dice) -> str:
        row = self._opportunity(dice)
        accounts = [
            str(one["Id"])
            for one in self._desks.rows(Crm.SALESFORCE, "Account")
            if not one["IsDeleted"]
        ]
        if row is None or not accounts:
            return ""
        account = None if happens(dice, 0.2) else dice.choice(accounts)
        self.change(str(row["Id"]), {"AccountId": account}, dice.choice(self._users))
        return f"gives opportunity {row['Id']} account {account}"

    def _add_role(self, dice: Dice) -> str:
        row = self._opportunity(dice)
        contacts = [
            one for one in self._desks.rows(Crm.SALESFORCE, "Contact") if not one["IsDeleted"]
        ]
        if row is None or not contacts:
            return ""
        contact_id = str(dice.choice(contacts)["Id"])
        values: dict[str, JsonValue] = {"OpportunityId": row["Id"], "ContactId": contact_id}
        self._desks.salesforce("POST", "/sobjects/OpportunityContactRole", values)
        return f"adds contact {contact_id} to opportunity {row['Id']}"

    def _remove_role(self, dice: Dice) -> str:
        roles = [
            one
            for one in self._desks.rows(Crm.SALESFORCE, "OpportunityContactRole")
            if not one["IsDeleted"]
        ]
        if not roles:
            return ""
        role = dice.choice(roles)
        self._desks.salesforce("DELETE", f"/sobjects/OpportunityContactRole/{role['Id']}")
        return f"removes contact {role['ContactId']} from opportunity {role['OpportunityId']}"

    def change(self, record_id: str, values: dict[str, JsonValue], user: str | None = None) -> None:
        """Change fields of an opportunity."""
        self._desks.salesforce(
            "PATCH", f"/sobjects/Opportunity/{record_id}", values, user=user or self._users[0]
        )

    def _opportunity(self, dice: Dice, *, deleted: bool = False) -> Row | None:
        rows = [
            row
            for row in self._desks.rows(Crm.SALESFORCE, "Opportunity")
            if bool(row["IsDeleted"]) is deleted
        ]
        return dice.choice(rows) if rows else None

    def _record_types(self) -> list[str]:
        return [
            str(row["Id"])
            for row in self._desks.rows(Crm.SALESFORCE, "RecordType")
            if row["SobjectType"] == "Opportunity" and row["IsActive"]
        ]

    def _stage_of(self, record_type_id: str, dice: Dice) -> str:
        row = self._desks.row(Crm.SALESFORCE, "sales_process", record_type_id)
        if row is not None and isinstance(row.get("stages"), list):
            stages = row["stages"]
            assert isinstance(stages, list), "asked in the line above"
            return str(dice.choice(stages))
        return str(
            dice.choice(
                [
                    str(one["ApiName"])
                    for one in self._desks.rows(Crm.SALESFORCE, "OpportunityStage")
                ]
            )
        )
