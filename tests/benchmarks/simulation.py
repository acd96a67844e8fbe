"""`make bench`, second part: how many simulated worlds a core runs.

    python -m tests.benchmarks.simulation

A world is one seed as `dealsync simulate` runs it, checks included: a few pairs, a month or more of
their time, 40 to 220 choices. Every round runs the same seeds and, in between, a yardstick that has
nothing of ours in it: a deal's JSON written and read again. The figure is of this machine, and per
second of CPU time, since others may be at work on it; the ratio, worlds in the time of a million
such round trips, is what may be compared.

Writes build/bench-simulation.json, in the form of build/bench.json.
"""

import json
import os
import resource
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Final

from adapters.bootstrap.garbage import collect_rarely
from adapters.simulation.world import Outcome, run
from tests.benchmarks.entries import Entry
from tests.benchmarks.sides import RSS_UNITS_A_MB

ROUNDS: Final = int(os.environ.get("ROUNDS", "3"))
SEEDS: Final = range(1, 13)
REPORT: Final = Path("build/bench-simulation.json")
#: wished for, a core
TARGET: Final = 25.0
ROUND_TRIPS: Final = 20_000
A_MILLION: Final = 1_000_000
_DEAL: Final = {
    "id": "90000001",
    "properties": {f"property_{n}": f"Customer {n}: renewal" for n in range(20)},
    "createdAt": "2026-03-02T09:00:00.000Z",
    "archived": False,
}


def main() -> None:
    """Run all rounds, write the report, end with a line of figures."""
    run(SEEDS[0])
    collect_rarely()
    worlds, round_trips = [], []
    outcomes: list[Outcome] = []
    for number in range(ROUNDS):
        outcomes.clear()
        worlds.append(len(SEEDS) / _cpu_seconds(lambda: outcomes.extend(map(run, SEEDS))))
        round_trips.append(ROUND_TRIPS / _cpu_seconds(_write_and_read))
        _say(f"round {number + 1}: {worlds[-1]:.2f} worlds, {round_trips[-1]:,.0f} round trips")
    entry = report(worlds, round_trips)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps([entry], indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _say(_in_one_line(entry, outcomes))


def report(worlds: list[float], round_trips: list[float]) -> Entry:
    """Return the entry of the report, from all rounds' figures a second."""
    ratios = [w / trips * A_MILLION for w, trips in zip(worlds, round_trips, strict=True)]
    return {
        "name": "simulated worlds",
        "value": round(median(worlds), 2),
        "unit": "worlds/s a core",
        "baseline": round(median(round_trips), 0),
        "ratio": round(median(ratios), 2),
        "target": TARGET,
        "better": "higher",
        "peak_memory_mb": round(
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / RSS_UNITS_A_MB, 1
        ),
    }


def _cpu_seconds(do: Callable[[], None]) -> float:
    begun = process_time()
    do()
    return process_time() - begun


def _write_and_read() -> None:
    for _ in range(ROUND_TRIPS):
        json.loads(json.dumps(_DEAL))


def _in_one_line(entry: Entry, outcomes: list[Outcome]) -> str:
    totals: Counter[str] = Counter()
    for outcome in outcomes:
        totals.update(outcome.counts)
    choices = [len(outcome.choices) for outcome in outcomes]
    days = [outcome.counts["days"] for outcome in outcomes]
    means = ", ".join(
        f"{totals[name] / len(outcomes):,.0f} {name}" for name in ("edits", "calls", "facts")
    )
    return (
        f"bench: {entry['value']} simulated worlds/s a core, of {TARGET:.0f} wished for;"
        f" {entry['ratio']} in the time of a million JSON round trips; {len(outcomes)} worlds of"
        f" {min(choices)} to {max(choices)} choices and {min(days)} days or more, with {means}"
        f" each; peak memory {entry['peak_memory_mb']} MB"
    )


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
