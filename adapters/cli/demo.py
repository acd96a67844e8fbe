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
from pathlib import Path
from threading import Event
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from adapters.cli.demo_people import People, Sides
from adapters.cli.output import CommandFailure, ExitCode

#: a step that takes longer has failed
STEP_SECONDS_MAX: Final = 20.0
START_SECONDS_MAX: Final = 60.0
LOOK_SECONDS: Final = 0.1
WHILE_STOPPED: Final = "edited while stopped"

app = typer.Typer()


@app.command()
def demo(
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave both CRMs and the engine running afterwards.")
    ] = False,
) -> None:
    """Play the story of a deal between two sandboxed CRMs."""
    console = Console(highlight=False)
    begun = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="dealsync-demo-") as folder,
        _running(Path(folder) / "home") as (process, urls),
    ):
        console.print(f"Salesforce {urls[0]}   HubSpot {urls[1]}")
        count = _play(console, People(*urls))
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


def _play(console: Console, people: People) -> int:
    """Play the steps in order; return how many there were."""
    steps: list[tuple[str, str, Callable[[], None], Callable[[Sides], bool]]] = [
        (
            "A salesperson creates an opportunity in Salesforce",
            "entry-salesforce, created-with",
            lambda: people.create_opportunity("Harbour Lights", amount="1200"),
            lambda s: s.deal.get("dealname") == "Harbour Lights" and s.deal["amount"] == "1200",
        ),
        (
            "The deal's amount is changed in HubSpot",
            "field-rule, who-wins",
            lambda: people.edit_deal(amount="1500"),
            lambda s: s.opportunity.get("Amount") == "1500",
        ),
        (
            "The opportunity's close date and name are changed in Salesforce",
            "field-rule, canonical",
            lambda: people.edit_opportunity(CloseDate="2027-03-31", Name="Harbour Lights II"),
            lambda s: s.deal.get("dealname") == "Harbour Lights II",
        ),
        (
            "The opportunity moves a stage on",
            "stage-map",
            lambda: people.edit_opportunity(StageName="Negotiation/Review"),
            lambda s: s.stage_label == "Negotiation/Review",
        ),
        (
            "The deal is moved to a pipeline that is not synced: both directions stop",
            "pipeline-scope",
            people.move_deal_out,
            lambda s: s.deal.get("dealsync_state") == "stopped",
        ),
        (
            "An edit in Salesforce while it is stopped does not cross",
            "pipeline-scope",
            lambda: people.edit_opportunity(Description=WHILE_STOPPED),
            people.for_a_while(lambda s: s.deal.get("description") in (None, "")),
        ),
        (
            "The deal is moved back: both sides are compared and reconciled",
            "pipeline-scope",
            people.move_deal_back,
            lambda s: s.deal.get("description") == WHILE_STOPPED,
        ),
        (
            "The deal is deleted in HubSpot: the opportunity stays",
            "delete-never-up",
            people.delete_deal,
            lambda s: s.deal_is_archived and not s.opportunity_is_deleted,
        ),
        (
            "Another opportunity is created …",
            "entry-salesforce",
            lambda: people.create_opportunity("Mill Road", amount="300"),
            lambda s: s.deal.get("dealname") == "Mill Road",
        ),
        (
            "… and deleted in Salesforce: its deal is deleted",
            "delete-down",
            people.delete_opportunity,
            lambda s: s.opportunity_is_deleted and s.deal_is_archived,
        ),
    ]
    for number, (what, rules, act, came_true) in enumerate(steps, 1):
        act()
        console.print(f"\n{number}. {what}", style="bold")
        sides = _wait(people, came_true, what)
        console.print(_table(sides, rules))
    return len(steps)


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
def _running(home: Path) -> Iterator[tuple["subprocess.Popen[str]", tuple[str, str]]]:
    """Run `dealsync up` in a home of its own until the block ends."""
    process = subprocess.Popen(  # noqa: S603  # this very program
        [
            *(sys.executable, "-c", "from adapters.cli import main; main()"),
            *("up", "--salesforce-port", "0", "--hubspot-port", "0", "--json"),
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
