"""Sources and gateways of both CRMs, over one connection each."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from adapters.bootstrap.accounts import Accounts
from adapters.engine.deliver import LEASE_SECONDS
from adapters.http_transport import NetworkTransport
from adapters.hubspot.calls import Calls
from adapters.hubspot.gateway import HubSpotGateway
from adapters.hubspot.source import HubSpotSource, Rhythm
from adapters.salesforce.connection import Connection
from adapters.salesforce.gateway import SalesforceGateway
from adapters.salesforce.schema import Schema
from adapters.salesforce.source import SalesforceSource
from adapters.source import Source
from domain.deliveries import CallLimits, Gateway
from domain.ids import Crm
from domain.policy import Policy, Polling
from domain.ports import Bookmarks

#: between two polls of a Salesforce on this machine, unless the policy names another number
LOCAL_SECONDS: Final = 0.2
#: on this machine every round of HubSpot reads the definitions too
LOCAL_RHYTHM: Final = Rhythm(catalog_seconds=0)
USUAL_RHYTHM: Final = Rhythm()

#: a call may take half of its lease, and be two requests: signing in first
REQUESTS_PER_LEASE: Final = 4

#: what an account allows at least; Salesforce counts by the day alone, the burst is our courtesy
LIMITS: Final[Mapping[Crm, CallLimits]] = {
    Crm.SALESFORCE: CallLimits(burst_calls=250, burst_seconds=10, daily_calls=100_000),
    Crm.HUBSPOT: CallLimits(burst_calls=100, burst_seconds=10, daily_calls=250_000),
}
#: what the sandboxes allow
LOCAL_LIMITS: Final[Mapping[Crm, CallLimits]] = {
    Crm.SALESFORCE: CallLimits(burst_calls=1_000, burst_seconds=10, daily_calls=1_000_000),
    Crm.HUBSPOT: CallLimits(burst_calls=150, burst_seconds=10, daily_calls=650_000),
}


@dataclass(frozen=True, slots=True)
class Crms:
    """Both CRMs, in and out."""

    sources: tuple[Source, ...]
    gateways: Mapping[Crm, Gateway]
    limits: Mapping[Crm, CallLimits]


@contextmanager
def open_crms(
    accounts: Accounts,
    bookmarks: Bookmarks,
    policy: Callable[[], Policy],
    *,
    lease_seconds: float = LEASE_SECONDS,
) -> Iterator[Crms]:
    """Make sources and gateways; nothing is asked of a CRM yet.

    Args:
        accounts: where they are.
        bookmarks: where the sources resume.
        policy: the policy in force, asked before every reading.
        lease_seconds: how long writes are kept from others while they are sent.
    """
    transport = NetworkTransport()
    timeout_seconds = lease_seconds / REQUESTS_PER_LEASE
    try:
        connection = Connection(
            transport=transport,
            url=accounts.salesforce_url,
            grant=accounts.grant,
            timeout_seconds=timeout_seconds,
        )
        schema = Schema(connection)
        calls = Calls(
            transport,
            base_url=accounts.hubspot_url,
            token=accounts.token,
            timeout_seconds=timeout_seconds,
        )

        def fields() -> frozenset[str]:
            return salesforce_fields(policy())

        def seconds() -> float:
            return poll_seconds(policy(), are_local=accounts.are_local)

        yield Crms(
            sources=(
                SalesforceSource(
                    connection=connection,
                    schema=schema,
                    bookmarks=bookmarks,
                    fields=fields,
                    seconds=seconds,
                ),
                HubSpotSource(
                    calls,
                    bookmarks,
                    policy,
                    LOCAL_RHYTHM if accounts.are_local else USUAL_RHYTHM,
                ),
            ),
            gateways={
                Crm.SALESFORCE: SalesforceGateway(
                    connection=connection, schema=schema, fields=fields
                ),
                Crm.HUBSPOT: HubSpotGateway(calls, policy),
            },
            limits=LOCAL_LIMITS if accounts.are_local else LIMITS,
        )
    finally:
        transport.close()


def salesforce_fields(policy: Policy) -> frozenset[str]:
    """Return the opportunity's fields that the policy maps or observes."""
    return frozenset(m.salesforce for m in policy.mappings) | frozenset(policy.observe.salesforce)


def poll_seconds(policy: Policy, *, are_local: bool) -> float:
    """Return the time between two polls of Salesforce."""
    named = policy.polling.salesforce_seconds
    if are_local and named == Polling().salesforce_seconds:
        return LOCAL_SECONDS
    return float(named)
