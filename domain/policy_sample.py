"""The sample policy file: every default, each with a word on what it does."""

from typing import Final

SAMPLE: Final = """\
# The policy of dealsync: what syncs, and which side wins.
# Check it with `dealsync policy check`, put it in force with `dealsync policy adopt`.
# Whatever is left out has the value that stands here.

# Fields that are read and recorded although no mapping names them.
observe = { salesforce = [], hubspot = [] }

[switches]
deal_sync = true                # off: nothing is written, everything is recorded
company_sync = true             # the deal's primary company follows the opportunity's account
lifecycle = true                # open and won deals move a contact's lifecycle stage forward
record_status = true            # our own fields on both records say how their sync stands
contact_removal = "keep"        # keep | mirror: what a removed contact means for the other side
recent_deal = "created"         # created | closed_won: which deal "recent" values come from

[pipelines]
limit = "professional"          # free | starter | professional | enterprise, or a number
order = []                      # record type ids, first come first
single_label = "Salesforce - Default Pipeline"

[pipelines.bind]                # record type id = id of a pipeline that exists already
# "012000000000001AAA" = "default"

[stages]                        # stages that do not go by their names
# "012000000000001AAA" = { "Negotiation/Review" = "contractsent" }

# These seven fields are always in step: name, stage, close_date, amount, owner, type,
# description. A table of one of them changes what it says here.
[fields.amount]
salesforce = "Amount"
hubspot = "amount"
type = "decimal"
rule = "two_way"                # two_way | prefer_salesforce | always_salesforce | dont_sync | hold

[fields.type.values]            # Salesforce value = HubSpot value
"New Business" = "newbusiness"
"Existing Business" = "existingbusiness"

# A field of your own names both fields and their type: text | decimal | date | datetime |
# boolean | picklist | multi_picklist | owner.
# [fields.next_step]
# salesforce = "NextStep"
# hubspot = "hs_next_step"
# type = "text"

[clocks]
skew_seconds = 2                # changes closer than this count as made at the same time
time_zone = "account"           # whose day a date is: HubSpot's account, or a name: "Asia/Tokyo"

[deletes]                       # more deletes than this wait for a person
fuse_count = 20                 # of so many
fuse_share = 0.05               # or of this share of all live pairs
fuse_minutes = 10               # within so many minutes

[contacts]
default_role = ""               # the role of a contact that comes from HubSpot

[budgets]                       # our share of what each CRM allows a day
salesforce_daily_share = 0.5
hubspot_daily_share = 0.5

[polling]                       # seconds between two looks; a CRM on this machine: less
salesforce_seconds = 15
hubspot_seconds = 60
"""
