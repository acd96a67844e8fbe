"""What happened: observations of CRM records, outcomes of our writes, requests, signals.

A fact is immutable, appended to the change log before anything is decided from it, and kept for
ever. It says what a CRM showed, whole, and never what changed: the difference is taken in `decide`,
against what the aggregate knows. `Fact` lists the closed union.

Vendor field names appear here only as names of readings, because mappings are policy.
"""

import operator
from typing import ClassVar, TypeAlias, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.canonical import Value
from domain.ids import Crm, FactId, Kind, StreamId, WriteId
from domain.policy import Policy


class _Fact(BaseModel):
    """What every fact says."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    TOPIC: ClassVar[str]

    #: derived from what the fact says, so saying it twice is recognisable
    id: FactId
    #: when it happened, by the clock of where it happened
    at: AwareDatetime
    #: who did it: a user, an integration, an operator; blank if nobody knows
    by: str = ""
    #: the event, request or fact that made us look; None: the source came by it alone
    cause: str | None = None


class Overwritten(BaseModel):
    """Somebody else's newest value of a field whose newest value is ours."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: the CRM's own text
    value: Value
    #: when it was set
    at: AwareDatetime
    #: who set it: the CRM's own source tag
    by: str = ""


class Reading(BaseModel):
    """One field as a CRM showed it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: the CRM's own API name
    name: str
    #: the CRM's own text
    value: Value
    #: when that value was set; None where the CRM gives no time per field (Salesforce polled)
    at: AwareDatetime | None = None
    #: who set it: the CRM's own source tag
    by: str = ""
    #: whether the CRM's own tag says that we set it
    ours: bool = False
    #: whether the CRM's own tag says that its automation set it, and no person or program
    automatic: bool = False
    #: whether a value of ours stood there before, and the newest of them; the author saw it
    followed_ours: bool = Field(default=False, exclude_if=operator.not_)
    our_value: Value = Field(default=None, exclude_if=operator.not_)
    #: what our value went over, where the CRM keeps a history
    overwritten: Overwritten | None = Field(default=None, exclude_if=operator.not_)


class _Observation(_Fact):
    """A record, or a part of it, as a CRM showed it."""

    #: our clock, before the request went out
    read_begun_at: AwareDatetime
    #: why it was read: baseline, poll, refresh, webhook, import, sync_now, look, answer
    reason: str


class OpportunityObserved(_Observation):
    """A Salesforce opportunity's fields."""

    TOPIC = "salesforce.OpportunityObserved"

    opportunity_id: str
    created_at: AwareDatetime
    #: SystemModstamp: whole seconds
    modified_at: AwareDatetime
    #: whether the record's last author is the integration user (no evidence about one field)
    modified_by_us: bool
    record_type_id: str
    stage_name: Value
    is_closed: bool
    is_won: bool
    owner_id: Value
    account_id: Value
    currency_code: Value
    #: our external id: the deal's id
    linked_deal_id: Value
    readings: tuple[Reading, ...]


class PipelineMove(BaseModel):
    """Where somebody else had put a deal before our latest value of its pipeline."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    at: AwareDatetime
    pipeline_id: str
    stage_id: Value


class DealObserved(_Observation):
    """A HubSpot deal's properties."""

    TOPIC = "hubspot.DealObserved"

    deal_id: str
    created_at: AwareDatetime
    modified_at: AwareDatetime
    pipeline_id: Value
    stage_id: Value
    #: when pipeline and stage were last set, whichever is later
    stage_at: AwareDatetime | None
    stage_by: str
    stage_ours: bool
    pipeline_at: AwareDatetime | None
    pipeline_ours: bool
    owner_id: Value
    currency_code: Value
    #: our link property as it stands: an opportunity's id, perhaps with `:2`
    link: Value
    #: the vendor connector's link, where the portal has one
    vendor_opportunity_id: Value
    vendor_synced_at: AwareDatetime | None
    #: whether our own integration created it
    created_by_us: bool
    #: ids of the deals that were merged into this one, as far as HubSpot tells
    merged_ids: tuple[str, ...] = ()
    #: the move by somebody else that our value of the pipeline went over; None: there was none
    overwritten_move: PipelineMove | None = None
    readings: tuple[Reading, ...]


class ContactRole(BaseModel):
    """One OpportunityContactRole row."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    contact_id: str
    role: Value = None
    is_primary: bool = False


class RolesObserved(_Observation):
    """An opportunity's whole set of contact roles."""

    TOPIC = "salesforce.RolesObserved"

    opportunity_id: str
    roles: tuple[ContactRole, ...]


class ContactAssociation(BaseModel):
    """One contact of a deal."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    contact_id: str
    #: whether a person gave the association a label of its own
    labelled: bool = False


class AssociationsObserved(_Observation):
    """A deal's whole set of contacts, and its primary company."""

    TOPIC = "hubspot.AssociationsObserved"

    deal_id: str
    contacts: tuple[ContactAssociation, ...]
    #: the primary company; None: none
    company_id: Value


class SalesforceContactObserved(_Observation):
    """A Salesforce contact, as far as identity needs it."""

    TOPIC = "salesforce.ContactObserved"

    contact_id: str
    email: Value
    name: Value
    account_id: Value


class HubSpotContactObserved(_Observation):
    """A HubSpot contact: identity, lifecycle stage, and our mirror properties."""

    TOPIC = "hubspot.ContactObserved"

    contact_id: str
    email: Value
    #: `salesforcecontactid`
    salesforce_contact_id: Value
    lifecycle_stage: Value
    readings: tuple[Reading, ...] = ()


class AccountObserved(_Observation):
    """A Salesforce account."""

    TOPIC = "salesforce.AccountObserved"

    account_id: str
    name: Value
    #: the host of Website, lower case, without `www.`
    domain: Value


class CompanyObserved(_Observation):
    """A HubSpot company."""

    TOPIC = "hubspot.CompanyObserved"

    company_id: str
    name: Value
    domain: Value
    #: `salesforceaccountid`, or ours
    salesforce_account_id: Value


class RecordDeleted(_Observation):
    """A CRM says that a record is deleted (or archived, or gone for good)."""

    TOPIC = "crm.RecordDeleted"

    crm: Crm
    kind: Kind
    record_id: str


class RecordMerged(_Observation):
    """A CRM answers one id with another: the record was merged."""

    TOPIC = "crm.RecordMerged"

    crm: Crm
    kind: Kind
    record_id: str
    winner_id: str
    #: the record whose pair the survivor takes, where the CRM says which; None: unknown
    primary_id: Value = None
    #: what the survivor carries as its link: the primary's, where it had one
    link: Value = None
    #: all records that went into the survivor, as far as it tells
    merged_ids: tuple[str, ...] = Field(default=(), exclude_if=operator.not_)


class RecordTypeSeen(BaseModel):
    """One Opportunity record type and the stages of its sales process."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    name: str
    is_active: bool
    #: whether it is assigned to the integration user
    is_available: bool
    created_at: AwareDatetime
    #: API names, in order
    stage_names: tuple[str, ...]


class OpportunityStageSeen(BaseModel):
    """One OpportunityStage of the org."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    label: str
    is_active: bool
    is_closed: bool
    is_won: bool
    #: percent, 0 to 100
    probability: int
    order: int


class PersonSeen(BaseModel):
    """A Salesforce user or a HubSpot owner."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    email: str
    name: str
    is_active: bool


class FieldSeen(BaseModel):
    """A Salesforce field or a HubSpot property."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: `opportunity`, `deal`, `contact` or `company`
    object: str
    name: str
    #: the CRM's own type word
    type: str
    is_writable: bool
    #: picklists: the allowed values; empty: not restricted
    values: tuple[str, ...] = ()


class SalesforceCatalogObserved(_Observation):
    """Everything about the org that rules read."""

    TOPIC = "salesforce.CatalogObserved"

    organization_id: str
    integration_user_id: str
    integration_user_name: str
    record_types: tuple[RecordTypeSeen, ...]
    stages: tuple[OpportunityStageSeen, ...]
    users: tuple[PersonSeen, ...]
    fields: tuple[FieldSeen, ...]
    #: names of what the integration user may do: ModifyAllData, ModifyMetadata, ApiEnabled
    permissions: tuple[str, ...]


class StageSeen(BaseModel):
    """One stage of a HubSpot deal pipeline."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    label: str
    order: int
    is_closed: bool
    #: decimal text, `0.0` to `1.0`
    probability: str


class PipelineSeen(BaseModel):
    """One HubSpot deal pipeline."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    label: str
    stages: tuple[StageSeen, ...]


class HubSpotCatalogObserved(_Observation):
    """Everything about the portal that rules read."""

    TOPIC = "hubspot.CatalogObserved"

    portal_id: str
    #: the account's own IANA zone
    time_zone: str
    pipelines: tuple[PipelineSeen, ...]
    owners: tuple[PersonSeen, ...]
    properties: tuple[FieldSeen, ...]
    #: internal values of lifecyclestage, in the portal's own order
    lifecycle_stages: tuple[str, ...]
    scopes: tuple[str, ...]


class WriteDone(_Fact):
    """A CRM took a write."""

    TOPIC = "outcome.WriteDone"

    stream: StreamId
    write_id: WriteId
    #: the record created, or written to
    record_id: Value
    #: our clock: before the call went out, and after its answer came
    sent_at: AwareDatetime
    answered_at: AwareDatetime
    #: what the answer showed; empty where the CRM shows nothing
    readings: tuple[Reading, ...] = ()


class WriteRejected(_Fact):
    """A CRM refused a write."""

    TOPIC = "outcome.WriteRejected"

    stream: StreamId
    write_id: WriteId
    #: the vendor's own code
    code: str
    message: str
    #: API names of the fields it blamed; empty: none named
    fields: tuple[str, ...] = ()
    #: whether it refused because the record is deleted or unknown there
    gone: bool = False


class WriteUnknown(_Fact):
    """A write was sent and no whole answer came: only a reading can settle it."""

    TOPIC = "outcome.WriteUnknown"

    stream: StreamId
    write_id: WriteId
    sent_at: AwareDatetime


class WriteHeld(_Fact):
    """A write waits for a person (rule `delete-fuse`)."""

    TOPIC = "outcome.WriteHeld"

    stream: StreamId
    write_id: WriteId
    reason: str


class WriteCancelled(_Fact):
    """A write was given up before it was sent, or proved lost."""

    TOPIC = "outcome.WriteCancelled"

    stream: StreamId
    write_id: WriteId
    reason: str
    #: the rule that stopped it
    rule: str


class PolicyProposed(_Fact):
    """An operator adopts a policy."""

    TOPIC = "request.PolicyProposed"

    policy: Policy
    #: the operator's own text
    text: str
    #: the version it replaces; 0: none was ever adopted
    replaces: int


class SetupRequested(_Fact):
    """An operator wants pipelines, stages, properties and fields made."""

    TOPIC = "request.SetupRequested"


class ImportRequested(_Fact):
    """An operator imports records; the reads that follow carry its id as cause."""

    TOPIC = "request.ImportRequested"

    kind: Kind
    #: what was chosen, in words
    selection: str
    count: int


class PairRequested(_Fact):
    """An operator asks something of one pair."""

    TOPIC = "request.PairRequested"

    #: the record the operator named, or the pair's own
    stream: StreamId
    #: resume, unlink, retry, discard, restore, decide
    action: str
    #: our name of the field, for restore and decide
    field: str = ""
    #: the value to restore, or `salesforce`/`hubspot` to decide
    value: Value = None
    reason_text: str = ""


class LinkRequested(_Fact):
    """An operator pairs an opportunity with a deal."""

    TOPIC = "request.LinkRequested"

    opportunity_id: str
    deal_id: str


class FactsRetried(_Fact):
    """An operator wants a stream's parked facts decided again."""

    TOPIC = "request.FactsRetried"

    stream: StreamId
    #: False: give them up
    again: bool = True


class Reconsider(_Fact):
    """Something that a stream waits for may have come."""

    TOPIC = "signal.Reconsider"

    stream: StreamId
    because: str


class Candidate(BaseModel):
    """A record that may be a counterpart."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    record_id: str
    #: `id`, `email`, `domain` or `name`: why it is one
    kind: str
    #: how many living records of its own side share that value
    count: int


class CandidatesChanged(_Fact):
    """The possible counterparts of a contact or an account changed."""

    TOPIC = "signal.CandidatesChanged"

    stream: StreamId
    candidates: tuple[Candidate, ...]


class Rollup(BaseModel):
    """A contact's five values over its deals (rule `contact-rollup`), and what lifecycle needs."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    associated_deals: int = 0
    first_deal_created_date: AwareDatetime | None = None
    #: canonical date
    recent_deal_close_date: Value = None
    #: canonical decimal
    recent_deal_amount: Value = None
    #: canonical decimal
    total_revenue: Value = None
    #: whether a live pair's opportunity is open, or won
    has_open: bool = False
    has_won: bool = False


class RollupChanged(_Fact):
    """A contact's roll-up changed."""

    TOPIC = "signal.RollupChanged"

    stream: StreamId
    rollup: Rollup


Observation: TypeAlias = (
    OpportunityObserved
    | DealObserved
    | RolesObserved
    | AssociationsObserved
    | SalesforceContactObserved
    | HubSpotContactObserved
    | AccountObserved
    | CompanyObserved
    | RecordDeleted
    | RecordMerged
    | SalesforceCatalogObserved
    | HubSpotCatalogObserved
)
Outcome: TypeAlias = WriteDone | WriteRejected | WriteUnknown | WriteHeld | WriteCancelled
Request: TypeAlias = (
    PolicyProposed | SetupRequested | ImportRequested | PairRequested | LinkRequested | FactsRetried
)
Signal: TypeAlias = Reconsider | CandidatesChanged | RollupChanged
Fact: TypeAlias = Observation | Outcome | Request | Signal

FACTS: tuple[type[_Fact], ...] = get_args(Fact)
