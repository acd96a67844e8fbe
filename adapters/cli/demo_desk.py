"""The CRMs' own REST APIs, as the people of the demo use them: signed in once to each."""

from collections.abc import Mapping
from typing import Any, Final

import httpx2

API: Final = "/services/data/v62.0"
PERSON: Final = "admin@sandbox.example"
ENGINE: Final = "integration@sandbox.example"
PERSON_TOKEN: Final = "pat-sandbox-person"  # noqa: S105  # the sandbox's published token
ENGINE_TOKEN: Final = "pat-sandbox-dealsync"  # noqa: S105  # the same
#: HubSpot calls in ten seconds
LOOKS_MAX: Final = 5_000


class Desk:
    """A person signed in to both CRMs.

    Args:
        salesforce: the Salesforce sandbox's address.
        hubspot: the HubSpot sandbox's address.
    """

    def __init__(self, salesforce: str, hubspot: str) -> None:
        self._client = httpx2.Client(trust_env=False, timeout=10)
        self._salesforce = salesforce
        self._hubspot = hubspot
        token = self._client.post(
            f"{salesforce}/services/oauth2/token",
            data={
                "grant_type": "password",
                "client_id": "sandbox",
                "client_secret": "sandbox",
                "username": PERSON,
                "password": "sandbox",
            },
        ).json()["access_token"]
        self._at_salesforce = {"Authorization": f"Bearer {token}"}
        self._at_hubspot = {"Authorization": f"Bearer {PERSON_TOKEN}"}
        # The sandbox's limits are real, and somebody who watches looks more often than they allow.
        self.act("hubspot", action="set_rate_limit", burst=LOOKS_MAX)

    def query(self, soql: str) -> list[dict[str, Any]]:
        """Return the records that a query of all records, deleted ones too, finds."""
        answer = self._client.get(
            f"{self._salesforce}{API}/queryAll", headers=self._at_salesforce, params={"q": soql}
        )
        answer.raise_for_status()
        return [dict(record) for record in answer.json()["records"]]

    def create(self, kind: str, fields: Mapping[str, str]) -> str:
        """Create a Salesforce record; return its id."""
        answer = self._client.post(
            f"{self._salesforce}{API}/sobjects/{kind}", headers=self._at_salesforce, json=fields
        )
        answer.raise_for_status()
        return str(answer.json()["id"])

    def update(self, kind: str, record_id: str, fields: Mapping[str, str]) -> None:
        """Change a Salesforce record."""
        path = f"{self._salesforce}{API}/sobjects/{kind}/{record_id}"
        answer = self._client.patch(path, headers=self._at_salesforce, json=fields)
        answer.raise_for_status()

    def delete(self, *record_ids: str) -> None:
        """Delete Salesforce records, at most 200."""
        self._client.delete(
            f"{self._salesforce}{API}/composite/sobjects",
            headers=self._at_salesforce,
            params={"ids": ",".join(record_ids)},
        ).raise_for_status()

    def get(self, path: str, **params: str) -> dict[str, Any] | None:
        """Return what HubSpot answers to a GET, or None if there is no such thing."""
        answer = self._client.get(f"{self._hubspot}{path}", headers=self._at_hubspot, params=params)
        return dict(answer.json()) if answer.is_success else None

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Return what HubSpot answers to a POST."""
        answer = self._client.post(
            f"{self._hubspot}{path}", headers=self._at_hubspot, json=dict(body)
        )
        answer.raise_for_status()
        return dict(answer.json())

    def patch_deal(self, deal_id: str, properties: Mapping[str, str]) -> None:
        """Change a deal."""
        self._client.patch(
            f"{self._hubspot}/crm/v3/objects/deals/{deal_id}",
            headers=self._at_hubspot,
            json={"properties": dict(properties)},
        ).raise_for_status()

    def delete_deal(self, deal_id: str) -> None:
        """Delete a deal."""
        self._client.delete(
            f"{self._hubspot}/crm/v3/objects/deals/{deal_id}", headers=self._at_hubspot
        ).raise_for_status()

    def act(self, crm: str, **arguments: object) -> None:
        """Do what a person does in a screen, and no REST call can."""
        url = self._salesforce if crm == "salesforce" else self._hubspot
        self._client.post(f"{url}/sandbox/actions", json=arguments).raise_for_status()

    def set_hubspot_faults(self, *faults: Mapping[str, object]) -> None:
        """Have HubSpot show these faults from now on, and no others."""
        body = {"faults": [dict(fault) for fault in faults]}
        self._client.post(f"{self._hubspot}/sandbox/faults", json=body).raise_for_status()
