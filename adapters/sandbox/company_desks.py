"""The two desks at which the example company's people work: each vendor's REST paths, no more.

Everything that the seeding does to a sandbox goes through here, so both histories look as if
people had made them.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias
from urllib.parse import quote, urlencode

from adapters.http_transport import HttpRequest
from adapters.sandbox import record_clock
from adapters.sandbox.front import Front
from adapters.sandbox.people import Salesperson
from adapters.sandbox.tables import JsonValue

Fields: TypeAlias = Mapping[str, JsonValue]

API = "/services/data/v64.0"
PERSON_TOKEN = "pat-sandbox-person"  # noqa: S105 - the sandbox's published token
#: the vendors' batch limits
SALESFORCE_ROWS_MAX = 200
HUBSPOT_ROWS_MAX = 100


class Desk:
    """One CRM, asked at one real instant with its record clock somewhere in the past."""

    def __init__(self, front: Front, at: datetime) -> None:
        self._front = front
        self._at = at

    def set_days_ago(self, days: float) -> None:
        """Let records be written as if so many days ago."""
        record_clock.set_offset(self._front.box.tables, -days * 86_400)

    def ask(
        self,
        method: str,
        target: str,
        body: JsonValue = None,
        *,
        token: str = "",
        form: Mapping[str, str] | None = None,
    ) -> JsonValue:
        """Return the JSON answer to one request, None where it has no body."""
        headers = [("Authorization", f"Bearer {token}")] if token else []
        content = b""
        if form is not None:
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
            content = urlencode(form).encode()
        elif body is not None:
            headers.append(("Content-Type", "application/json"))
            content = json.dumps(body).encode()
        request = HttpRequest(method, f"http://127.0.0.1{target}", tuple(headers), content)
        answered = self._front.answer(request, self._at).response
        assert answered.status < 300, f"seeding: {method} {target}: {answered.body.decode()}"  # noqa: PLR2004
        found: JsonValue = json.loads(answered.body) if answered.body else None
        return found


class SalesforceDesk(Desk):
    """Salesforce as one signed-in user sees it."""

    def sign_in(self, user: str) -> str:
        """Return an access token for a user name."""
        form = {
            "grant_type": "password",
            "client_id": "sandbox",
            "client_secret": "sandbox",
            "username": user,
            "password": "sandbox",
        }
        answered = self.ask("POST", "/services/oauth2/token", form=form)
        assert isinstance(answered, dict), "a token answer is an object"
        return str(answered["access_token"])

    def query(self, soql: str, token: str) -> list[dict[str, JsonValue]]:
        """Return the first page of a query's rows."""
        answered = self.ask("GET", f"{API}/query?q={quote(soql)}", token=token)
        return _rows(answered, "records")

    def stages(self, record_type_id: str, token: str) -> list[str]:
        """Return the stages that a record type allows, in their order."""
        answered = self.ask(
            "GET",
            f"{API}/ui-api/object-info/Opportunity/picklist-values/{record_type_id}/StageName",
            token=token,
        )
        return [str(value["value"]) for value in _rows(answered, "values")]

    def create(self, name: str, rows: Sequence[Fields], token: str) -> list[str]:
        """Create rows of one object; returns their ids in order."""
        return self._collect("POST", name, rows, token)

    def update(self, name: str, rows: Sequence[Fields], token: str) -> None:
        """Update rows of one object; each has its Id."""
        self._collect("PATCH", name, rows, token)

    def _collect(self, method: str, name: str, rows: Sequence[Fields], token: str) -> list[str]:
        ids: list[str] = []
        for start in range(0, len(rows), SALESFORCE_ROWS_MAX):
            records: list[JsonValue] = [
                {"attributes": {"type": name}, **row}
                for row in rows[start : start + SALESFORCE_ROWS_MAX]
            ]
            body: JsonValue = {"allOrNone": True, "records": records}
            answered = self.ask(method, f"{API}/composite/sobjects", body, token=token)
            for row in _rows({"rows": answered}, "rows"):
                assert row["success"], f"seeding: {name}: {row}"
                ids.append(str(row["id"]))
        return ids


class HubSpotDesk(Desk):
    """HubSpot as a person at its screens changes it."""

    def add_owner(self, salesperson: Salesperson) -> None:
        """Make somebody an owner, which only a screen can."""
        action: JsonValue = {
            "action": "add_owner",
            "as": PERSON_TOKEN,
            "email": salesperson.email,
            "firstName": salesperson.first_name,
            "lastName": salesperson.last_name,
        }
        self.ask("POST", "/sandbox/actions", action)

    def owner_ids(self) -> dict[str, str]:
        """Return owner ids by e-mail."""
        answered = self.ask("GET", "/crm/v3/owners?limit=100", token=PERSON_TOKEN)
        return {str(owner["email"]): str(owner["id"]) for owner in _rows(answered, "results")}

    def deal_pipelines(self) -> list[dict[str, JsonValue]]:
        """Return the deal pipelines with their stages, in their order."""
        answered = self.ask("GET", "/crm/v3/pipelines/deals", token=PERSON_TOKEN)
        return _rows(answered, "results")

    def create(
        self, kind: str, rows: Sequence[Fields], linked: Sequence[Mapping[int, str]] = ()
    ) -> list[str]:
        """Create records of a kind; returns their ids in order.

        Args:
            kind: contacts, companies or deals.
            rows: properties of each.
            linked: for each, ids of other records by association type id; none if empty.
        """
        inputs: list[JsonValue] = [
            {
                "objectWriteTraceId": str(number),
                "properties": dict(row),
                "associations": [
                    _association(type_id, other)
                    for type_id, other in (linked[number] if linked else {}).items()
                ],
            }
            for number, row in enumerate(rows)
        ]
        ids: dict[int, str] = {}
        for start in range(0, len(inputs), HUBSPOT_ROWS_MAX):
            body: JsonValue = {"inputs": inputs[start : start + HUBSPOT_ROWS_MAX]}
            path = f"/crm/v3/objects/{kind}/batch/create"
            answered = self.ask("POST", path, body, token=PERSON_TOKEN)
            for row in _rows(answered, "results"):
                ids[int(str(row["objectWriteTraceId"]))] = str(row["id"])
        assert len(ids) == len(rows), f"seeding: {kind}: {len(ids)} of {len(rows)} were created"
        return [ids[number] for number in range(len(rows))]


def _association(type_id: int, record_id: str) -> dict[str, JsonValue]:
    kind: JsonValue = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}
    return {"to": {"id": record_id}, "types": [kind]}


def _rows(answered: JsonValue, key: str) -> list[dict[str, JsonValue]]:
    assert isinstance(answered, dict), f"seeding: expected an object with {key}"
    listed = answered[key]
    assert isinstance(listed, list), f"seeding: expected a list in {key}"
    return [row for row in listed if isinstance(row, dict)]
