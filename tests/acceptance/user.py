"""A person who works in both CRMs with the vendors' own clients, and looks at what dealsync says.

It must not look into the engine: only the two CRMs' APIs and the command line are read.
"""

from typing import Any

import requests
from hubspot import HubSpot  # type: ignore[import-untyped]  # the vendor ships no types
from hubspot.crm.associations import v4  # type: ignore[import-untyped]  # the same
from hubspot.crm.contacts import (  # type: ignore[import-untyped]  # the same
    ApiException as ContactsApiException,
)
from hubspot.crm.deals import (  # type: ignore[import-untyped]  # the same
    ApiException,
    PublicMergeInput,
    SimplePublicObjectInput,
    SimplePublicObjectInputForCreate,
)
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce, SFType
from typing_extensions import override

from tests.support.program import Ended, Program

FIELDS = (
    "Id, Name, Amount, CloseDate, StageName, Description, Type, AccountId, OwnerId, RecordTypeId,"
    " NextStep, DealSync_Deal_Id__c, IsDeleted"
)
PROPERTIES = [
    *("dealname", "amount", "closedate", "createdate", "dealstage", "pipeline", "dealtype"),
    *("description", "hubspot_owner_id", "dealsync_opportunity_id", "dealsync_state"),
]
CONTACT_PROPERTIES = [
    *("email", "lifecyclestage", "dealsync_associated_deals", "dealsync_total_revenue"),
    *("dealsync_first_deal_created_date", "dealsync_recent_deal_close_date"),
    *("dealsync_recent_deal_amount", "num_associated_deals", "recent_deal_amount"),
]
#: HubSpot's own type of the association with a deal's primary company
PRIMARY_COMPANY = 5
TIMEOUT_SECONDS = 10


class _Plain(HTTPAdapter):
    """simple-salesforce writes https:// itself; the sandbox speaks plain HTTP on loopback."""

    @override
    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        assert request.url is not None
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)


def _signed_in(url: str) -> Salesforce:
    signed_in = requests.post(
        f"{url}/services/oauth2/token",
        data={
            "grant_type": "password",
            "client_id": "sandbox",
            "client_secret": "sandbox",
            "username": "admin@sandbox.example",
            "password": "sandbox",
        },
        timeout=TIMEOUT_SECONDS,
    ).json()
    session = requests.Session()
    session.mount("https://", _Plain())
    return Salesforce(instance_url=url, session_id=signed_in["access_token"], session=session)


class User:
    """A person who works in both CRMs, and looks at what dealsync says.

    Args:
        program: the running `dealsync up`.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.salesforce = _signed_in(program.salesforce_url)
        self.hubspot = HubSpot(access_token="pat-sandbox-person", host=program.hubspot_url)  # noqa: S106 - published
        # Each test waits for full passes, one after the other, as no real account has to bear.
        self.act("hubspot", "set_rate_limit", burst=10_000, search_per_second=1_000)

    # -- Salesforce

    def create(self, kind: str, **fields: str | float | bool) -> str:
        """Create a Salesforce record; return its id."""
        return str(self._records(kind).create(fields)["id"])

    def change(self, kind: str, record_id: str, **fields: str | float | bool | None) -> None:
        """Change a Salesforce record."""
        self._records(kind).update(record_id, fields)

    def delete(self, kind: str, record_id: str) -> None:
        """Delete a Salesforce record."""
        self._records(kind).delete(record_id)

    def query(self, soql: str) -> list[dict[str, Any]]:
        """Return the records of a query, deleted ones too."""
        found = self.salesforce.query_all(soql, include_deleted=True)["records"]
        return [{k: v for k, v in one.items() if k != "attributes"} for one in found]

    def _records(self, kind: str) -> SFType:
        found = getattr(self.salesforce, kind)
        assert isinstance(found, SFType)
        return found

    def create_opportunity(self, name: str, **fields: str | float | bool) -> str:
        """Create an opportunity; return its id."""
        given = {"StageName": "Prospecting", "CloseDate": "2026-12-31", "Name": name, **fields}
        return self.create("Opportunity", **given)

    def edit_opportunity(self, opportunity_id: str, **fields: str | float | bool | None) -> None:
        """Change an opportunity."""
        self.change("Opportunity", opportunity_id, **fields)

    def delete_opportunity(self, opportunity_id: str) -> None:
        """Delete an opportunity."""
        self.delete("Opportunity", opportunity_id)

    def opportunity(self, opportunity_id: str, fields: str = FIELDS) -> dict[str, Any]:
        """Read an opportunity, deleted or not."""
        query = f"SELECT {fields} FROM Opportunity WHERE Id = '{opportunity_id}'"  # noqa: S608
        return self.query(query)[0]

    def opportunities_named(self, name: str) -> list[dict[str, Any]]:
        """Find living opportunities by name."""
        query = f"SELECT {FIELDS} FROM Opportunity WHERE Name = '{name}' AND IsDeleted = false"  # noqa: S608
        return self.query(query)

    def roles(self, opportunity_id: str) -> list[dict[str, Any]]:
        """Read an opportunity's living contact roles."""
        return self.query(
            "SELECT Id, ContactId, Role, IsPrimary FROM OpportunityContactRole"  # noqa: S608
            f" WHERE OpportunityId = '{opportunity_id}' AND IsDeleted = false ORDER BY Id"
        )

    def add_role(self, opportunity_id: str, contact_id: str, role: str = "") -> str:
        """Put a contact on an opportunity; return the role's id."""
        given = {"OpportunityId": opportunity_id, "ContactId": contact_id}
        return self.create("OpportunityContactRole", **given, **({"Role": role} if role else {}))

    def record_type(self, name: str) -> str:
        """Return the id of a record type."""
        query = f"SELECT Id FROM RecordType WHERE Name = '{name}'"  # noqa: S608
        return str(self.query(query)[0]["Id"])

    def user_id(self, email: str) -> str:
        """Return the id of a Salesforce user."""
        query = f"SELECT Id FROM User WHERE Username = '{email}'"  # noqa: S608
        return str(self.query(query)[0]["Id"])

    # -- HubSpot

    def deal_of(self, opportunity_id: str, *, archived: bool = False) -> dict[str, Any] | None:
        """Read the deal that carries an opportunity's id; None: there is none."""
        return self.deal(opportunity_id, archived=archived, id_property="dealsync_opportunity_id")

    def deal(
        self,
        deal_id: str,
        *more: str,
        archived: bool = False,
        id_property: str | None = None,
    ) -> dict[str, Any] | None:
        """Read a deal, with `more` properties; None: there is none."""
        by = {} if id_property is None else {"id_property": id_property}
        try:
            found = self.hubspot.crm.deals.basic_api.get_by_id(
                deal_id, properties=[*PROPERTIES, *more], archived=archived, **by
            )
        except ApiException:
            return None
        return {"id": found.id, **found.properties}

    def living(self, deal_id: str, *more: str) -> dict[str, Any]:
        """Read a deal that must be there."""
        deal = self.deal(deal_id, *more)
        assert deal is not None
        return deal

    def create_deal(self, **properties: str) -> str:
        """Create a deal; return its id."""
        return self._create(self.hubspot.crm.deals, properties)

    def deal_like(self, deal: dict[str, Any], **properties: str) -> str:
        """Create a deal in the pipeline and stage of another; return its id."""
        same = {"pipeline": deal["pipeline"], "dealstage": deal["dealstage"]}
        return self.create_deal(**same, closedate="2026-12-01T12:00:00Z", **properties)

    def edit_deal(self, deal_id: str, **properties: str) -> None:
        """Change a deal."""
        self.hubspot.crm.deals.basic_api.update(
            deal_id, SimplePublicObjectInput(properties=properties)
        )

    def archive_deal(self, deal_id: str) -> None:
        """Delete a deal."""
        self.hubspot.crm.deals.basic_api.archive(deal_id)

    def merge_deals(self, primary: str, other: str) -> str:
        """Merge two deals; return the survivor's id."""
        merged = self.hubspot.crm.deals.basic_api.merge(
            PublicMergeInput(primary_object_id=primary, object_id_to_merge=other)
        )
        return str(merged.id)

    def create_contact(self, **properties: str) -> str:
        """Create a HubSpot contact; return its id."""
        return self._create(self.hubspot.crm.contacts, properties)

    def edit_contact(self, contact_id: str, **properties: str) -> None:
        """Change a HubSpot contact."""
        self.hubspot.crm.contacts.basic_api.update(
            contact_id, SimplePublicObjectInput(properties=properties)
        )

    def contact(self, contact_id: str) -> dict[str, Any] | None:
        """Read a HubSpot contact; None: there is none."""
        try:
            found = self.hubspot.crm.contacts.basic_api.get_by_id(
                contact_id, properties=CONTACT_PROPERTIES
            )
        except ContactsApiException:
            return None
        return {"id": found.id, **found.properties}

    def create_company(self, **properties: str) -> str:
        """Create a HubSpot company; return its id."""
        return self._create(self.hubspot.crm.companies, properties)

    def company(self, company_id: str) -> dict[str, Any]:
        """Read a HubSpot company."""
        found = self.hubspot.crm.companies.basic_api.get_by_id(
            company_id, properties=["name", "domain", "dealsync_account_id", "salesforceaccountid"]
        )
        return {"id": found.id, **found.properties}

    def associate(self, deal_id: str, kind: str, record_id: str) -> None:
        """Associate a deal with a contact, or with its primary company."""
        api = self.hubspot.crm.associations.v4.basic_api
        if kind == "contacts":
            api.create_default("deals", deal_id, kind, record_id)
            return
        primary = v4.AssociationSpec(
            association_category="HUBSPOT_DEFINED", association_type_id=PRIMARY_COMPANY
        )
        api.create("deals", deal_id, kind, record_id, [primary])

    def dissociate(self, deal_id: str, kind: str, record_id: str) -> None:
        """Take a record off a deal."""
        self.hubspot.crm.associations.v4.basic_api.archive("deals", deal_id, kind, record_id)

    def associated(self, deal_id: str, kind: str) -> list[str]:
        """Return the ids of the contacts of a deal, or of its primary company."""
        api = self.hubspot.crm.associations.v4.basic_api
        return [
            str(one.to_object_id)
            for one in api.get_page("deals", deal_id, kind).results
            if kind == "contacts"
            or any(each.type_id == PRIMARY_COMPANY for each in one.association_types)
        ]

    def pipelines(self) -> dict[str, Any]:
        """Return the deal pipelines by label."""
        found = self.hubspot.crm.pipelines.pipelines_api.get_all("deals").results
        return {one.label: one for one in found}

    def stage(self, pipeline_id: str, label: str) -> str:
        """Return the id of a stage."""
        api = self.hubspot.crm.pipelines.pipeline_stages_api
        return next(
            str(one.id) for one in api.get_all("deals", pipeline_id).results if one.label == label
        )

    def owner_id(self, email: str) -> str:
        """Return the id of a HubSpot owner."""
        return str(self.hubspot.crm.owners.owners_api.get_page(email=email).results[0].id)

    def _create(self, api: Any, properties: dict[str, str]) -> str:  # noqa: ANN401 - untyped
        made = api.basic_api.create(
            SimplePublicObjectInputForCreate(properties=properties, associations=[])
        )
        return str(made.id)

    # -- both

    def act(self, crm: str, action: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Do what a person does in a screen and no REST call can."""
        url = self.program.salesforce_url if crm == "salesforce" else self.program.hubspot_url
        answer = requests.post(
            f"{url}/sandbox/actions",
            json={"action": action, "as": "admin@sandbox.example", **arguments},
            timeout=TIMEOUT_SECONDS,
        )
        assert answer.ok, answer.text
        return dict(answer.json())

    def fail(self, crm: str, *faults: dict[str, Any]) -> None:
        """Let requests fail from now on; without faults: let none fail any more."""
        url = self.program.salesforce_url if crm == "salesforce" else self.program.hubspot_url
        answer = requests.post(
            f"{url}/sandbox/faults", json={"faults": list(faults)}, timeout=TIMEOUT_SECONDS
        )
        assert answer.ok, answer.text

    # -- dealsync

    def call(self, *arguments: str) -> Ended:
        """Run a command on the home."""
        return self.program.call(*arguments)

    def done(self, *arguments: str) -> dict[str, Any]:
        """Run a command that must succeed; return what it says."""
        ended = self.call(*arguments, "--json")
        assert ended.code == 0, ended.out + ended.err
        return ended.json

    def adopt(self, policy: str) -> None:
        """Put a policy in force."""
        path = self.program.home.parent / f"{self.program.home.name}.toml"
        path.write_text(policy, encoding="utf-8")
        self.done("policy", "adopt", str(path))

    def issues(self, record_or_code: str) -> list[str]:
        """Return the codes of a record's open issues, sorted."""
        return sorted(one["code"] for one in self.done("issues", "show", record_or_code)["issues"])

    def audit(self, *conditions: str) -> list[dict[str, Any]]:
        """Return audit lines, oldest first."""
        return list(self.done("audit", "list", *conditions, "--limit", "1000")["items"])

    def until_quiet(self) -> None:
        """Wait until both CRMs were read once more and nothing moves."""
        self.program.until_quiet(timeout=60)

    def synced(self, name: str, **fields: str | float | bool) -> tuple[str, dict[str, Any]]:
        """Create an opportunity and return its id and its deal."""
        opportunity_id = self.create_opportunity(name, **fields)
        self.until_quiet()
        deal = self.deal_of(opportunity_id)
        assert deal is not None
        return opportunity_id, deal
