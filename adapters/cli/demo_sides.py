"""What both CRMs show of the opportunity and the deal that the demo is about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from adapters.cli.demo_desk import Desk

PROPERTIES: Final = (
    "dealname,amount,closedate,dealstage,pipeline,description,hubspot_owner_id,"
    "dealsync_opportunity_id,dealsync_state"
)
CONTACT_PROPERTIES: Final = (
    "email,lifecyclestage,dealsync_associated_deals,dealsync_recent_deal_amount"
)
#: SOQL; the id comes from the CRM itself
OPPORTUNITY_BY_ID: Final = (
    "SELECT Name, Amount, CloseDate, StageName, Description, IsDeleted, Owner.Name, RecordType.Name"
    " FROM Opportunity WHERE Id = '{}'"
)


@dataclass(frozen=True, slots=True)
class Sides:
    """One opportunity and its deal, as both CRMs show them now."""

    opportunity: Mapping[str, str]
    deal: Mapping[str, str | None]
    stage_label: str
    opportunity_is_deleted: bool
    deal_is_archived: bool
    pipeline_label: str = ""
    #: full name of the deal's owner
    deal_owner: str = ""
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
            ("pipeline", opportunity.get("RecordType"), self.pipeline_label),
            ("stage", opportunity.get("StageName"), self.stage_label),
            ("owner", opportunity.get("Owner"), self.deal_owner),
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


class Onlooker:
    """Reads one opportunity and its deal, and who belongs to them.

    Args:
        desk: signed in to both CRMs.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._owners: dict[str, str] = {}
        self._pipelines: dict[str, tuple[str, dict[str, str]]] = {}

    def look(self, opportunity_id: str, deal: dict[str, str | None]) -> Sides:
        """Read both records; the deal was read already."""
        found = self._opportunity(opportunity_id)
        archived = deal.get("archived") == "true"
        lives = bool(deal) and not archived
        contacts = self._associated(deal, "contacts", CONTACT_PROPERTIES) if lives else []
        companies = self._associated(deal, "companies", "name") if lives else []
        pipeline, stages = self._pipeline(str(deal.get("pipeline") or ""))
        return Sides(
            opportunity={
                name: _text(value)
                for name, value in found.items()
                if name not in ("attributes", "IsDeleted") and value is not None
            },
            deal=deal,
            stage_label=stages.get(str(deal.get("dealstage")), ""),
            opportunity_is_deleted=bool(found.get("IsDeleted")),
            deal_is_archived=archived,
            pipeline_label=pipeline,
            deal_owner=self._owner(str(deal.get("hubspot_owner_id") or "")),
            contacts=tuple(str(c["email"]) for c in contacts),
            company=str(companies[0]["name"]) if companies else "",
            contact_shows=_shows(contacts[0]) if contacts else "",
        )

    def deal(self, deal_id: str, key: str) -> dict[str, str | None]:
        """Return a deal's properties, archived or not; empty if there is none.

        Args:
            deal_id: the deal; blank: not known yet.
            key: then, what it carries in `dealsync_opportunity_id`.
        """
        where = {"properties": PROPERTIES}
        if not deal_id:
            where["idProperty"] = "dealsync_opportunity_id"
        for archived in ("false", "true"):
            path = f"/crm/v3/objects/deals/{deal_id or key}"
            record = self._desk.get(path, **where, archived=archived)
            if record is not None:
                return {**record["properties"], "id": record["id"], "archived": archived}
        return {}

    def owner_ids(self) -> dict[str, str]:
        """Return the ids of HubSpot's owners by full name."""
        if not self._owners:
            found = (self._desk.get("/crm/v3/owners", limit="100") or {}).get("results", [])
            self._owners = {str(o["id"]): f"{o['firstName']} {o['lastName']}" for o in found}
        return {name: owner_id for owner_id, name in self._owners.items()}

    def _owner(self, owner_id: str) -> str:
        self.owner_ids()
        return self._owners.get(owner_id, "")

    def _opportunity(self, opportunity_id: str) -> dict[str, object]:
        """Read the opportunity, deleted or not; empty if there is none yet."""
        if not opportunity_id:
            return {}
        return dict(self._desk.query(OPPORTUNITY_BY_ID.format(opportunity_id))[0])

    def _associated(
        self, deal: dict[str, str | None], kind: str, properties: str
    ) -> list[dict[str, str | None]]:
        """Read the contacts or companies of the deal."""
        path = f"/crm/v4/objects/deals/{deal['id']}/associations/{kind}"
        found = (self._desk.get(path) or {}).get("results", [])
        records = (
            self._desk.get(f"/crm/v3/objects/{kind}/{row['toObjectId']}", properties=properties)
            for row in found
        )
        return [dict(record["properties"]) for record in records if record is not None]

    def _pipeline(self, pipeline_id: str) -> tuple[str, dict[str, str]]:
        """Return a pipeline's label and its stages' labels; definitions do not change here."""
        if pipeline_id and pipeline_id not in self._pipelines:
            found = self._desk.get(f"/crm/v3/pipelines/deals/{pipeline_id}") or {}
            stages = {str(s["id"]): str(s["label"]) for s in found.get("stages", [])}
            self._pipelines[pipeline_id] = (str(found.get("label", "")), stages)
        return self._pipelines.get(pipeline_id, ("", {}))


def _shows(contact: dict[str, str | None]) -> str:
    """Say what a contact shows of its deals."""
    count = contact.get("dealsync_associated_deals") or "0"
    amount = contact.get("dealsync_recent_deal_amount") or "no amount"
    return f"{count} deal, {amount}, {contact.get('lifecyclestage')}"


def _text(value: object) -> str:
    """Return a JSON value as a person reads it: no trailing zeros; of a record, its name."""
    if isinstance(value, dict):
        return str(value.get("Name", ""))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{Decimal(str(value)).normalize():f}"
    return str(value)
