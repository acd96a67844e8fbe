"""HubSpot's names of what we read and write: kinds, paths, properties, association types.

Nothing outside this package and its sandbox twin may know them.
"""

from typing import Final

from domain.ids import Kind

#: the kinds that are read, in the order of the baseline
KINDS: Final = (Kind.DEAL, Kind.CONTACT, Kind.COMPANY)
PLURAL: Final = {Kind.DEAL: "deals", Kind.CONTACT: "contacts", Kind.COMPANY: "companies"}
#: as webhooks begin their types
SINGULAR: Final = {Kind.DEAL: "deal", Kind.CONTACT: "contact", Kind.COMPANY: "company"}
#: as `object.*` webhooks name kinds
KIND_OF_TYPE_ID: Final = {"0-3": Kind.DEAL, "0-1": Kind.CONTACT, "0-2": Kind.COMPANY}

#: the property that moves with every change
MODIFIED: Final = {
    Kind.DEAL: "hs_lastmodifieddate",
    Kind.CONTACT: "lastmodifieddate",
    Kind.COMPANY: "hs_lastmodifieddate",
}
OBJECT_ID: Final = "hs_object_id"
MERGED_IDS: Final = "hs_merged_object_ids"
SOURCE: Final = "hs_object_source"
SOURCE_ID: Final = "hs_object_source_id"

#: our unique keys (rules `link-ids`, `account-identity`)
DEAL_KEY: Final = "dealsync_opportunity_id"
COMPANY_KEY: Final = "dealsync_account_id"
#: what the deal shows of its pair (rule `record-status`)
STATUS: Final = ("dealsync_link", "dealsync_state", "dealsync_synced_at", "dealsync_issue")
#: a contact's values over its deals (rule `rollup-target`)
ROLLUP: Final = (
    "dealsync_associated_deals",
    "dealsync_first_deal_created_date",
    "dealsync_recent_deal_close_date",
    "dealsync_recent_deal_amount",
    "dealsync_total_revenue",
)
#: the group that our own properties stand in
GROUP: Final = "dealsync"
GROUP_LABEL: Final = "dealsync"

PIPELINE: Final = "pipeline"
STAGE: Final = "dealstage"
OWNER: Final = "hubspot_owner_id"
CURRENCY: Final = "deal_currency_code"
CREATED: Final = "createdate"
LIFECYCLE: Final = "lifecyclestage"
#: the vendor connector's properties, read where the portal has them, never written
VENDOR_DEAL_LINK: Final = "hs_salesforceopportunityid"
VENDOR_SYNCED: Final = "salesforcelastsynctime"
VENDOR_CONTACT_LINK: Final = "salesforcecontactid"
VENDOR_COMPANY_LINK: Final = "salesforceaccountid"

#: what a deal is always read with, besides the mapped properties
DEAL_HISTORY: Final = (
    PIPELINE,
    STAGE,
    OWNER,
    "closedate",
    CREATED,
    DEAL_KEY,
    VENDOR_DEAL_LINK,
    VENDOR_SYNCED,
    *STATUS,
)
#: whether it is closed, and won: worked out by HubSpot, shown without histories
DEAL_STATE: Final = ("hs_is_closed", "hs_is_closed_won")
DEAL_PLAIN: Final = (
    *DEAL_STATE,
    OBJECT_ID,
    MODIFIED[Kind.DEAL],
    MERGED_IDS,
    SOURCE,
    SOURCE_ID,
    CURRENCY,
)
CONTACT_PLAIN: Final = (
    OBJECT_ID,
    MODIFIED[Kind.CONTACT],
    MERGED_IDS,
    "email",
    LIFECYCLE,
    VENDOR_CONTACT_LINK,
    *ROLLUP,
)
COMPANY_PLAIN: Final = (
    OBJECT_ID,
    MODIFIED[Kind.COMPANY],
    MERGED_IDS,
    "name",
    "domain",
    VENDOR_COMPANY_LINK,
    COMPANY_KEY,
)

#: deal to contact, without a label
DEAL_TO_CONTACT: Final = 3
#: deal to its primary company
DEAL_TO_PRIMARY_COMPANY: Final = 5
#: the category of an association type that no person made
HUBSPOT_DEFINED: Final = "HUBSPOT_DEFINED"

#: records a batch call takes
BATCH_SIZE_MAX: Final = 100
#: records a batch read takes when it asks for histories; more is a 400
HISTORY_BATCH_SIZE_MAX: Final = 50
#: records a list page holds; half of it when it asks for histories
PAGE_SIZE_MAX: Final = 100
#: records a search page holds
SEARCH_SIZE_MAX: Final = 200


def objects(kind: Kind) -> str:
    """Return the path of a kind's records."""
    return f"/crm/v3/objects/{PLURAL[kind]}"
