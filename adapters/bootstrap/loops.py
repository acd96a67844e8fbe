"""The four loops, wired and ready to be stepped: ingest, decide, project, deliver.

A role is what one process may hold alone; deliver is two loops, one for each CRM.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from structlog.typing import FilteringBoundLogger
from typing_extensions import override

from adapters.bootstrap.crms import Crms
from adapters.bootstrap.ingesting import ingest_loop
from adapters.bootstrap.present import Present
from adapters.bootstrap.stores import Stores
from adapters.clock import Clock
from adapters.engine.decide import Decide
from adapters.engine.deliver import Deliver
from adapters.engine.domain_rules import DomainRules
from adapters.engine.project import Project
from adapters.engine.runner import Loop
from adapters.kafka_log.generations import FactsLostError
from adapters.kafka_log.shared import SharedKafkaLog
from domain import issues
from domain.deciding import Aggregate
from domain.deliveries import Brakes, Suspension
from domain.ids import Crm
from domain.ports import Bookmarks
from domain.rules.prerequisites import missing_permission

#: how long nothing is written after a look found that a permission is missing
PERMISSION_SECONDS: Final = 5.0
#: the bookmark that says why facts are not decided; blank text: they are
LOG_TROUBLE: Final = "log.trouble"


def decide_loop(stores: Stores, logger: FilteringBoundLogger) -> Mapping[str, Loop]:
    """Return the loop that needs no CRM."""
    decide = Decide(
        log=stores.logs.mine,
        decisions=stores.decisions,
        rules=DomainRules(),
        logger=logger,
        epoch=stores.decisions.epoch(),
    )
    share = stores.logs.mine
    if isinstance(share, SharedKafkaLog):
        return {"decide": _Sharing(decide, share, stores.bookmarks, logger)}
    return {"decide": decide}


def loops_of(
    role: str,
    stores: Stores,
    crms: Crms,
    present: Present,
    *,
    clock: Clock,
    logger: FilteringBoundLogger,
) -> Mapping[str, Loop]:
    """Return the loops of one of `home.ROLES`, by name."""
    match role:
        case "ingest":
            return {"ingest": ingest_loop(stores, crms, logger)}
        case "decide":
            return decide_loop(stores, logger)
        case "project":
            project = Project(
                followers=stores.followers,
                log=stores.log,
                refreshes=stores.refreshes,
                desk=stores.desk,
                logger=logger,
            )
            return {"project": project}
        case "deliver":
            return {
                f"deliver-{crm}": _Delivering(
                    Deliver(
                        crm,
                        gateways=crms.gateways,
                        deliveries=stores.deliveries,
                        log=stores.log,
                        in_force=present.in_force,
                        limits=crms.limits,
                        clock=clock,
                        lease_seconds=stores.logs.lease_seconds,
                    ),
                    present,
                    stores.brakes,
                )
                for crm in Crm
            }
        case _:
            raise ValueError(f"expected a role, found {role!r}")


class _Sharing(Loop):
    """Decide on this worker's share of Kafka: positions are read anew when the share changes."""

    def __init__(
        self,
        decide: Decide[Aggregate],
        share: SharedKafkaLog,
        bookmarks: Bookmarks,
        logger: FilteringBoundLogger,
    ) -> None:
        self._decide = decide
        self._share = share
        self._bookmarks = bookmarks
        self._logger = logger
        self._assignments = 0
        self._told: str | None = None

    @override
    def step(self, at: datetime) -> int:
        if self._share.assignments != self._assignments:
            self._assignments = self._share.assignments
            self._decide.take_over()
            self._logger.info("assigned", sources=len(self._share.sources))
        try:
            count = self._decide.step(at)
        except FactsLostError as error:
            # Each time: a worker that begins well says so over what this one said.
            self._tell(str(error))
            raise
        if self._told != "":
            self._tell("")
        return count

    def _tell(self, trouble: str) -> None:
        """Say what is wrong where other processes see it."""
        self._bookmarks.write(LOG_TROUBLE, trouble)
        self._told = trouble


class _Delivering(Loop):
    """Deliver, unless the integration user lacks its permission: then nothing is written.

    Suspending says so where people look, and claims nothing; outcomes are still published. It goes
    on by itself once the catalog shows the permission.
    """

    def __init__(self, deliver: Deliver, present: Present, brakes: Brakes) -> None:
        self._deliver = deliver
        self._present = present
        self._brakes = brakes
        self._suspended_until: datetime | None = None

    @override
    def step(self, at: datetime) -> int:
        missing = missing_permission(self._present.moment().catalog)
        if missing is None:
            self._suspended_until = None
        else:
            self._suspend(missing, at)
        return self._deliver.step(at)

    def _suspend(self, missing: str, at: datetime) -> None:
        # Renewed before it ends, so that no claim slips in between.
        until = self._suspended_until
        if until is not None and until - at > timedelta(seconds=PERMISSION_SECONDS / 2):
            return
        until = at + timedelta(seconds=PERMISSION_SECONDS)
        self._brakes.suspend(
            Suspension(self._deliver.crm, until, missing, issues.PERMISSION_MISSING.code, at)
        )
        self._suspended_until = until
