"""Whether what is in force now still allows a write that was decided before.

Asked right before a write is sent (rules `policy-change`, `deal-sync-switch`, `pipeline-scope`);
what it forbids is cancelled with that rule. It must not ask whether the write is still right: that
is decided anew when the cancellation comes back as a fact.

| in force | forbidden |
|---|---|
| deal sync off | everything but definitions and companies (`setup`, `import accounts`) |
| company sync off | writes of companies and their associations |
| `contact_removal = "keep"` (*) | removing a role or an association |
| a field's mapping is gone, renamed or `dont_sync` (*) | a write with it, unless required |
| `always_salesforce` (*) | the same, towards Salesforce |
| `prefer_salesforce` (*) | an update of a Salesforce field that holds something |
| the deal's pipeline is not synced | everything of the pair but its put-back and its status |

(*) unless the write was decided under this very policy.
"""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from domain import writes
from domain.canonical import Value
from domain.catalog import Catalog
from domain.claiming import DEFINITIONS
from domain.ids import Crm
from domain.mapping import REQUIRED, FieldRule
from domain.policy import ContactRemoval, Policy
from domain.rules import RuleId
from domain.writes import FieldChange, Write

#: writes of `import accounts`, which goes before deal sync
COMPANY_RECORDS: Final = (writes.CreateCompany, writes.UpdateCompany)
COMPANY_ASSOCIATIONS: Final = (writes.AssociateCompany, writes.DissociateCompany)
REMOVALS: Final = (writes.DissociateContact, writes.RemoveContactRole)


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Why a write is not sent."""

    rule: RuleId
    reason: str


@dataclass(frozen=True, slots=True)
class InForce:
    """The policy and the catalog as they are now."""

    policy: Policy
    #: 0: none was ever adopted
    policy_version: int
    catalog: Catalog

    @property
    def zone(self) -> tzinfo:
        """Return the zone whose days are the days of dates."""
        return self.catalog.zone(self.policy)

    def forbids(self, write: Write, *, decided_under: int) -> Forbidden | None:
        """Return why policy forbids the write, or None.

        Args:
            write: unsent.
            decided_under: the policy version it was decided under. Decide has weighed the one in
                force itself; calling its write off would only have it decided again.
        """
        if isinstance(write, DEFINITIONS):
            return None
        switches = self.policy.switches
        if isinstance(write, COMPANY_RECORDS + COMPANY_ASSOCIATIONS) and not switches.company_sync:
            return Forbidden(RuleId.POLICY_CHANGE, "company sync is off")
        if isinstance(write, COMPANY_RECORDS):
            return None
        if not switches.deal_sync:
            return Forbidden(RuleId.DEAL_SYNC_SWITCH, "deal sync is off")
        if decided_under == self.policy_version:
            return None
        if isinstance(write, REMOVALS) and switches.contact_removal is ContactRemoval.KEEP:
            return Forbidden(RuleId.POLICY_CHANGE, "removals do not cross")
        return self._forbids_fields(write)

    def forbids_in(self, write: Write, pipeline_id: Value) -> Forbidden | None:
        """Return why a write of a pair must not be sent while its deal is in that pipeline."""
        if isinstance(write, writes.UpdateDeal) and write.for_stopped:
            return None
        if (
            pipeline_id is not None
            and self.catalog.record_type_of(pipeline_id, self.policy) is not None
        ):
            return None
        return Forbidden(
            RuleId.PIPELINE_SCOPE, f"the deal is in pipeline {pipeline_id}, which is not synced"
        )

    def _forbids_fields(self, write: Write) -> Forbidden | None:
        match write:
            case writes.UpdateDeal() if write.for_stopped:
                return None
            case writes.UpdateDeal() | writes.UpdateOpportunity():
                wanted = write.fields
            case writes.CreateDeal() | writes.CreateOpportunity():
                wanted = tuple(f for f in write.fields if f.field not in REQUIRED)
            case _:
                return None
        for change in wanted:
            why = self._forbids_field(change, write.CRM)
            if why:
                return Forbidden(RuleId.POLICY_CHANGE, f"{change.field}: {why}")
        return None

    def _forbids_field(self, change: FieldChange, side: Crm) -> str:
        mapping = next((m for m in self.policy.mappings if m.name == change.field), None)
        if mapping is None:
            # A field of our own (a link, a status) goes by the CRM's own name and has no mapping.
            return "" if change.field == change.name else "it is not mapped any more"
        if change.name != (mapping.salesforce if side is Crm.SALESFORCE else mapping.hubspot):
            # Pipeline or record type go along with the stage under its name.
            return "" if mapping.rule is not FieldRule.DONT_SYNC else "it is not synced any more"
        match mapping.rule:
            case FieldRule.DONT_SYNC:
                return "it is not synced any more"
            case FieldRule.ALWAYS_SALESFORCE if side is Crm.SALESFORCE:
                return "Salesforce always wins now"
            case FieldRule.PREFER_SALESFORCE if side is Crm.SALESFORCE and change.before:
                return "Salesforce wins now unless it is blank"
            case _:
                return ""
