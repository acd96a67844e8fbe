"""The properties of a new account: those that people, the engine and common tools use.

A real account has several hundred; their definitions look like these.
"""

from dataclasses import dataclass

from adapters.sandbox.hubspot.kinds import COMPANIES, CONTACTS, DEALS, Kind
from adapters.sandbox.hubspot.pipelines import lifecycle_pipeline
from adapters.sandbox.hubspot.rows import rows_in, text
from adapters.sandbox.tables import JsonValue, Row, Tables

_DEFINED_AT = "2020-06-30T15:57:38.191Z"
GROUPS = "property_group"
SALESFORCE_GROUP = "salesforceinformation"


@dataclass(frozen=True, slots=True)
class _Default:
    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    read_only: bool = False
    calculated: bool = False
    external_options: bool = False
    unique: bool = False
    #: (value, label)
    options: tuple[tuple[str, str], ...] = ()


def _text(name: str, label: str, field_type: str = "text") -> _Default:
    return _Default(name, label, field_type=field_type)


def _number(name: str, label: str) -> _Default:
    return _Default(name, label, "number", "number")


def _instant(name: str, label: str) -> _Default:
    return _Default(name, label, "datetime", "date")


def _fixed(name: str, label: str, kind: str = "string") -> _Default:
    """Return a property that nobody can set."""
    field_type = {"number": "number", "datetime": "date", "bool": "booleancheckbox"}
    return _Default(name, label, kind, field_type.get(kind, "text"), read_only=True)


def _rollup(name: str, label: str, kind: str) -> _Default:
    return _Default(name, label, kind, "calculation_rollup", read_only=True, calculated=True)


_ROLLUPS = (
    _rollup("num_associated_deals", "Number of Associated Deals", "number"),
    _rollup("first_deal_created_date", "First Deal Created Date", "datetime"),
    _rollup("recent_deal_close_date", "Recent Deal Close Date", "datetime"),
    _rollup("recent_deal_amount", "Recent Deal Amount", "number"),
    _rollup("total_revenue", "Total Revenue", "number"),
)
_LIFECYCLE = _Default(
    "lifecyclestage",
    "Lifecycle Stage",
    "enumeration",
    "radio",
    options=tuple(
        (text(stage, "id"), text(stage, "label"))
        for stage in rows_in(lifecycle_pipeline(), "stages")
    ),
)
_OWNER = _Default("hubspot_owner_id", "Owner", "enumeration", "select", external_options=True)
_SHARED = (
    _fixed("hs_object_id", "Record ID", "number"),
    _fixed("hs_createdate", "Object create date/time", "datetime"),
    _fixed("hs_object_source", "Record creation source"),
    _fixed("hs_object_source_id", "Record creation source ID"),
    _fixed("hs_object_source_label", "Record source"),
    _fixed("hs_merged_object_ids", "Merged object IDs"),
    _OWNER,
)
_BY_KIND: dict[str, tuple[_Default, ...]] = {
    CONTACTS.name: (
        *_SHARED,
        _Default("email", "Email", unique=True),
        _text("firstname", "First Name"),
        _text("lastname", "Last Name"),
        _text("phone", "Phone Number", "phonenumber"),
        _text("mobilephone", "Mobile Phone Number", "phonenumber"),
        _text("jobtitle", "Job Title"),
        _text("company", "Company Name"),
        _text("website", "Website URL"),
        _text("address", "Street Address"),
        _text("city", "City"),
        _text("state", "State/Region"),
        _text("zip", "Postal Code"),
        _text("country", "Country/Region"),
        _fixed("createdate", "Create Date", "datetime"),
        _fixed("lastmodifieddate", "Last Modified Date", "datetime"),
        _LIFECYCLE,
        _Default(
            "hs_lead_status",
            "Lead Status",
            "enumeration",
            "radio",
            options=(("NEW", "New"), ("OPEN", "Open"), ("CONNECTED", "Connected")),
        ),
        _rollup("associatedcompanyid", "Primary Associated Company ID", "number"),
        _rollup("hs_full_name_or_email", "Full name or email", "string"),
        *_ROLLUPS,
    ),
    COMPANIES.name: (
        *_SHARED,
        _text("name", "Company name"),
        _text("domain", "Company Domain Name"),
        _text("website", "Website URL"),
        _text("phone", "Phone Number", "phonenumber"),
        _text("description", "Description", "textarea"),
        _text("industry", "Industry"),
        _text("address", "Street Address"),
        _text("city", "City"),
        _text("state", "State/Region"),
        _text("zip", "Postal Code"),
        _text("country", "Country/Region"),
        _number("numberofemployees", "Number of Employees"),
        _number("annualrevenue", "Annual Revenue"),
        _fixed("createdate", "Create Date", "datetime"),
        _fixed("hs_lastmodifieddate", "Last Modified Date", "datetime"),
        _LIFECYCLE,
        _rollup("num_associated_contacts", "Number of Associated Contacts", "number"),
        *_ROLLUPS,
    ),
    DEALS.name: (
        *_SHARED,
        _text("dealname", "Deal Name"),
        _number("amount", "Amount"),
        _Default("pipeline", "Pipeline", "enumeration", "select", external_options=True),
        _Default("dealstage", "Deal Stage", "enumeration", "radio", external_options=True),
        _instant("closedate", "Close Date"),
        _instant("createdate", "Create Date"),
        _text("description", "Deal Description", "textarea"),
        _Default(
            "dealtype",
            "Deal Type",
            "enumeration",
            "radio",
            options=(("newbusiness", "New Business"), ("existingbusiness", "Existing Business")),
        ),
        _Default(
            "hs_priority",
            "Priority",
            "enumeration",
            "select",
            options=(("low", "Low"), ("medium", "Medium"), ("high", "High")),
        ),
        _Default("deal_currency_code", "Currency", "enumeration", "select", external_options=True),
        _text("hs_next_step", "Next step"),
        _text("closed_lost_reason", "Closed Lost Reason", "textarea"),
        _text("closed_won_reason", "Closed Won Reason", "textarea"),
        _fixed("hs_lastmodifieddate", "Last Modified Date", "datetime"),
        _rollup("hs_is_closed", "Is Deal Closed?", "bool"),
        _rollup("hs_is_closed_won", "Is Closed Won", "bool"),
        _rollup("hs_deal_stage_probability", "Deal probability", "number"),
        _rollup("num_associated_contacts", "Number of Associated Contacts", "number"),
        _rollup("hs_primary_associated_company", "Primary Associated Company", "number"),
    ),
}
#: what another program than HubSpot's own connector may rely on
_LINKS: tuple[tuple[Kind, _Default], ...] = (
    (CONTACTS, _text("salesforcecontactid", "Salesforce Contact ID")),
    (CONTACTS, _text("salesforceaccountid", "Salesforce Account ID")),
    (COMPANIES, _text("salesforceaccountid", "Salesforce Account ID")),
)
#: what HubSpot's own Salesforce connector adds when it is installed
_CONNECTOR: tuple[tuple[Kind, _Default], ...] = (
    (DEALS, _text("hs_salesforceopportunityid", "Salesforce Opportunity ID")),
    *(
        (kind, one)
        for kind in (DEALS, CONTACTS, COMPANIES)
        for one in (
            _instant("salesforcelastsynctime", "Last Salesforce Sync Time"),
            _Default(
                "salesforcedeleted",
                "Salesforce Deleted",
                "bool",
                "booleancheckbox",
                options=(("true", "True"), ("false", "False")),
            ),
        )
    ),
    (CONTACTS, _text("salesforceleadid", "Salesforce Lead ID")),
)
_GROUP_OF = {
    CONTACTS.name: ("contactinformation", "Contact Information"),
    COMPANIES.name: ("companyinformation", "Company information"),
    DEALS.name: ("dealinformation", "Deal information"),
}


def seed(tables: Tables) -> None:
    """Put the properties and groups of a new account."""
    for kind in (CONTACTS, COMPANIES, DEALS):
        name, label = _GROUP_OF[kind.name]
        _put_group(tables, kind, name, label, 0)
        _put_group(tables, kind, SALESFORCE_GROUP, "Salesforce information", 1)
        for order, one in enumerate(_BY_KIND[kind.name]):
            tables.put(kind.properties, one.name, _definition(one, name, order))
    _put_all(tables, _LINKS)


def add_connector_properties(tables: Tables) -> None:
    """Put what HubSpot's own Salesforce connector would have added."""
    _put_all(tables, _CONNECTOR)


def _put_all(tables: Tables, wanted: tuple[tuple[Kind, _Default], ...]) -> None:
    for kind, one in wanted:
        if tables.get(kind.properties, one.name) is None:
            tables.put(kind.properties, one.name, _definition(one, SALESFORCE_GROUP, -1))


def _put_group(tables: Tables, kind: Kind, name: str, label: str, order: int) -> None:
    tables.put(
        GROUPS,
        f"{kind.name}|{name}",
        {"name": name, "label": label, "displayOrder": order, "archived": False},
    )


def _definition(one: _Default, group: str, order: int) -> Row:
    options: list[JsonValue] = [
        {"label": label, "value": value, "displayOrder": place, "hidden": False}
        for place, (value, label) in enumerate(one.options)
    ]
    return {
        "updatedAt": _DEFINED_AT,
        "createdAt": _DEFINED_AT,
        "name": one.name,
        "label": one.label,
        "type": one.type,
        "fieldType": one.field_type,
        "description": "",
        "groupName": group,
        "options": options,
        "displayOrder": order,
        "calculated": one.calculated,
        "externalOptions": one.external_options,
        "hasUniqueValue": one.unique,
        "hidden": False,
        "hubspotDefined": True,
        "modificationMetadata": {
            "archivable": True,
            "readOnlyDefinition": True,
            "readOnlyValue": one.read_only,
        },
        "formField": not one.read_only,
        "dataSensitivity": "non_sensitive",
    }
