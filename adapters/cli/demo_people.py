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
#: SOQL; the id comes from the CRM itself
OPPORTUNITY_BY_ID: Final = (
    "SELECT Name, Amount, CloseDate, StageName, Description, IsDeleted"
    " FROM Opportunity WHERE Id = '{}'"
)
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
            ("sync", "", deal.get("dealsync_state")),
            (
                "record",
                "deleted" if self.opportunity_is_deleted else "alive",
                "deleted" if self.deal_is_archived else "alive" if deal else "none yet",
            ),
        )
        for field, salesforce, hubspot in pairs:
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
        self._at_salesforce = {"Authorization": f"Bearer {token}"}
        self._at_hubspot = {"Authorization": f"Bearer {PERSON_TOKEN}"}
        self._opportunity_id = ""
        self._deal_id = ""
        self._place: dict[str, str] = {}

    def create_opportunity(self, name: str, *, amount: str) -> None:
        """Create the opportunity that the story goes on with."""
        answer = self._client.post(
            f"{self._salesforce}{API}/sobjects/Opportunity",
            headers=self._at_salesforce,
            json={
                "Name": name,
                "Amount": float(amount),
                "StageName": "Prospecting",
                "CloseDate": "2026-12-31",
            },
        )
        self._opportunity_id, self._deal_id = answer.json()["id"], ""

    def edit_opportunity(self, **fields: str) -> None:
        """Change fields of the opportunity."""
        self._client.patch(
            f"{self._salesforce}{API}/sobjects/Opportunity/{self._opportunity_id}",
            headers=self._at_salesforce,
            json=fields,
        ).raise_for_status()

    def delete_opportunity(self) -> None:
        """Delete the opportunity."""
        self._client.delete(
            f"{self._salesforce}{API}/sobjects/Opportunity/{self._opportunity_id}",
            headers=self._at_salesforce,
        ).raise_for_status()

    def edit_deal(self, **properties: str) -> None:
        """Change properties of the deal."""
        self._client.patch(
            f"{self._hubspot}/crm/v3/objects/deals/{self._deal_id}",
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
            f"{self._hubspot}/crm/v3/objects/deals/{self._deal_id}", headers=self._at_hubspot
        ).raise_for_status()

    def look(self) -> Sides:
        """Read both records."""
        found = self._client.get(
            f"{self._salesforce}{API}/queryAll",
            headers=self._at_salesforce,
            params={"q": OPPORTUNITY_BY_ID.format(self._opportunity_id)},
        ).json()["records"][0]
        deal = self._deal()
        return Sides(
            opportunity={
                name: _text(value)
                for name, value in found.items()
                if name not in ("attributes", "IsDeleted") and value is not None
            },
            deal=deal,
            stage_label=self._label(deal),
            opportunity_is_deleted=found["IsDeleted"],
            deal_is_archived=bool(deal) and deal.get("archived") == "true",
        )

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
        if self._deal_id:
            path += self._deal_id
        else:
            path += self._opportunity_id
            where["idProperty"] = "dealsync_opportunity_id"
        for archived in ("false", "true"):
            answer = self._client.get(
                path, headers=self._at_hubspot, params={**where, "archived": archived}
            )
            if answer.is_success:
                record = answer.json()
                self._deal_id = record["id"]
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


def _text(value: object) -> str:
    """Return a JSON value as a person reads it: no trailing zeros."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{Decimal(str(value)).normalize():f}"
    return str(value)
