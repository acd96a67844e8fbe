"""What a person sees of both CRMs at the end: everything that is or ever was there."""

from typing import Any

from tests.acceptance.user import FIELDS, PROPERTIES, User


class Person(User):
    """A user who lists whole CRMs."""

    def opportunity_of(self, deal_id: str) -> str | None:
        """Return the opportunity that carries a deal's id, if it is there by now."""
        found = self.query(
            f"SELECT Id FROM Opportunity WHERE DealSync_Deal_Id__c = '{deal_id}'"  # noqa: S608
        )
        return str(found[0]["Id"]) if found else None

    def all_opportunities(self) -> dict[str, dict[str, Any]]:
        """Return every opportunity there ever was, by id."""
        return {str(row["Id"]): row for row in self.query(f"SELECT {FIELDS} FROM Opportunity")}  # noqa: S608

    def all_deals(self) -> dict[str, dict[str, Any]]:
        """Return every deal there ever was, by id, and whether it is `archived`."""
        return {
            str(deal.id): {**deal.properties, "archived": archived}
            for archived in (False, True)
            for deal in self.hubspot.crm.deals.get_all(properties=PROPERTIES, archived=archived)
        }

    def stages(self) -> dict[str, dict[str, str]]:
        """Return the stages of each synced pipeline: id by label, by pipeline id."""
        return {
            str(pipeline.id): {str(stage.label): str(stage.id) for stage in pipeline.stages}
            for label, pipeline in self.pipelines().items()
            if label.startswith("Salesforce - ")
        }
