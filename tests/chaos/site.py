"""Everything that a chaos run stands on: both CRMs, a Kafka, a PostgreSQL over TCP, some workers.

Each worker is a process `dealsync run` on a home of its own, as on a machine of its own; all are of
one group and one database. The settings make them notice soon that one of them is silent.
"""

import json
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import requests
from typing_extensions import override

from adapters.clock import SystemClock
from adapters.kafka_log import topics
from adapters.kafka_log.client import Cluster
from adapters.kafka_log.log import KafkaChangeLog
from adapters.postgres.bookmarks import PostgresBookmarks
from adapters.postgres.database import Database
from adapters.postgres.decisions import PostgresDecisions
from adapters.source import want_full_pass
from domain.errors import RetryableError
from tests.crash.relay import relay
from tests.crash.world import ENGINE, FREE_PORTS, TIMEOUT_SECONDS, WRITES, World
from tests.support.kafka_broker import KafkaCluster
from tests.support.program import Ended, Program, dealsync_here
from tests.support.tcp_postgres import TcpPostgres

WORKERS: Final = ("one", "two", "three")
PARTITIONS: Final = 6
#: how long a silent worker keeps its partitions
SESSION_SECONDS: Final = 3.0
#: how long it keeps the writes that it was sending
LEASE_SECONDS: Final = 20.0
#: what is decided, and what is written, must go on so soon after a fault was mended
RECOVER_SECONDS_MAX: Final = 60.0
LOOK_SECONDS: Final = 0.1
#: of a pass: so many that deciding them takes a while
FACTS_AT_ONCE: Final = 20
_POLICY: Final = """\
[deletes]
fuse_count = 1000
[polling]
salesforce_seconds = 0.5
hubspot_seconds = 1
"""


class ChaosWorld(World):
    """Two CRMs, and workers that share the work between them.

    Args:
        folder: holds the homes and what the settings name.
        crms: the sandboxes.
        webhook_ports: one for each worker.
        webhook_url: where HubSpot sends webhooks.
        kafka: the brokers, which run.
        postgres: the server, which runs.
    """

    def __init__(
        self,
        folder: Path,
        crms: Program,
        webhook_ports: Mapping[str, int],
        webhook_url: str,
        kafka: KafkaCluster,
        postgres: TcpPostgres,
    ) -> None:
        super().__init__(folder, crms, next(iter(webhook_ports.values())), webhook_url)
        self.folder = folder
        self.kafka = kafka
        self.postgres = postgres
        self.database_url = postgres.new_database()
        self.cluster = Cluster(tuple(kafka.bootstrap_servers.split(",")), "chaos.")
        topics.apply(self.cluster, partitions=PARTITIONS)
        self._settings |= {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "DEALSYNC_KAFKA_PREFIX": self.cluster.prefix,
            "DEALSYNC_KAFKA_SESSION_SECONDS": str(SESSION_SECONDS),
            "DEALSYNC_KAFKA_LEASE_SECONDS": str(LEASE_SECONDS),
            "DATABASE_URL": self.database_url,
        }
        self._ports = dict(webhook_ports)
        self.workers: dict[str, Program] = {}
        #: what `wait` and other commands use is the first one's
        self.home = self.home_of(WORKERS[0])

    def home_of(self, worker: str) -> Path:
        """Return a worker's home."""
        return self.folder / worker

    def start_worker(self, worker: str) -> Program:
        """Start a worker and wait until it is ready."""
        assert worker not in self.workers, f"{worker} runs already"
        program = Program(
            self.home_of(worker),
            *("run", "--worker", worker),
            settings={**self._settings, "DEALSYNC_WEBHOOK_PORT": str(self._ports[worker])},
        )
        self.workers[worker] = program
        return program.wait_ready()

    def kill_worker(self, worker: str) -> None:
        """End a worker with SIGKILL, wherever it is."""
        program = self.workers.pop(worker)
        assert program.process.poll() is None, f"{worker} ended by itself: {program.errors()}"
        program.kill()
        self.errors += filter(None, [program.errors()])

    def stop_worker(self, worker: str) -> None:
        """End a worker as a person does."""
        program = self.workers.pop(worker)
        assert program.stop() == 0, program.errors()
        self.errors += filter(None, [program.errors()])

    def pause_worker(self, worker: str) -> None:
        """Let a worker sleep, wherever it is."""
        os.kill(self.workers[worker].process.pid, signal.SIGSTOP)

    def wake_worker(self, worker: str) -> None:
        """Let a worker go on."""
        os.kill(self.workers[worker].process.pid, signal.SIGCONT)

    def check_alive(self) -> None:
        """See that no worker has ended by itself."""
        for name, program in self.workers.items():
            assert program.process.poll() is None, f"{name} ended by itself: {program.errors()}"

    @override
    def dealsync(self, *arguments: str) -> Ended:
        return dealsync_here(self.home, *arguments, settings=self._settings)

    def wait_recovered(self) -> tuple[float, float]:
        """Wait until work goes on; return after how many seconds.

        Returns:
            Until all facts were decided that stood in Kafka now, and until something was written
            to a CRM.
        """
        begun = time.monotonic()
        places = {url: self._newest(url) for url in (self.salesforce_url, self.hubspot_url)}
        decided = written = 0.0
        clock = SystemClock()
        log = KafkaChangeLog(self.cluster, clock)
        with Database(self.database_url) as database:
            decisions = PostgresDecisions(database)
            heads: Mapping[str, int] | None = None
            while not (decided and written):
                self.check_alive()
                try:
                    heads = heads or log.heads()
                    positions = decisions.positions()
                    if all(positions.get(one, -1) >= head for one, head in heads.items()):
                        decided = decided or time.monotonic() - begun
                except RetryableError:
                    heads = None
                if not written and any(self.has_written_since(url, n) for url, n in places.items()):
                    written = time.monotonic() - begun
                assert time.monotonic() - begun < RECOVER_SECONDS_MAX, self._stalled(
                    decided, written
                )
                time.sleep(LOOK_SECONDS)
        log.close()
        return decided, written

    def until_converged(self) -> float:
        """Wait until both CRMs were read again and nothing moves; return how long that took."""
        begun = time.monotonic()
        self.until_quiet()
        return time.monotonic() - begun

    def let_crms_fail(self) -> None:
        """From now on some calls and webhooks go wrong."""
        for url, faults in self._faults().items():
            self.control(url, "faults", faults=faults)

    def let_crms_work(self) -> None:
        """From now on every call and webhook goes well."""
        for url in (self.salesforce_url, self.hubspot_url):
            self.control(url, "faults", faults=[])

    def struck(self) -> Mapping[str, int]:
        """Return how often each fault of the CRMs struck a call, by kind."""
        found: Counter[str] = Counter()
        for url in (self.salesforce_url, self.hubspot_url):
            said = requests.get(f"{url}/sandbox/faults", timeout=TIMEOUT_SECONDS).json()
            found.update({one["kind"]: one.get("struck", 0) for one in said["faults"]})
        return {kind: count for kind, count in found.items() if count}

    def bring_many_facts(self) -> Mapping[str, int]:
        """Have both CRMs read as a whole; return as soon as what was read is in the log.

        Returns:
            The newest offset of each source.
        """
        clock = SystemClock()
        log = KafkaChangeLog(self.cluster, clock)
        before = sum(log.heads().values())
        with Database(self.database_url) as database:
            want_full_pass(PostgresBookmarks(database), clock.now())
        deadline = time.monotonic() + RECOVER_SECONDS_MAX
        while sum((heads := log.heads()).values()) < before + FACTS_AT_ONCE:
            assert time.monotonic() < deadline, "a pass was asked for, and nothing was read"
        log.close()
        return heads

    def undecided(self, heads: Mapping[str, int]) -> int:
        """Return how many facts up to those offsets are not decided."""
        with Database(self.database_url) as database:
            positions = PostgresDecisions(database).positions()
        return sum(max(0, head - positions.get(one, -1)) for one, head in heads.items())

    def cut_off(self) -> int:
        """Return how often PostgreSQL gave up on a worker that slept in mid-transaction."""
        said = (self.postgres.folder / "server.log").read_text(encoding="utf-8")
        return said.count("idle-in-transaction timeout")

    def logged(self, event: str) -> int:
        """Return how often workers said something in their logs."""
        return sum(
            json.loads(line)["event"] == event
            for worker in WORKERS
            for path in sorted((self.home_of(worker) / "logs").glob("engine.jsonl*"))
            for line in path.read_text(encoding="utf-8").splitlines()
            if f'"{event}"' in line
        )

    def _faults(self) -> Mapping[str, list[dict[str, Any]]]:
        """Return what goes wrong with calls and webhooks, by the CRM's address."""
        salesforce, hubspot = (
            [
                {"kind": "delay", "match": sending, "probability": 0.4, "seconds": 0.3},
                {"kind": "timeout_after_commit", "match": sending, "probability": 0.02},
                {"kind": "reset_before", "match": anything, "probability": 0.01},
                {"kind": "error", "match": anything, "probability": 0.01},
                {"kind": "throttle", "match": anything, "probability": 0.003, "retry_after": 1},
                {"kind": "partial", "match": sending, "probability": 0.02},
            ]
            for who in ENGINE
            for anything, sending in [({"who": who}, {"who": who, "path": WRITES})]
        )
        webhooks = [
            {"kind": "drop_webhook", "probability": 0.05},
            {"kind": "duplicate_webhook", "probability": 0.05},
            {"kind": "reorder_webhook", "probability": 0.1},
            {"kind": "delay_webhook", "probability": 0.05, "seconds": 2.0},
        ]
        return {self.salesforce_url: salesforce, self.hubspot_url: [*hubspot, *webhooks]}

    def _stalled(self, decided: float, written: float) -> str:
        said = self.dealsync("status", "--json")
        took = f"decided after {decided:.1f} s, written after {written:.1f} s (0: not yet)"
        expected = f"expected work to go on within {RECOVER_SECONDS_MAX:.0f} s"
        return f"{expected}, found {took}: {said.out} {said.err}"


@contextmanager
def chaos_world(folder: Path, *, brokers: int = 1) -> Iterator[ChaosWorld]:
    """Start everything, put a policy in force and set up; at the end stop all of it."""
    with ExitStack() as opened:
        postgres = TcpPostgres(folder / "postgres")
        opened.callback(postgres.delete)
        postgres.start()
        kafka = KafkaCluster(folder / "kafka")
        opened.callback(kafka.delete)
        kafka.start(nodes=brokers)
        ports = {worker: _free_port() for worker in WORKERS}
        crms = opened.enter_context(Program(folder / "crms", "sandbox", "--empty", *FREE_PORTS))
        url = opened.enter_context(relay(*ports.values()))
        made = ChaosWorld(folder, crms.wait_ready(), ports, url, kafka, postgres)
        try:
            (folder / "policy.toml").write_text(_POLICY, encoding="utf-8")
            made.must("policy", "adopt", str(folder / "policy.toml"))
            for worker in WORKERS:
                made.start_worker(worker)
            made.must("setup")
            made.until_quiet()
            yield made
        finally:
            for program in made.workers.values():
                program.kill()
            crms.stop()
            dealsync_here(crms.home, "reset")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
