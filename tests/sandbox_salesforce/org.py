"""An org in a sandbox, a clock that tests move, and people who are signed in."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from adapters.http_transport import HttpRequest, HttpResponse
from adapters.sandbox.box import Answer
from adapters.sandbox.salesforce.box import RECORD_TYPES, SalesforceSandbox
from adapters.sandbox.tables import JsonValue

BASE = "http://127.0.0.1:8101"
ADMIN = "admin@sandbox.example"
INTEGRATION = "integration@sandbox.example"
START = datetime(2026, 1, 5, 12, 0, 0, tzinfo=UTC)
OPPORTUNITY = {"Name": "A chance", "StageName": "Qualification", "CloseDate": "2026-03-31"}
DEAL_ID = "DealSync_Deal_Id__c"
DEAL_ID_FIELD = {
    "type": "Text",
    "label": "HubSpot deal id",
    "length": 30,
    "externalId": True,
    "unique": True,
}


class SalesforceOrg:
    """One org and one signed-in user; `at` is now."""

    def __init__(self, record_types: tuple[str, ...] = RECORD_TYPES) -> None:
        self.box = SalesforceSandbox()
        self.at = START
        self.box.seed_basics(self.at, record_types)
        self.token = self.sign_in(ADMIN)
        self.last = Answer(HttpResponse(0), "")

    def later(self, seconds: float = 1) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)

    def sign_in(self, username: str) -> str:
        """Return a token of a user."""
        form = {
            "grant_type": "password",
            "client_id": "sandbox",
            "client_secret": "sandbox",
            "username": username,
            "password": "sandbox",
        }
        status, body = self.post_form(form)
        assert status == 200, body
        return str(body["access_token"])

    def post_form(self, form: dict[str, str]) -> tuple[int, Any]:
        """Ask the token endpoint."""
        request = HttpRequest(
            "POST", f"{BASE}/services/oauth2/token", body=urlencode(form).encode()
        )
        answered = self.box.answer(request, self.at).response
        return answered.status, json.loads(answered.body)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Return status and JSON of a request below the API's version."""
        given = [("Authorization", f"Bearer {self.token}"), ("Content-Type", "application/json")]
        given += [(name.replace("_", "-"), value) for name, value in headers.items()]
        content = b"" if body is None else json.dumps(body).encode()
        url = path if path.startswith("http") else f"{BASE}/services/data/v62.0/{path}"
        self.last = self.box.answer(HttpRequest(method, url, tuple(given), content), self.at)
        response = self.last.response
        return response.status, json.loads(response.body) if response.body else None

    def done(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON of a request that must succeed."""
        status, answered = self.ask(method, path, body)
        assert status < 300, answered
        return answered

    def refused(self, method: str, path: str, body: object = None) -> tuple[int, str, list[str]]:
        """Return status, code and fields of a request that must be refused."""
        status, answered = self.ask(method, path, body)
        assert status >= 300, answered
        return status, answered[0]["errorCode"], answered[0].get("fields", [])

    def create(self, object_name: str, **values: object) -> str:
        """Create a record and return its id."""
        return str(self.done("POST", f"sobjects/{object_name}", values)["id"])

    def opportunity(self, **values: object) -> str:
        """Create an opportunity and return its id."""
        return self.create("Opportunity", **{**OPPORTUNITY, **values})

    def change(self, object_name: str, record_id: str, **values: object) -> None:
        """Change a record."""
        self.done("PATCH", f"sobjects/{object_name}/{record_id}", values)

    def read(self, object_name: str, record_id: str) -> Any:  # noqa: ANN401 - JSON
        """Return a record's fields."""
        return self.done("GET", f"sobjects/{object_name}/{record_id}")

    def query(self, soql: str, *, deleted_too: bool = False) -> list[Any]:
        """Return a query's records, all on its first page."""
        resource = "queryAll" if deleted_too else "query"
        return list(self.done("GET", f"{resource}?q={quote(soql)}")["records"])

    def values(self, soql: str) -> list[Any]:
        """Return the first column of a query's records."""
        return [
            next(value for key, value in row.items() if key != "attributes")
            for row in self.query(soql)
        ]

    def query_refused(self, soql: str) -> tuple[str, str]:
        """Return code and message of a query that must be refused."""
        status, answered = self.ask("GET", f"query?q={quote(soql)}")
        assert status == 400, answered
        return answered[0]["errorCode"], answered[0]["message"]

    def act(self, action: str, **arguments: JsonValue) -> Any:  # noqa: ANN401 - JSON
        """Do something in a screen."""
        return json.loads(self.box.act(action, arguments, self.at).response.body)

    def record_type(self, name: str) -> str:
        """Return the id of a record type."""
        rows = self.query("SELECT Id, Name FROM RecordType")
        return str(next(row["Id"] for row in rows if row["Name"] == name))

    def user_id(self, username: str) -> str:
        """Return the id of a user."""
        rows = self.query("SELECT Id, Username FROM User")
        return str(next(row["Id"] for row in rows if row["Username"] == username))

    def add_field(self, name: str, metadata: dict[str, Any], *, visible: bool = True) -> None:
        """Add a custom field to Opportunity, and let both first users see and edit it."""
        self.done(
            "POST",
            "tooling/sobjects/CustomField",
            {"FullName": f"Opportunity.{name}", "Metadata": metadata},
        )
        if visible:
            for own in self.values(
                "SELECT PermissionSetId FROM PermissionSetAssignment WHERE Assignee.Username IN"
                " ('admin@sandbox.example', 'integration@sandbox.example')"
            ):
                self.create(
                    "FieldPermissions",
                    ParentId=own,
                    SobjectType="Opportunity",
                    Field=f"Opportunity.{name}",
                    PermissionsRead=True,
                    PermissionsEdit=True,
                )
