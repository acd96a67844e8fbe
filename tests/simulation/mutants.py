"""Plant each design fault and look for a seed that kills it: do the checks have teeth?

Prints one line a fault, with the seed and the promise that it broke, and how many were killed;
exits 1 if one survives.
"""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from adapters.simulation.world import run
from tests.simulation.planted import MUTANTS, planted

SEEDS_DEFAULT = 1_000
#: choices of a world: small worlds are many in a second
STEPS = 70
#: of what is told about a death
TEXT_MAX = 100


def killed_at(name: str, *, seeds: int) -> tuple[int, str] | None:
    """Return the first seed that kills a mutant and the promise it broke, or None.

    A seed that the whole engine fails as well kills nothing.
    """
    mutant = next(one for one in MUTANTS if one.name == name)
    for seed in range(1, seeds + 1):
        with planted(mutant):
            broken = _broken(seed)
        if broken and not _broken(seed):
            return seed, broken
    return None


def _broken(seed: int) -> str:
    """Return the first promise that a seed breaks; blank: none."""
    try:
        violations = run(seed, STEPS).violations
    except AssertionError as error:
        return f"the engine's own assertion: {error}"
    return f"{violations[0].invariant}: {violations[0].text}" if violations else ""


def main(arguments: Sequence[str]) -> int:
    """Try every mutant, or those whose name contains a word; one line each."""
    parser = ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="try those whose name contains one of them")
    parser.add_argument("--seeds", type=int, default=SEEDS_DEFAULT, help="that each may live")
    asked = parser.parse_args(arguments)
    words = asked.words or [""]
    names = [one.name for one in MUTANTS if any(word in one.name for word in words)]
    if not names:
        parser.error(f"expected a word of a mutant's name, found {' '.join(words)}")
    killed = 0
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as workers:
        found_at = workers.map(partial(killed_at, seeds=asked.seeds), names)
        for name, found in zip(names, found_at, strict=True):
            killed += found is not None
            end = "survived" if found is None else f"killed at seed {found[0]} by {found[1]}"
            print(f"{name}: {end[:TEXT_MAX]}", flush=True)  # noqa: T201
    print(f"killed {killed} of {len(names)}")  # noqa: T201
    return 0 if killed == len(names) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
