"""How people reach the CRMs: the vendors' REST paths and screens, with no fault in the way."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from adapters.clock import FixedClock
from adapters.http_transport import HttpRequest
from adapters.sandbox.front import Front
from adapters.sandbox.hubspot.actors import PERSON_TOKEN
from adapters.sandbox.tables import JsonValue, Row
from adapters.simulation.chronicle import Chronicle
from domain.ids import Crm

API: Final = "/services/data/v62.0"
ADMIN: Final = "admin@sandbox.example"
#: between two things that one person does
MOMENT: Final = timedelta(milliseconds=700)
_SUCCESS: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a CRM said to a person."""

    status: int
    body: JsonValue

    @property
    def id(self) -> str | None:
        """Return the id of the record that was made, or None."""
        found = self.body.get("id") if isinstance(self.body, dict) else None
        return str(found) if found is not None and self.status in _SUCCESS else None

    @property
    def is_done(self) -> bool:
        """Tell whether the CRM did it."""
        return self.status in _SUCCESS


class Desks:
    """Both CRMs' screens.

    Args:
        fronts: the CRMs.
        clock: moves a little with everything that a person does.
        chronicle: the witness.
    """

    def __init__(
        self, fronts: Mapping[Crm, Front], clock: FixedClock, chronicle: Chronicle
    ) -> None:
        self._fronts = dict(fronts)
        self._clock = clock
        self._chronicle = chronicle
        self._tokens: dict[str, str] = {}

    def salesforce(
        self, method: str, path: str, body: JsonValue = None, *, user: str = ADMIN
    ) -> Answered:
        """Do something by Salesforce's REST API, signed in as a user."""
        if user not in self._tokens:
            self._tokens[user] = self._sign_in(user)
        return self._ask(Crm.SALESFORCE, method, f"{API}{path}", body, self._tokens[user])

    def hubspot(self, method: str, path: str, body: JsonValue = None) -> Answered:
        """Do something in HubSpot, as in its own screens."""
        return self._ask(Crm.HUBSPOT, method, path, body, PERSON_TOKEN)

    def act(self, crm: Crm, action: str, **arguments: JsonValue) -> Answered:
        """Do what only a screen can."""
        return self._ask(crm, "POST", "/sandbox/actions", {"action": action, **arguments}, "")

    def rows(self, crm: Crm, table: str) -> Iterator[Row]:
        """Yield the rows that a person finds there."""
        return iter(self._fronts[crm].box.tables.rows(table).values())

    def row(self, crm: Crm, table: str, key: str) -> Row | None:
        """Return a row by its key, or None."""
        return self._fronts[crm].box.tables.get(table, key)

    def _sign_in(self, user: str) -> str:
        form = {
            "grant_type": "password",
            "client_id": "sandbox",
            "client_secret": "sandbox",
            "username": user,
            "password": "sandbox",
        }
        request = HttpRequest(
            "POST",
            "http://127.0.0.1:8101/services/oauth2/token",
            (("Content-Type", "application/x-www-form-urlencoded"),),
            urlencode(form).encode(),
        )
        answered = self._fronts[Crm.SALESFORCE].answer(request, self._clock.at)
        self._chronicle.observe(Crm.SALESFORCE, "", self._clock.at)
        return str(json.loads(answered.response.body)["access_token"])

    def _ask(self, crm: Crm, method: str, target: str, body: JsonValue, token: str) -> Answered:
        headers = [("Authorization", f"Bearer {token}")] if token else []
        content = b""
        if body is not None:
            headers.append(("Content-Type", "application/json"))
            content = json.dumps(body).encode()
        request = HttpRequest(method, f"http://127.0.0.1{target}", tuple(headers), content)
        self._clock.at += MOMENT
        answered = self._fronts[crm].answer(request, self._clock.at).response
        self._chronicle.observe(crm, "", self._clock.at)
        return Answered(answered.status, json.loads(answered.body) if answered.body else None)
