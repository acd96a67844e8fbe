"""`dealsync up` as its own process, and a person in both CRMs with the vendors' own clients.

One running program serves the whole session; each test makes records of its own. Nothing is read
but the two CRMs' APIs and what the command line prints.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from hubspot import HubSpot  # type: ignore[import-untyped]  # the vendor ships no types
from hubspot.crm.deals import (  # type: ignore[import-untyped]  # the same
    ApiException,
    SimplePublicObjectInput,
    SimplePublicObjectInputForCreate,
)
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce, SFType
from typing_extensions import override

from tests.support.program import dealsync_here

DEALSYNC = [sys.executable, "-c", "from adapters.cli import main; main()"]
FIELDS = (
    "Id, Name, Amount, CloseDate, StageName, Description, Type, AccountId, DealSync_Deal_Id__c,"
    " IsDeleted"
)
PROPERTIES = [
    *("dealname", "amount", "closedate", "dealstage", "pipeline", "dealtype", "description"),
    *("hubspot_owner_id", "dealsync_opportunity_id", "dealsync_state"),
]


class _Plain(HTTPAdapter):
    """simple-salesforce writes https:// itself; the sandbox speaks plain HTTP on loopback."""

    @override
    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        assert request.url is not None
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)


class User:
    """A person who works in both CRMs, and looks at what dealsync says."""

    def __init__(self, salesforce_url: str, hubspot_url: str, home: Path) -> None:
        self.home = home
        self.salesforce_url = salesforce_url
        self.hubspot_url = hubspot_url
        signed_in = requests.post(
            f"{salesforce_url}/services/oauth2/token",
            data={
                "grant_type": "password",
                "client_id": "sandbox",
                "client_secret": "sandbox",
                "username": "admin@sandbox.example",
                "password": "sandbox",
            },
            timeout=10,
        ).json()
        session = requests.Session()
        session.mount("https://", _Plain())
        self.salesforce = Salesforce(
            instance_url=salesforce_url, session_id=signed_in["access_token"], session=session
        )
        self.hubspot = HubSpot(access_token="pat-sandbox-person", host=hubspot_url)  # noqa: S106 - published

    # -- Salesforce

    def _opportunities(self) -> SFType:
        found = self.salesforce.Opportunity
        assert isinstance(found, SFType)
        return found

    def delete_opportunity(self, opportunity_id: str) -> None:
        """Delete an opportunity."""
        self._opportunities().delete(opportunity_id)

    def create_opportunity(self, name: str, **fields: str | float) -> str:
        """Create an opportunity; return its id."""
        given = {"StageName": "Prospecting", "CloseDate": "2026-12-31", "Name": name, **fields}
        return str(self._opportunities().create(given)["id"])

    def edit_opportunity(self, opportunity_id: str, **fields: str | float) -> None:
        """Change an opportunity."""
        self._opportunities().update(opportunity_id, fields)

    def opportunity(self, opportunity_id: str) -> dict[str, Any]:
        """Read an opportunity, deleted or not."""
        found = self.salesforce.query_all(
            f"SELECT {FIELDS} FROM Opportunity WHERE Id = '{opportunity_id}'",  # noqa: S608
            include_deleted=True,
        )["records"]
        return dict(found[0])

    def opportunities_named(self, name: str) -> list[dict[str, Any]]:
        """Find living opportunities by name."""
        query = f"SELECT Id, Amount FROM Opportunity WHERE Name = '{name}'"  # noqa: S608
        return list(self.salesforce.query_all(query)["records"])

    # -- HubSpot

    def deal_of(self, opportunity_id: str, *, archived: bool = False) -> dict[str, Any] | None:
        """Read the deal that carries an opportunity's id; None: there is none."""
        return self.deal(opportunity_id, archived=archived, id_property="dealsync_opportunity_id")

    def deal(
        self, deal_id: str, *, archived: bool = False, id_property: str | None = None
    ) -> dict[str, Any] | None:
        """Read a deal; None: there is none."""
        by = {} if id_property is None else {"id_property": id_property}
        try:
            found = self.hubspot.crm.deals.basic_api.get_by_id(
                deal_id, properties=PROPERTIES, archived=archived, **by
            )
        except ApiException:
            return None
        return {"id": found.id, **found.properties}

    def create_deal(self, **properties: str) -> str:
        """Create a deal; return its id."""
        made = self.hubspot.crm.deals.basic_api.create(
            SimplePublicObjectInputForCreate(properties=properties, associations=[])
        )
        return str(made.id)

    def edit_deal(self, deal_id: str, **properties: str) -> None:
        """Change a deal."""
        self.hubspot.crm.deals.basic_api.update(
            deal_id, SimplePublicObjectInput(properties=properties)
        )

    def act(self, crm: str, action: str, **arguments: str | int) -> dict[str, Any]:
        """Do what a person does in a screen and no REST call can."""
        url = self.salesforce_url if crm == "salesforce" else self.hubspot_url
        answer = requests.post(
            f"{url}/sandbox/actions",
            json={"action": action, "as": "admin@sandbox.example", **arguments},
            timeout=10,
        )
        assert answer.ok, answer.text
        return dict(answer.json())

    # -- dealsync

    def dealsync(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the home."""
        return subprocess.run(  # noqa: S603 - this very program
            [*DEALSYNC, *arguments],
            env={**os.environ, "DEALSYNC_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )

    def until_quiet(self) -> None:
        """Wait until both CRMs were read once more and nothing moves."""
        # In this process: starting another Python for it would take longer than the waiting.
        waited = dealsync_here(self.home, "wait", "--until-quiet", "--timeout", "60")
        assert waited.code == 0, waited.out + waited.err

    def synced(self, name: str, **fields: str | float) -> tuple[str, dict[str, Any]]:
        """Create an opportunity and return its id and its deal."""
        opportunity_id = self.create_opportunity(name, **fields)
        self.until_quiet()
        deal = self.deal_of(opportunity_id)
        assert deal is not None
        return opportunity_id, deal


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """Start the program with empty CRMs; stop it at the end, and see that it ends well."""
    folder = tmp_path_factory.mktemp("acceptance")
    ports = ["--salesforce-port", "0", "--hubspot-port", "0"]
    with subprocess.Popen(  # noqa: S603 - this very program
        [*DEALSYNC, "up", "--empty", "--json", *ports],
        env={**os.environ, "DEALSYNC_HOME": str(folder / "home")},
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        user = User(ready["salesforce_url"], ready["hubspot_url"], folder / "home")
        # Each test waits for full passes, one after the other, as no real account has to bear.
        user.act("hubspot", "set_rate_limit", burst=10_000, search_per_second=1_000)
        yield user
        process.terminate()
        assert process.wait(30) == 0
