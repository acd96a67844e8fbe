"""What the people of a world draw from, and how much they have made so far."""

from dataclasses import dataclass
from typing import Final

from adapters.simulation.dice import Dice

#: opportunities and deals that people make in one world
RECORDS_MAX: Final = 6
CONTACTS_MAX: Final = 4
ACCOUNTS_MAX: Final = 3
#: of a burst
EDITS_MAX: Final = 4
NAMES: Final = ("Acme", "Beta", "Coral", "Delta", "Ember")
#: a type in Salesforce's words and in HubSpot's
TYPES: Final = (("New Business", "newbusiness"), ("Existing Business", "existingbusiness"))
DAYS: Final = ("2026-09-01", "2026-10-15", "2026-11-30", "2026-12-31")


@dataclass(slots=True)
class Plans:
    """Counts, over both CRMs."""

    records: int = 0
    contacts: int = 0
    accounts: int = 0
    companies: int = 0


def amount(dice: Dice) -> str:
    """Return a sum of money: mostly round, now and then with cents that no binary number holds."""
    round_sum = dice.randrange(1, 99) * 100
    cents = dice.choice(("", "", "", ".10", ".07", ".99"))
    return f"{round_sum}{cents}"
