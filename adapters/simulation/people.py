"""Everybody who works in the two CRMs, and what two of them do at once."""

from collections.abc import Callable, Sequence
from typing import Final

from adapters.sandbox.hubspot.rows import Record
from adapters.sandbox.salesforce.seed import INTEGRATION
from adapters.sandbox.tables import JsonValue, Row
from adapters.simulation.desks import Desks
from adapters.simulation.dice import Dice, happens
from adapters.simulation.marketers import Marketers
from adapters.simulation.plans import Plans
from adapters.simulation.sellers import Sellers
from domain.ids import Crm

#: how late HubSpot's search shows a change
LAGS_MILLISECONDS: Final = (0, 500, 5_000, 12_000)
VALIDATION: Final = "Not from outside"
#: fields that an administrator may refuse to the engine: our name, Salesforce's
REFUSABLE: Final = (("amount", "Amount"), ("description", "Description"))


class People:
    """Everybody.

    Args:
        desks: where they work.
        users: Salesforce user names of those who sell.
    """

    def __init__(self, desks: Desks, users: Sequence[str]) -> None:
        plans = Plans()
        self._desks = desks
        self._sellers = Sellers(desks, users, plans)
        self._marketers = Marketers(desks, plans)
        #: our names of the fields that Salesforce once refused to the engine
        self.refused: set[str] = set()

    def in_salesforce(self, dice: Dice) -> str:
        """Let somebody do something in Salesforce; return it in words."""
        return self._sellers.work(dice)

    def in_hubspot(self, dice: Dice) -> str:
        """Let somebody do something in HubSpot; return it in words."""
        return self._marketers.work(dice)

    def meddle(self, dice: Dice) -> str:
        """Let somebody change a record in either CRM; return it in words."""
        if happens(dice, 0.3):
            return self.in_both(dice)
        return self._sellers.edit(dice) if happens(dice, 0.5) else self._marketers.edit(dice)

    def in_both(self, dice: Dice) -> str:
        """Let two people change the same field of one pair at once."""
        pairs = [
            (str(row["Id"]), deal["id"])
            for deal in self._marketers.deals()
            for row in [self._linked(deal)]
            if row is not None and not row["IsDeleted"]
        ]
        if not pairs:
            return ""
        opportunity_id, deal_id = dice.choice(pairs)
        one, other = dice.randrange(1, 99), dice.randrange(1, 99)
        fields: tuple[tuple[dict[str, JsonValue], dict[str, JsonValue]], ...] = (
            ({"Amount": one}, {"amount": str(other)}),
            ({"Name": f"Left {one}"}, {"dealname": f"Right {other}"}),
            ({"Description": f"Left {one}"}, {"description": f"Right {other}"}),
        )
        left, right = dice.choice(fields)
        steps: list[Callable[[], None]] = [
            lambda: self._sellers.change(opportunity_id, left),
            lambda: self._marketers.change(deal_id, right),
        ]
        if happens(dice, 0.5):
            steps.reverse()
        for step in steps:
            step()
        return f"edit at once: opportunity {opportunity_id} {left}, deal {deal_id} {right}"

    def trouble(self, dice: Dice) -> tuple[str, str, str]:
        """Let a CRM, or its administrator, do what they do now and then.

        Returns:
            The fault's name (blank: nothing happened), where, and what happened in words.
        """
        match dice.randrange(0, 5):
            case 0 | 1:
                self._desks.act(Crm.SALESFORCE, "expire_sessions", user=INTEGRATION)
                said = "Salesforce ends the engine's sessions"
                return "sessions ended", "salesforce", said
            case 2 | 3:
                lag = dice.choice(LAGS_MILLISECONDS)
                self._desks.act(Crm.HUBSPOT, "set_search_lag", milliseconds=lag)
                return "search lags", "hubspot", f"HubSpot's search lags {lag} ms behind"
            case _:
                return self._validate(dice)

    def mend(self) -> None:
        """Take back what administrators did against the engine."""
        if self.refused:
            self._desks.act(Crm.SALESFORCE, "remove_validation_rule", name=VALIDATION)

    def _validate(self, dice: Dice) -> tuple[str, str, str]:
        """Refuse what the engine writes of one field, and no other."""
        if self.refused:
            return "", "", ""
        ours, name = dice.choice(REFUSABLE)
        self.refused.add(ours)
        self._desks.act(
            Crm.SALESFORCE,
            "add_validation_rule",
            object="Opportunity",
            name=VALIDATION,
            field=name,
            operator="changed",
            only_for=INTEGRATION,
        )
        said = f"a validation rule refuses {name} to the engine"
        return "field refused", "salesforce", said

    def _linked(self, deal: Record) -> Row | None:
        link = deal["values"].get("dealsync_opportunity_id", "").partition(":")[0]
        return self._desks.row(Crm.SALESFORCE, "Opportunity", link) if link else None
