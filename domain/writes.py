"""What we want a CRM to do: the closed union `Write`.

A write is addressed to an aggregate and a side; which record that is, is looked up when it is sent,
because a record can be merged or created again in between. Exceptions name the record and say so.

**There is no write that deletes an opportunity** (rule `delete-never-up`): what cannot be
constructed cannot be sent.
"""

from typing import ClassVar, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict

from domain.canonical import FieldType, Value
from domain.ids import Crm, StreamId, WriteId


class FieldChange(BaseModel):
    """One field of a write."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: our name of the mapped field; of a field that no mapping names, the CRM's own
    field: str
    #: the CRM's own API name
    name: str
    type: FieldType = FieldType.TEXT
    #: canonical: what that side is believed to hold; the send is called off where it proves false
    before: Value = None
    #: canonical: what it should hold
    after: Value = None
    #: what to put on the wire; None clears the field
    wire: Value = None
    #: canonical, in that side's own terms: the value that lost to `after`; None: none did
    losing: Value = None
    #: whether it is a field that people change too, so that `before` must still stand when it is
    #: sent; status properties, link ids, pipeline and record type are not
    guarded: bool = True


class _Write(BaseModel):
    """What every write says."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    CRM: ClassVar[Crm]
    #: verb of the audit line: create, update, archive, associate, …
    OPERATION: ClassVar[str]
    #: whether it makes a record, so needs no live one
    CREATES: ClassVar[bool] = False

    id: WriteId
    stream: StreamId
    fields: tuple[FieldChange, ...] = ()


class CreateDeal(_Write):
    """Create the pair's deal."""

    topic: Literal["write.CreateDeal"] = "write.CreateDeal"
    CRM = Crm.HUBSPOT
    OPERATION = "create"
    CREATES = True

    #: the unique value of `dealsync_opportunity_id`: the opportunity's id, or with `:2`, `:3`, …
    key: str


class UpdateDeal(_Write):
    """Set properties of the pair's deal."""

    topic: Literal["write.UpdateDeal"] = "write.UpdateDeal"
    CRM = Crm.HUBSPOT
    OPERATION = "update"

    #: the pipeline the deal is believed to be in; elsewhere, nothing is sent
    pipeline_id: str
    #: whether this only puts a person's pipeline and stage back, or shows the pair's status:
    #: the two writes that a stopped pair gets
    for_stopped: bool = False


class ArchiveDeal(_Write):
    """Delete the pair's deal, because the opportunity was deleted (rule `delete-down`)."""

    topic: Literal["write.ArchiveDeal"] = "write.ArchiveDeal"
    CRM = Crm.HUBSPOT
    OPERATION = "archive"

    pipeline_id: str


class AssociateContact(_Write):
    """Associate a contact with the pair's deal."""

    topic: Literal["write.AssociateContact"] = "write.AssociateContact"
    CRM = Crm.HUBSPOT
    OPERATION = "associate"

    contact_id: str
    #: the same person's id in Salesforce
    counterpart_id: str = ""


class DissociateContact(_Write):
    """Remove an association that we made."""

    topic: Literal["write.DissociateContact"] = "write.DissociateContact"
    CRM = Crm.HUBSPOT
    OPERATION = "dissociate"

    contact_id: str


class AssociateCompany(_Write):
    """Make a company the deal's primary one."""

    topic: Literal["write.AssociateCompany"] = "write.AssociateCompany"
    CRM = Crm.HUBSPOT
    OPERATION = "associate"

    company_id: str


class DissociateCompany(_Write):
    """Remove a company association that we made."""

    topic: Literal["write.DissociateCompany"] = "write.DissociateCompany"
    CRM = Crm.HUBSPOT
    OPERATION = "dissociate"

    company_id: str


class CreateOpportunity(_Write):
    """Create the pair's opportunity."""

    topic: Literal["write.CreateOpportunity"] = "write.CreateOpportunity"
    CRM = Crm.SALESFORCE
    OPERATION = "create"
    CREATES = True

    #: the value of `DealSync_Deal_Id__c`: the deal's id
    key: str


class UpdateOpportunity(_Write):
    """Set fields of the pair's opportunity."""

    topic: Literal["write.UpdateOpportunity"] = "write.UpdateOpportunity"
    CRM = Crm.SALESFORCE
    OPERATION = "update"

    #: the pipeline the deal is believed to be in; elsewhere, nothing is sent
    pipeline_id: str


class AddContactRole(_Write):
    """Add an OpportunityContactRole; the rows are read first, so twice is harmless."""

    topic: Literal["write.AddContactRole"] = "write.AddContactRole"
    CRM = Crm.SALESFORCE
    OPERATION = "add_role"

    contact_id: str
    #: the same person's id in HubSpot
    counterpart_id: str = ""
    #: Role; None: blank
    role: Value = None


class RemoveContactRole(_Write):
    """Remove an OpportunityContactRole that we made."""

    topic: Literal["write.RemoveContactRole"] = "write.RemoveContactRole"
    CRM = Crm.SALESFORCE
    OPERATION = "remove_role"

    contact_id: str
    role_id: str


class UpdateContact(_Write):
    """Set a HubSpot contact's mirror properties or its lifecycle stage."""

    topic: Literal["write.UpdateContact"] = "write.UpdateContact"
    CRM = Crm.HUBSPOT
    OPERATION = "update"


class CreateCompany(_Write):
    """Create the company of an account."""

    topic: Literal["write.CreateCompany"] = "write.CreateCompany"
    CRM = Crm.HUBSPOT
    OPERATION = "create"
    CREATES = True

    #: the unique value of `dealsync_account_id`: the account's id
    key: str


class UpdateCompany(_Write):
    """Put the account's id on a company that carries none."""

    topic: Literal["write.UpdateCompany"] = "write.UpdateCompany"
    CRM = Crm.HUBSPOT
    OPERATION = "update"

    #: named, because the account's stream owns no HubSpot record
    company_id: str


class StageWanted(BaseModel):
    """A HubSpot stage to make."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    #: the Salesforce stage it stands for, by API name
    stage_name: str
    label: str
    order: int
    is_closed: bool
    #: decimal text in steps of 0.1
    probability: str


class CreatePipeline(_Write):
    """Create a record type's pipeline, with its stages; a pipeline of that label is adopted."""

    topic: Literal["write.CreatePipeline"] = "write.CreatePipeline"
    CRM = Crm.HUBSPOT
    OPERATION = "create_pipeline"
    CREATES = True

    record_type_id: str
    label: str
    stages: tuple[StageWanted, ...]


class CreateStage(_Write):
    """Add a stage to a record type's pipeline."""

    topic: Literal["write.CreateStage"] = "write.CreateStage"
    CRM = Crm.HUBSPOT
    OPERATION = "create_stage"
    CREATES = True

    record_type_id: str
    pipeline_id: str
    stage: StageWanted


class RenameStage(_Write):
    """Give a stage the label that Salesforce gave it."""

    topic: Literal["write.RenameStage"] = "write.RenameStage"
    CRM = Crm.HUBSPOT
    OPERATION = "rename_stage"
    CREATES = True

    pipeline_id: str
    stage_id: str
    label: str


class CreateProperty(_Write):
    """Create one of our own HubSpot properties, in the group `dealsync`."""

    topic: Literal["write.CreateProperty"] = "write.CreateProperty"
    CRM = Crm.HUBSPOT
    OPERATION = "create_property"
    CREATES = True

    #: deal, contact or company
    object: str
    name: str
    label: str
    #: string, number, date, datetime, enumeration
    type: str
    is_unique: bool = False


class CreateField(_Write):
    """Create our external id field on the Salesforce opportunity."""

    topic: Literal["write.CreateField"] = "write.CreateField"
    CRM = Crm.SALESFORCE
    OPERATION = "create_field"
    CREATES = True

    object: str
    name: str
    label: str
    length: int


Write: TypeAlias = (
    CreateDeal
    | UpdateDeal
    | ArchiveDeal
    | AssociateContact
    | DissociateContact
    | AssociateCompany
    | DissociateCompany
    | CreateOpportunity
    | UpdateOpportunity
    | AddContactRole
    | RemoveContactRole
    | UpdateContact
    | CreateCompany
    | UpdateCompany
    | CreatePipeline
    | CreateStage
    | RenameStage
    | CreateProperty
    | CreateField
)

WRITES: tuple[type[_Write], ...] = get_args(Write)
