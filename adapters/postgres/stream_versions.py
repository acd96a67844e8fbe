"""How long streams are by now: tells cheaply whether something must be read again."""

from collections.abc import Collection, Mapping
from typing import Final

from adapters.postgres.database import Database
from adapters.postgres.queries import queries_beside
from domain.ids import StreamId

_SQL: Final = queries_beside(__file__)


def stream_versions(database: Database, streams: Collection[StreamId]) -> Mapping[StreamId, int]:
    """Return the version of each stream; 0: it has no event."""
    with database.transaction() as connection:
        rows = connection.execute(_SQL["versions"], {"streams": list(streams)}).fetchall()
    return {StreamId(stream): version for stream, version in rows}
