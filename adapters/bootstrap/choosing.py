"""Chooses the records of an import: asks Salesforce for their ids, and for nothing else."""

from datetime import datetime

from adapters.bootstrap.accounts import Accounts
from adapters.http_transport import NetworkTransport
from adapters.salesforce.connection import Connection
from adapters.salesforce.reader import Reader
from adapters.salesforce.schema import Schema
from domain.ids import Kind


def ids_where(accounts: Accounts, kind: Kind, where: str, at: datetime) -> tuple[str, ...]:
    """Return the ids of the records that a SOQL condition chooses; a blank one: all.

    Raises:
        ReadRefusedError: Salesforce does not take the condition.
        PortError: it did not answer.
    """
    transport = NetworkTransport()
    try:
        connection = Connection(
            transport=transport, url=accounts.salesforce_url, grant=accounts.grant
        )
        reader = Reader(connection, Schema(connection), lambda: ())
        return tuple(dict.fromkeys(reader.select(kind, where, at)))
    finally:
        transport.close()
