"""Runs both sandboxes: `open_sandboxes` for programs, this module itself for a shell.

Loads their state from a home, seeds new ones, and hands them to the HTTP skin. Only here is a
sandbox given the time of day.
"""

import argparse
import json
import queue
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from adapters.clock import Clock, SystemClock
from adapters.home import HomeError, prepare_home
from adapters.sandbox import company
from adapters.sandbox.front import Front
from adapters.sandbox.http_skin import PortTakenError, SandboxServer
from adapters.sandbox.hubspot.box import HubSpotSandbox
from adapters.sandbox.salesforce.box import SalesforceSandbox
from adapters.sandbox.store import SandboxInUseError, Store

Seed: TypeAlias = Literal["company", "empty"]

SALESFORCE_PORT = 8101
HUBSPOT_PORT = 8102
EXIT_OK = 0
EXIT_FAILED = 1


def open_sandboxes(
    home: Path,
    *,
    salesforce_port: int = SALESFORCE_PORT,
    hubspot_port: int = HUBSPOT_PORT,
    clock: Clock,
    seed: Seed | None = None,
) -> SandboxServer:
    """Load both sandboxes from a home, seed the ones that are new, and take the ports.

    Args:
        home: their files are `home/sandbox/{salesforce,hubspot}.sqlite`.
        salesforce_port: 0 takes a free one.
        hubspot_port: 0 takes a free one.
        clock: real time.
        seed: what to put into new sandboxes beside what every new account has: the example
            company, only its salespeople ("empty"), or nothing.

    Raises:
        PortTakenError: another program has one of the ports.
        SandboxInUseError: another process has one of the files open.
        NotAHomeError: there are other files in the folder, and it is no home.
    """
    home = prepare_home(home)
    with ExitStack() as opened:
        salesforce_store = Store(home / "sandbox" / "salesforce.sqlite")
        opened.callback(salesforce_store.close)
        hubspot_store = Store(home / "sandbox" / "hubspot.sqlite")
        opened.callback(hubspot_store.close)
        stores = (salesforce_store, hubspot_store)
        fronts = new_fronts()
        for store, front in zip(stores, fronts, strict=True):
            store.load(front.box.tables)
        server = SandboxServer(fronts, (salesforce_port, hubspot_port), clock, stores)
        opened.callback(server.stop)
        _seed(*fronts, seed, clock.now())
        for store, front in zip(stores, fronts, strict=True):
            store.save(front.box.tables)
        opened.pop_all()
    return server


def new_fronts() -> tuple[Front, Front]:
    """Return Salesforce and HubSpot, both without a single row."""
    return Front(SalesforceSandbox(), "salesforce"), Front(HubSpotSandbox(), "hubspot")


def _seed(salesforce: Front, hubspot: Front, seed: Seed | None, at: datetime) -> None:
    """Fill the sandboxes that hold nothing yet; people and company only if both are new."""
    new = [front for front in (salesforce, hubspot) if front.box.tables.is_empty()]
    for front in new:
        front.box.seed_basics(at)
    if seed is None or len(new) < 2:  # noqa: PLR2004 - both
        return
    company.hire(salesforce, hubspot, at)
    if seed == "company":
        company.found(salesforce, hubspot, at)


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGINT or SIGTERM, after one line of JSON that says where."""
    parser = argparse.ArgumentParser(prog="python -m adapters.sandbox.server")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--salesforce-port", type=int, default=SALESFORCE_PORT)
    parser.add_argument("--hubspot-port", type=int, default=HUBSPOT_PORT)
    parser.add_argument("--seed", choices=["company", "empty"])
    asked = parser.parse_args(arguments)
    # Setting an event in a handler can wait for ever on a lock that the main thread holds.
    stop: queue.SimpleQueue[None] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.put(None))
    try:
        server = open_sandboxes(
            asked.home,
            salesforce_port=asked.salesforce_port,
            hubspot_port=asked.hubspot_port,
            clock=SystemClock(),
            seed=asked.seed,
        )
    except (PortTakenError, SandboxInUseError, HomeError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    server.start()
    urls = {"salesforce_url": server.salesforce_url, "hubspot_url": server.hubspot_url}
    sys.stdout.write(json.dumps(urls) + "\n")
    sys.stdout.flush()
    stop.get()
    server.stop()
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
