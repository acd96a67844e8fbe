"""Every scenario with a crash at every boundary, and the delicate ones with every pair of crashes.

Prints one line a scenario and the counts at the end; exits 1 if any world did not converge.

Usage: python -m tests.simulation.crash_matrix [--singles] [WORD…]
"""

import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.crash_scenarios import SCENARIOS
from tests.simulation.crashing import Tried, tried

#: worlds of one scenario that are told
TOLD_MAX = 3


def _tried(name: str, depth: int) -> Tried:
    found = next(one for one in SCENARIOS if one.name == name)
    return tried(found, depth=depth)


def main(arguments: Sequence[str]) -> int:
    """Try the scenarios whose name contains a word, or all."""
    words = [one for one in arguments if not one.startswith("--")]
    pairs = "--singles" not in arguments
    chosen = [one for one in SCENARIOS if not words or any(word in one.name for word in words)]
    names = [one.name for one in chosen]
    depths = [2 if one.delicate and pairs else 1 for one in chosen]
    begun = time.perf_counter()
    counts = {"crossings": 0, "single": 0, "double": 0, "wrong": 0}
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as workers:
        for found in workers.map(_tried, names, depths):
            by_depth = [sum(len(one.crashes) == n for one in found.verdicts) for n in (1, 2)]
            counts["crossings"] += found.crossings
            counts["single"] += by_depth[0]
            counts["double"] += by_depth[1]
            counts["wrong"] += len(found.wrong)
            mark = "✗" if found.wrong else "✓"
            said = f"{found.crossings} crossings, {by_depth[0]} crashes, {by_depth[1]} pairs"
            print(f"{mark} {found.scenario}: {said}, {len(found.wrong)} wrong", flush=True)  # noqa: T201
            for one in found.wrong[:TOLD_MAX]:
                print(f"    {' then '.join(one.crashes) or 'no crash'}: {one.wrong}")  # noqa: T201
    print(  # noqa: T201
        f"{len(chosen)} scenarios, {counts['crossings']} crossings of a port: {counts['single']}"
        f" single crashes and {counts['double']} pairs that differ, {counts['wrong']} wrong,"
        f" {time.perf_counter() - begun:.0f} s"
    )
    return 1 if counts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
