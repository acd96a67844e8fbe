"""What the people of the demo do, through the CRMs' own REST APIs, and see."""

import time
from collections.abc import Callable
from typing import Final

from adapters.cli.demo_desk import ENGINE, ENGINE_TOKEN, PERSON, Desk
from adapters.cli.demo_sides import Onlooker, Sides

#: several times what a change needs to cross
A_WHILE_SECONDS: Final = 1.2
#: for how long HubSpot asks to be left alone, once
LEFT_ALONE_SECONDS: Final = 2
OPEN_OPPORTUNITIES: Final = (
    "SELECT Id FROM Opportunity WHERE IsClosed = false AND IsDeleted = false"
    " ORDER BY CreatedDate DESC"
)
PERMISSIONS: Final = ("ModifyAllData", "ModifyMetadata")


class People:
    """A person in both CRMs, who looks after one opportunity at a time.

    Args:
        salesforce: the Salesforce sandbox's address.
        hubspot: the HubSpot sandbox's address.
    """

    def __init__(self, salesforce: str, hubspot: str) -> None:
        self._desk = Desk(salesforce, hubspot)
        self._onlooker = Onlooker(self._desk)
        #: of the opportunity that the story is about; blank: not known yet
        self.opportunity_id = ""
        #: of its deal; blank: not known yet
        self.deal_id = ""
        #: what a deal created again is found by
        self._key = ""
        self._place: dict[str, str] = {}

    def look(self) -> Sides:
        """Read both records, and who belongs to the deal."""
        deal: dict[str, str | None] = {}
        if self.deal_id or self.opportunity_id:
            deal = self._onlooker.deal(self.deal_id, self._key or self.opportunity_id)
        if deal:
            # A merge leaves the survivor under an id of its own.
            self.deal_id = str(deal["id"])
        if not self.opportunity_id and deal.get("dealsync_opportunity_id"):
            self.opportunity_id = str(deal["dealsync_opportunity_id"]).partition(":")[0]
        return self._onlooker.look(self.opportunity_id, deal)

    def for_a_while(self, holds: Callable[[Sides], bool]) -> Callable[[Sides], bool]:
        """Return a check that comes true once the other has held without a break for a while."""
        since: list[float] = []

        def held(sides: Sides) -> bool:
            if not holds(sides):
                since.clear()
                return False
            since.append(time.perf_counter())
            return since[-1] - since[0] >= A_WHILE_SECONDS

        return held

    # -- opportunities

    def existing(self, count: int) -> tuple[str, ...]:
        """Return opportunities of the example company that are still open, the newest first."""
        found = self._desk.query(OPEN_OPPORTUNITIES)
        return tuple(str(record["Id"]) for record in found[:count])

    def look_after(self, opportunity_id: str) -> None:
        """Go on with another opportunity."""
        self.opportunity_id, self.deal_id, self._key = opportunity_id, "", ""

    def create_opportunity(self, name: str, *, amount: str) -> None:
        """Create the opportunity that the story goes on with."""
        fields = {"Name": name, "StageName": "Prospecting", "CloseDate": "2026-12-31"}
        self.look_after(self._desk.create("Opportunity", {**fields, "Amount": amount}))

    def edit_opportunity(self, **fields: str) -> None:
        """Change fields of the opportunity."""
        self._desk.update("Opportunity", self.opportunity_id, fields)

    def edit_both(self, *, description: tuple[str, str]) -> None:
        """Change the description on both sides, one right after the other."""
        self.edit_opportunity(Description=description[0])
        self.edit_deal(description=description[1])

    def hand_over(self, name: str) -> None:
        """Give the opportunity to somebody else."""
        users = self._desk.query("SELECT Id, Name FROM User")
        self.edit_opportunity(OwnerId=next(str(u["Id"]) for u in users if u["Name"] == name))

    def delete_opportunity(self) -> None:
        """Delete the opportunity."""
        self._desk.delete(self.opportunity_id)

    def delete_opportunities(self, opportunity_ids: tuple[str, ...]) -> None:
        """Delete many opportunities in one call, the one that is looked after among them."""
        self._desk.delete(*opportunity_ids)

    def undelete_opportunity(self) -> None:
        """Take the opportunity out of the recycle bin, which no REST call can."""
        self._desk.act("salesforce", action="undelete", id=self.opportunity_id, **{"as": PERSON})
        self.deal_id, self._key = "", f"{self.opportunity_id}:2"

    # -- contacts, accounts

    def add_role(self, name: str, email: str) -> None:
        """Put a contact, known in both CRMs, on the opportunity."""
        first, last = name.split()
        properties = {"email": email, "firstname": first, "lastname": last}
        self._desk.post("/crm/v3/objects/contacts", {"properties": properties})
        person = {"FirstName": first, "LastName": last, "Email": email}
        contact_id = self._desk.create("Contact", person)
        role = {"OpportunityId": self.opportunity_id, "ContactId": contact_id}
        self._desk.create("OpportunityContactRole", role)

    def give_account(self, name: str, *, import_it: Callable[..., str]) -> None:
        """Create an account, have accounts imported, and give it to the opportunity."""
        account_id = self._desk.create("Account", {"Name": name})
        import_it("import", "accounts", "--ids", account_id)
        self.edit_opportunity(AccountId=account_id)

    # -- deals

    def create_deal(self, name: str, *, amount: str) -> None:
        """Create the deal that the story goes on with, where the last one was."""
        self.deal_id, self.opportunity_id, self._key = self._new_deal(name, amount), "", ""

    def merge_in_another(self, name: str, *, amount: str, ready: Callable[[], bool]) -> None:
        """Create a second deal, wait until it has an opportunity of its own, and merge it in."""
        second = self._new_deal(name, amount)
        while not (self._onlooker.deal(second, "").get("dealsync_opportunity_id") and ready()):
            pass
        pair = {"primaryObjectId": self.deal_id, "objectIdToMerge": second}
        self._desk.post("/crm/v3/objects/deals/merge", pair)

    def edit_deal(self, **properties: str) -> None:
        """Change properties of the deal."""
        self._desk.patch_deal(self.deal_id, properties)

    def move_deal_out(self) -> None:
        """Move the deal to HubSpot's default pipeline, which is not synced."""
        deal = self._onlooker.deal(self.deal_id, "")
        self._place = {name: str(deal.get(name)) for name in ("pipeline", "dealstage")}
        self.edit_deal(pipeline="default", dealstage="appointmentscheduled")

    def move_deal_back(self) -> None:
        """Move the deal back to where it was."""
        self.edit_deal(**self._place)

    def delete_deal(self) -> None:
        """Delete the deal."""
        self._desk.delete_deal(self.deal_id)

    def _new_deal(self, name: str, amount: str) -> str:
        closes = {"amount": amount, "closedate": "2026-12-31T12:00:00Z"}
        properties = {**self._place, "dealname": name, **closes}
        return str(self._desk.post("/crm/v3/objects/deals", {"properties": properties})["id"])

    # -- what goes wrong around them

    def throttle_hubspot(self) -> None:
        """Have HubSpot say to the engine that its calls are used up."""
        self._desk.set_hubspot_faults(
            {
                "kind": "throttle",
                "match": {"who": ENGINE_TOKEN, "path": "/objects/deals"},
                "retry_after": LEFT_ALONE_SECONDS,
            }
        )

    def serve_again(self) -> None:
        """Have HubSpot answer again."""
        self._desk.set_hubspot_faults()

    def permit(self, *, allowed: bool) -> None:
        """Give the integration user its permission, or take it."""
        for name in PERMISSIONS if not allowed else PERMISSIONS[:1]:
            change = {"user": ENGINE, "permission": name, "value": allowed}
            self._desk.act("salesforce", action="set_permission", **{"as": PERSON}, **change)
