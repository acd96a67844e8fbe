"""The command `demo`: one small company in both CRMs, and the story of a deal between them.

Starts `dealsync up` in a home of its own, acts as a person would in both CRMs' own APIs, waits
until each change has crossed, and shows both sides after each step. A step that does not come true
ends the demo with exit code 1: nothing is shown that was not read back.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from adapters.bootstrap.change_logs import LogName
from adapters.cli.demo_people import People, Sides
from adapters.cli.demo_story import steps
from adapters.cli.output import CommandFailure, ExitCode

#: a step that takes longer has failed
STEP_SECONDS_MAX: Final = 20.0
START_SECONDS_MAX: Final = 60.0
LOOK_SECONDS: Final = 0.1

app = typer.Typer()


@app.command()
def demo(
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave both CRMs and the engine running afterwards.")
    ] = False,
    log: Annotated[
        LogName, typer.Option(help="Where facts are kept; Kafka is the one of the settings.")
    ] = LogName.POSTGRES,
) -> None:
    """Play the story of a deal between two sandboxed CRMs."""
    console = Console(highlight=False)
    begun = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="dealsync-demo-") as folder,
        _running(Path(folder) / "home", log) as (process, urls),
    ):
        console.print(f"Salesforce {urls[0]}   HubSpot {urls[1]}")
        dealsync = partial(_dealsync, Path(folder) / "home")
        count = _play(console, People(*urls), dealsync)
        console.print(f"{count} steps, each read back from both CRMs.", style="bold")
        if keep:
            console.print("Running until you press Ctrl-C.")
            process.wait()
    console.print(
        "next: `dealsync up` keeps both CRMs and the engine running in this folder;"
        " the README says what to try."
    )
    seconds = time.perf_counter() - begun
    console.print(f"demo: {count} steps in {seconds:.0f} s")


def _play(console: Console, people: People, dealsync: Callable[..., str]) -> int:
    """Play the steps in order; return how many there were."""
    story = steps(people, dealsync)
    for number, step in enumerate(story, 1):
        step.act()
        console.print(f"\n{number}. {step.what}", style="bold")
        console.print(_table(_wait(people, step.came_true, step.what), step.rules))
        if step.explain:
            words = [word.format(deal=people.deal_id) for word in step.explain]
            console.print(f"$ dealsync {' '.join(words)}", style="dim")
            console.print(dealsync(*words).strip(), markup=False)
    return len(story)


def _wait(people: People, came_true: Callable[[Sides], bool], what: str) -> Sides:
    deadline = time.perf_counter() + STEP_SECONDS_MAX
    while True:
        sides = people.look()
        if came_true(sides):
            return sides
        if time.perf_counter() > deadline:
            raise CommandFailure(
                "demo_step",
                f"expected this to cross within {STEP_SECONDS_MAX:.0f} s, and it did not: {what};"
                f" found {sides}",
                hint="run it again with --keep and look at `dealsync status` in its home",
                exit_code=ExitCode.FAILED,
            )
        _pause()


def _table(sides: Sides, rules: str) -> Table:
    table = Table(caption=f"rules: {rules}", caption_justify="left")
    for column in ("field", "Salesforce", "HubSpot"):
        table.add_column(column)
    for field, salesforce, hubspot in sides.rows():
        table.add_row(field, salesforce, hubspot)
    return table


@contextmanager
def _running(home: Path, log: LogName) -> Iterator[tuple["subprocess.Popen[str]", tuple[str, str]]]:
    """Run `dealsync up` in a home of its own until the block ends."""
    process = subprocess.Popen(  # noqa: S603  # this very program
        [
            *(sys.executable, "-c", "from adapters.cli import main; main()"),
            *("up", "--salesforce-port", "0", "--hubspot-port", "0", "--json", "--log", log),
        ],
        env={**os.environ, "DEALSYNC_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        cwd=home.parent,
    )
    assert process.stdout is not None, "it was asked for"
    try:
        line = process.stdout.readline()
        if not line:
            raise CommandFailure(
                "demo_start",
                f"expected `dealsync up` to become ready, found that it ended with exit code"
                f" {process.wait(START_SECONDS_MAX)}",
                hint="run `dealsync up` and read its message",
            )
        ready = json.loads(line)
        yield process, (ready["salesforce_url"], ready["hubspot_url"])
    finally:
        process.terminate()
        process.wait(START_SECONDS_MAX)
        process.stdout.close()


def _dealsync(home: Path, *arguments: str) -> str:
    """Run a command in the demo's home; return what it printed."""
    done = subprocess.run(  # noqa: S603  # this very program
        [sys.executable, "-c", "from adapters.cli import main; main()", *arguments],
        env={**os.environ, "DEALSYNC_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        cwd=home.parent,
    )
    return done.stdout + done.stderr


def _pause() -> None:
    """Wait a moment between two looks at the CRMs."""
    Event().wait(LOOK_SECONDS)
