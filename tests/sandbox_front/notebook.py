"""The smallest box there can be: notes with ids, by one and in batches of either vendor's shape."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from adapters.http_transport import HttpRequest, HttpResponse
from adapters.sandbox import json_http, record_clock
from adapters.sandbox.box import ActionRefusedError, Answer, Box
from adapters.sandbox.front import Front, FrontAnswer
from adapters.sandbox.tables import JsonValue, Tables
from adapters.sandbox.vendor_errors import Crm

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DEALS_CREATE = "/crm/v3/objects/deals/batch/create"
COLLECTIONS = "/services/data/v64.0/composite/sobjects"


class Notebook(Box):
    """Answers any POST by keeping a note, any GET by counting them."""

    def __init__(self) -> None:
        self.tables = Tables()

    @override
    def who(self, request: HttpRequest, at: datetime) -> str:
        return (request.header("Authorization") or "").removeprefix("Bearer ")

    @override
    def answer(self, request: HttpRequest, at: datetime) -> Answer:
        who = self.who(request, at)
        if request.method == "GET":
            return Answer(json_http.answer(200, {"notes": len(self.tables.rows("note"))}), who)
        asked = json.loads(request.body) if request.body else {}
        if request.method == "DELETE":
            ids = parse_qs(urlsplit(request.url).query)["ids"][0].split(",")
            gone: list[JsonValue] = [{"id": one, "success": True} for one in ids]
            return Answer(json_http.answer(200, gone), who, tuple(ids), changed=True)
        rows = asked.get("inputs", asked.get("records", [asked]))
        ids = [self._keep(row, at) for row in rows]
        body: JsonValue
        if "records" in asked:
            body = [{"id": one, "success": True, "errors": []} for one in ids]
        elif "inputs" in asked:
            body = {"status": "COMPLETE", "results": [{"id": one} for one in ids]}
        else:
            body = {"id": ids[0]}
        return Answer(json_http.answer(201, body), who, tuple(ids), changed=True)

    def _keep(self, note: JsonValue, at: datetime) -> str:
        key = str(self.tables.next_number("note"))
        written_at = json_http.instant(record_clock.record_at(self.tables, at))
        self.tables.put("note", key, {"note": note, "written_at": written_at})
        return key

    @override
    def act(self, action: str, arguments: Mapping[str, JsonValue], at: datetime) -> Answer:
        if action != "tear_out" or self.tables.get("note", str(arguments.get("id"))) is None:
            raise ActionRefusedError(f"nobody can {action} here")
        key = str(arguments["id"])
        self.tables.drop("note", key)
        return Answer(
            json_http.answer(200, {"id": key}), str(arguments["as"]), (key,), changed=True
        )

    @override
    def seed_basics(self, at: datetime) -> None:
        self.tables.put("cover", "title", {"text": "Notebook"})


class Book:
    """A notebook behind its front, with short ways to ask it."""

    def __init__(self, crm: Crm = "hubspot") -> None:
        self.box = Notebook()
        self.front = Front(self.box, crm)

    def ask(
        self, method: str, target: str, body: JsonValue = None, *, who: str = "pat-one"
    ) -> FrontAnswer:
        content = b"" if body is None else json.dumps(body).encode()
        headers = (("Authorization", f"Bearer {who}"),)
        request = HttpRequest(method, f"http://127.0.0.1{target}", headers, content)
        return self.front.answer(request, AT)

    def told(self, method: str, target: str, body: JsonValue = None) -> HttpResponse:
        return self.ask(method, target, body).response

    def read(self, target: str) -> dict[str, JsonValue]:
        found = json.loads(self.ask("GET", target).response.body)
        assert isinstance(found, dict)
        return found

    def set_faults(self, *faults: dict[str, JsonValue], seed: int = 0) -> None:
        answered = self.told("POST", "/sandbox/faults", {"faults": list(faults), "seed": seed})
        assert answered.status == 200, answered.body

    def calls(self) -> list[dict[str, JsonValue]]:
        found = self.read("/sandbox/access-log")["calls"]
        assert isinstance(found, list)
        return [call for call in found if isinstance(call, dict)]


def object_of(answered: FrontAnswer) -> dict[str, Any]:
    found = json.loads(answered.response.body)
    assert isinstance(found, dict)
    return found


def rows_of(answered: FrontAnswer) -> list[dict[str, Any]]:
    found = json.loads(answered.response.body)
    assert isinstance(found, list)
    return found
