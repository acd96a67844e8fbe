"""The standard objects of an org, in the order in which it lists them, and currencies."""

from adapters.sandbox.salesforce.business_objects import (
    ACCOUNT,
    CONTACT,
    LEAD,
    OPPORTUNITY,
    OPPORTUNITY_CONTACT_ROLE,
)
from adapters.sandbox.salesforce.fields import values
from adapters.sandbox.salesforce.schema import Field
from adapters.sandbox.salesforce.setup_objects import (
    CUSTOM_FIELD,
    FIELD_PERMISSIONS,
    OPPORTUNITY_STAGE,
    ORGANIZATION,
    PERMISSION_SET,
    PERMISSION_SET_ASSIGNMENT,
    PROFILE,
    RECORD_TYPE_OBJECT,
    USER,
    USER_PERMISSION_ACCESS,
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
    values=values(CURRENCIES, "USD"),
)
