"""The engine as actors: each has loops of its own, dies, and comes again with what its ports hold.

There are two deciders, two projectors and two deliverers for each CRM, as while one version of the
program takes over from another; each `step` is the real one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from adapters.bootstrap import accounts
from adapters.bootstrap.crms import LOCAL_LIMITS, salesforce_fields
from adapters.clock import FixedClock
from adapters.engine.decide import Decide
from adapters.engine.deliver import Deliver
from adapters.engine.ingest import Ingest
from adapters.engine.project import Project
from adapters.engine.runner import Loop
from adapters.http_transport import HttpTransport
from adapters.hubspot.calls import Calls
from adapters.hubspot.gateway import HubSpotGateway
from adapters.hubspot.source import SWEEP_SECONDS, HubSpotSource, Rhythm
from adapters.salesforce.connection import Connection
from adapters.salesforce.gateway import SalesforceGateway
from adapters.salesforce.schema import Schema
from adapters.salesforce.source import SalesforceSource
from adapters.sandbox.front import Front
from adapters.simulation.chronicle import Chronicle
from adapters.simulation.faults import CrashError, Hazards, guarded
from adapters.simulation.poison import Poison, PoisonedRules
from adapters.simulation.stores import Present, Stores
from adapters.simulation.wire import Wire
from domain.deliveries import Gateway
from domain.errors import PortError
from domain.ids import Crm

SALESFORCE_URL: Final = "http://127.0.0.1:8101"
HUBSPOT_URL: Final = "http://127.0.0.1:8102"
ACTORS: Final = (
    "ingest-1",
    "decide-1",
    "decide-2",
    "project-1",
    "project-2",
    "deliver-salesforce-1",
    "deliver-salesforce-2",
    "deliver-hubspot-1",
    "deliver-hubspot-2",
)
#: in calm times one of each works
FIRST: Final = tuple(actor for actor in ACTORS if actor.endswith("-1"))
_ACCOUNTS: Final = accounts.of_sandboxes(SALESFORCE_URL, HUBSPOT_URL)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an engine stands in."""

    fronts: Mapping[Crm, Front]
    stores: Stores
    present: Present
    clock: FixedClock
    chronicle: Chronicle
    hazards: Hazards
    poison: Poison
    #: between two comparisons of everything, in either CRM
    sweep_seconds: float = SWEEP_SECONDS


class Engine:
    """The actors of one engine."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._rules = PoisonedRules(around.poison)
        self._loops: dict[str, Loop] = {}
        #: those in whose step we are: none of them can be stepped again
        self.acting: list[str] = []

    def step(self, actor: str) -> int:
        """Let an actor make one step; return how much it did.

        An actor that dies is made anew at its next step.
        """
        around = self._around
        loop = self._loops.get(actor)
        if loop is None:
            loop = self._loops[actor] = self._made(actor)
        self.acting.append(actor)
        try:
            return loop.step(around.clock.at)
        except CrashError:
            self._loops.pop(actor, None)
            return 1
        except PortError as error:
            around.hazards.told.append(f"{actor} could not go on: {error}")
            return 0
        finally:
            self.acting.remove(actor)

    def restart(self) -> None:
        """Let every actor begin anew with what the ports hold."""
        self._loops.clear()

    def _made(self, actor: str) -> Loop:
        around = self._around
        stores, hazards = around.stores, around.hazards
        log = guarded(stores.log, "log", actor, hazards)
        role, _, rest = actor.partition("-")
        match role:
            case "ingest":
                bookmarks = guarded(stores.bookmarks, "bookmarks", actor, hazards)
                wire = self._wire(actor)
                connection, schema = _salesforce(wire)
                rhythm = Rhythm(sweep_seconds=around.sweep_seconds)
                return Ingest(
                    sources=(
                        SalesforceSource(
                            connection=connection,
                            schema=schema,
                            bookmarks=bookmarks,
                            fields=self._fields,
                            seconds=lambda: float(
                                around.present.policy().polling.salesforce_seconds
                            ),
                            sweep_seconds=around.sweep_seconds,
                        ),
                        HubSpotSource(_hubspot(wire), bookmarks, around.present.policy, rhythm),
                    ),
                    log=log,
                    refreshes=guarded(stores.refreshes, "refreshes", actor, hazards),
                    bookmarks=bookmarks,
                )
            case "decide":
                return Decide(
                    log=log,
                    decisions=guarded(stores.decisions, "decisions", actor, hazards),
                    rules=self._rules,
                    logger=_LOGGER,
                )
            case "project":
                return Project(
                    followers=guarded(stores.followers, "followers", actor, hazards),
                    log=log,
                    refreshes=guarded(stores.refreshes, "refreshes", actor, hazards),
                    desk=guarded(stores.desk, "desk", actor, hazards),
                    logger=_LOGGER,
                )
            case _:
                return Deliver(
                    Crm(rest.partition("-")[0]),
                    gateways=self._gateways(actor),
                    deliveries=guarded(stores.deliveries, "deliveries", actor, hazards),
                    log=log,
                    in_force=around.present.in_force,
                    limits=LOCAL_LIMITS,
                    clock=around.clock,
                )

    def _gateways(self, actor: str) -> Mapping[Crm, Gateway]:
        wire = self._wire(actor)
        connection, schema = _salesforce(wire)
        return {
            Crm.SALESFORCE: SalesforceGateway(
                connection=connection, schema=schema, fields=self._fields
            ),
            Crm.HUBSPOT: HubSpotGateway(_hubspot(wire), self._around.present.policy),
        }

    def _wire(self, actor: str) -> HttpTransport:
        around = self._around
        return Wire(
            around.fronts.__getitem__,
            actor=actor,
            clock=around.clock,
            chronicle=around.chronicle,
            hazards=around.hazards,
        )

    def _fields(self) -> frozenset[str]:
        return salesforce_fields(self._around.present.policy())


def _salesforce(wire: HttpTransport) -> tuple[Connection, Schema]:
    connection = Connection(transport=wire, url=SALESFORCE_URL, grant=_ACCOUNTS.grant)
    return connection, Schema(connection)


def _hubspot(wire: HttpTransport) -> Calls:
    return Calls(wire, base_url=HUBSPOT_URL, token=_ACCOUNTS.token)


def _dropped(_logger: object, _name: str, _event: object) -> str:
    raise structlog.DropEvent


_LOGGER: Final[FilteringBoundLogger] = structlog.wrap_logger(
    None,
    processors=[_dropped],
    wrapper_class=structlog.make_filtering_bound_logger(50),
)
