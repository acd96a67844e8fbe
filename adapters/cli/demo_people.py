"""What the people of the demo do and see, through the CRMs' own REST APIs."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import httpx2

API: Final = "/services/data/v62.0"
PERSON: Final = "admin@sandbox.example"
PERSON_TOKEN: Final = "pat-sandbox-person"  # noqa: S105  # the sandbox's published token
PROPERTIES: Final = (
    "dealname,amount,closedate,dealstage,pipeline,description,dealsync_opportunity_id,"
    "dealsync_state"
)
CONTACT_PROPERTIES: Final = (
    "email,lifecyclestage,dealsync_associated_deals,dealsync_recent_deal_amount"
)
#: SOQL; the id comes from the CRM itself
OPPORTUNITY_BY_ID: Final = (
    "SELECT Name, Amount, CloseDate, StageName, Description, IsDeleted"
    " FROM Opportunity WHERE Id = '{}'"
)
#: HubSpot calls in ten seconds
LOOKS_MAX: Final = 5_000
#: several times what a change needs to cross
A_WHILE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Sides:
    """One opportunity and its deal, as both CRMs show them now."""

    opportunity: dict[str, str]
    deal: dict[str, str | None]
    stage_label: str
    opportunity_is_deleted: bool
    deal_is_archived: bool
    #: e-mail addresses of the deal's contacts
    contacts: tuple[str, ...] = ()
    #: the deal's primary company
    company: str = ""
    #: what the first contact shows of its deals
    contact_shows: str = ""

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Yield field, Salesforce's text, HubSpot's text."""
        opportunity, deal = self.opportunity, self.deal
        closes = (deal.get("closedate") or "")[:10]
        pairs = (
            ("name", opportunity.get("Name"), deal.get("dealname")),
            ("amount", opportunity.get("Amount"), deal.get("amount")),
            ("closes", opportunity.get("CloseDate"), closes),
            ("stage", opportunity.get("StageName"), self.stage_label),
            ("description", opportunity.get("Description"), deal.get("description")),
            ("contacts", "", ", ".join(self.contacts)),
            ("contact shows", "", self.contact_shows),
            ("company", "", self.company),
            ("sync", "", deal.get("dealsync_state")),
            (
                "record",
                "deleted" if self.opportunity_is_deleted else "alive",
                "deleted" if self.deal_is_archived else "alive" if deal else "none yet",
            ),
        )
        for field, salesforce, hubspot in pairs:
            if salesforce or hubspot:
                yield field, salesforce or "", hubspot or ""


class People:
    """A person in both CRMs, who looks after one opportunity at a time.

    Args:
        salesforce: the Salesforce sandbox's address.
        hubspot: the HubSpot sandbox's address.
    """

    def __init__(self, salesforce: str, hubspot: str) -> None:
        self._client = httpx2.Client(trust_env=False, timeout=10)
        self._salesforce = salesforce
        self._hubspot = hubspot
        token = self._client.post(
            f"{salesforce}/services/oauth2/token",
            data={
                "grant_type": "password",
                "client_id": "sandbox",
                "client_secret": "sandbox",
                "username": PERSON,
                "password": "sandbox",
            },
        ).json()["access_token"]
        # The sandbox's limits are real, and somebody who watches looks more often than they allow.
        self._client.post(
            f"{hubspot}/sandbox/actions", json={"action": "set_rate_limit", "burst": LOOKS_MAX}
        ).raise_for_status()
        self._at_salesforce = {"Authorization": f"Bearer {token}"}
        self._at_hubspot = {"Authorization": f"Bearer {PERSON_TOKEN}"}
        self._opportunity_id = ""
        #: of the deal that the story is about; blank: not known yet
        self.deal_id = ""
        #: what a deal created again is found by
        self._key = ""
        self._place: dict[str, str] = {}

    def create_opportunity(self, name: str, *, amount: str) -> None:
        """Create the opportunity that the story goes on with."""
        fields = {"Name": name, "StageName": "Prospecting", "CloseDate": "2026-12-31"}
        self._opportunity_id = self._create("Opportunity", {**fields, "Amount": amount})
        self.deal_id = ""

    def edit_opportunity(self, **fields: str) -> None:
        """Change fields of the opportunity."""
        self._client.patch(
            f"{self._salesforce}{API}/sobjects/Opportunity/{self._opportunity_id}",
            headers=self._at_salesforce,
            json=fields,
        ).raise_for_status()

    def edit_both(self, *, description: tuple[str, str]) -> None:
        """Change the description on both sides, one right after the other."""
        self.edit_opportunity(Description=description[0])
        self.edit_deal(description=description[1])

    def add_role(self, name: str, email: str) -> None:
        """Put a contact, known in both CRMs, on the opportunity."""
        first, last = name.split()
        self._client.post(
            f"{self._hubspot}/crm/v3/objects/contacts",
            headers=self._at_hubspot,
            json={"properties": {"email": email, "firstname": first, "lastname": last}},
        ).raise_for_status()
        contact_id = self._create("Contact", {"FirstName": first, "LastName": last, "Email": email})
        role = {"OpportunityId": self._opportunity_id, "ContactId": contact_id}
        self._create("OpportunityContactRole", role)

    def give_account(self, name: str, *, import_it: Callable[..., str]) -> None:
        """Create an account, have accounts imported, and give it to the opportunity."""
        account_id = self._create("Account", {"Name": name})
        import_it("import", "accounts", "--ids", account_id)
        self.edit_opportunity(AccountId=account_id)

    def create_deal(self, name: str, *, amount: str) -> None:
        """Create the deal that the story goes on with, where the last one was."""
        answer = self._client.post(
            f"{self._hubspot}/crm/v3/objects/deals",
            headers=self._at_hubspot,
            json={
                "properties": {
                    **self._place,
                    "dealname": name,
                    "amount": amount,
                    "closedate": "2026-12-31T12:00:00Z",
                }
            },
        )
        answer.raise_for_status()
        self.deal_id, self._opportunity_id = answer.json()["id"], ""

    def undelete_opportunity(self) -> None:
        """Take the opportunity out of the recycle bin, which no REST call can."""
        self._client.post(
            f"{self._salesforce}/sandbox/actions",
            json={"action": "undelete", "as": PERSON, "id": self._opportunity_id},
        ).raise_for_status()
        self.deal_id, self._key = "", f"{self._opportunity_id}:2"

    def delete_opportunity(self) -> None:
        """Delete the opportunity."""
        self._client.delete(
            f"{self._salesforce}{API}/sobjects/Opportunity/{self._opportunity_id}",
            headers=self._at_salesforce,
        ).raise_for_status()

    def edit_deal(self, **properties: str) -> None:
        """Change properties of the deal."""
        self._client.patch(
            f"{self._hubspot}/crm/v3/objects/deals/{self.deal_id}",
            headers=self._at_hubspot,
            json={"properties": properties},
        ).raise_for_status()

    def move_deal_out(self) -> None:
        """Move the deal to HubSpot's default pipeline, which is not synced."""
        deal = self._deal()
        self._place = {name: str(deal.get(name)) for name in ("pipeline", "dealstage")}
        self.edit_deal(pipeline="default", dealstage="appointmentscheduled")

    def move_deal_back(self) -> None:
        """Move the deal back to where it was."""
        self.edit_deal(**self._place)

    def delete_deal(self) -> None:
        """Delete the deal."""
        self._client.delete(
            f"{self._hubspot}/crm/v3/objects/deals/{self.deal_id}", headers=self._at_hubspot
        ).raise_for_status()

    def look(self) -> Sides:
        """Read both records, and who belongs to the deal."""
        deal = self._deal()
        if not self._opportunity_id and deal.get("dealsync_opportunity_id"):
            self._opportunity_id = str(deal["dealsync_opportunity_id"]).partition(":")[0]
        found = self._opportunity()
        archived = deal.get("archived") == "true"
        contacts = [] if archived or not deal else self._associated("contacts", CONTACT_PROPERTIES)
        companies = [] if archived or not deal else self._associated("companies", "name")
        return Sides(
            opportunity={
                name: _text(value)
                for name, value in found.items()
                if name not in ("attributes", "IsDeleted") and value is not None
            },
            deal=deal,
            stage_label=self._label(deal),
            opportunity_is_deleted=bool(found.get("IsDeleted")),
            deal_is_archived=archived,
            contacts=tuple(str(c["email"]) for c in contacts),
            company=str(companies[0]["name"]) if companies else "",
            contact_shows=_shows(contacts[0]) if contacts else "",
        )

    def _create(self, kind: str, fields: dict[str, str]) -> str:
        """Create a Salesforce record; return its id."""
        answer = self._client.post(
            f"{self._salesforce}{API}/sobjects/{kind}", headers=self._at_salesforce, json=fields
        )
        answer.raise_for_status()
        return str(answer.json()["id"])

    def _associated(self, kind: str, properties: str) -> list[dict[str, str | None]]:
        """Read the contacts or companies of the deal."""
        answer = self._client.get(
            f"{self._hubspot}/crm/v4/objects/deals/{self.deal_id}/associations/{kind}",
            headers=self._at_hubspot,
        )
        ids = [str(row["toObjectId"]) for row in answer.json().get("results", [])]
        records = (
            self._client.get(
                f"{self._hubspot}/crm/v3/objects/{kind}/{record_id}",
                headers=self._at_hubspot,
                params={"properties": properties},
            )
            for record_id in ids
        )
        return [dict(record.json()["properties"]) for record in records]

    def _opportunity(self) -> dict[str, object]:
        """Read the opportunity, deleted or not; empty if there is none yet."""
        if not self._opportunity_id:
            return {}
        answer = self._client.get(
            f"{self._salesforce}{API}/queryAll",
            headers=self._at_salesforce,
            params={"q": OPPORTUNITY_BY_ID.format(self._opportunity_id)},
        )
        return dict(answer.json()["records"][0])

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

    def _deal(self) -> dict[str, str | None]:
        """Return the deal's properties, archived or not; empty if there is none yet."""
        where: dict[str, str] = {"properties": PROPERTIES}
        path = f"{self._hubspot}/crm/v3/objects/deals/"
        if self.deal_id:
            path += self.deal_id
        elif not self._opportunity_id:
            return {}
        else:
            path += self._key or self._opportunity_id
            where["idProperty"] = "dealsync_opportunity_id"
        for archived in ("false", "true"):
            answer = self._client.get(
                path, headers=self._at_hubspot, params={**where, "archived": archived}
            )
            if answer.is_success:
                record = answer.json()
                self.deal_id = record["id"]
                return {**record["properties"], "archived": archived}
        return {}

    def _label(self, deal: dict[str, str | None]) -> str:
        """Return the label of the deal's stage."""
        if not deal:
            return ""
        answer = self._client.get(
            f"{self._hubspot}/crm/v3/pipelines/deals/{deal.get('pipeline')}/stages",
            headers=self._at_hubspot,
        )
        stages = answer.json().get("results", [])
        return next((str(s["label"]) for s in stages if s["id"] == deal.get("dealstage")), "")


def _shows(contact: dict[str, str | None]) -> str:
    """Say what a contact shows of its deals."""
    count = contact.get("dealsync_associated_deals") or "0"
    amount = contact.get("dealsync_recent_deal_amount") or "no amount"
    return f"{count} deal, {amount}, {contact.get('lifecyclestage')}"


def _text(value: object) -> str:
    """Return a JSON value as a person reads it: no trailing zeros."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{Decimal(str(value)).normalize():f}"
    return str(value)
