"""Accounts, contacts, leads, opportunities and roles, with what a sync or its users meet of them.

A real org has more fields; these have the real names, types and lengths.
"""

from adapters.sandbox.salesforce.fields import (
    AUDIT,
    DESCRIPTION,
    FORECAST_CATEGORIES,
    ID,
    OWNER,
    RECORD_TYPE,
    create_only,
    flag,
    number,
    person,
    picklist,
    read_only,
    reference,
    required,
    text,
    typed,
    values,
)
from adapters.sandbox.salesforce.schema import ChildRelationship, Field, ObjectType

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

ACCOUNT = ObjectType(
    "Account",
    "Account",
    "Accounts",
    "001",
    (
        ID,
        read_only(reference("MasterRecordId", "Master Record ID", "Account", "MasterRecord")),
        text("Name", "Account Name", 255, required=True),
        picklist("Type", "Account Type", ACCOUNT_TYPES),
        reference("ParentId", "Parent Account ID", "Account", "Parent"),
        typed("BillingStreet", "textarea", "Billing Street", 255),
        text("BillingCity", "Billing City", 40),
        text("BillingState", "Billing State/Province", 80),
        text("BillingPostalCode", "Billing Zip/Postal Code", 20),
        text("BillingCountry", "Billing Country", 80),
        typed("Phone", "phone", "Account Phone", 40),
        typed("Website", "url", "Website", 255),
        picklist("Industry", "Industry", INDUSTRIES),
        number("AnnualRevenue", "currency", "Annual Revenue", 18, 0),
        number("NumberOfEmployees", "int", "Employees", 8, 0),
        DESCRIPTION,
        OWNER,
        *AUDIT,
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
        ID,
        read_only(reference("MasterRecordId", "Master Record ID", "Contact", "MasterRecord")),
        reference("AccountId", "Account ID", "Account", "Account"),
        *person(),
        typed("Phone", "phone", "Business Phone", 40),
        typed("MobilePhone", "phone", "Mobile Phone", 40),
        typed("Email", "email", "Email", 80),
        text("Title", "Title", 128),
        text("Department", "Department", 80),
        text("MailingCity", "Mailing City", 40),
        text("MailingCountry", "Mailing Country", 80),
        picklist("LeadSource", "Lead Source", LEAD_SOURCES),
        DESCRIPTION,
        OWNER,
        *AUDIT,
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
        ID,
        read_only(reference("MasterRecordId", "Master Record ID", "Lead", "MasterRecord")),
        *person(),
        text("Title", "Title", 128),
        text("Company", "Company", 255, required=True),
        typed("Phone", "phone", "Phone", 40),
        typed("Email", "email", "Email", 80),
        typed("Website", "url", "Website", 255),
        DESCRIPTION,
        picklist("LeadSource", "Lead Source", LEAD_SOURCES),
        Field(
            "Status",
            "picklist",
            "Status",
            length=255,
            nillable=False,
            defaulted=True,
            default=LEAD_STATUSES[0],
            values=values(LEAD_STATUSES, LEAD_STATUSES[0]),
        ),
        OWNER,
        read_only(flag("IsConverted", "Converted")),
        read_only(typed("ConvertedDate", "date", "Converted Date")),
        read_only(
            reference("ConvertedAccountId", "Converted Account ID", "Account", "ConvertedAccount")
        ),
        read_only(
            reference("ConvertedContactId", "Converted Contact ID", "Contact", "ConvertedContact")
        ),
        read_only(
            reference(
                "ConvertedOpportunityId",
                "Converted Opportunity ID",
                "Opportunity",
                "ConvertedOpportunity",
            )
        ),
        *AUDIT,
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
        ID,
        reference("AccountId", "Account ID", "Account", "Account"),
        RECORD_TYPE,
        flag("IsPrivate", "Private"),
        text("Name", "Name", 120, required=True),
        DESCRIPTION,
        required(picklist("StageName", "Stage", (), restricted=True)),
        number("Amount", "currency", "Amount", 18, 2),
        Field("Probability", "percent", "Probability (%)", precision=3, scale=0, defaulted=True),
        read_only(number("ExpectedRevenue", "currency", "Expected Amount", 18, 2)),
        required(typed("CloseDate", "date", "Close Date")),
        picklist("Type", "Opportunity Type", OPPORTUNITY_TYPES),
        text("NextStep", "Next Step", 255),
        picklist("LeadSource", "Lead Source", LEAD_SOURCES),
        read_only(flag("IsClosed", "Closed")),
        read_only(flag("IsWon", "Won")),
        read_only(picklist("ForecastCategoryName", "Forecast Category", FORECAST_CATEGORIES)),
        read_only(flag("HasOpportunityLineItem", "Has Line Item")),
        OWNER,
        *AUDIT,
        read_only(typed("LastStageChangeDate", "datetime", "Last Stage Change Date")),
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
        ID,
        create_only(reference("OpportunityId", "Opportunity ID", "Opportunity", "Opportunity")),
        required(reference("ContactId", "Contact ID", "Contact", "Contact")),
        Field("Role", "picklist", "Role", length=40, values=values(ROLES)),
        flag("IsPrimary", "Primary"),
        *AUDIT,
    ),
    replicateable=True,
)
