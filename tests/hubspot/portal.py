"""A HubSpot sandbox called directly: what people do in it, and our adapters over it.

Time is a number of seconds that moves only when told; nothing listens on a socket.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.http_transport import DirectTransport, HttpRequest, HttpResponse
from adapters.hubspot.auth import fixed_token
from adapters.hubspot.calls import Calls
from adapters.hubspot.source import HubSpotSource, Rhythm
from adapters.sandbox.hubspot.actors import ENGINE_APP_ID, ENGINE_TOKEN, PERSON_TOKEN
from adapters.sandbox.hubspot.box import HubSpotSandbox
from adapters.source import Polled
from domain.facts import Fact
from domain.ids import Crm, Kind
from domain.policy import Policy
from domain.ports import Refresh

BEGIN = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
BASE_URL = "http://hubspot.invalid"
APP_ID = str(ENGINE_APP_ID)


class Notes:
    """Bookmarks in a dict."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def read(self, name: str) -> str | None:
        return self.texts.get(name)

    def write(self, name: str, text: str) -> None:
        self.texts[name] = text


@dataclass
class Portal:
    """The sandbox with a hand-moved clock."""

    at: datetime = BEGIN
    box: HubSpotSandbox = field(default_factory=HubSpotSandbox)
    notes: Notes = field(default_factory=Notes)
    #: every request our side made: method and path
    asked: list[str] = field(default_factory=list)
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        self.box.seed_basics(self.at)
        self.box.set_rate_limit({"search_per_second": 1_000, "burst": 100_000})

    # -- people ---------------------------------------------------------------------------------

    def later(self, seconds: float = 1.0) -> datetime:
        """Move time on."""
        self.at += timedelta(seconds=seconds)
        return self.at

    def call(self, method: str, path: str, body: object = None, token: str = PERSON_TOKEN) -> Any:  # noqa: ANN401 - JSON of any shape
        """Make one request as somebody, a second later; return the parsed answer."""
        payload = b"" if body is None else json.dumps(body).encode()
        headers = (("Authorization", f"Bearer {token}"), ("Content-Type", "application/json"))
        request = HttpRequest(method, BASE_URL + path, headers, payload)
        response = self.box.answer(request, self.later()).response
        assert response.status < 300, response.body
        return json.loads(response.body) if response.body else None

    def create(self, plural: str, token: str = PERSON_TOKEN, **properties: str) -> str:
        """Create a record; return its id."""
        answer = self.call("POST", f"/crm/v3/objects/{plural}", {"properties": properties}, token)
        return str(answer["id"])

    def deal(self, token: str = PERSON_TOKEN, **properties: str) -> str:
        """Create a deal in the default pipeline."""
        usual = {
            "dealname": "Harbour crane",
            "pipeline": "default",
            "dealstage": "appointmentscheduled",
        }
        return self.create("deals", token, **(usual | properties))

    def change(
        self, plural: str, record_id: str, token: str = PERSON_TOKEN, **properties: str
    ) -> None:
        """Set properties."""
        body = {"properties": properties}
        self.call("PATCH", f"/crm/v3/objects/{plural}/{record_id}", body, token)

    def archive(self, plural: str, record_id: str) -> None:
        """Put a record into the bin."""
        self.call("DELETE", f"/crm/v3/objects/{plural}/{record_id}")

    def associate(self, deal_id: str, plural: str, record_id: str) -> None:
        """Associate a deal with a record."""
        path = f"/crm/v4/objects/deals/{deal_id}/associations/default/{plural}/{record_id}"
        self.call("PUT", path)

    def unique_property(self, plural: str, name: str) -> None:
        """Create one of our own unique properties, as the engine's set-up does."""
        group = {"name": "dealsync", "label": "dealsync"}
        if all(
            row["name"] != "dealsync"
            for row in self.call("GET", f"/crm/v3/properties/{plural}/groups")["results"]
        ):
            self.call("POST", f"/crm/v3/properties/{plural}/groups", group)
        definition: Mapping[str, object] = {
            "name": name,
            "label": name,
            "type": "string",
            "fieldType": "text",
            "groupName": "dealsync",
            "hasUniqueValue": True,
        }
        self.call("POST", f"/crm/v3/properties/{plural}", definition, ENGINE_TOKEN)

    def act(self, action: str, **arguments: Any) -> None:  # noqa: ANN401 - JSON of any shape
        """Do what people do in screens."""
        self.box.act(action, arguments, self.later())

    # -- our side -------------------------------------------------------------------------------

    def transport(self) -> DirectTransport:
        """Return a transport into the sandbox."""

        def answer(request: HttpRequest, at: datetime) -> HttpResponse:
            self.asked.append(f"{request.method} {request.url.removeprefix(BASE_URL)}")
            return self.box.answer(request, at).response

        return DirectTransport(answer, lambda: self.at)

    def calls(self) -> Calls:
        """Return the account as the engine sees it."""
        return Calls(self.transport(), base_url=BASE_URL, token=fixed_token(ENGINE_TOKEN))

    def source(self, rhythm: Rhythm | None = None) -> HubSpotSource:
        """Return a source, as after a start of the engine."""
        usual = rhythm or Rhythm(poll_seconds=10.0, sweep_seconds=3_600.0)
        return HubSpotSource(self.calls(), self.notes, lambda: self.policy, usual)

    def step(self, source: HubSpotSource) -> Polled:
        """Poll one piece and keep its bookmarks, as ingest does."""
        polled = source.poll(self.later(0.001))
        self.notes.texts.update(polled.bookmarks)
        return polled

    def drain(self, source: HubSpotSource) -> list[Fact]:
        """Poll until nothing is left to do at once; return the facts in order."""
        found: list[Fact] = []
        for _ in range(1_000):
            polled = self.step(source)
            found.extend(polled.facts)
            if not polled.more:
                return found
        raise AssertionError("the source never comes to rest")

    def wish(
        self, kind: Kind, record_id: str, *, reason: str = "webhook", hint: str = ""
    ) -> Refresh:
        """Return a wish to read a record."""
        return Refresh(
            crm=Crm.HUBSPOT,
            kind=kind,
            record_id=record_id,
            reason=reason,
            cause="webhook:1",
            at=self.at,
            hint=hint,
        )
