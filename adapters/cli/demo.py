"""The command `demo`: one small company in both CRMs, and the story of a deal between them.

Starts `dealsync up` in a home of its own, acts as a person would in both CRMs' own APIs, waits
until each change has crossed, and shows both sides after each step. A step that does not come true
ends the demo with exit code 1: nothing is shown that was not read back.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from adapters.bootstrap.change_logs import LogName
from adapters.cli.demo_people import People
from adapters.cli.demo_sides import Sides
from adapters.cli.demo_story import Step, steps
from adapters.cli.demo_terminal import Ran, Terminal
from adapters.cli.output import CommandFailure, ExitCode, JsonFlag, Output

#: a step that takes longer has failed
STEP_SECONDS_MAX: Final = 20.0
START_SECONDS_MAX: Final = 60.0
LOOK_SECONDS: Final = 0.1
#: what to try next, in a home that runs; `{deal}` is the story's last deal
NEXT: Final = (
    ("status", "who runs, what moves and what waits"),
    ("pairs list --state live", "opportunities and their deals"),
    ("why {deal}", "how a record came to be as it is, and why not otherwise"),
    ("audit list --id {deal}", "everything that was decided and written of it"),
    ("pairs show {deal} --at 20s", "both sides as they were so long ago"),
    ("issues list", "what waits for a person, with its fix"),
    ("database url --reader", "ask in SQL: docs/analysts.md has ten questions"),
)

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Played:
    """A step that came true."""

    number: int
    what: str
    rules: tuple[str, ...]
    sides: Sides
    commands: tuple[Ran, ...]

    def values(self) -> dict[str, object]:
        """Return it as JSON shows it."""
        names = ("field", "salesforce", "hubspot")
        return {
            "number": self.number,
            "what": self.what,
            "rules": list(self.rules),
            "sides": [dict(zip(names, row, strict=True)) for row in self.sides.rows()],
            "commands": [asdict(ran) for ran in self.commands],
        }


@app.command()
def demo(
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave both CRMs and the engine running afterwards.")
    ] = False,
    log: Annotated[
        LogName, typer.Option(help="Where facts are kept; Kafka is the one of the settings.")
    ] = LogName.POSTGRES,
    json: JsonFlag = False,
) -> None:
    """Play the story of a deal between two sandboxed CRMs."""
    output = Output(as_json=json)
    console = Console(highlight=False, quiet=output.as_json)
    begun = time.perf_counter()
    # Whoever ends this program ends the one that it started, and its folder.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="dealsync-demo-") as folder:
        home = Path(folder) / "home"
        with _running(home, log) as (process, urls):
            console.print(f"Salesforce {urls[0]}   HubSpot {urls[1]}")
            people, terminal = People(*urls), Terminal(home)
            played = [_show(console, step) for step in _play(people, terminal)]
            seconds = time.perf_counter() - begun
            told = {
                "salesforce_url": urls[0],
                "hubspot_url": urls[1],
                "home": str(home) if keep else None,
                "steps": [step.values() for step in played],
                "seconds": f"{seconds:.1f}",
                "next": [f"dealsync {_words(words, people)}" for words, _ in NEXT],
            }
            output.show("demo", told, lambda _: _end(console, len(played), seconds))
            if keep:
                console.print("\nRunning until you press Ctrl-C. In another terminal:")
                _print_next(console, people, home)
                with contextlib.suppress(KeyboardInterrupt):
                    process.wait()
    console.print("\nnext: `dealsync demo --keep`, or `dealsync up` in a folder of yours; then")
    _print_next(console, people, None)


def _play(people: People, terminal: Terminal) -> Iterator[Played]:
    """Play the steps in order; yield each once it came true."""
    for number, step in enumerate(steps(people, terminal), 1):
        step.act()
        sides = _wait(people, step)
        if step.explain:
            terminal.run(*(word.format(deal=people.deal_id) for word in step.explain))
        rules = tuple(step.rules.split(", "))
        yield Played(number, step.what, rules, sides, terminal.shown())


def _show(console: Console, step: Played) -> Played:
    console.print(f"\n{step.number}. {step.what}", style="bold")
    console.print(_table(step))
    for ran in step.commands:
        console.print(f"$ {ran.command}", style="dim", markup=False, soft_wrap=True)
        console.print(ran.output, markup=False, soft_wrap=True)
    return step


def _end(console: Console, count: int, seconds: float) -> None:
    console.print(f"\n{count} steps, each read back from both CRMs.", style="bold")
    console.print(f"demo: {count} steps in {seconds:.0f} s")


def _print_next(console: Console, people: People, home: Path | None) -> None:
    """Print what to try next, a line each."""
    if home is not None:
        console.print(f"  export DEALSYNC_HOME={home}", markup=False, soft_wrap=True)
    for words, what in NEXT:
        line = f"  dealsync {_words(words, people):<32} {what}"
        console.print(line, markup=False, soft_wrap=True)


def _words(words: str, people: People) -> str:
    return words.format(deal=people.deal_id)


def _wait(people: People, step: Step) -> Sides:
    deadline = time.perf_counter() + STEP_SECONDS_MAX
    while True:
        sides = people.look()
        if step.came_true(sides):
            return sides
        if time.perf_counter() > deadline:
            raise CommandFailure(
                "demo_step",
                f"expected this to cross within {STEP_SECONDS_MAX:.0f} s, and it did not:"
                f" {step.what}; found {sides}",
                hint="run it again with --keep and look at `dealsync status` in its home",
                exit_code=ExitCode.FAILED,
            )
        _pause()


def _table(step: Played) -> Table:
    table = Table(caption=f"rules: {', '.join(step.rules)}", caption_justify="left")
    for column in ("field", "Salesforce", "HubSpot"):
        table.add_column(column)
    for field, salesforce, hubspot in step.sides.rows():
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


def _pause() -> None:
    """Wait a moment between two looks at the CRMs."""
    Event().wait(LOOK_SECONDS)
