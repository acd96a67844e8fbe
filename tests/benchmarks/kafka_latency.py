"""From a change that is read at Salesforce to the write that HubSpot has accepted.

Both sandboxes, one worker `dealsync run` on Kafka and PostgreSQL over TCP, budgets off. First
people edit at steady rates, then all opportunities some times without a pause. The time of a write
runs from the begin of the reading that showed the change to the answer of HubSpot; its fact says
the one, deliver's own row the other.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
import requests
from kafka import KafkaConsumer, TopicPartition

from adapters import codec
from adapters.postgres.queries import queries_beside
from domain.facts import Observation
from domain.ports import Topic
from tests.acceptance.user import User
from tests.benchmarks.entries import Entry, entry
from tests.support.accounts import settings_of
from tests.support.kafka_servers import kafka_servers, own_prefix
from tests.support.program import Program, dealsync_here, environment
from tests.support.tcp_postgres import TcpPostgres

PAIRS: Final = 600
#: what one call takes
BATCH: Final = 200
#: edits a second; the wish is for the last one
RATES: Final = (25, 50, 100, 200)
#: calls of people a second
CALLS: Final = 10
STEADY_SECONDS: Final = 20.0
#: edits of each record at saturation
ROUNDS: Final = 4
QUIET_SECONDS_MAX: Final = 240
P50_MS, P99_MS = 100.0, 500.0
_POLICY: Final = "[polling]\nsalesforce_seconds = 0.05\nhubspot_seconds = 1\n"
_OBJECTS: Final = "/services/data/v62.0/composite/sobjects"
_SQL: Final = queries_beside(__file__)


def entries() -> Iterator[Entry]:
    """Measure; yield the lines of the report."""
    with ExitStack() as opened:
        folder = Path(tempfile.mkdtemp(prefix="dealsync-latency-"))
        opened.callback(shutil.rmtree, folder, ignore_errors=True)
        site = _Site(folder, opened)
        site.fill()
        for rate in RATES:
            begun = datetime.now(UTC)
            reached = site.edit_steadily(rate)
            site.until_quiet()
            steady = site.latencies(begun)
            wished = (P50_MS, P99_MS) if rate == RATES[-1] else (None, None)
            name = f"change read to write accepted, {rate} changes a second"
            yield entry(f"changes a second asked for: {rate}; made", "changes/s", [reached])
            yield entry(f"p50, {name}", "ms", [_at(steady, 0.5)], target=wished[0])
            yield entry(f"p99, {name}", "ms", [_at(steady, 0.99)], target=wished[1])
        begun = datetime.now(UTC)
        site.edit_at_once()
        site.until_quiet()
        seconds = site.last_answer(begun) - begun.timestamp()
        full = site.latencies(begun)
        yield entry("writes accepted at saturation", "writes/s", [len(full) / seconds])
        yield entry("p50, change read to write accepted, at saturation", "ms", [_at(full, 0.5)])
        yield entry("p99, change read to write accepted, at saturation", "ms", [_at(full, 0.99)])


class _Site:
    """Both CRMs with some pairs, and a worker."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        postgres = TcpPostgres(folder / "postgres")
        opened.callback(postgres.delete)
        postgres.start()
        ports = ("--salesforce-port", "0", "--hubspot-port", "0")
        crms = opened.enter_context(Program(folder / "crms", "sandbox", "--empty", *ports))
        crms.wait_ready()
        self._home = folder / "home"
        self._url = postgres.new_database()
        self._prefix = own_prefix()
        self._settings = {
            **settings_of(crms, folder),
            "KAFKA_BOOTSTRAP_SERVERS": kafka_servers(),
            "DEALSYNC_KAFKA_PREFIX": self._prefix,
            "DATABASE_URL": self._url,
        }
        limits = {"burst": 10**9, "daily": 10**9, "search_per_second": 10**6}
        requests.post(
            f"{crms.hubspot_url}/sandbox/actions",
            json={"action": "set_rate_limit", **limits},
            timeout=10,
        ).raise_for_status()
        (folder / "policy.toml").write_text(_POLICY, encoding="utf-8")
        self._must("topics", "apply")
        self._must("policy", "adopt", str(folder / "policy.toml"))
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.unbounded", "run", "--json"],
            env={**environment(self._home), **self._settings, "PYTHONPATH": str(Path.cwd())},
            stdout=subprocess.PIPE,
            text=True,
        )
        opened.callback(worker.wait)
        opened.callback(worker.terminate)
        assert worker.stdout is not None
        assert worker.stdout.readline(), "the worker ended before it was ready"
        self._must("setup")
        self._user = User(crms)
        self._numbers = iter(range(1, 10**9))
        self.ids: list[str] = []

    def fill(self) -> None:
        """Create opportunities, and wait until each has its deal."""
        for begun in range(0, PAIRS, BATCH):
            self.ids += self._call(
                "POST",
                [
                    {"Name": f"Deal {n}", "StageName": "Qualification", "CloseDate": "2027-01-31"}
                    for n in range(begun, begun + BATCH)
                ],
            )
        self.until_quiet()

    def edit_steadily(self, rate: int) -> float:
        """Edit record after record at a steady rate; return the rate that was reached."""
        begun = time.monotonic()
        count = 0
        batch = max(1, rate // CALLS)
        while (passed := time.monotonic() - begun) < STEADY_SECONDS:
            if count > passed * rate:
                time.sleep(count / rate - passed)
            self._edit([self.ids[(count + n) % PAIRS] for n in range(batch)])
            count += batch
        return count / (time.monotonic() - begun)

    def edit_at_once(self) -> None:
        """Edit every record some times, without a pause."""
        for _ in range(ROUNDS):
            for begun in range(0, PAIRS, BATCH):
                self._edit(self.ids[begun : begun + BATCH])

    def until_quiet(self) -> None:
        """Return once nothing moves."""
        self._must("wait", "--until-quiet", "--timeout", str(QUIET_SECONDS_MAX))

    def latencies(self, since: datetime) -> Sequence[float]:
        """Return the milliseconds of each write to HubSpot since then, shortest first."""
        read_at = dict(self._read_at())
        with psycopg.connect(self._url) as connection:
            rows = connection.execute(_SQL["answers"], {"since": since}).fetchall()
        return sorted(
            (answered_at - read_at[cause]).total_seconds() * 1e3
            for cause, answered_at in rows
            if cause in read_at
        )

    def last_answer(self, since: datetime) -> float:
        """Return when HubSpot accepted the last write."""
        with psycopg.connect(self._url) as connection:
            rows = connection.execute(_SQL["answers"], {"since": since}).fetchall()
        return max(float(answered_at.timestamp()) for _, answered_at in rows)

    def _read_at(self) -> Iterator[tuple[str, datetime]]:
        """Yield when the reading began that showed each fact of Salesforce."""
        consumer = KafkaConsumer(bootstrap_servers=kafka_servers().split(","), group_id=None)
        name = f"{self._prefix}{Topic.SALESFORCE_CHANGES}"
        places = [TopicPartition(name, n) for n in consumer.partitions_for_topic(name)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        left = sum(consumer.end_offsets(places).values())
        while left:
            for records in consumer.poll(500).values():
                for record in records:
                    left -= 1
                    headers = dict(record.headers)
                    fact = codec.decode_fact(headers["ce_type"].decode(), record.value)
                    if isinstance(fact, Observation):
                        yield fact.id, fact.read_begun_at
        consumer.close()

    def _edit(self, ids: Sequence[str]) -> None:
        self._call("PATCH", [{"id": one, "Amount": next(self._numbers)} for one in ids])

    def _call(self, method: str, records: Sequence[dict[str, Any]]) -> list[str]:
        attributes = {"attributes": {"type": "Opportunity"}}
        sent = [{**attributes, **record} for record in records]
        answer = requests.request(
            method,
            f"{self._settings['DEALSYNC_SALESFORCE_URL']}{_OBJECTS}",
            json={"allOrNone": True, "records": sent},
            headers={"Authorization": f"Bearer {self._user.salesforce.session_id}"},
            timeout=60,
        )
        answer.raise_for_status()
        return [str(row["id"]) for row in answer.json()]

    def _must(self, *arguments: str) -> None:
        ended = dealsync_here(self._home, *arguments, settings=self._settings)
        assert ended.code == 0, f"dealsync {' '.join(arguments)}: {ended.out} {ended.err}"


def _at(values: Sequence[float], share: float) -> float:
    assert values, "something was written"
    return values[min(len(values) - 1, int(share * len(values)))]
