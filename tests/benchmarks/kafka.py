"""`make bench-kafka`: how fast facts go into Kafka, through PostgreSQL, and out to Kafka again.

    python -m tests.benchmarks.kafka [--waves N] [--replay WAVES] [--rounds N] [--no-latency]

In every round each side does the same work, in processes of its own; the order rotates. Figures are
medians over the rounds, and a ratio is the median of each round's own: of the client alone for
appending and reading, of the library's own way one fact at a time and without Kafka for deciding.
Broker, database and workers share the machine, so absolute figures are this machine's.

Writes build/bench-kafka.json: a list of {name, value, unit, baseline, ratio, target, better,
peak_memory_mb}.
"""

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from time import perf_counter, sleep
from typing import Any, Final, Self

from kafka import KafkaAdminClient

from adapters.clock import SystemClock
from adapters.kafka_log import topics
from adapters.kafka_log.client import Cluster
from adapters.kafka_log.log import KafkaChangeLog
from adapters.postgres.database import Database
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.publication import PostgresPublication
from tests.benchmarks import kafka_latency
from tests.benchmarks.decide import database
from tests.benchmarks.entries import Entry, entry
from tests.support.kafka_servers import kafka_servers, own_prefix

REPORT: Final = Path("build/bench-kafka.json")
WORKERS: Final = (1, 2, 4)
SECONDS_MAX: Final = 600
LOOK_SECONDS: Final = 0.02
#: what is wished for: deciding end to end, of the library's way without Kafka
TARGET: Final = 12.0
_PREPARED: Final = "bench_kafka_prepared"
_RUN: Final = "bench_kafka_run"


def main(arguments: Sequence[str]) -> None:
    """Run everything, write the report, end with a line of figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.kafka")
    parser.add_argument("--waves", type=int, default=16, help="of some 310 facts each")
    parser.add_argument("--replay", type=int, default=160, help="waves that are replayed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-latency", action="store_true")
    given = parser.parse_args(arguments)
    begun = perf_counter()
    entries = [*_streams(given.rounds), *_deciding(given.waves, given.rounds)]
    if given.replay:
        entries += _anew(given.replay)
    if not given.no_latency:
        entries += kafka_latency.entries()
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for one in entries:
        ratio = "" if one["ratio"] is None else f", {one['ratio']} x {one['baseline']:,.0f}"
        memory = "" if one["peak_memory_mb"] is None else f", {one['peak_memory_mb']:.0f} MB"
        _say(f"{one['name']}: {one['value']:,.0f} {one['unit']}{ratio}{memory}")
    _say(f"bench-kafka: {len(entries)} figures, {perf_counter() - begun:.0f} s")


# -- appending and reading ----------------------------------------------------------------------


def _streams(rounds: int) -> Iterator[Entry]:
    runs: dict[str, list[Any]] = defaultdict(list)
    sides = ["produce", "produce raw", "consume", "consume raw"]
    for number in range(rounds):
        appending = sides[:2] if number % 2 else sides[1::-1]
        reading = sides[2:] if number % 2 else sides[:1:-1]
        with _topics() as both:
            for side in appending:
                # Each fills topics of its own; the readers read what ours appended.
                with _topics() as raw:
                    cluster = both if side == "produce" else raw
                    runs[side].append(_child("kafka_sides", side, *_named(cluster)))
            for side in reading:
                runs[side].append(_child("kafka_sides", side, *_named(both)))
        _say(f"round {number + 1}: {_speeds(runs)}")
    for ours, raw_side, name in (
        ("produce", "produce raw", "facts appended, encoding included"),
        ("consume", "consume raw", "facts read by a worker, decoding included"),
    ):
        raw_speeds = _speed(runs[raw_side])
        yield entry(name, "facts/s", _speed(runs[ours]), raw_speeds, peaks_mb=_peaks(runs[ours]))
        yield entry(
            f"{name}: client CPU",
            "µs",
            _cpu(runs[ours]),
            _cpu(runs[raw_side]),
            peaks_mb=_peaks(runs[ours]),
        )


# -- deciding -----------------------------------------------------------------------------------


def _deciding(waves: int, rounds: int) -> Iterator[Entry]:
    runs: dict[str, list[Any]] = defaultdict(list)
    with _topics() as cluster, database(_PREPARED) as prepared:
        laid_out = _child("kafka_work", "prepare", prepared, *_named(cluster), str(waves))
        _say(f"{laid_out['facts']:,} facts wait in Kafka")
        sides: list[int] = [0, *WORKERS]
        for number in range(rounds):
            turn = number % len(sides)
            for workers in sides[turn:] + sides[:turn]:
                with database(_RUN, _PREPARED) as url:
                    name = f"{workers} workers" if workers else "alone"
                    runs[name].append(
                        _work(url, cluster, workers, laid_out["facts"])
                        if workers
                        else _child("kafka_work", "alone", url, *_named(cluster))
                    )
            _say(f"round {number + 1}: {_speeds(runs)}")
    naive = _speed(runs["alone"])
    yield entry("facts decided one at a time by the library, without Kafka", "facts/s", naive)
    for workers in WORKERS:
        found = runs[f"{workers} workers"]
        name = f"facts decided from Kafka, {workers} worker{'s' * (workers > 1)}"
        yield entry(
            f"{name}, published to Kafka",
            "facts/s",
            _speed(found),
            naive,
            peaks_mb=_peaks(found),
            target=TARGET,
        )
        yield entry(f"{name}: client CPU of a fact", "µs", _cpu(found), peaks_mb=_peaks(found))


def _work(url: str, cluster: Cluster, workers: int, facts: int) -> dict[str, Any]:
    """Let workers decide and a publisher publish; return the figures of all together."""
    with ExitStack() as opened:
        sides = [("worker", f"w{n}") for n in range(workers)]
        children = [
            opened.enter_context(_Child(side, url, *_named(cluster), name))
            for side, name in [*sides, ("publisher", "p")]
        ]
        for child in children:
            child.wait_ready()
        begun = perf_counter()
        for child in children:
            child.begin()
        decided = _until_done(url, cluster, children)
        seconds = perf_counter() - begun
        figures = [child.end() for child in children[:-1]]
    assert sum(one["count"] for one in figures) == facts, figures
    return {
        "count": facts,
        "decided_seconds": decided - begun,
        "seconds": seconds,
        "cpu_seconds": sum(one["cpu_seconds"] for one in figures),
        "peak_memory_mb": max(one["peak_memory_mb"] for one in figures),
    }


def _until_done(url: str, cluster: Cluster, children: "Sequence[_Child]") -> float:
    """Wait until all is decided and published; return when all was decided."""
    decided_at = 0.0
    with Database(url) as store, closing(KafkaChangeLog(cluster, SystemClock())) as log:
        heads = log.heads()
        decisions, publication = PostgresDecisions(store), PostgresPublication(store)
        while True:
            positions = decisions.positions()
            if all(positions.get(source, -1) >= head for source, head in heads.items()):
                decided_at = decided_at or perf_counter()
                if publication.state().lag == 0:
                    return decided_at
            for child in children:
                child.check()
            sleep(LOOK_SECONDS)


# -- everything anew ----------------------------------------------------------------------------


def _anew(waves: int) -> Iterator[Entry]:
    """Replay all facts from an empty store; fold every projection again."""
    with _topics() as cluster, database(_PREPARED) as prepared, database(_RUN) as url:
        laid_out = _child("kafka_work", "prepare", prepared, *_named(cluster), str(waves))
        facts = laid_out["facts"] + laid_out["before"]
        _say(f"replaying {facts:,} facts")
        replayed = _child("kafka_work", "replay", url, *_named(cluster))
        rebuilt = _child("kafka_work", "rebuild", url, *_named(cluster))
    memory, speeds = replayed["memory"], replayed["speeds"]
    yield entry(
        f"{facts:,} facts replayed", "facts/s", _speed([replayed]), peaks_mb=_peaks([replayed])
    )
    yield entry("replay: speed of its last quarter", "facts/s", speeds[-1:], speeds[:1])
    yield entry("replay: memory at its end, of that after a quarter", "MB", memory[-1:], memory[:1])
    for name, figures in rebuilt.items():
        yield entry(
            f"{name} rebuilt and compared",
            "events/s",
            _speed([figures]),
            peaks_mb=_peaks([figures]),
        )


# -- children -----------------------------------------------------------------------------------


class _Child:
    """A worker or a publisher, which begins and ends when it is told to."""

    def __init__(self, *arguments: str) -> None:
        # This process stays small: a child's peak begins with the memory of the one that starts it.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "tests.benchmarks.kafka_work", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def wait_ready(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", "it ended before it was ready"

    def begin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def check(self) -> None:
        assert self._process.poll() is None, "it ended by itself"

    def end(self) -> dict[str, Any]:
        said, _ = self._process.communicate(timeout=SECONDS_MAX)
        found: dict[str, Any] = json.loads(said)
        return found


def _child(module: str, *arguments: str) -> dict[str, Any]:
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=SECONDS_MAX,
    )
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@contextmanager
def _topics() -> Iterator[Cluster]:
    """Give topics of this run's own, deleted afterwards."""
    cluster = Cluster(tuple(kafka_servers().split(",")), own_prefix())
    topics.apply(cluster)
    yield cluster
    admin = KafkaAdminClient(bootstrap_servers=list(cluster.servers))
    admin.delete_topics([name for name in admin.list_topics() if name.startswith(cluster.prefix)])
    admin.close()


def _named(cluster: Cluster) -> tuple[str, str]:
    return ",".join(cluster.servers), cluster.prefix


# -- figures ------------------------------------------------------------------------------------


def _speed(runs: Sequence[Any]) -> list[float]:
    return [run["count"] / run["seconds"] for run in runs]


def _cpu(runs: Sequence[Any]) -> list[float]:
    return [run["cpu_seconds"] / run["count"] * 1e6 for run in runs]


def _speeds(runs: dict[str, list[Any]]) -> str:
    return ", ".join(f"{name} {_speed(of)[-1]:,.0f}/s" for name, of in runs.items())


def _peaks(runs: Sequence[Any]) -> list[float]:
    return [run["peak_memory_mb"] for run in runs]


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
