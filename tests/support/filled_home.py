"""A home whose store was filled by the real decide and project loops, for tests of commands.

The facts come from a scenario of the domain, in its order; the database is one of the session's
server, named in the settings file beside the home. Nothing runs on the home between two commands.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import structlog
from psycopg import sql
from typing_extensions import override

from adapters.bootstrap.stores import Stores, over
from adapters.engine.decide import Decide
from adapters.engine.domain_rules import DomainRules
from adapters.engine.project import Project
from adapters.home import prepare_home
from adapters.postgres.database import Database
from adapters.settings import FILE_NAME
from domain import events
from domain.deliveries import Settled, Settlement, State
from domain.facts import (
    Fact,
    Observation,
    Outcome,
    Signal,
    WriteCancelled,
    WriteDone,
    WriteRejected,
)
from domain.ids import Crm, WriteId
from domain.ports import KeyedFact, Topic
from tests.support import postgres
from tests.support.delivery_samples import terms
from tests.support.program import Ended, dealsync_here
from tests.support.scenario import Scenario

_NUMBERS = itertools.count(1)


@dataclass
class Recorded(Scenario):
    """A scenario that keeps its facts."""

    facts: list[Fact] = field(default_factory=list)

    @override
    def decide(self, fact: Fact) -> tuple[events.Event, ...]:
        self.facts.append(fact)
        return super().decide(fact)


@dataclass(frozen=True)
class FilledHome:
    """A home with a database, and commands to run on it."""

    home: Path
    stores: Stores

    def call(self, *arguments: str) -> Ended:
        """Run a command on the home."""
        return dealsync_here(self.home, *arguments)

    def tell(self, *happened: Fact, at: datetime) -> None:
        """Append facts and let them be decided and followed, one by one."""
        for fact in happened:
            if isinstance(fact, Outcome):
                self._deliver(fact)
            self.stores.log.append([KeyedFact(_topic(fact), "one key", fact)])
            self.work(at)

    def work(self, at: datetime) -> None:
        """Step decide and project until they have nothing to do."""
        logger = structlog.get_logger()
        stores = self.stores
        decide = Decide(
            log=stores.log, decisions=stores.decisions, rules=DomainRules(), logger=logger
        )
        project = Project(
            followers=stores.followers,
            log=stores.log,
            refreshes=stores.refreshes,
            desk=stores.desk,
            logger=logger,
        )
        while decide.step(at) + project.step(at):
            pass

    def _deliver(self, fact: Outcome) -> None:
        """Let the deliveries stand as the outcome says, as deliver would have left them."""
        for crm in Crm:
            claimed = self.stores.deliveries.claim(crm, terms(), fact.at).claimed
            calls = {one.attempt_id: [write.id for write in one.writes] for one in claimed}
            self.stores.deliveries.begin(calls, fact.at)
            settlements = [
                Settlement(
                    one.attempt_id,
                    "200 OK",
                    tuple(_settled(write.id, fact) for write in one.writes),
                )
                for one in claimed
            ]
            self.stores.deliveries.settle(settlements, fact.at)


@contextmanager
def filled_home(folder: Path, scenario: Recorded | None = None) -> Iterator[FilledHome]:
    """Give a home in a folder, with the facts of a scenario decided."""
    name = f"home_{next(_NUMBERS)}"
    with psycopg.connect(postgres.server_url(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    server = urlsplit(postgres.server_url())
    url = urlunsplit(server._replace(path=f"/{name}"))
    home = prepare_home(folder / "home")
    (folder / FILE_NAME).write_text(f'database_url = "{url}"\n', encoding="utf-8")
    with Database(url) as database:
        database.migrate()
        filled = FilledHome(home, over(database))
        if scenario is not None:
            filled.tell(*scenario.facts, at=scenario.now)
        yield filled
    with psycopg.connect(postgres.server_url(), autocommit=True) as connection:
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        connection.execute(drop)


def _topic(fact: Fact) -> Topic:
    if isinstance(fact, Observation):
        return Topic.SALESFORCE_CHANGES
    if isinstance(fact, Outcome):
        return Topic.OUTCOMES
    return Topic.SIGNALS if isinstance(fact, Signal) else Topic.REQUESTS


def _settled(write_id: WriteId, fact: Outcome) -> Settled:
    """Return what became of a write of an attempt; what the outcome is not about goes again."""
    if write_id != fact.write_id:
        return Settled(write_id, State.PENDING, None)
    match fact:
        case WriteDone():
            return Settled(write_id, State.DONE, fact)
        case WriteRejected():
            return Settled(write_id, State.REJECTED, fact, f"{fact.code} {fact.message}")
        case WriteCancelled():
            return Settled(write_id, State.CANCELLED, fact, fact.reason)
        case _:
            raise AssertionError(fact)
