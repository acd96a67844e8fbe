"""What the benchmark runs in processes of their own, so that each one's memory is its own.

    python -m tests.benchmarks.sides SIDE URL

`prepare` fills a database: everything before the day decided, the day's facts appended. The other
sides decide the day in a copy of it, each in its way, and print one JSON object of figures. The
garbage collector is set as in a process that serves, for all.
"""

import json
import logging
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter, process_time
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from adapters.bootstrap.garbage import collect_rarely
from adapters.bootstrap.stores import over
from adapters.engine.decide import Decide
from adapters.engine.domain_rules import DomainRules
from adapters.postgres.database import Database
from domain.deciding import Aggregate
from domain.ports import ChangeLog, Decisions, KeyedFact, Topic
from tests.benchmarks import one_at_a_time
from tests.benchmarks.timed_rules import TimedRules
from tests.benchmarks.workload import DECIDED_AT, Workload, workload

PAIRS: Final = 300
WAVES: Final = 8
#: `ru_maxrss` counts kilobytes, on macOS bytes
RSS_UNITS_A_MB: Final = 1_000_000 if sys.platform == "darwin" else 1_000


@dataclass(frozen=True, slots=True)
class Figures:
    """What a side cost."""

    facts: int
    seconds: float
    #: of this process, system calls included; the server's is not in it
    cpu_seconds: float
    peak_memory_mb: float
    #: of that, in the rules; None: not timed
    rules_seconds: float | None = None


def decide_all(log: ChangeLog, decisions: Decisions, rules: DomainRules) -> int:
    """Decide what waits, batch by batch; return how many facts that were."""
    worker: Decide[Aggregate] = Decide(log=log, decisions=decisions, rules=rules, logger=silent())
    decided = 0
    while step := worker.step(DECIDED_AT):
        decided += step
    return decided


def append_before(log: ChangeLog, happened: Workload) -> None:
    """Append what comes before the day, under one key: in its order."""
    log.append([KeyedFact(Topic.REQUESTS, "before", fact) for fact in happened.before])


def prepare(database: Database) -> None:
    """Fill a new database for both ways."""
    database.migrate()
    stores = over(database)
    happened = workload(pairs=PAIRS, waves=WAVES)
    append_before(stores.log, happened)
    decide_all(stores.log, stores.decisions, DomainRules())
    stores.log.append(happened.measured)
    one_at_a_time.lay_out(database, [keyed.fact for keyed in happened.measured])


def in_batches(database: Database) -> Figures:
    """Decide as the engine does."""
    stores = over(database)
    return _measured(lambda: decide_all(stores.log, stores.decisions, DomainRules()))


def in_batches_timed(database: Database) -> Figures:
    """Decide as the engine does, with the rules timed apart."""
    stores = over(database)
    rules = TimedRules()
    return _measured(lambda: decide_all(stores.log, stores.decisions, rules), rules)


def alone(database: Database) -> Figures:
    """Decide as the library does it: one fact, one transaction."""
    with one_at_a_time.followed(database) as process:
        return _measured(lambda: one_at_a_time.decide_all(process))


def _measured(decide: Callable[[], int], rules: TimedRules | None = None) -> Figures:
    collect_rarely()
    begun, cpu_begun = perf_counter(), process_time()
    facts = decide()
    return Figures(
        facts=facts,
        seconds=perf_counter() - begun,
        cpu_seconds=process_time() - cpu_begun,
        peak_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / RSS_UNITS_A_MB,
        rules_seconds=rules.seconds if rules is not None else None,
    )


def silent() -> FilteringBoundLogger:
    """Return a logger that says nothing."""
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.ReturnLogger(), processors=[], wrapper_class=quiet
    )
    return logger


SIDES: Final = {"batches": in_batches, "timed": in_batches_timed, "alone": alone}


def main(side: str, url: str) -> None:
    """Run a side on a database; print its figures."""
    with Database(url) as database:
        if side == "prepare":
            prepare(database)
        else:
            print(json.dumps(asdict(SIDES[side](database))))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
