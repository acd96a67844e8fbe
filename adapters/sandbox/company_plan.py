"""What the example company did in the last half year, as plain values, before any CRM is asked.

Deterministic: the same seed gives the same company. Counted in steps of two weeks, the last of
which is yesterday. Knows neither CRM's paths nor its ids.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias, TypeVar

from adapters.sandbox.company_words import (
    ACCOUNTS,
    FIRST_NAMES,
    HUBSPOT_DEALS,
    JOB_TITLES,
    LAST_NAMES,
    PRODUCTS,
)
from adapters.sandbox.faults import fraction
from adapters.sandbox.people import SALESPEOPLE, Salesperson

STEPS = 13
STEP_DAYS = 14
CONTACTS_PER_ACCOUNT = 2
HUBSPOT_ONLY_CONTACTS = 12
OPPORTUNITIES = 200
OPPORTUNITY_TYPES = ("New Business", "Existing Business")
ROLES = ("Decision Maker", "Economic Buyer", "Evaluator", "Influencer", "Technical Buyer")
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Other")
#: of closing: won, lost, still open
WON_SHARE = 0.35
LOST_SHARE = 0.2

Outcome: TypeAlias = Literal["won", "lost", "open"]
_Choice = TypeVar("_Choice")


class Dice:
    """Chance that depends on a seed and on what it is asked for, not on the order of asking."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def roll(self, *what: str | int) -> float:
        """Return a number in [0, 1)."""
        return fraction(f"{self._seed}:{what}")

    def below(self, limit: int, *what: str | int) -> int:
        """Return a whole number from 0 up to but without `limit`."""
        return int(self.roll(*what) * limit)

    def pick(self, among: Sequence[_Choice], *what: str | int) -> _Choice:
        """Return one of several."""
        return among[self.below(len(among), *what)]


@dataclass(frozen=True, slots=True)
class PlannedAccount:
    """A customer."""

    name: str
    domain: str
    industry: str
    city: str
    country: str
    employees: int
    owner: Salesperson
    step: int
    #: whether HubSpot has a company for it
    in_hubspot: bool


@dataclass(frozen=True, slots=True)
class PlannedContact:
    """A person at a customer."""

    first_name: str
    last_name: str
    email: str
    title: str
    #: index of the account
    account: int
    in_salesforce: bool
    in_hubspot: bool


@dataclass(frozen=True, slots=True)
class PlannedOpportunity:
    """An opportunity and how it went."""

    name: str
    account: int
    step: int
    #: which record type: taken modulo how many there are
    record_type: int
    amount: Decimal | None
    type: str
    lead_source: str
    outcome: Outcome
    #: how far an open one has come, in [0, 1)
    progress: float
    close_date: date
    #: (index of the contact, role), the first is the primary one; empty for about half
    roles: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class PlannedDeal:
    """A deal that only HubSpot has."""

    name: str
    contact: int
    step: int
    amount: Decimal
    progress: float
    close_date: date
    owner: Salesperson


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything; indexes in one tuple point into another."""

    accounts: tuple[PlannedAccount, ...]
    contacts: tuple[PlannedContact, ...]
    opportunities: tuple[PlannedOpportunity, ...]
    deals: tuple[PlannedDeal, ...]


def planned(seed: int, today: date) -> Plan:
    """Return the company that a seed gives, with its last step before `today`."""
    dice = Dice(seed)
    accounts = tuple(_account(dice, number) for number in range(len(ACCOUNTS)))
    contacts = tuple(
        _contact(dice, number, accounts)
        for number in range(len(ACCOUNTS) * CONTACTS_PER_ACCOUNT + HUBSPOT_ONLY_CONTACTS)
    )
    opportunities = tuple(
        _opportunity(dice, number, accounts, today) for number in range(OPPORTUNITIES)
    )
    deals = tuple(
        _deal(dice, number, contacts, accounts, today) for number in range(len(HUBSPOT_DEALS))
    )
    return Plan(accounts, contacts, opportunities, deals)


def day_of(step: int, today: date) -> date:
    """Return the day on which a step takes place."""
    return today - timedelta(days=days_ago(step))


def days_ago(step: int) -> int:
    """Return how many days before today a step takes place; the last is yesterday."""
    return STEP_DAYS * (STEPS - 1 - step) + 1


def _account(dice: Dice, number: int) -> PlannedAccount:
    name, industry, city, country = ACCOUNTS[number]
    sellers = [seller for seller in SALESPEOPLE if seller.in_salesforce]
    return PlannedAccount(
        name=name,
        domain=f"{_ascii(name)}.example",
        industry=industry,
        city=city,
        country=country,
        employees=round(12 * 10 ** (2.4 * dice.roll("employees", number))),
        owner=dice.pick(sellers, "owner", number),
        step=dice.below(STEPS * 2 // 3, "account", number),
        in_hubspot=dice.roll("company", number) < 2 / 3,
    )


def _contact(dice: Dice, number: int, accounts: Sequence[PlannedAccount]) -> PlannedContact:
    shared = number < len(accounts) * CONTACTS_PER_ACCOUNT
    account = number // CONTACTS_PER_ACCOUNT if shared else dice.below(len(accounts), "at", number)
    # the two lists have no common divisor, so no two people have one name
    first_name = FIRST_NAMES[(number * 2) % len(FIRST_NAMES)]
    last_name = LAST_NAMES[(number * 5) % len(LAST_NAMES)]
    local = f"{_ascii(first_name)}.{_ascii(last_name)}"
    return PlannedContact(
        first_name=first_name,
        last_name=last_name,
        email=f"{local}@{accounts[account].domain}",
        title=dice.pick(JOB_TITLES, "title", number),
        account=account,
        in_salesforce=shared,
        in_hubspot=not shared or dice.roll("contact", number) < 5 / 6,
    )


def _opportunity(
    dice: Dice, number: int, accounts: Sequence[PlannedAccount], today: date
) -> PlannedOpportunity:
    account = number % len(accounts)
    first = accounts[account].step
    step = first + dice.below(STEPS - first, "opportunity", number)
    chance = dice.roll("outcome", number)
    outcome: Outcome = (
        "won" if chance < WON_SHARE else "lost" if chance < WON_SHARE + LOST_SHARE else "open"
    )
    # five apart in a list of fourteen: one account is not sold one thing twice
    product = PRODUCTS[(dice.below(14, "product", account) + 5 * (number // 60)) % len(PRODUCTS)]
    people = range(account * CONTACTS_PER_ACCOUNT, (account + 1) * CONTACTS_PER_ACCOUNT)
    with_roles = dice.below(4, "roles", number)  # 0, 1: none; 2: one person; 3: both
    return PlannedOpportunity(
        name=f"{accounts[account].name} – {product}",
        account=account,
        step=step,
        record_type=dice.below(60, "record type", number),
        amount=_amount(dice, number),
        type=dice.pick(OPPORTUNITY_TYPES, "type", number),
        lead_source=dice.pick(LEAD_SOURCES, "source", number),
        outcome=outcome,
        progress=dice.roll("progress", number),
        close_date=today + timedelta(days=7 + dice.below(114, "close", number)),
        roles=tuple(
            (person, dice.pick(ROLES, "role", number, person))
            for person in people[: max(0, with_roles - 1)]
        ),
    )


def _deal(
    dice: Dice,
    number: int,
    contacts: Sequence[PlannedContact],
    accounts: Sequence[PlannedAccount],
    today: date,
) -> PlannedDeal:
    in_hubspot = [person for person, one in enumerate(contacts) if one.in_hubspot]
    contact = dice.pick(in_hubspot, "deal contact", number)
    first = accounts[contacts[contact].account].step
    return PlannedDeal(
        name=HUBSPOT_DEALS[number],
        contact=contact,
        step=first + dice.below(STEPS - first, "deal", number),
        amount=_amount(dice, OPPORTUNITIES + number) or Decimal(500),
        progress=dice.roll("deal progress", number),
        close_date=today + timedelta(days=dice.below(90, "deal close", number)),
        owner=dice.pick([one for one in SALESPEOPLE if one.in_hubspot], "deal owner", number),
    )


def _amount(dice: Dice, number: int) -> Decimal | None:
    """Return a price: mostly a round one, sometimes with cents, sometimes not known yet."""
    chance = dice.roll("amount", number)
    if chance < 0.05:  # noqa: PLR2004 - one in twenty
        return None
    price = 900 * 10 ** (2.2 * dice.roll("price", number))
    if chance > 0.9:  # noqa: PLR2004 - one in ten
        return Decimal(round(price * 100)) / 100
    return Decimal(50 * round(price / 50))


def _ascii(text: str) -> str:
    """Return the letters of a name in lower case, as a web address may have them."""
    plain = unicodedata.normalize("NFKD", text.replace("ø", "o"))
    return "".join(letter for letter in plain.lower() if letter.isascii() and letter.isalnum())
