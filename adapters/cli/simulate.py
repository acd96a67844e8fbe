"""`simulate`: whole worlds from seeds, so that no interleaving, fault or crash breaks a rule."""

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from adapters.cli import policy_file
from adapters.cli.output import CommandFailure, ExitCode, JsonFlag, Output
from adapters.simulation import shrink
from adapters.simulation.schedule import Choice
from adapters.simulation.world import Outcome, run
from domain.policy import Policy

#: how many seeds are run where none is named
SEEDS_DEFAULT: Final = "1..100"
SEEDS_MAX: Final = 10_000_000
#: seeds that a worker is given at a time
CHUNK: Final = 4
#: failing seeds that are shortened and told; the others are named
TOLD_MAX: Final = 3
#: between two lines of progress
PROGRESS_SECONDS: Final = 5.0

app = typer.Typer()


@app.command()
def simulate(
    *,
    seed: Annotated[int | None, typer.Option(help="Run this seed alone, and tell it.")] = None,
    seeds: Annotated[str, typer.Option(help="Run these, such as 1..100.")] = SEEDS_DEFAULT,
    steps: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Choices of a world; else drawn.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Run under this policy; else under drawn ones.")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Tell a failure as it was, not shortened.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Let both CRMs, their people and the engine live from seeds, with faults of every kind."""
    output = Output(as_json=json)
    file = None if policy is None else policy_file.from_file(policy)
    chosen = range(seed, seed + 1) if seed is not None else _range(seeds)
    adopted = None if file is None else file.policy
    begun = time.perf_counter()
    totals: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    failed: list[Outcome] = []
    shown = begun
    for outcome in _outcomes(chosen, steps, adopted):
        totals.update(outcome.counts)
        totals["seeds"] += 1
        faults.update({f"{fault} {where}": n for (fault, where), n in outcome.faults.items()})
        if outcome.violations:
            failed.append(outcome)
        if time.perf_counter() - shown > PROGRESS_SECONDS:
            shown = time.perf_counter()
            output.hint(f"{totals['seeds']} of {len(chosen)} seeds, {len(failed)} failed")
    failures = [
        _told(outcome, steps, adopted, where=policy, whole=whole) for outcome in failed[:TOLD_MAX]
    ]
    output.show(
        "simulation",
        {
            "seeds": totals["seeds"],
            "seconds": round(time.perf_counter() - begun, 1),
            "counts": {name: n for name, n in sorted(totals.items()) if name != "seeds"},
            "faults": dict(sorted(faults.items())),
            "failed": [outcome.seed for outcome in failed],
            "failures": failures,
        },
        lambda console: _print(console, totals, faults, failed, failures),
    )
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def _range(text: str) -> range:
    first, dots, last = text.partition("..")
    if first.isdecimal() and (not dots or last.isdecimal()):
        found = range(int(first), int(last or first) + 1)
        if 0 < len(found) <= SEEDS_MAX:
            return found
    raise CommandFailure(
        "no_seeds",
        f"--seeds: expected two numbers such as 1..100, found {text!r}",
        exit_code=ExitCode.WRONG_INPUT,
    )


def _outcomes(chosen: range, steps: int | None, policy: Policy | None) -> Iterator[Outcome]:
    """Run the seeds on all cores; yield their outcomes in the order of the seeds."""
    if len(chosen) == 1:
        yield run(chosen[0], steps, policy=policy)
        return
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as workers:
        yield from workers.map(partial(run, steps=steps, policy=policy), chosen, chunksize=CHUNK)


def _told(
    outcome: Outcome,
    steps: int | None,
    policy: Policy | None,
    *,
    where: Path | None,
    whole: bool,
) -> Mapping[str, object]:
    """Return a failure as a story that is as short as can be."""
    wanted = outcome.violations[0].invariant

    def again(choices: Sequence[Choice]) -> Outcome:
        return run(outcome.seed, steps, policy=policy, choices=choices)

    def fails(choices: Sequence[Choice]) -> bool:
        return any(one.invariant == wanted for one in again(choices).violations)

    shortest = outcome if whole else again(shrink.shortened(outcome.choices, fails))
    command = f"dealsync simulate --seed {outcome.seed}"
    if steps is not None:
        command += f" --steps {steps}"
    if where is not None:
        command += f" --policy {where}"
    return {
        "seed": outcome.seed,
        "command": command,
        "choices": len(shortest.choices),
        "violations": [asdict(one) for one in shortest.violations],
        "story": list(shortest.story),
    }


def _print(
    console: Console,
    totals: Mapping[str, int],
    faults: Mapping[str, int],
    failed: Sequence[Outcome],
    failures: Sequence[Mapping[str, object]],
) -> None:
    for failure in failures:
        console.print(f"✗ seed {failure['seed']}, {failure['choices']} choices")
        story, violations = failure["story"], failure["violations"]
        assert isinstance(story, list), "a story is a list of lines"
        assert isinstance(violations, list), "violations are a list"
        for line in story:
            console.print(escape(f"    {line}"))
        for one in violations:
            console.print(escape(f"  {one['invariant']}: {one['text']}"))
        console.print(escape(f"  again: {failure['command']}"))
    if len(failed) > len(failures):
        rest = ", ".join(str(outcome.seed) for outcome in failed[len(failures) :])
        console.print(f"✗ and seeds {rest}")
    mark = "✗" if failed else "✓"
    console.print(
        f"{mark} {totals['seeds']} seeds, {len(failed)} failed: {totals['days']} days,"
        f" {totals['edits']} edits, {totals['facts']} facts, {totals['events']} events,"
        f" {totals['writes']} writes, {totals['calls']} calls"
    )
    by_kind: Counter[str] = Counter()
    for name, count in faults.items():
        by_kind[name.rpartition(" ")[0]] += count
    console.print(
        "  faults: " + ", ".join(f"{name} {count}" for name, count in sorted(by_kind.items()))
    )
