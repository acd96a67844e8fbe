"""Names that Salesforce gives things, where more than one module here says them."""

from typing import Final

OPPORTUNITY: Final = "Opportunity"
ROLE: Final = "OpportunityContactRole"
CONTACT: Final = "Contact"
ACCOUNT: Final = "Account"

#: our external id on the opportunity: the deal's id (rule `link-ids`)
LINK_FIELD: Final = "DealSync_Deal_Id__c"
RECORD_TYPE_FIELD: Final = "RecordTypeId"
STAGE_FIELD: Final = "StageName"
CURRENCY_FIELD: Final = "CurrencyIsoCode"
#: the record type of everything in an org that has none
MASTER_RECORD_TYPE: Final = "012000000000000AAA"

#: ids of one IN list, and records of one collections call
BATCH_SIZE_MAX: Final = 200
