"""Which Salesforce field is kept in step with which HubSpot property, and by which rule.

A mapping is policy: a value. The seven defaults of the article are always present: owner, close
date, name, type, description, amount, stage. A field is in one mapping at most.
"""

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.canonical import NAME_LENGTH_MAX, FieldType

#: our names of the fields that rules speak about
NAME: Final = "name"
AMOUNT: Final = "amount"
CLOSE_DATE: Final = "close_date"
STAGE: Final = "stage"
OWNER: Final = "owner"
TYPE: Final = "type"
DESCRIPTION: Final = "description"

#: what a create cannot do without, in both CRMs (rule `required`)
REQUIRED: Final = (NAME, STAGE, CLOSE_DATE)


class FieldRule(StrEnum):
    """Who may overwrite whom (rule `field-rule`)."""

    #: the most recent change wins on both sides
    TWO_WAY = "two_way"
    #: Salesforce wins; HubSpot only fills a blank Salesforce field
    PREFER_SALESFORCE = "prefer_salesforce"
    #: Salesforce wins even if blank; HubSpot never crosses
    ALWAYS_SALESFORCE = "always_salesforce"
    #: nothing crosses
    DONT_SYNC = "dont_sync"
    #: as two_way, but concurrent changes wait for a person
    HOLD = "hold"


class ValuePair(BaseModel):
    """One row of a picklist's table: a Salesforce value and its HubSpot counterpart."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    salesforce: str
    hubspot: str


class Mapping(BaseModel):
    """One pair of fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: our name, the key in the policy file
    name: str
    #: API name of the Salesforce field
    salesforce: str
    #: internal name of the HubSpot property
    hubspot: str
    type: FieldType
    rule: FieldRule = FieldRule.TWO_WAY
    #: picklists: the table of values; empty means that values are equal on both sides
    values: tuple[ValuePair, ...] = ()

    @property
    def length(self) -> int | None:
        """Return how many characters cross; None: all of them."""
        return NAME_LENGTH_MAX if self.name == NAME else None


DEFAULT_MAPPINGS: Final[tuple[Mapping, ...]] = (
    Mapping(name=NAME, salesforce="Name", hubspot="dealname", type=FieldType.TEXT),
    Mapping(name=STAGE, salesforce="StageName", hubspot="dealstage", type=FieldType.STAGE),
    Mapping(name=CLOSE_DATE, salesforce="CloseDate", hubspot="closedate", type=FieldType.DATE),
    Mapping(name=AMOUNT, salesforce="Amount", hubspot="amount", type=FieldType.DECIMAL),
    Mapping(name=OWNER, salesforce="OwnerId", hubspot="hubspot_owner_id", type=FieldType.OWNER),
    Mapping(
        name=TYPE,
        salesforce="Type",
        hubspot="dealtype",
        type=FieldType.PICKLIST,
        values=(
            ValuePair(salesforce="New Business", hubspot="newbusiness"),
            ValuePair(salesforce="Existing Business", hubspot="existingbusiness"),
        ),
    ),
    Mapping(name=DESCRIPTION, salesforce="Description", hubspot="description", type=FieldType.TEXT),
)
