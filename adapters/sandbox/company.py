"""Founds the example company in two new sandboxes, through the vendors' own REST paths.

Salespeople sign in to Salesforce and enter their accounts, contacts, opportunities and roles, and
move the opportunities on, over half a year; a person does the like in HubSpot. Then the record
clocks show real time again.
"""

from collections.abc import Iterable
from datetime import datetime

from adapters.sandbox.company_desks import HubSpotDesk, SalesforceDesk
from adapters.sandbox.company_plan import (
    STEPS,
    Plan,
    PlannedContact,
    PlannedDeal,
    PlannedOpportunity,
    day_of,
    days_ago,
    planned,
)
from adapters.sandbox.front import Front
from adapters.sandbox.people import SALESPEOPLE, Salesperson
from adapters.sandbox.tables import JsonValue

#: the company that the demo and the examples speak of
SEED = 20_260_301
ADMIN = "admin@sandbox.example"
CONTACT_OF_DEAL = 3
COMPANY_OF_DEAL = 5
COMPANY_OF_CONTACT = 279
#: people work one after the other, half an hour each
HALF_HOUR_DAYS = 1 / 48


def hire(salesforce: Front, hubspot: Front, at: datetime) -> None:
    """Make the salespeople users of Salesforce and owners in HubSpot; an admin does."""
    desk = SalesforceDesk(salesforce, at)
    admin = desk.sign_in(ADMIN)
    profile = desk.query("SELECT Id FROM Profile WHERE Name = 'Standard User'", admin)[0]["Id"]
    desk.create(
        "User",
        [
            {
                "Username": one.email,
                "Email": one.email,
                "FirstName": one.first_name,
                "LastName": one.last_name,
                "Title": one.title,
                "ProfileId": profile,
            }
            for one in SALESPEOPLE
            if one.in_salesforce
        ],
        admin,
    )
    for one in SALESPEOPLE:
        if one.in_hubspot:
            HubSpotDesk(hubspot, at).add_owner(one)


def found(salesforce: Front, hubspot: Front, at: datetime, seed: int = SEED) -> None:
    """Fill both sandboxes; they hold the salespeople already, and no records."""
    plan = planned(seed, at.date())
    in_salesforce = _InSalesforce(SalesforceDesk(salesforce, at), plan, at)
    in_hubspot = _InHubSpot(HubSpotDesk(hubspot, at), plan)
    for step in range(STEPS):
        in_salesforce.work(step)
        in_hubspot.work(step)
    in_salesforce.desk.set_days_ago(0)
    in_hubspot.desk.set_days_ago(0)


class _InSalesforce:
    """The sales team at work in Salesforce."""

    def __init__(self, desk: SalesforceDesk, plan: Plan, at: datetime) -> None:
        self.desk = desk
        self._plan = plan
        self._today = at.date()
        admin = desk.sign_in(ADMIN)
        sellers = dict.fromkeys(account.owner for account in plan.accounts)
        self._tokens = {seller: desk.sign_in(seller.email) for seller in sellers}
        self._record_types = [
            str(row["Id"])
            for row in desk.query(
                "SELECT Id FROM RecordType WHERE SobjectType = 'Opportunity'"
                " AND IsActive = true ORDER BY Name",
                admin,
            )
        ]
        stages = desk.query("SELECT ApiName, IsClosed, IsWon FROM OpportunityStage", admin)
        self._closed = {
            str(row["ApiName"]): bool(row["IsWon"]) for row in stages if row["IsClosed"]
        }
        self._stages = {one: desk.stages(one, admin) for one in self._record_types}
        self._account_ids: dict[int, str] = {}
        self._contact_ids: dict[int, str] = {}
        self._opportunity_ids: dict[int, str] = {}
        self._paths = {
            number: self._path(opportunity) for number, opportunity in enumerate(plan.opportunities)
        }

    def work(self, step: int) -> None:
        """Let everybody do what they did in one step."""
        for turn, (seller, token) in enumerate(self._tokens.items()):
            self.desk.set_days_ago(days_ago(step) - turn * HALF_HOUR_DAYS)
            self._enter_accounts(step, seller, token)
            self._enter_opportunities(step, seller, token)
            self._move_on(step, seller, token)

    def _enter_accounts(self, step: int, seller: Salesperson, token: str) -> None:
        mine = [
            number
            for number, account in enumerate(self._plan.accounts)
            if account.owner == seller and account.step == step
        ]
        accounts = [self._plan.accounts[number] for number in mine]
        created = self.desk.create(
            "Account",
            [
                {
                    "Name": account.name,
                    "Website": f"https://www.{account.domain}",
                    "Industry": account.industry,
                    "BillingCity": account.city,
                    "BillingCountry": account.country,
                    "NumberOfEmployees": account.employees,
                }
                for account in accounts
            ],
            token,
        )
        self._account_ids.update(zip(mine, created, strict=True))
        people = [
            number
            for number, contact in enumerate(self._plan.contacts)
            if contact.in_salesforce and contact.account in mine
        ]
        contacts = [self._plan.contacts[number] for number in people]
        created = self.desk.create(
            "Contact",
            [
                {
                    "FirstName": contact.first_name,
                    "LastName": contact.last_name,
                    "Email": contact.email,
                    "Title": contact.title,
                    "AccountId": self._account_ids[contact.account],
                }
                for contact in contacts
            ],
            token,
        )
        self._contact_ids.update(zip(people, created, strict=True))

    def _enter_opportunities(self, step: int, seller: Salesperson, token: str) -> None:
        mine = [
            number for number in self._of(seller) if self._plan.opportunities[number].step == step
        ]
        created = self.desk.create("Opportunity", [self._opportunity(one) for one in mine], token)
        self._opportunity_ids.update(zip(mine, created, strict=True))
        self.desk.create(
            "OpportunityContactRole",
            [
                {
                    "OpportunityId": self._opportunity_ids[number],
                    "ContactId": self._contact_ids[person],
                    "Role": role,
                    "IsPrimary": place == 0,
                }
                for number in mine
                for place, (person, role) in enumerate(self._plan.opportunities[number].roles)
            ],
            token,
        )

    def _move_on(self, step: int, seller: Salesperson, token: str) -> None:
        moves: list[dict[str, JsonValue]] = []
        for number in self._of(seller):
            moved = step - self._plan.opportunities[number].step
            path = self._paths[number]
            if 0 < moved < len(path):
                closing: dict[str, JsonValue] = (
                    {"CloseDate": day_of(step, self._today).isoformat()}
                    if path[moved] in self._closed
                    else {}
                )
                moves.append(
                    {"Id": self._opportunity_ids[number], "StageName": path[moved], **closing}
                )
        self.desk.update("Opportunity", moves, token)

    def _of(self, seller: Salesperson) -> Iterable[int]:
        return (
            number
            for number, opportunity in enumerate(self._plan.opportunities)
            if self._plan.accounts[opportunity.account].owner == seller
        )

    def _opportunity(self, number: int) -> dict[str, JsonValue]:
        opportunity = self._plan.opportunities[number]
        stage = self._paths[number][0]
        close_date = (
            day_of(opportunity.step, self._today)
            if stage in self._closed
            else opportunity.close_date
        )
        return {
            "Name": opportunity.name,
            "AccountId": self._account_ids[opportunity.account],
            "RecordTypeId": self._record_type(opportunity),
            "StageName": stage,
            "CloseDate": close_date.isoformat(),
            "Amount": None if opportunity.amount is None else float(opportunity.amount),
            "Type": opportunity.type,
            "LeadSource": opportunity.lead_source,
        }

    def _record_type(self, opportunity: PlannedOpportunity) -> str:
        return self._record_types[opportunity.record_type % len(self._record_types)]

    def _path(self, opportunity: PlannedOpportunity) -> list[str]:
        """Return the stages that an opportunity goes through, one a step, to where it is now."""
        stages = self._stages[self._record_type(opportunity)]
        ahead = [stage for stage in stages if stage not in self._closed]
        if opportunity.outcome == "open":
            path = ahead[: 1 + int(opportunity.progress * len(ahead))]
        else:
            won = opportunity.outcome == "won"
            path = ahead + [stage for stage in stages if self._closed.get(stage) is won][:1]
        return path[-(STEPS - opportunity.step) :]


class _InHubSpot:
    """A person at work in HubSpot."""

    def __init__(self, desk: HubSpotDesk, plan: Plan) -> None:
        self.desk = desk
        self._plan = plan
        self._owner_ids = desk.owner_ids()
        pipeline = desk.deal_pipelines()[0]
        self._pipeline_id = str(pipeline["id"])
        stages = pipeline["stages"]
        assert isinstance(stages, list), "a pipeline has stages"
        self._stages = [str(stage["id"]) for stage in stages if isinstance(stage, dict)]
        self._company_ids: dict[int, str] = {}
        self._contact_ids: dict[int, str] = {}

    def work(self, step: int) -> None:
        """Enter what was new in one step; an hour after the last of the sales team."""
        self.desk.set_days_ago(days_ago(step) - 13 * HALF_HOUR_DAYS)
        new = [number for number, account in enumerate(self._plan.accounts) if account.step == step]
        self._enter_companies([one for one in new if self._plan.accounts[one].in_hubspot])
        self._enter_contacts(
            [
                number
                for number, contact in enumerate(self._plan.contacts)
                if contact.in_hubspot and contact.account in new
            ]
        )
        self._enter_deals([deal for deal in self._plan.deals if deal.step == step])

    def _enter_companies(self, numbers: list[int]) -> None:
        accounts = [self._plan.accounts[number] for number in numbers]
        created = self.desk.create(
            "companies",
            [
                {
                    "name": account.name,
                    "domain": account.domain,
                    "city": account.city,
                    "country": account.country,
                    **self._owned(account.owner),
                }
                for account in accounts
            ],
        )
        self._company_ids.update(zip(numbers, created, strict=True))

    def _enter_contacts(self, numbers: list[int]) -> None:
        contacts = [self._plan.contacts[number] for number in numbers]
        created = self.desk.create(
            "contacts",
            [
                {
                    "email": contact.email,
                    "firstname": contact.first_name,
                    "lastname": contact.last_name,
                    "jobtitle": contact.title,
                    **self._owned(self._plan.accounts[contact.account].owner),
                }
                for contact in contacts
            ],
            [self._company(COMPANY_OF_CONTACT, contact) for contact in contacts],
        )
        self._contact_ids.update(zip(numbers, created, strict=True))

    def _enter_deals(self, deals: list[PlannedDeal]) -> None:
        self.desk.create(
            "deals",
            [
                {
                    "dealname": deal.name,
                    "pipeline": self._pipeline_id,
                    "dealstage": self._stages[int(deal.progress * len(self._stages))],
                    "amount": str(deal.amount),
                    "closedate": f"{deal.close_date.isoformat()}T12:00:00.000Z",
                    "dealtype": "newbusiness",
                    **self._owned(deal.owner),
                }
                for deal in deals
            ],
            [
                {
                    CONTACT_OF_DEAL: self._contact_ids[deal.contact],
                    **self._company(COMPANY_OF_DEAL, self._plan.contacts[deal.contact]),
                }
                for deal in deals
            ],
        )

    def _company(self, type_id: int, contact: PlannedContact) -> dict[int, str]:
        company_id = self._company_ids.get(contact.account)
        return {} if company_id is None else {type_id: company_id}

    def _owned(self, owner: Salesperson) -> dict[str, JsonValue]:
        owner_id = self._owner_ids.get(owner.email)
        return {} if owner_id is None else {"hubspot_owner_id": owner_id}
