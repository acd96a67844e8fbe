"""`make bench`: how many facts a second are decided, and what the library alone would reach.

    python -m tests.benchmarks.decide

One prepared database is copied for each run. In every round each side decides the same facts, in a
process of its own, with the same rules; the order rotates. Figures are medians over the rounds, and
a ratio is the median of each round's own, so that a machine that is busy for a while falsifies it
less. A side that leaves other rows than the others makes the run fail. Absolute figures are this
machine's; the ratio is what may be compared.

Writes build/bench.json: a list of {name, value, unit, baseline, ratio, target, better,
peak_memory_mb}. No target is set yet.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Final, TypedDict
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from adapters.postgres.database import Database
from adapters.postgres.queries import queries_beside
from tests.benchmarks.entries import Entry, entry
from tests.support.postgres import server_url

ROUNDS: Final = int(os.environ.get("ROUNDS", "3"))
#: on a machine too busy for all rounds, none begins later than this
LAST_ROUND_SECONDS: Final = 110
SIDES: Final = ("batches", "alone", "timed")
SECONDS_MAX: Final = 120
REPORT: Final = Path("build/bench.json")
GARBAGE_COLLECTOR: Final = "garbage collector rarely"
_PREPARED: Final = "bench_prepared"
_SQL: Final = queries_beside(__file__)


class Run(TypedDict):
    """The figures of one side in one round, as `sides.Figures` prints them."""

    facts: int
    seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    rules_seconds: float | None


class UnlikeRowsError(AssertionError):
    """The sides decided differently, so their speeds cannot be compared."""


def main() -> None:
    """Run all rounds, write the report, end with a line of figures."""
    with database(_PREPARED) as url:
        _child("prepare", url)
        runs = _rounds()
    entries = report(runs)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for one in entries:
        _say(f"{one['name']}: {one['value']:,.0f} {one['unit']}")
    _say(_in_one_line(entries, runs["batches"]))


def report(runs: dict[str, list[Run]]) -> list[Entry]:
    """Return the entries of the report, from all rounds' runs by side."""
    batches, alone, timed = (runs[side] for side in SIDES)
    cpu_timed, in_rules = _cpu(timed), [_rules_cpu(run) for run in timed]
    outside = [whole - rules for whole, rules in zip(cpu_timed, in_rules, strict=True)]
    return [
        entry(
            "facts decided, in batches",
            "facts/s",
            _speed(batches),
            _speed(alone),
            peaks_mb=_peaks(batches),
        ),
        entry(
            "facts decided, one at a time by the library's ProcessApplication",
            "facts/s",
            _speed(alone),
            peaks_mb=_peaks(alone),
        ),
        entry(
            "client CPU a fact, in batches",
            "µs",
            _cpu(batches),
            _cpu(alone),
            peaks_mb=_peaks(batches),
        ),
        entry("client CPU a fact, in the rules", "µs", in_rules, peaks_mb=_peaks(timed)),
        entry("client CPU a fact, outside the rules", "µs", outside, peaks_mb=_peaks(timed)),
    ]


def _rounds() -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = {side: [] for side in SIDES}
    expected: object = None
    begun = monotonic()
    for number in range(ROUNDS):
        if monotonic() - begun > LAST_ROUND_SECONDS:
            break
        turn = number % len(SIDES)
        for side in SIDES[turn:] + SIDES[:turn]:
            with database("bench_run", _PREPARED) as url:
                run: Run = json.loads(_child(side, url))
                found = _fingerprint(url)
            expected = expected or found
            if found != expected:
                message = f"expected every side to leave the same rows, found others from {side}"
                raise UnlikeRowsError(message)
            runs[side].append(run)
            speed = run["facts"] / run["seconds"]
            _say(f"round {number + 1}: {side}: {run['facts']:,} facts, {speed:,.0f} a second")
    return runs


def _child(side: str, url: str) -> str:
    # This process stays small: a child's peak begins with the memory of the one that starts it.
    command = [sys.executable, "-m", "tests.benchmarks.sides", side, url]
    ended = subprocess.run(  # noqa: S603
        command, check=True, stdout=subprocess.PIPE, text=True, timeout=SECONDS_MAX
    )
    return ended.stdout


@contextmanager
def database(name: str, template: str = "template1") -> Iterator[str]:
    """Make a database, a copy of another; drop it afterwards."""
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        # So that no run pays for the pages of the copy.
        connection.execute("CHECKPOINT")
        try:
            yield urlunsplit(urlsplit(server_url())._replace(path=f"/{name}"))
        finally:
            connection.execute(drop)


def _fingerprint(url: str) -> object:
    with Database(url) as database, database.transaction() as connection:
        return connection.execute(_SQL["fingerprint"]).fetchone()


def _speed(runs: Sequence[Run]) -> list[float]:
    return [run["facts"] / run["seconds"] for run in runs]


def _cpu(runs: Sequence[Run]) -> list[float]:
    return [run["cpu_seconds"] / run["facts"] * 1e6 for run in runs]


def _rules_cpu(run: Run) -> float:
    assert run["rules_seconds"] is not None
    return run["rules_seconds"] / run["facts"] * 1e6


def _peaks(runs: Sequence[Run]) -> list[float]:
    return [run["peak_memory_mb"] for run in runs]


def _in_one_line(entries: Sequence[Entry], batches: Sequence[Run]) -> str:
    speed, alone, cpu, in_rules, outside = entries
    return (
        f"bench: {speed['value']:,.0f} facts/s decided, {speed['ratio']} x the library's one at a"
        f" time ({alone['value']:,.0f}/s); client CPU {cpu['value']:,.0f} µs a fact"
        f" (rules {in_rules['value']:,.0f}, else {outside['value']:,.0f}); peak memory"
        f" {speed['peak_memory_mb']:.0f} and {alone['peak_memory_mb']:.0f} MB;"
        f" {len(batches)} rounds of {batches[0]['facts']:,} facts, {GARBAGE_COLLECTOR}"
    )


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
