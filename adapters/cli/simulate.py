"""`simulate`: whole worlds from seeds, so that no interleaving, fault or crash breaks a rule."""

import os
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial
from json import dumps as to_json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from adapters.cli import policy_file
from adapters.cli.output import CommandFailure, ExitCode, JsonFlag, Output
from adapters.simulation import mishaps, shrink
from adapters.simulation.restless import Restless
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
#: whose commit a report names
REPOSITORY: Final = Path(__file__).parents[2]

app = typer.Typer()


@app.command()
def simulate(  # noqa: PLR0913 - one option a choice
    *,
    seed: Annotated[int | None, typer.Option(help="Run this seed alone, and tell it.")] = None,
    seeds: Annotated[str, typer.Option(help="Run these, such as 1..100.")] = SEEDS_DEFAULT,
    steps: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Choices of a world; else drawn.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Begin no further seed after so many minutes.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Run under this policy; else under drawn ones.")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Tell a failure as it was, not shortened.")
    ] = False,
    boundaries: Annotated[
        bool, typer.Option("--boundaries", help="Show at which boundary each fault struck.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write the JSON report to this file, too.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Let both CRMs, their people and the engine live from seeds, with faults of every kind."""
    output = Output(as_json=json)
    file = None if policy is None else policy_file.from_file(policy, shared_fields=True)
    chosen = range(seed, seed + 1) if seed is not None else _range(seeds)
    adopted = None if file is None else file.policy
    ran = _Ran(chosen, begun=time.perf_counter())
    with closing(_outcomes(chosen, steps, adopted)) as outcomes:
        for outcome in outcomes:
            ran.add(outcome)
            if outcome.violations:
                output.hint(f"seed {outcome.seed} failed: {outcome.violations[0].invariant}")
            if time.perf_counter() - ran.shown > PROGRESS_SECONDS:
                ran.shown = time.perf_counter()
                many = f"{ran.totals['seeds']} of {len(chosen)} seeds"
                output.hint(f"{many}, {len(ran.failed)} failed")
            if minutes is not None and ran.seconds > minutes * 60:
                break
    ran.failures = [
        _told(outcome, steps, adopted, where=policy, whole=whole)
        for outcome in ran.failed[:TOLD_MAX]
    ]
    if report is not None:
        report.write_text(to_json(ran.as_json(), indent=2) + "\n")
    output.show("simulation", ran.as_json(), lambda console: ran.print(console, all_of=boundaries))
    if ran.failed:
        raise typer.Exit(ExitCode.FAILED)


@dataclass(slots=True)
class _Ran:
    """What came of all seeds together."""

    chosen: range
    begun: float
    shown: float = field(default_factory=time.perf_counter)
    totals: Counter[str] = field(default_factory=Counter)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    failed: list[Outcome] = field(default_factory=list)
    failures: Sequence[Mapping[str, object]] = ()

    def add(self, outcome: Outcome) -> None:
        """Add a seed."""
        self.totals.update(outcome.counts)
        self.totals["seeds"] += 1
        self.faults.update(outcome.faults)
        if outcome.violations:
            self.failed.append(outcome)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self.begun

    def as_json(self) -> dict[str, object]:
        """Return the report."""
        return {
            "commit": commit_of(REPOSITORY),
            "first_seed": self.chosen[0],
            "last_seed": self.chosen[self.totals["seeds"] - 1],
            "seeds": self.totals["seeds"],
            "seconds": round(self.seconds, 1),
            "cores": os.cpu_count(),
            "counts": {name: n for name, n in sorted(self.totals.items()) if name != "seeds"},
            "faults_in_all": sum(self.faults.values()),
            "faults": {name: asdict(one) for name, one in mishaps.by_number(self.faults).items()},
            "failed": [outcome.seed for outcome in self.failed],
            "never_settle": [asdict(one) for one in self.restless()],
            "failures": list(self.failures),
        }

    def restless(self) -> Sequence[Restless]:
        """Return what never came to rest: for each field of either CRM the worst case."""
        worst: dict[tuple[str, str], Restless] = {}
        for one in (found for outcome in self.failed for found in outcome.restless):
            known = worst.get((one.crm, one.name))
            if known is None or known.writes < one.writes:
                worst[one.crm, one.name] = one
        return [worst[key] for key in sorted(worst)]

    def print(self, console: Console, *, all_of: bool) -> None:
        """Say it to a person."""
        _print_failures(console, self.failed, self.failures)
        for field_at_war in self.restless():
            _print_restless(console, field_at_war)
        totals, mark = self.totals, "✗" if self.failed else "✓"
        console.print(
            f"{mark} {totals['seeds']} seeds in {self.seconds:.0f} s, {len(self.failed)} failed:"
            f" {totals['days']} days, {totals['edits']} edits, {totals['facts']} facts,"
            f" {totals['events']} events, {totals['writes']} writes, {totals['calls']} calls"
        )
        for name, one in mishaps.by_number(self.faults).items():
            number, _, fault = name.partition(" ")
            console.print(escape(f"  {number:4}{fault:22}{one.count:>9}  {one.what}"))
            for where, count in one.at.items() if all_of else ():
                console.print(escape(f"      {count:>9}  {where}"))


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


def _outcomes(
    chosen: range, steps: int | None, policy: Policy | None
) -> Generator[Outcome, None, None]:
    """Run the seeds on all cores; yield their outcomes in the order of the seeds.

    Closed early, it begins no further seed.
    """
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


def _print_restless(console: Console, found: Restless) -> None:
    console.print(f"✗ {found.crm} {found.name} never settles under this policy")
    values = ", ".join(value or "(blank)" for value in found.values)
    writes = f"{found.writes} writes with nobody at work"
    console.print(escape(f"    {found.record_id}: {writes}: {values}"))
    for rule in found.rules:
        console.print(escape(f"    {rule}"))


def _print_failures(
    console: Console, failed: Sequence[Outcome], failures: Sequence[Mapping[str, object]]
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


def commit_of(repository: Path) -> str:
    """Return the commit that is checked out there, or blank: it is no repository."""
    head = repository / ".git" / "HEAD"
    if not head.is_file():
        return ""
    name = head.read_text().strip().removeprefix("ref: ")
    ref = head.parent / name
    if ref.is_file():
        return ref.read_text().strip()
    packed = head.parent / "packed-refs"
    lines = packed.read_text().splitlines() if packed.is_file() else []
    return next((line.partition(" ")[0] for line in lines if line.endswith(f" {name}")), name)
