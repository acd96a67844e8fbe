"""A HubSpot sandbox at a desk: asks in JSON, as the engine, a person or another program."""

import json
from datetime import UTC, datetime, timedelta

from adapters.http_transport import HttpRequest, HttpResponse
from adapters.sandbox.box import Answer
from adapters.sandbox.hubspot.box import HubSpotSandbox
from adapters.sandbox.hubspot.rows import row_in, rows_in, text
from adapters.sandbox.tables import JsonValue, Row

BORN = datetime(2024, 5, 1, 9, tzinfo=UTC)
ENGINE = "pat-sandbox-dealsync"
PERSON = "pat-sandbox-person"
OTHER = "pat-other"


class Account:
    """One account; its clock moves a second with every request."""

    def __init__(self) -> None:
        self.box = HubSpotSandbox()
        self.at = BORN
        self.box.seed_basics(self.at)
        self.box.set_rate_limit({"burst": 1_000_000, "search_per_second": 1_000_000})

    def send(self, method: str, path: str, body: JsonValue = None, who: str = ENGINE) -> Answer:
        """Send one request and return the whole answer."""
        self.at += timedelta(seconds=1)
        content = b"" if body is None else json.dumps(body).encode()
        headers = (("Authorization", f"Bearer {who}"), ("Content-Type", "application/json"))
        request = HttpRequest(method, f"https://api.hubapi.com{path}", headers, content)
        return self.box.answer(request, self.at)

    def ask(self, method: str, path: str, body: JsonValue = None, who: str = ENGINE) -> Row:
        """Return the body of an answer, whatever its status."""
        return body_of(self.send(method, path, body, who).response)

    def make(self, kind: str, who: str = ENGINE, **values: JsonValue) -> str:
        """Create a record; returns its id."""
        if kind == "deals":
            values = {"dealname": "A deal", "dealstage": "qualifiedtobuy", **values}
        answered = self.send("POST", f"/crm/v3/objects/{kind}", {"properties": values}, who)
        assert answered.response.status == 201, answered.response.body
        return text(body_of(answered.response), "id")

    def change(self, kind: str, record_id: str, who: str = ENGINE, **values: JsonValue) -> Answer:
        """Change a record's values."""
        return self.send(
            "PATCH", f"/crm/v3/objects/{kind}/{record_id}", {"properties": values}, who
        )

    def values(self, kind: str, record_id: str, *names: str) -> Row:
        """Return values of a record."""
        path = f"/crm/v3/objects/{kind}/{record_id}?properties={','.join(names)}"
        return row_in(self.ask("GET", path), "properties")

    def history(self, kind: str, record_id: str, name: str) -> list[Row]:
        """Return a property's history, newest first."""
        path = f"/crm/v3/objects/{kind}/{record_id}?propertiesWithHistory={name}"
        return rows_in(row_in(self.ask("GET", path), "propertiesWithHistory"), name)

    def search(self, kind: str, *filters: Row, **asked: JsonValue) -> Row:
        """Search with one filter group."""
        body: Row = {"filterGroups": [{"filters": list(filters)}] if filters else [], **asked}
        return self.ask("POST", f"/crm/v3/objects/{kind}/search", body)

    def add_property(self, kind: str, name: str, **more: JsonValue) -> None:
        """Create a custom text property, or another one by `more`."""
        group = {"deals": "deal", "contacts": "contact", "companies": "company"}[kind]
        body: Row = {
            "name": name,
            "label": name,
            "type": "string",
            "fieldType": "text",
            "groupName": f"{group}information",
            **more,
        }
        answered = self.send("POST", f"/crm/v3/properties/{kind}", body)
        assert answered.response.status == 201, answered.response.body


def body_of(response: HttpResponse) -> Row:
    """Return the JSON object in a response, an empty one where it has no body."""
    value: JsonValue = json.loads(response.body) if response.body else {}
    assert isinstance(value, dict)
    return value


def codes(body: Row) -> list[str]:
    """Return the codes of an error's details."""
    return [text(one, "code") for one in rows_in(body, "errors")]


def ids(body: Row) -> list[str]:
    """Return the ids of the results."""
    return [text(one, "id") for one in rows_in(body, "results")]
