"""A sandbox org for tests: people in it, our connection to it, and a clock that a test moves."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from adapters.http_transport import DirectTransport, HttpRequest, HttpResponse, HttpTransport
from adapters.memory.bookmarks import MemoryBookmarks
from adapters.salesforce.auth import PasswordGrant
from adapters.salesforce.connection import Connection
from adapters.salesforce.schema import Schema
from adapters.salesforce.source import SalesforceSource
from adapters.salesforce.wire import Json, Row, record_id
from adapters.sandbox.salesforce.box import SalesforceSandbox
from adapters.sandbox.tables import JsonValue
from adapters.source import Polled
from domain.facts import Fact

URL = "http://127.0.0.1:8101"
ADMIN = "admin@sandbox.example"
INTEGRATION = "integration@sandbox.example"
#: what the sandbox takes from everybody
WORD = "sandbox"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
#: what a user without them cannot set up
REVOKED = ("ModifyAllData", "ModifyMetadata", "CustomizeApplication")
FIELDS = frozenset({"Name", "StageName", "CloseDate", "Amount", "OwnerId", "Type", "Description"})
POLL_SECONDS = 15.0


class Org:
    """One org, met by an administrator and by us."""

    def __init__(self, *, permitted: bool = True, new_fields_visible: bool = True) -> None:
        """Make a new org; unless not `permitted`, the integration user may do what it needs."""
        self.at = START
        self.calls: list[HttpRequest] = []
        self.sandbox = SalesforceSandbox()
        self.sandbox.seed_basics(START, new_fields_visible=new_fields_visible)
        self.transport = DirectTransport(self._answer, lambda: self.at)
        self.admin = self.connection(ADMIN)
        self.ours = self.connection(INTEGRATION)
        for permission in () if permitted else REVOKED:
            self.act("set_permission", user=INTEGRATION, permission=permission, value=False)
        self.bookmarks = MemoryBookmarks()
        self.fields = FIELDS
        self.source = self.new_source()

    def new_source(self) -> SalesforceSource:
        """Return a source as a new process has it: it knows only the bookmarks."""
        self.schema = Schema(self.ours)
        return SalesforceSource(
            connection=self.ours,
            schema=self.schema,
            bookmarks=self.bookmarks,
            fields=lambda: self.fields,
            seconds=lambda: POLL_SECONDS,
        )

    def connection(self, username: str, transport: HttpTransport | None = None) -> Connection:
        """Return a connection of a user, over a line of its own if one is given."""
        grant = PasswordGrant(
            client_id="sandbox", username=username, client_secret=WORD, password=WORD
        )
        return Connection(transport=transport or self.transport, url=URL, grant=grant)

    def wait(self, seconds: float = POLL_SECONDS) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)

    def act(self, action: str, **arguments: JsonValue) -> Mapping[str, JsonValue]:
        """Do what a person does in a screen."""
        self.sandbox.act(action, arguments, self.at)
        return arguments

    def create(self, of: str, **values: Json) -> str:
        """Create a record as the administrator; return its id."""
        answered = self.admin.send("POST", f"/sobjects/{of}", dict(values), self.at)
        assert isinstance(answered.body, dict), answered.refusals
        return record_id(answered.body["id"])

    def update(self, of: str, id_: str, **values: Json) -> None:
        """Change a record as the administrator."""
        answered = self.admin.send("PATCH", f"/sobjects/{of}/{id_}", dict(values), self.at)
        assert not answered.refusals, answered.refusals

    def delete(self, of: str, id_: str) -> None:
        """Delete a record as the administrator."""
        answered = self.admin.send("DELETE", f"/sobjects/{of}/{id_}", None, self.at)
        assert not answered.refusals, answered.refusals

    def opportunity(self, name: str = "Acme", **values: Json) -> str:
        """Create an opportunity; return its id."""
        given: dict[str, Json] = {"StageName": "Prospecting", "CloseDate": "2026-06-30", **values}
        return self.create("Opportunity", Name=name, **given)

    def contact(self, last_name: str, email: str) -> str:
        """Create a contact; return its id."""
        return self.create("Contact", LastName=last_name, Email=email)

    def role(self, opportunity_id: str, contact_id: str, role: str | None = None) -> str:
        """Create a contact role; return its id."""
        return self.create(
            "OpportunityContactRole",
            OpportunityId=opportunity_id,
            ContactId=contact_id,
            Role=role,
        )

    def row(self, of: str, id_: str) -> Row:
        """Return a record as the administrator sees it, deleted or not."""
        fields = "FIELDS(STANDARD)"
        body = self.admin.query(
            f"SELECT {fields} FROM {of} WHERE Id = '{id_}'",  # noqa: S608 - a sandbox of our own
            self.at,
            include_deleted=True,
        )
        return body[0]

    def poll_once(self) -> Polled:
        """Poll, and keep what the poll wants kept."""
        polled = self.source.poll(self.at)
        for name, text in polled.bookmarks.items():
            self.bookmarks.write(name, text)
        return polled

    def poll(self) -> tuple[Fact, ...]:
        """Poll until a pass is complete, a poll interval later; return its facts."""
        self.wait()
        found: list[Fact] = []
        while True:
            polled = self.poll_once()
            found += polled.facts
            if polled.pass_begun_at is not None:
                return tuple(found)

    def _answer(self, request: HttpRequest, at: datetime) -> HttpResponse:
        self.calls.append(request)
        return self.sandbox.answer(request, at).response
