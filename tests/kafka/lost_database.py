"""Both CRMs, a person at work, Kafka, and a database that gets lost under a running engine."""

import json
import random
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql
from typing_extensions import override

from adapters.kafka_log import topics
from adapters.kafka_log.client import Cluster
from adapters.postgres.database import Database
from adapters.postgres.followers import PostgresFollowers
from adapters.postgres.publication import PostgresPublication
from adapters.postgres.rebuilding import PostgresRebuilds
from adapters.postgres.recovery import PostgresRecovery
from projections.following import FOLLOWERS, INLINE
from tests.crash import verifier
from tests.crash.person import Person
from tests.crash.relay import relay
from tests.crash.story import Story
from tests.crash.world import FREE_PORTS, World
from tests.support.kafka_servers import kafka_servers, own_prefix
from tests.support.program import Ended, Program, dealsync_here, eventually
from tests.support.tcp_postgres import TcpPostgres

PARTITIONS: Final = 4
#: longer than an act of the person takes
PAUSE_SECONDS: Final = 2.0
#: the publisher tells its mark when nothing was decided for a second
PUBLISHED_SECONDS_MAX: Final = 20.0
RECOVER_SECONDS_MAX: Final = 120.0
_CLOSE: Final = sql.SQL("ALTER DATABASE {name} ALLOW_CONNECTIONS false")
_END: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
_LEFT: Final = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
_RENAME: Final = sql.SQL("ALTER DATABASE {name} RENAME TO {lost}")
_OPEN: Final = sql.SQL("ALTER DATABASE {lost} ALLOW_CONNECTIONS true")
_HEAD: Final = "SELECT coalesce(max(notification_id), 0) FROM dealsync.stored_events"
_IS_TOLD: Final = "SELECT told = event_id FROM dealsync.publication"
_POLICY: Final = """\
[deletes]
fuse_count = 1000
[polling]
salesforce_seconds = 1
hubspot_seconds = 1
"""


class PausableStory(Story):
    """A story that can be held still for a while."""

    def __init__(self, person: Person, dice: random.Random) -> None:
        super().__init__(person, dice)
        self._goes = threading.Event()
        self._goes.set()

    def pause(self) -> None:
        """Do nothing more after the act under way."""
        self._goes.clear()
        time.sleep(PAUSE_SECONDS)

    def go_on(self) -> None:
        """Go on."""
        self._goes.set()

    @override
    def _act(self) -> None:
        self._goes.wait()
        super()._act()


class LosingWorld(World):
    """Two CRMs, and an engine on Kafka and on a database that can be lost."""

    def __init__(
        self, folder: Path, crms: Program, port: int, url: str, server: TcpPostgres
    ) -> None:
        super().__init__(folder, crms, port, url)
        self._server = server
        self._lives = 1
        self.database_url = server.new_database()
        cluster = Cluster(servers=tuple(kafka_servers().split(",")), prefix=own_prefix())
        topics.apply(cluster, partitions=PARTITIONS)
        self._settings |= {
            "KAFKA_BOOTSTRAP_SERVERS": ",".join(cluster.servers),
            "DEALSYNC_KAFKA_PREFIX": cluster.prefix,
            "DATABASE_URL": self.database_url,
        }
        self.person = Person(crms)

    @override
    def dealsync(self, *arguments: str) -> Ended:
        return dealsync_here(self.home, *arguments, settings=self._settings)

    def until_published(self) -> None:
        """Return once everything is published, and the topic says so."""
        with Database(self.database_url) as database:
            publication = PostgresPublication(database)
            eventually(lambda: publication.state().lag == 0, seconds=PUBLISHED_SECONDS_MAX)
            eventually(lambda: _one(self.database_url, _IS_TOLD), seconds=PUBLISHED_SECONDS_MAX)

    def head(self) -> int:
        """Return the id of the newest event."""
        found = _one(
            self.database_url,
            "SELECT coalesce(max(notification_id), 0) FROM dealsync.stored_events",
        )
        return int(found)

    def lose_unpublished(self, seconds: float) -> str:
        """Keep everybody from publishing for a while, then lose the database."""
        holding = psycopg.connect(self.database_url)
        try:
            holding.execute("SELECT FROM dealsync.publication FOR UPDATE")
            time.sleep(seconds)
            return self.lose_database()
        finally:
            holding.close()

    def lose_database(self) -> str:
        """Take the database away from whoever uses it, and give an empty one of its name.

        Returns:
            Where the lost one is kept, for the test alone.
        """
        name = self.database_url.rpartition("/")[2]
        lost = f"{name}_lost{self._lives}"
        self._lives += 1
        with psycopg.connect(self._server.url("postgres"), autocommit=True) as connection:
            names = {"name": sql.Identifier(name), "lost": sql.Identifier(lost)}
            connection.execute(_CLOSE.format(**names))
            connection.execute(_END, (name,))
            # A connection that is ended takes a moment to be gone.
            eventually(lambda: not connection.execute(_LEFT, (name,)).fetchall())
            connection.execute(_RENAME.format(**names))
            connection.execute(_OPEN.format(**names))
        return self._server.url(lost)

    def new_database(self) -> None:
        """Give an empty database the name of the lost one."""
        name = self.database_url.rpartition("/")[2]
        with psycopg.connect(self._server.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def recover(self) -> dict[str, Any]:
        """Recover the database; return what the command says."""
        return self.must("recover", "--json").json

    def begin_story(self, seed: int) -> PausableStory:
        """Let the person go to work."""
        story = PausableStory(self.person, random.Random(seed))  # noqa: S311 - a story, no secret
        story.start()
        return story

    def wrong(self, story: Story) -> list[str]:
        """Say what is wrong in the CRMs: doubled, lost, or not in step; keep the audit log."""
        exported = self.must("audit", "export").out
        (self.home.parent / "audit.jsonl").write_text(exported, encoding="utf-8")
        lines = [json.loads(line) for line in exported.splitlines()]
        return [
            *verifier.counterparts(self.person, story),
            *verifier.values(self.person, story, lines),
            *verifier.contacts(self.person, story),
        ]


@contextmanager
def losing_world(folder: Path) -> Iterator[LosingWorld]:
    """Start everything, put a policy in force and set up; at the end stop all of it."""
    with ExitStack() as opened:
        server = TcpPostgres(folder / "postgres")
        opened.callback(server.delete)
        server.start()
        port = _free_port()
        crms = opened.enter_context(Program(folder / "crms", "sandbox", "--empty", *FREE_PORTS))
        url = opened.enter_context(relay(port))
        made = LosingWorld(folder, crms.wait_ready(), port, url, server)
        try:
            (folder / "policy.toml").write_text(_POLICY, encoding="utf-8")
            made.must("policy", "adopt", str(folder / "policy.toml"))
            made.start().wait_ready()
            made.must("setup")
            made.until_quiet()
            yield made
        finally:
            if made.engine is not None:
                made.engine.kill()
            made.dealsync("reset")
            crms.stop()
            dealsync_here(crms.home, "reset")


def head_of(database_url: str) -> int:
    """Return the id of the newest event of a store."""
    return int(_one(database_url, _HEAD))


def digests_up_to(database_url: str, cut: int) -> Mapping[str, str]:
    """Cut a lost store off behind an event, fold everything again, and digest it."""
    with Database(database_url) as database:
        with database.transaction() as connection:
            connection.execute("DELETE FROM stored_events WHERE notification_id > %s", (cut,))
        followers = PostgresFollowers(database)
        for name in FOLLOWERS:
            # It may not have been as far as the cut; what it saw beyond is folded away below.
            while followers.follow(name, limit=1_000):
                pass
        for name in (*INLINE, *FOLLOWERS):
            PostgresRebuilds(database).rebuild(name)
        return PostgresRecovery(database).digests()


def digests(database_url: str) -> Mapping[str, str]:
    """Digest a store and its projections as they are."""
    with Database(database_url) as database:
        return PostgresRecovery(database).digests()


def _one(database_url: str, query: LiteralString) -> Any:  # noqa: ANN401 - a column
    with psycopg.connect(database_url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
