"""What was decided: the closed union `Event`, one stream an aggregate.

Every event cites the fact that caused it, the rule, and the policy version it was decided under,
and is complete enough to be read alone in the audit log. Events are never edited: a new field comes
with a default, a new meaning is a new class with a new `TOPIC`.
"""

import operator
from typing import ClassVar, TypeAlias, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain import facts
from domain.canonical import Value
from domain.ids import Crm, Kind, StreamId, WriteId
from domain.policy import Policy
from domain.rules import RuleId
from domain.writes import Write


class _Event(BaseModel):
    """What every event says."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    TOPIC: ClassVar[str]

    stream: StreamId
    #: when the fact happened, by the clock of where it happened
    at: AwareDatetime
    #: id of the fact that was decided
    cause: str
    #: who did what the fact says
    by: str = ""
    rule: RuleId
    policy_version: int
    #: counts recoveries of the store
    epoch: int = 0


# -- any stream ---------------------------------------------------------------------------------


class NothingDecided(_Event):
    """A fact changed nothing, and this says why."""

    TOPIC = "any.NothingDecided"

    reason: str


class FactParked(_Event):
    """A fact could not be decided; it and all that follow on this stream wait for a person."""

    TOPIC = "any.FactParked"

    #: `source:offset` of the fact in the change log
    position: str
    error: str
    #: the fact itself: its topic and its JSON
    topic: str
    body: str


class ParkedFactSettled(_Event):
    """A parked fact was decided after all, or given up."""

    TOPIC = "any.ParkedFactSettled"

    position: str
    given_up: bool


class WriteDecided(_Event):
    """A CRM should do something."""

    TOPIC = "any.WriteDecided"

    write: Write = Field(discriminator="topic")
    reason: str
    #: whether the winner could not be told by time (rule `who-wins`)
    ambiguous: bool = False


class WriteWithdrawn(_Event):
    """A write that was not sent yet is not wanted any more."""

    TOPIC = "any.WriteWithdrawn"

    write_id: WriteId
    reason: str


class WriteClosed(_Event):
    """What became of a write: done, rejected, unknown, held or cancelled."""

    TOPIC = "any.WriteClosed"

    write_id: WriteId
    outcome: str
    #: the record written to or created; None: none
    record_id: Value = None
    #: the vendor's code and message, or our reason
    code: str = ""
    message: str = ""
    fields: tuple[str, ...] = ()
    sent_at: AwareDatetime | None = None
    answered_at: AwareDatetime | None = None


class EchoSeen(_Event):
    """A done write was seen in its CRM: confirmed, or rewritten by the CRM."""

    TOPIC = "any.EchoSeen"

    write_id: WriteId
    how: str


class IssueOpened(_Event):
    """A problem that a person can see, with its fix."""

    TOPIC = "any.IssueOpened"

    code: str
    #: what it is about: a field, a contact, a record type; with `code` unique on the stream
    subject: str
    text: str


class IssueClosed(_Event):
    """The problem is gone."""

    TOPIC = "any.IssueClosed"

    code: str
    subject: str


class WaitingChanged(_Event):
    """What this stream waits for, whole.

    Keys: `contact:salesforce:003…`, `contact:hubspot:77`, `account:001…`, `catalog`, `policy`,
    `time:2026-11-24T09:00:00.000Z`.
    """

    TOPIC = "any.WaitingChanged"

    keys: tuple[str, ...]


class RefreshWanted(_Event):
    """A record should be read again."""

    TOPIC = "any.RefreshWanted"

    crm: Crm
    kind: Kind
    record_id: str
    because: str


class RecordFounded(_Event):
    """This stream is about that record from now on."""

    TOPIC = "any.RecordFounded"

    crm: Crm
    kind: Kind
    record_id: str


class RecordBuried(_Event):
    """A record is deleted; its id stays known for ever (rule `tombstone`)."""

    TOPIC = "any.RecordBuried"

    crm: Crm
    kind: Kind
    record_id: str
    read_begun_at: AwareDatetime


class RecordRevived(_Event):
    """A deleted record is there again."""

    TOPIC = "any.RecordRevived"

    crm: Crm
    kind: Kind
    record_id: str


# -- pair ---------------------------------------------------------------------------------------


class FieldNote(BaseModel):
    """What an observation taught about one field of one side."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    field: str
    #: canonical, in that side's own terms
    value: Value
    #: the value was set after `low` (if known) and not after `high`, by that CRM's clock
    low: AwareDatetime | None
    high: AwareDatetime
    #: `known` (first seen, or what we wrote), `changed` (a person or another program),
    #: `rewritten` (the CRM did not take our value)
    kind: str
    by: str = ""
    #: whether a value of ours stood there before, and the newest of them: the author saw it
    followed_ours: bool = Field(default=False, exclude_if=operator.not_)
    our_value: Value = Field(default=None, exclude_if=operator.not_)
    #: whether our own value went over this change: it does not stand there
    overwritten: bool = Field(default=False, exclude_if=operator.not_)
    #: of a change: what stood there before, as far as it was known; None: blank, or not known
    before: Value = Field(default=None, exclude_if=operator.not_)


class SideNote(BaseModel):
    """What an observation says of one side beside its mapped fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    created_at: AwareDatetime
    modified_at: AwareDatetime
    #: record type id, or pipeline id; None: none
    scope_id: Value
    #: when the scope was set, where the CRM says so
    scope_at: AwareDatetime | None = None
    is_closed: bool = False
    is_won: bool = False
    #: the opportunity's AccountId; a deal's company comes with its associations
    account_id: Value = None
    currency_code: Value = None
    #: our link field as it stands
    link: Value = None
    #: when the vendor's own connector last synced the deal, and whether that moved since
    vendor_synced_at: AwareDatetime | None = None
    vendor_is_active: bool = False


class SideNoted(_Event):
    """A record of the pair was observed: only the fields that taught something."""

    TOPIC = "pair.SideNoted"

    side: Crm
    record_id: str
    read_begun_at: AwareDatetime
    note: SideNote
    fields: tuple[FieldNote, ...]


class RolesNoted(_Event):
    """The opportunity's contact roles, whole."""

    TOPIC = "pair.RolesNoted"

    read_begun_at: AwareDatetime
    roles: tuple[facts.ContactRole, ...]


class AssociationsNoted(_Event):
    """The deal's contacts and primary company, whole."""

    TOPIC = "pair.AssociationsNoted"

    read_begun_at: AwareDatetime
    contacts: tuple[facts.ContactAssociation, ...]
    company_id: Value


class ContactLinkCrossed(_Event):
    """An added role or association stands on both sides; a later removal is not undone by it."""

    TOPIC = "pair.ContactLinkCrossed"

    #: the side it was added on, and the contact's id there
    side: Crm
    contact_id: str


class SyncEntered(_Event):
    """The pair takes part in the sync from now on; its counterpart is to be made or found."""

    TOPIC = "pair.SyncEntered"

    trigger: str


class CounterpartLinked(_Event):
    """The pair knows a record of its other side."""

    TOPIC = "pair.CounterpartLinked"

    side: Crm
    record_id: str
    #: created, adopted, restored, requested, merged
    how: str
    #: earlier ids of that side which come along, dead
    buried_ids: tuple[str, ...] = ()


class CounterpartDropped(_Event):
    """A record does not belong to the pair any more (unlinked, or lost to a merge)."""

    TOPIC = "pair.CounterpartDropped"

    side: Crm
    record_id: str
    why: str


class PairAbsorbed(_Event):
    """This half pair and another are one; the other goes on."""

    TOPIC = "pair.PairAbsorbed"

    into: StreamId


class SyncStopped(_Event):
    """The deal left the synced pipelines; nothing crosses (rule `pipeline-scope`)."""

    TOPIC = "pair.SyncStopped"

    why: str


class SyncResumed(_Event):
    """The deal is back in a synced pipeline."""

    TOPIC = "pair.SyncResumed"

    why: str


class PairDetached(_Event):
    """Nothing crosses until a person says so."""

    TOPIC = "pair.PairDetached"

    why: str


class PairDeleted(_Event):
    """The opportunity is deleted, and with it the deal."""

    TOPIC = "pair.PairDeleted"

    why: str


class FieldSettled(_Event):
    """Both sides should hold these values of a field."""

    TOPIC = "pair.FieldSettled"

    field: str
    #: canonical, each in its side's own terms
    salesforce: Value
    hubspot: Value
    #: whose change it is; None: nobody's (adopted as they are)
    winner: Crm | None
    #: sequential, concurrent, ambiguous, adopted, decided, restored
    how: str
    #: the loser's value, in its side's own terms, where there was one
    losing: Value = None
    #: who set the winner's value, and who set the loser's and when; blank: nobody knows
    winner_by: str = Field(default="", exclude_if=operator.not_)
    losing_by: str = Field(default="", exclude_if=operator.not_)
    losing_at: AwareDatetime | None = Field(default=None, exclude_if=operator.not_)


class FieldHeld(_Event):
    """A field waits: nothing is written for it on that side."""

    TOPIC = "pair.FieldHeld"

    field: str
    side: Crm
    #: an issue code
    code: str
    detail: str
    #: the value that cannot go
    value: Value


class FieldFreed(_Event):
    """A held field goes again."""

    TOPIC = "pair.FieldFreed"

    field: str
    side: Crm


class SummaryChanged(_Event):
    """What people and roll-ups see of a pair, whole."""

    TOPIC = "pair.SummaryChanged"

    #: outside, waiting, live, stopped, detached, deleted
    state: str
    opportunity_id: Value
    deal_id: Value
    name: Value
    #: HubSpot contact ids associated with the deal
    contact_ids: tuple[str, ...]
    #: the earlier of CreatedDate and createdate
    created_at: AwareDatetime | None
    #: last synced values, canonical
    amount: Value
    close_date: Value
    is_closed: bool
    is_won: bool
    record_type_id: Value
    pipeline_id: Value
    account_id: Value
    company_id: Value


# -- contact, account ---------------------------------------------------------------------------


class HubSpotContactNoted(_Event):
    """A HubSpot contact was observed."""

    TOPIC = "contact.HubSpotContactNoted"

    contact_id: str
    read_begun_at: AwareDatetime
    email: Value
    salesforce_contact_id: Value
    lifecycle_stage: Value
    #: our mirror properties as they stand
    mirror: tuple[facts.Reading, ...]


class SalesforceContactNoted(_Event):
    """A Salesforce contact was observed."""

    TOPIC = "contact.SalesforceContactNoted"

    contact_id: str
    read_begun_at: AwareDatetime
    email: Value
    name: Value
    account_id: Value


class ContactLinked(_Event):
    """A HubSpot contact and a Salesforce contact are the same person (rule `contact-identity`)."""

    TOPIC = "contact.ContactLinked"

    contact_id: str
    salesforce_contact_id: str
    #: id, email, merged
    how: str


class ContactUnlinked(_Event):
    """They are not, or one of them is gone."""

    TOPIC = "contact.ContactUnlinked"

    contact_id: str
    salesforce_contact_id: str
    why: str


class RollupNoted(_Event):
    """A contact's five values changed."""

    TOPIC = "contact.RollupNoted"

    rollup: facts.Rollup


class AccountNoted(_Event):
    """A Salesforce account was observed."""

    TOPIC = "account.AccountNoted"

    account_id: str
    read_begun_at: AwareDatetime
    name: Value
    domain: Value


class CompanyNoted(_Event):
    """A HubSpot company was observed."""

    TOPIC = "company.CompanyNoted"

    company_id: str
    read_begun_at: AwareDatetime
    name: Value
    domain: Value
    salesforce_account_id: Value


class AccountImported(_Event):
    """The account is to have a company (rule `account-identity`)."""

    TOPIC = "account.AccountImported"

    trigger: str


class AccountLinked(_Event):
    """An account and a company are the same firm."""

    TOPIC = "account.AccountLinked"

    account_id: str
    company_id: str
    #: id, domain, name, created, merged
    how: str


class AccountUnlinked(_Event):
    """They are not, or one of them is gone."""

    TOPIC = "account.AccountUnlinked"

    account_id: str
    company_id: str
    why: str


# -- catalog, policy ----------------------------------------------------------------------------


class SalesforceCatalogNoted(_Event):
    """The org's record types, stages, users, fields and permissions, whole."""

    TOPIC = "catalog.SalesforceCatalogNoted"

    catalog: facts.SalesforceCatalogObserved


class HubSpotCatalogNoted(_Event):
    """The portal's pipelines, owners and properties, whole."""

    TOPIC = "catalog.HubSpotCatalogNoted"

    catalog: facts.HubSpotCatalogObserved


class SetupAsked(_Event):
    """An operator wants what is missing to be made."""

    TOPIC = "catalog.SetupAsked"


class PipelineLinked(_Event):
    """A record type has its pipeline (rule `record-type-pipeline`)."""

    TOPIC = "catalog.PipelineLinked"

    record_type_id: str
    pipeline_id: str
    label: str
    #: created, adopted, bound
    how: str


class StageLinked(_Event):
    """A Salesforce stage has its HubSpot stage in a record type's pipeline (rule `stage-map`)."""

    TOPIC = "catalog.StageLinked"

    record_type_id: str
    stage_name: str
    stage_id: str


class AccountImportCompleted(_Event):
    """An import of accounts is done: accounts of synced opportunities now import themselves."""

    TOPIC = "catalog.AccountImportCompleted"

    selection: str
    count: int


class PolicyAdopted(_Event):
    """A policy is in force from here."""

    TOPIC = "policy.PolicyAdopted"

    version: int
    policy: Policy
    text: str


class PolicyRefused(_Event):
    """A proposed policy named another version than the one in force."""

    TOPIC = "policy.PolicyRefused"

    reason: str


Event: TypeAlias = (
    NothingDecided
    | FactParked
    | ParkedFactSettled
    | WriteDecided
    | WriteWithdrawn
    | WriteClosed
    | EchoSeen
    | IssueOpened
    | IssueClosed
    | WaitingChanged
    | RefreshWanted
    | RecordFounded
    | RecordBuried
    | RecordRevived
    | SideNoted
    | RolesNoted
    | AssociationsNoted
    | ContactLinkCrossed
    | SyncEntered
    | CounterpartLinked
    | CounterpartDropped
    | PairAbsorbed
    | SyncStopped
    | SyncResumed
    | PairDetached
    | PairDeleted
    | FieldSettled
    | FieldHeld
    | FieldFreed
    | SummaryChanged
    | HubSpotContactNoted
    | SalesforceContactNoted
    | ContactLinked
    | ContactUnlinked
    | RollupNoted
    | AccountNoted
    | CompanyNoted
    | AccountImported
    | AccountLinked
    | AccountUnlinked
    | SalesforceCatalogNoted
    | HubSpotCatalogNoted
    | SetupAsked
    | PipelineLinked
    | StageLinked
    | AccountImportCompleted
    | PolicyAdopted
    | PolicyRefused
)

EVENTS: tuple[type[_Event], ...] = get_args(Event)
