"""What both CRMs show, in words that can be compared: one form for a value of either side.

Written apart from the engine's own canonicalisers and rules, so that a mistake there shows here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from adapters.sandbox.front import Front
from adapters.sandbox.hubspot.rows import Record, as_record, text
from adapters.sandbox.tables import Row
from adapters.simulation.plans import TYPES
from domain.ids import Crm

#: our names of the fields that are compared
FIELDS: Final = ("name", "amount", "close_date", "type", "description", "stage", "owner")
_LABEL: Final = "Salesforce - "
_NAME_LENGTH: Final = 120
_DAY_LENGTH: Final = len("2026-03-02")
#: an owner or a stage that the other side cannot have
NO_COUNTERPART: Final = "(no counterpart)"


@dataclass(frozen=True, slots=True)
class Sight:
    """Both CRMs as anybody could look at them now."""

    fronts: Mapping[Crm, Front]

    def opportunities(self) -> Mapping[str, Row]:
        """Return Salesforce's opportunities by id, deleted ones too."""
        return self.fronts[Crm.SALESFORCE].box.tables.rows("Opportunity")

    def deals(self) -> Mapping[str, Record]:
        """Return HubSpot's deals by id, those in the bin too."""
        rows = self.fronts[Crm.HUBSPOT].box.tables.rows("deals")
        return {key: as_record(row) for key, row in rows.items()}

    def is_synced(self, deal: Record) -> bool:
        """Tell whether a deal is in one of our pipelines."""
        return self._record_type(deal["values"].get("pipeline", "")) is not None

    def of_opportunity(self, row: Row) -> dict[str, str | None]:
        """Return an opportunity's fields in common words."""
        stage = row.get("StageName")
        return {
            "name": _text(row.get("Name")),
            "amount": _number(row.get("Amount")),
            "close_date": _text(row.get("CloseDate")),
            "type": _text(row.get("Type")),
            "description": _text(row.get("Description")),
            "stage": None if stage is None else f"{row.get('RecordTypeId')}/{stage}",
            "owner": self._user(str(row.get("OwnerId"))),
        }

    def of_deal(self, deal: Record) -> dict[str, str | None]:
        """Return a deal's properties in common words."""
        values = deal["values"]
        types = {hubspot: salesforce for salesforce, hubspot in TYPES}
        kind = _text(values.get("dealtype"))
        owner_id = _text(values.get("hubspot_owner_id"))
        closes = _text(values.get("closedate"))
        return {
            "name": _text(values.get("dealname")),
            "amount": _number(values.get("amount")),
            "close_date": None if closes is None else closes[:_DAY_LENGTH],
            "type": None if kind is None else types.get(kind, NO_COUNTERPART),
            "description": _text(values.get("description")),
            "stage": self._stage(values),
            "owner": None if owner_id is None else self._owner(owner_id),
        }

    def _stage(self, values: Mapping[str, str]) -> str | None:
        pipeline_id = values.get("pipeline", "")
        record_type = self._record_type(pipeline_id)
        row = self.fronts[Crm.HUBSPOT].box.tables.get("pipeline", pipeline_id)
        stages = row.get("stages") if row is not None else None
        if record_type is None or not isinstance(stages, list):
            return NO_COUNTERPART
        wanted = values.get("dealstage")
        labels = [str(s["label"]) for s in stages if isinstance(s, dict) and s["id"] == wanted]
        return f"{record_type}/{labels[0]}" if labels else NO_COUNTERPART

    def _record_type(self, pipeline_id: str) -> str | None:
        row = self.fronts[Crm.HUBSPOT].box.tables.get("pipeline", pipeline_id)
        label = "" if row is None else text(row, "label")
        return label.removeprefix(_LABEL) if label.startswith(_LABEL) else None

    def _user(self, user_id: str) -> str | None:
        row = self.fronts[Crm.SALESFORCE].box.tables.get("User", user_id)
        email = "" if row is None else text(row, "Email")
        return email.lower() if email.lower() in self._emails("owner", "email") else NO_COUNTERPART

    def _owner(self, owner_id: str) -> str:
        row = self.fronts[Crm.HUBSPOT].box.tables.get("owner", owner_id)
        email = "" if row is None else text(row, "email").lower()
        return email if email in self._emails("User", "Email") else NO_COUNTERPART

    def _emails(self, table: str, name: str) -> frozenset[str]:
        crm = Crm.HUBSPOT if table == "owner" else Crm.SALESFORCE
        rows = self.fronts[crm].box.tables.rows(table).values()
        return frozenset(text(row, name).lower() for row in rows)


def _text(value: object) -> str | None:
    found = "" if value is None else str(value).strip()
    return found[:_NAME_LENGTH] or None


def _number(value: object) -> str | None:
    found = _text(value)
    if found is None:
        return None
    number = Decimal(found)
    return "0" if number == 0 else f"{number.normalize():f}"
