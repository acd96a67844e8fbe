"""What the operator has decided: a value that rules read, versioned in the log.

A policy is in force from its adoption event (rule `policy-change`); every event carries the version
it was decided under. Reading a policy from text is `policy_text`.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.mapping import DEFAULT_MAPPINGS, Mapping

#: pipelines that a HubSpot subscription allows (rule `pipeline-limit`)
TIER_LIMITS: Final = {"free": 1, "starter": 2, "professional": 15, "enterprise": 100}


class ContactRemoval(StrEnum):
    """What a removed role or association means for the other side."""

    KEEP = "keep"
    MIRROR = "mirror"


class RecentDeal(StrEnum):
    """Which deal a contact's recent values come from."""

    CREATED = "created"
    CLOSED_WON = "closed_won"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Switches(_Value):
    """What is on."""

    deal_sync: bool = True
    company_sync: bool = True
    lifecycle: bool = True
    record_status: bool = True
    contact_removal: ContactRemoval = ContactRemoval.KEEP
    recent_deal: RecentDeal = RecentDeal.CREATED


class PipelineBinding(_Value):
    """A record type that uses a pipeline which already exists."""

    record_type_id: str
    pipeline_id: str


class StageOverride(_Value):
    """A stage of a record type that means a given HubSpot stage."""

    record_type_id: str
    stage_name: str
    stage_id: str


class Pipelines(_Value):
    """How record types get their pipelines."""

    limit: int = TIER_LIMITS["professional"]
    #: record type ids, first come first
    order: tuple[str, ...] = ()
    single_label: str = "Salesforce - Default Pipeline"
    bind: tuple[PipelineBinding, ...] = ()


class Clocks(_Value):
    """How times of two CRMs compare."""

    skew_seconds: Decimal = Decimal(2)
    #: `account`: the HubSpot account's own zone; else an IANA name
    time_zone: str = "account"


class Deletes(_Value):
    """When deletions stop for a person (rule `delete-fuse`)."""

    fuse_count: int = 20
    fuse_share: Decimal = Decimal("0.05")
    fuse_minutes: Decimal = Decimal(10)


class Contacts(_Value):
    """How contact roles are made."""

    default_role: str = ""


class Budgets(_Value):
    """Our share of each CRM's daily calls."""

    salesforce_daily_share: Decimal = Decimal("0.5")
    hubspot_daily_share: Decimal = Decimal("0.5")


class Polling(_Value):
    """How often the CRMs are read."""

    salesforce_seconds: Decimal = Decimal(15)
    hubspot_seconds: Decimal = Decimal(60)


class Observe(_Value):
    """Fields that are read and recorded although no mapping names them."""

    salesforce: tuple[str, ...] = ()
    hubspot: tuple[str, ...] = ()


class Policy(_Value):
    """Everything that an operator can decide; the defaults are the specification's."""

    observe: Observe = Observe()
    switches: Switches = Switches()
    pipelines: Pipelines = Pipelines()
    mappings: tuple[Mapping, ...] = DEFAULT_MAPPINGS
    stages: tuple[StageOverride, ...] = ()
    clocks: Clocks = Clocks()
    deletes: Deletes = Deletes()
    contacts: Contacts = Contacts()
    budgets: Budgets = Budgets()
    polling: Polling = Polling()

    def mapping(self, name: str) -> Mapping | None:
        """Return the mapping of that name, ours or either CRM's, or None."""
        for mapping in self.mappings:
            if name in (mapping.name, mapping.salesforce, mapping.hubspot):
                return mapping
        return None
