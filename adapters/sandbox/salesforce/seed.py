"""What a new org has: itself, profiles, its first users, stages and record types."""

from collections.abc import Sequence
from datetime import datetime

from adapters.sandbox.salesforce import ids, records, stages
from adapters.sandbox.salesforce.effects import ADMIN_PROFILE, STANDARD_PROFILE
from adapters.sandbox.salesforce.org import Call, Org
from adapters.sandbox.tables import Row

ADMIN = "admin@sandbox.example"
INTEGRATION = "integration@sandbox.example"
ORGANIZATION_NAME = "Sandbox Company"
TIME_ZONE = "America/New_York"
#: how many API calls the org has in 24 hours, unless an action sets another number
DAILY_LIMIT = 1_000_000
#: the people who set the org up: user name, first name, last name
ADMINS = ((ADMIN, "Ada", "Admin"), (INTEGRATION, "Integration", "User"))


def seed(org: Org, at: datetime, record_types: Sequence[str], *, new_fields_visible: bool) -> None:
    """Fill an empty org.

    Args:
        org: the org.
        at: now.
        record_types: names; a known one has its own sales process, another offers every stage;
            none at all makes an org with the master record type alone.
        new_fields_visible: new custom fields need no FieldPermissions, unlike in a real org.
    """
    store = org.store
    organization_id = ids.numbered("00D", 1)
    profiles = {
        name: ids.numbered("00e", store.tables.next_number("id:00e"))
        for name in (ADMIN_PROFILE, STANDARD_PROFILE)
    }
    # The first user makes himself; his id is the first of all.
    maker: Row = {"Id": ids.numbered("005", 1), "Username": ADMIN, "TimeZoneSidKey": TIME_ZONE}
    store.set("organization_id", organization_id)
    store.set("daily_limit", DAILY_LIMIT)
    store.set("new_fields_visible", new_fields_visible)
    call = Call(org, maker, at)
    for name, profile_id in profiles.items():
        store.put("Profile", profile_id, {"Id": profile_id, "Name": name, **stages.audit(call)})
    organization: Row = {
        "Id": organization_id,
        "Name": ORGANIZATION_NAME,
        "TimeZoneSidKey": TIME_ZONE,
        "DefaultLocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "OrganizationType": "Enterprise Edition",
        "InstanceName": "SB0",
        "IsSandbox": True,
        "DefaultCurrencyIsoCode": "USD",
        **stages.audit(call),
    }
    store.put("Organization", organization_id, organization)
    _users(org, call, profiles[ADMIN_PROFILE])
    for stage in stages.STANDARD_STAGES:
        stages.add_stage(call, stage)
    for name in record_types:
        stages.add_record_type(call, name, stages.STANDARD_PROCESSES.get(name))


def _users(org: Org, call: Call, profile_id: str) -> None:
    user_type = org.schema.object("User")
    assert user_type is not None, "users are standard"
    # Nobody may make users yet, so the first ones are made by the org itself.
    call.access = org.access(call.user_id).raised()
    for email, first_name, last_name in ADMINS:
        values: Row = {
            "Username": email,
            "Email": email,
            "FirstName": first_name,
            "LastName": last_name,
            "ProfileId": profile_id,
            "TimeZoneSidKey": TIME_ZONE,
        }
        records.create(call, user_type, values)
