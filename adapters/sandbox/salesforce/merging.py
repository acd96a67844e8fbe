"""Merging contacts or accounts, and converting leads.

Children of a loser are moved to the winner without a change of their SystemModstamp: whoever polls
by it does not see them move. Source: Apex guide, "Triggers and Merge Statements".
"""

from adapters.sandbox.box import ActionRefusedError
from adapters.sandbox.salesforce import deletion, records
from adapters.sandbox.salesforce.arguments import Arguments, living, object_named
from adapters.sandbox.salesforce.business_objects import CONVERTED_STATUS
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.tables import JsonValue, Row

#: how many losers a merge may have
LOSERS_MAX = 2
#: by object: the objects whose records move to the winner, and their field
CHILDREN = {
    "Contact": (("OpportunityContactRole", "ContactId"),),
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId"), ("Account", "ParentId")),
}


def merge(call: Call, object_name: str, arguments: Arguments) -> Row:
    """Merge up to two losers into the winner: they are deleted and name it as their master."""
    winner = living(call, arguments.text("winner"), object_name)
    losers = [living(call, each, object_name) for each in arguments.texts("losers")]
    loser_ids = [row["Id"] for row in losers]
    if (
        len(losers) > LOSERS_MAX
        or winner["Id"] in loser_ids
        or len(set(map(str, loser_ids))) < len(losers)
    ):
        raise ActionRefusedError(
            f"a merge takes one winner and up to {LOSERS_MAX} other, different losers"
        )
    object_type = object_named(call, object_name)
    store = call.org.store
    for loser in losers:
        for child_name, field in CHILDREN[object_name]:
            for key in store.find(child_name, field, loser["Id"]):
                store.put(child_name, key, {**store.rows(child_name)[key], field: winner["Id"]})
        gone = {**loser, "MasterRecordId": winner["Id"]}
        deletion.mark_deleted(call, object_type, gone, taken_by=None)
    store.put(object_name, str(winner["Id"]), {**winner, **_touched(call)})
    return {"id": winner["Id"], "merged": loser_ids}


def convert_lead(call: Call, arguments: Arguments) -> Row:
    """Make a contact, and an account unless one is given, of a lead.

    With `opportunity_name` an opportunity too, with the contact in its primary role.
    """
    lead = living(call, arguments.text("id"), "Lead")
    if lead["IsConverted"]:
        raise ActionRefusedError(f"{lead['Id']} is converted already")
    given = arguments.text_or("account", None)
    account_id: JsonValue
    if given is None:
        account = {"Name": lead["Company"], "Website": lead["Website"], "Phone": lead["Phone"]}
        account_id = records.create(call, object_named(call, "Account"), account)
    else:
        account_id = living(call, given, "Account")["Id"]
    contact_values: Row = {
        name: lead[name]
        for name in ("FirstName", "LastName", "Email", "Phone", "Title", "LeadSource", "OwnerId")
    }
    contact_values["AccountId"] = account_id
    contact_id = records.create(call, object_named(call, "Contact"), contact_values)
    opportunity_id = _opportunity(call, arguments, lead, account_id, contact_id)
    converted: Row = {
        **lead,
        "IsConverted": True,
        "Status": CONVERTED_STATUS,
        "ConvertedDate": call.stamp[:10],
        "ConvertedAccountId": account_id,
        "ConvertedContactId": contact_id,
        "ConvertedOpportunityId": opportunity_id,
        **_touched(call),
    }
    call.org.store.put("Lead", str(lead["Id"]), converted)
    return {
        "id": lead["Id"],
        "account": account_id,
        "contact": contact_id,
        "opportunity": opportunity_id,
    }


def _opportunity(
    call: Call, arguments: Arguments, lead: Row, account_id: JsonValue, contact_id: str
) -> str | None:
    name = arguments.text_or("opportunity_name", None)
    if name is None:
        return None
    values: Row = {
        "Name": name,
        "AccountId": account_id,
        "OwnerId": lead["OwnerId"],
        "LeadSource": lead["LeadSource"],
        "StageName": arguments.text("stage"),
        "CloseDate": arguments.text("close_date"),
    }
    opportunity_id = records.create(call, object_named(call, "Opportunity"), values)
    role: Row = {"OpportunityId": opportunity_id, "ContactId": contact_id, "IsPrimary": True}
    records.create(call, object_named(call, "OpportunityContactRole"), role)
    return opportunity_id


def _touched(call: Call) -> Row:
    return {
        "LastModifiedDate": call.stamp,
        "LastModifiedById": call.user_id,
        "SystemModstamp": call.stamp,
    }
