"""The standard objects that a sandbox has, with the fields that a sync or its users meet.

A real org has more of both; what is here has the real names, types and lengths.
"""

from collections.abc import Iterable
from dataclasses import replace

from adapters.sandbox.salesforce.schema import (
    ChildRelationship,
    Field,
    FieldType,
    ObjectType,
    PicklistValue,
)

LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
INDUSTRIES = ("Agriculture", "Banking", "Energy", "Manufacturing", "Retail", "Technology", "Other")
ACCOUNT_TYPES = ("Prospect", "Customer - Direct", "Customer - Channel", "Partner", "Other")
OPPORTUNITY_TYPES = ("Existing Business", "New Business")
LEAD_STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted")
CONVERTED_STATUS = "Closed - Converted"
ROLES = (
    "Business User",
    "Decision Maker",
    "Economic Buyer",
    "Economic Decision Maker",
    "Evaluator",
    "Executive Sponsor",
    "Influencer",
    "Technical Buyer",
    "Other",
)
FORECAST_CATEGORIES = ("Omitted", "Pipeline", "Best Case", "Commit", "Closed")
#: what a permission set can allow to a whole user, of the many that there are
SYSTEM_PERMISSIONS = (
    "PermissionsApiEnabled",
    "PermissionsModifyAllData",
    "PermissionsModifyMetadata",
    "PermissionsViewAllData",
    "PermissionsViewSetup",
    "PermissionsCustomizeApplication",
    "PermissionsManageUsers",
)


def _values(names: Iterable[str], default: str = "") -> tuple[PicklistValue, ...]:
    return tuple(PicklistValue(name, name, default=name == default) for name in names)


def _text(name: str, label: str, length: int, *, required: bool = False) -> Field:
    return Field(name, "string", label, length=length, nillable=not required)


def _typed(name: str, kind: FieldType, label: str, length: int = 0) -> Field:
    return Field(name, kind, label, length=length)


def _picklist(name: str, label: str, names: Iterable[str], *, restricted: bool = False) -> Field:
    return Field(name, "picklist", label, length=255, values=_values(names), restricted=restricted)


def _number(name: str, kind: FieldType, label: str, precision: int, scale: int) -> Field:
    return Field(name, kind, label, precision=precision, scale=scale)


def _flag(name: str, label: str) -> Field:
    return Field(name, "boolean", label, nillable=False, defaulted=True, default=False)


def _preset(name: str, label: str, default: str) -> Field:
    return replace(_text(name, label, 40, required=True), defaulted=True, default=default)


def _reference(name: str, label: str, refers_to: str, relationship: str) -> Field:
    return Field(
        name, "reference", label, length=18, refers_to=refers_to, relationship=relationship
    )


def _required(optional: Field) -> Field:
    return replace(optional, nillable=False)


def _create_only(writable: Field) -> Field:
    return replace(writable, updateable=False, nillable=False)


def _read_only(writable: Field) -> Field:
    return replace(writable, createable=False, updateable=False, defaulted=True)


OWNER = Field(
    "OwnerId",
    "reference",
    "Owner ID",
    length=18,
    nillable=False,
    defaulted=True,
    refers_to="User",
    relationship="Owner",
)
RECORD_TYPE = Field(
    "RecordTypeId",
    "reference",
    "Record Type ID",
    length=18,
    defaulted=True,
    refers_to="RecordType",
    relationship="RecordType",
)
DESCRIPTION = _typed("Description", "textarea", "Description", 32_000)

_ID = Field(
    "Id",
    "id",
    "Record ID",
    length=18,
    createable=False,
    updateable=False,
    nillable=False,
    defaulted=True,
)
_AUDIT = (
    _read_only(_flag("IsDeleted", "Deleted")),
    _read_only(_required(_typed("CreatedDate", "datetime", "Created Date"))),
    _read_only(_required(_reference("CreatedById", "Created By ID", "User", "CreatedBy"))),
    _read_only(_required(_typed("LastModifiedDate", "datetime", "Last Modified Date"))),
    _read_only(
        _required(_reference("LastModifiedById", "Last Modified By ID", "User", "LastModifiedBy"))
    ),
    _read_only(_required(_typed("SystemModstamp", "datetime", "System Modstamp"))),
)


def _person(last_name_length: int = 80) -> tuple[Field, ...]:
    return (
        _text("LastName", "Last Name", last_name_length, required=True),
        _text("FirstName", "First Name", 40),
        _read_only(_text("Name", "Full Name", 121, required=True)),
    )


ACCOUNT = ObjectType(
    "Account",
    "Account",
    "Accounts",
    "001",
    (
        _ID,
        _read_only(_reference("MasterRecordId", "Master Record ID", "Account", "MasterRecord")),
        _text("Name", "Account Name", 255, required=True),
        _picklist("Type", "Account Type", ACCOUNT_TYPES),
        _reference("ParentId", "Parent Account ID", "Account", "Parent"),
        _typed("BillingStreet", "textarea", "Billing Street", 255),
        _text("BillingCity", "Billing City", 40),
        _text("BillingState", "Billing State/Province", 80),
        _text("BillingPostalCode", "Billing Zip/Postal Code", 20),
        _text("BillingCountry", "Billing Country", 80),
        _typed("Phone", "phone", "Account Phone", 40),
        _typed("Website", "url", "Website", 255),
        _picklist("Industry", "Industry", INDUSTRIES),
        _number("AnnualRevenue", "currency", "Annual Revenue", 18, 0),
        _number("NumberOfEmployees", "int", "Employees", 8, 0),
        DESCRIPTION,
        OWNER,
        *_AUDIT,
    ),
    children=(
        ChildRelationship("ChildAccounts", "Account", "ParentId"),
        ChildRelationship("Contacts", "Contact", "AccountId"),
        ChildRelationship("Opportunities", "Opportunity", "AccountId"),
    ),
    undeletable=True,
    mergeable=True,
    replicateable=True,
)

CONTACT = ObjectType(
    "Contact",
    "Contact",
    "Contacts",
    "003",
    (
        _ID,
        _read_only(_reference("MasterRecordId", "Master Record ID", "Contact", "MasterRecord")),
        _reference("AccountId", "Account ID", "Account", "Account"),
        *_person(),
        _typed("Phone", "phone", "Business Phone", 40),
        _typed("MobilePhone", "phone", "Mobile Phone", 40),
        _typed("Email", "email", "Email", 80),
        _text("Title", "Title", 128),
        _text("Department", "Department", 80),
        _text("MailingCity", "Mailing City", 40),
        _text("MailingCountry", "Mailing Country", 80),
        _picklist("LeadSource", "Lead Source", LEAD_SOURCES),
        DESCRIPTION,
        OWNER,
        *_AUDIT,
    ),
    children=(ChildRelationship("OpportunityContactRoles", "OpportunityContactRole", "ContactId"),),
    undeletable=True,
    mergeable=True,
    replicateable=True,
)

LEAD = ObjectType(
    "Lead",
    "Lead",
    "Leads",
    "00Q",
    (
        _ID,
        _read_only(_reference("MasterRecordId", "Master Record ID", "Lead", "MasterRecord")),
        *_person(),
        _text("Title", "Title", 128),
        _text("Company", "Company", 255, required=True),
        _typed("Phone", "phone", "Phone", 40),
        _typed("Email", "email", "Email", 80),
        _typed("Website", "url", "Website", 255),
        DESCRIPTION,
        _picklist("LeadSource", "Lead Source", LEAD_SOURCES),
        Field(
            "Status",
            "picklist",
            "Status",
            length=255,
            nillable=False,
            defaulted=True,
            default=LEAD_STATUSES[0],
            values=_values(LEAD_STATUSES, LEAD_STATUSES[0]),
        ),
        OWNER,
        _read_only(_flag("IsConverted", "Converted")),
        _read_only(_typed("ConvertedDate", "date", "Converted Date")),
        _read_only(
            _reference("ConvertedAccountId", "Converted Account ID", "Account", "ConvertedAccount")
        ),
        _read_only(
            _reference("ConvertedContactId", "Converted Contact ID", "Contact", "ConvertedContact")
        ),
        _read_only(
            _reference(
                "ConvertedOpportunityId",
                "Converted Opportunity ID",
                "Opportunity",
                "ConvertedOpportunity",
            )
        ),
        *_AUDIT,
    ),
    undeletable=True,
    replicateable=True,
)

OPPORTUNITY = ObjectType(
    "Opportunity",
    "Opportunity",
    "Opportunities",
    "006",
    (
        _ID,
        _reference("AccountId", "Account ID", "Account", "Account"),
        RECORD_TYPE,
        _flag("IsPrivate", "Private"),
        _text("Name", "Name", 120, required=True),
        DESCRIPTION,
        _required(_picklist("StageName", "Stage", (), restricted=True)),
        _number("Amount", "currency", "Amount", 18, 2),
        Field("Probability", "percent", "Probability (%)", precision=3, scale=0, defaulted=True),
        _read_only(_number("ExpectedRevenue", "currency", "Expected Amount", 18, 2)),
        _required(_typed("CloseDate", "date", "Close Date")),
        _picklist("Type", "Opportunity Type", OPPORTUNITY_TYPES),
        _text("NextStep", "Next Step", 255),
        _picklist("LeadSource", "Lead Source", LEAD_SOURCES),
        _read_only(_flag("IsClosed", "Closed")),
        _read_only(_flag("IsWon", "Won")),
        _read_only(_picklist("ForecastCategoryName", "Forecast Category", FORECAST_CATEGORIES)),
        _read_only(_flag("HasOpportunityLineItem", "Has Line Item")),
        OWNER,
        *_AUDIT,
        _read_only(_typed("LastStageChangeDate", "datetime", "Last Stage Change Date")),
    ),
    children=(
        ChildRelationship("OpportunityContactRoles", "OpportunityContactRole", "OpportunityId"),
    ),
    undeletable=True,
    replicateable=True,
)

OPPORTUNITY_CONTACT_ROLE = ObjectType(
    "OpportunityContactRole",
    "Opportunity Contact Role",
    "Opportunity Contact Role",
    "00K",
    (
        _ID,
        _create_only(_reference("OpportunityId", "Opportunity ID", "Opportunity", "Opportunity")),
        _required(_reference("ContactId", "Contact ID", "Contact", "Contact")),
        Field("Role", "picklist", "Role", length=40, values=_values(ROLES)),
        _flag("IsPrimary", "Primary"),
        *_AUDIT,
    ),
    replicateable=True,
)

OPPORTUNITY_STAGE = ObjectType(
    "OpportunityStage",
    "Opportunity Stage",
    "Opportunity Stage",
    "01J",
    (
        _ID,
        _text("MasterLabel", "Master Label", 255),
        _text("ApiName", "API Name", 255),
        _flag("IsActive", "Is Active"),
        _number("SortOrder", "int", "Sort Order", 9, 0),
        _flag("IsClosed", "Closed"),
        _flag("IsWon", "Won"),
        _picklist("ForecastCategoryName", "Forecast Category Name", FORECAST_CATEGORIES),
        _number("DefaultProbability", "percent", "Probability (%)", 3, 0),
        _text("Description", "Description", 255),
        *_AUDIT[1:],
    ),
    createable=False,
    updateable=False,
    deletable=False,
)

RECORD_TYPE_OBJECT = ObjectType(
    "RecordType",
    "Record Type",
    "Record Types",
    "012",
    (
        _ID,
        _text("Name", "Name", 80),
        _text("DeveloperName", "Record Type Name", 80),
        _text("NamespacePrefix", "Namespace Prefix", 15),
        _text("Description", "Description", 255),
        _picklist("SobjectType", "Object Type Name", ("Account", "Contact", "Opportunity")),
        _flag("IsActive", "Active"),
        *_AUDIT[1:],
    ),
    createable=False,
    updateable=False,
    deletable=False,
)

USER = ObjectType(
    "User",
    "User",
    "Users",
    "005",
    (
        _ID,
        _text("Username", "Username", 80, required=True),
        *_person(),
        _required(_typed("Email", "email", "Email", 128)),
        _text("Alias", "Alias", 8),
        _text("Title", "Title", 80),
        Field("IsActive", "boolean", "Active", nillable=False, defaulted=True, default=True),
        Field(
            "ProfileId",
            "reference",
            "Profile ID",
            length=18,
            defaulted=True,
            refers_to="Profile",
            relationship="Profile",
        ),
        _read_only(_preset("UserType", "User Type", "Standard")),
        _preset("TimeZoneSidKey", "Time Zone", "America/New_York"),
        _preset("LocaleSidKey", "Locale", "en_US"),
        _preset("LanguageLocaleKey", "Language", "en_US"),
        _preset("EmailEncodingKey", "Email Encoding", "UTF-8"),
        *_AUDIT[1:],
    ),
    deletable=False,
)

PROFILE = ObjectType(
    "Profile",
    "Profile",
    "Profile",
    "00e",
    (_ID, _text("Name", "Name", 255), *_AUDIT[1:]),
    createable=False,
    updateable=False,
    deletable=False,
)

ORGANIZATION = ObjectType(
    "Organization",
    "Organization",
    "Organizations",
    "00D",
    (
        _ID,
        _text("Name", "Name", 80),
        _text("TimeZoneSidKey", "Time Zone", 40),
        _text("DefaultLocaleSidKey", "Locale", 40),
        _text("LanguageLocaleKey", "Language", 40),
        _text("OrganizationType", "Edition", 40),
        _text("InstanceName", "Instance Name", 5),
        _flag("IsSandbox", "Is Sandbox"),
        _text("DefaultCurrencyIsoCode", "Default Currency ISO Code", 3),
        *_AUDIT[1:],
    ),
    createable=False,
    updateable=False,
    deletable=False,
)

PERMISSION_SET = ObjectType(
    "PermissionSet",
    "Permission Set",
    "Permission Sets",
    "0PS",
    (
        _ID,
        _text("Name", "Permission Set Name", 80, required=True),
        _text("Label", "Permission Set Label", 80, required=True),
        _text("Description", "Description", 255),
        _read_only(_flag("IsOwnedByProfile", "Is Owned By Profile")),
        _read_only(_reference("ProfileId", "Profile ID", "Profile", "Profile")),
        *(_flag(name, name) for name in SYSTEM_PERMISSIONS),
        *_AUDIT[1:],
    ),
    children=(
        ChildRelationship("Assignments", "PermissionSetAssignment", "PermissionSetId"),
        ChildRelationship("FieldPerms", "FieldPermissions", "ParentId"),
    ),
)

PERMISSION_SET_ASSIGNMENT = ObjectType(
    "PermissionSetAssignment",
    "Permission Set Assignment",
    "Permission Set Assignments",
    "0Pa",
    (
        _ID,
        _create_only(
            _reference("PermissionSetId", "PermissionSet ID", "PermissionSet", "PermissionSet")
        ),
        _create_only(_reference("AssigneeId", "Assignee ID", "User", "Assignee")),
        _read_only(_typed("SystemModstamp", "datetime", "System Modstamp")),
    ),
    updateable=False,
)

FIELD_PERMISSIONS = ObjectType(
    "FieldPermissions",
    "Field Permissions",
    "Field Permissions",
    "01k",
    (
        _ID,
        _create_only(_reference("ParentId", "Parent ID", "PermissionSet", "Parent")),
        _required(_text("SobjectType", "Sobject Type Name", 40)),
        _required(_text("Field", "Field Name", 255)),
        _flag("PermissionsEdit", "Edit Field"),
        _flag("PermissionsRead", "Read Field"),
        _read_only(_typed("SystemModstamp", "datetime", "System Modstamp")),
    ),
)

USER_PERMISSION_ACCESS = ObjectType(
    "UserPermissionAccess",
    "User Permission Access",
    "User Permission Access",
    "",
    (_ID, *(_read_only(_flag(name, name)) for name in SYSTEM_PERMISSIONS)),
    createable=False,
    updateable=False,
    deletable=False,
)

CUSTOM_FIELD = ObjectType(
    "CustomField",
    "Custom Field",
    "Custom Fields",
    "00N",
    (
        _ID,
        _text("DeveloperName", "Developer Name", 40),
        _text("NamespacePrefix", "Namespace Prefix", 15),
        _text("TableEnumOrId", "Table Enum Or ID", 40),
        _text("FullName", "Full Name", 255),
        _text("ManageableState", "Manageable State", 40),
        *_AUDIT[1:],
    ),
    createable=False,
    updateable=False,
    deletable=False,
    tooling=True,
)

STANDARD = (
    ACCOUNT,
    CONTACT,
    LEAD,
    OPPORTUNITY,
    OPPORTUNITY_CONTACT_ROLE,
    OPPORTUNITY_STAGE,
    RECORD_TYPE_OBJECT,
    USER,
    PROFILE,
    ORGANIZATION,
    PERMISSION_SET,
    PERMISSION_SET_ASSIGNMENT,
    FIELD_PERMISSIONS,
    USER_PERMISSION_ACCESS,
    CUSTOM_FIELD,
)
#: objects that get a currency code in an org with several currencies
WITH_CURRENCY = frozenset(
    {"Account", "Contact", "Lead", "Opportunity", "OpportunityContactRole", "User"}
)
CURRENCIES = ("USD", "EUR", "GBP", "JPY")
CURRENCY = Field(
    "CurrencyIsoCode",
    "picklist",
    "Currency ISO Code",
    length=3,
    nillable=False,
    defaulted=True,
    default="USD",
    restricted=True,
    values=_values(CURRENCIES, "USD"),
)
