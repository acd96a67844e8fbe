"""The source and the gateway against the sandbox's server: the real transport, real time."""

from datetime import UTC, datetime
from pathlib import Path

from adapters.http_transport import NetworkTransport
from adapters.memory.bookmarks import MemoryBookmarks
from adapters.salesforce import names
from adapters.salesforce.auth import PasswordGrant
from adapters.salesforce.connection import Connection
from adapters.salesforce.gateway import SalesforceGateway
from adapters.salesforce.schema import Schema
from adapters.salesforce.source import SalesforceSource
from domain.canonical import FieldType
from domain.deliveries import Addressed, Done, Target
from domain.facts import OpportunityObserved
from domain.ids import StreamId, WriteId
from domain.writes import CreateField, CreateOpportunity, FieldChange
from tests.salesforce.org import FIELDS, INTEGRATION, WORD
from tests.support.sandboxes import running_sandboxes

STREAM = StreamId("stream")
VALUES = (
    ("Name", "商談 “A” & co", FieldType.TEXT),
    ("StageName", "Prospecting", FieldType.PICKLIST),
    ("CloseDate", "2026-06-30", FieldType.DATE),
    ("Amount", "1200.5", FieldType.DECIMAL),
)


def test_what_is_written_is_polled(tmp_path: Path) -> None:
    with running_sandboxes(tmp_path / "home") as sandboxes:
        transport = NetworkTransport()
        grant = PasswordGrant(
            client_id="sandbox", username=INTEGRATION, client_secret=WORD, password=WORD
        )
        connection = Connection(transport=transport, url=sandboxes.salesforce_url, grant=grant)
        schema = Schema(connection)
        source = SalesforceSource(
            connection=connection,
            schema=schema,
            bookmarks=(bookmarks := MemoryBookmarks()),
            fields=lambda: FIELDS,
            seconds=lambda: 0.0,
        )
        gateway = SalesforceGateway(connection=connection, schema=schema, fields=lambda: FIELDS)
        field = CreateField(
            id=WriteId("1"),
            stream=STREAM,
            object="opportunity",
            name=names.LINK_FIELD,
            label="Deal",
            length=64,
        )
        create = CreateOpportunity(
            id=WriteId("2"),
            stream=STREAM,
            key="77",
            fields=tuple(
                FieldChange(field=name, name=name, type=kind, after=value, wire=value)
                for name, value, kind in VALUES
            ),
        )
        found: list[OpportunityObserved] = []
        for write in (field, create):
            at = datetime.now(UTC)
            (answer,) = gateway.send([Addressed(write, Target(STREAM, None))], at)
            assert isinstance(answer, Done)
            polled = source.poll(at)
            for name, text in polled.bookmarks.items():
                bookmarks.write(name, text)
            found += [each for each in polled.facts if isinstance(each, OpportunityObserved)]
        transport.close()

    (fact,) = found
    assert fact.linked_deal_id == "77"
    assert fact.modified_by_us
    assert {reading.name: reading.value for reading in fact.readings}["Name"] == VALUES[0][1]
