"""The engine of one process: its loops running, and the endpoint for webhooks beside them.

Starting it and stopping it is all there is; what it is to do stands in the log.
"""

import json
import socket
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from structlog.typing import FilteringBoundLogger

from adapters.bootstrap.accounts import Accounts
from adapters.bootstrap.crms import open_crms
from adapters.bootstrap.ingesting import ROLE as INGEST
from adapters.bootstrap.ingesting import Standby
from adapters.bootstrap.loops import loops_of
from adapters.bootstrap.present import Present
from adapters.bootstrap.publishing import publish_loop
from adapters.bootstrap.stores import Stores
from adapters.clock import Clock
from adapters.engine.runner import Loop, Runner
from adapters.home import PUBLISH
from adapters.http_transport import (
    HttpRequest,
    NetworkTransport,
    NoAnswerError,
    NotSentError,
)
from adapters.hubspot.signature import SignedBy
from adapters.hubspot.webhook import Endpoint
from adapters.hubspot.webhook_server import LOOPBACK, WebhookServer
from adapters.postgres.leading import Term
from adapters.postgres.leases import end_leases
from adapters.settings import WebhookSettings

WEBHOOK_PATH: Final = "/hubspot"
#: tries to get a free port that nobody takes between the asking and the binding
FREE_PORT_TRIES_MAX: Final = 5
#: how long a silent worker leads, in times that it keeps its partitions
TERM_SESSIONS: Final = 1.5
#: a sandbox answers its control calls in milliseconds
_CONTROL_SECONDS: Final = 2.0
_OK: Final = 200


class WebhookPortTakenError(Exception):
    """The port for webhooks is taken; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine."""

    runner: Runner
    present: Present
    #: where HubSpot's webhooks arrive; None: none are taken in
    webhook_url: str | None


@contextmanager
def running_engine(
    roles: Collection[str],
    stores: Stores,
    accounts: Accounts,
    webhook: WebhookSettings,
    *,
    clock: Clock,
    logger: FilteringBoundLogger,
) -> Iterator[Engine]:
    """Run the loops of some roles, which the caller holds, until the end of the block.

    Raises:
        WebhookPortTakenError: another program has the port for webhooks.
    """
    with ExitStack() as opened:
        end_own_leases(stores, roles, clock.now())
        present = Present(stores)
        open_own_crms = partial(
            open_crms,
            accounts,
            stores.bookmarks,
            present.policy,
            lease_seconds=stores.logs.lease_seconds,
        )
        crms = opened.enter_context(open_own_crms())
        loops: dict[str, Loop] = {}
        webhook_url: str | None = None
        for role in roles:
            if role == PUBLISH:
                loops |= opened.enter_context(publish_loop(stores, logger))
            elif role == INGEST and stores.logs.worker is not None:
                standby = Standby(
                    _term(stores, stores.logs.worker),
                    stores,
                    open_own_crms,
                    lambda: _send_webhooks_here(accounts, webhook_url),
                    logger,
                )
                opened.callback(standby.close)
                loops[INGEST] = standby
            else:
                loops |= loops_of(role, stores, crms, present, clock=clock, logger=logger)
        runner = Runner(loops, clock=clock, logger=logger)
        if INGEST in roles and accounts.webhook_secrets:
            server = _webhook_server(stores, accounts, webhook, clock)
            opened.enter_context(server)
            webhook_url = webhook.url or server.url
            _send_webhooks_here(accounts, webhook_url)
        runner.start()
        opened.callback(runner.stop)
        yield Engine(runner, present, webhook_url)


def _term(stores: Stores, worker: str) -> Term:
    kafka = stores.logs.kafka
    assert kafka is not None, "there are several workers where facts are in Kafka"
    return Term(
        stores.database, INGEST, worker, seconds=TERM_SESSIONS * kafka.cluster.session_seconds
    )


def end_own_leases(stores: Stores, roles: Collection[str], at: datetime) -> None:
    """End what an earlier process in this one's place held; other workers' leases stay."""
    worker = stores.logs.worker
    # Whoever leads ingest ends those of reading: see `ingesting`.
    own = roles if worker is None else [role for role in roles if role != INGEST]
    end_leases(stores.database, own, at, worker=worker)


def _send_webhooks_here(accounts: Accounts, webhook_url: str | None) -> None:
    """Have the webhooks of a HubSpot on this machine sent to this process."""
    if accounts.are_local and webhook_url is not None:
        _send_webhooks_to(accounts.hubspot_url, webhook_url)


def _send_webhooks_to(hubspot_url: str, target: str) -> None:
    """Tell a HubSpot on this machine where our webhooks go, as its settings page would.

    One that is no sandbox of ours has no such page: then it stays as it is.
    """
    body = json.dumps({"action": "set_webhook_target", "url": target}).encode()
    request = HttpRequest(
        "POST",
        f"{hubspot_url}/sandbox/actions",
        (("Content-Type", "application/json"),),
        body,
    )
    transport = NetworkTransport()
    with suppress(NotSentError, NoAnswerError):
        transport.send(request, timeout_seconds=_CONTROL_SECONDS)
    transport.close()


def undelivered_webhooks(hubspot_url: str) -> int:
    """Return how many webhooks a HubSpot sandbox has not got rid of yet.

    What is no sandbox, or is gone, has none; one that is too busy to say has at least one.
    """
    transport = NetworkTransport()
    request = HttpRequest("GET", f"{hubspot_url}/sandbox/health")
    try:
        answer = transport.send(request, timeout_seconds=_CONTROL_SECONDS)
    except NotSentError:
        return 0
    except NoAnswerError:
        return 1
    finally:
        transport.close()
    return int(json.loads(answer.body)["undelivered_webhooks"]) if answer.status == _OK else 0


def _webhook_server(
    stores: Stores, accounts: Accounts, webhook: WebhookSettings, clock: Clock
) -> WebhookServer:
    for tries_left in reversed(range(FREE_PORT_TRIES_MAX)):
        port = webhook.port or _free_port()
        public_url = webhook.url or f"http://{LOOPBACK}:{port}{WEBHOOK_PATH}"
        endpoint = Endpoint(
            path=WEBHOOK_PATH,
            signed_by=SignedBy(accounts.webhook_secrets, public_url),
            inbox=stores.refreshes,
        )
        try:
            return WebhookServer(endpoint, clock.now, port=port)
        except OSError as error:
            if webhook.port or not tries_left:
                raise WebhookPortTakenError(
                    f"port {port} on {LOOPBACK} is taken by another program; stop that one, or set"
                    " DEALSYNC_WEBHOOK_PORT to another port (0 takes a free one)"
                ) from error
    raise AssertionError("unreachable: the last try returns or raises")


def _free_port() -> int:
    """Return a port that is free now: the address that is signed must be known beforehand."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
