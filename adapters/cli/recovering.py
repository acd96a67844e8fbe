"""`recover`: a database that was lost is made anew from Kafka alone."""

from dataclasses import asdict
from typing import Final

import typer
from rich.console import Console

from adapters import telemetry
from adapters.bootstrap.change_logs import LogName
from adapters.bootstrap.recovering import Recovery
from adapters.bootstrap.recovering import recover as recover_stores
from adapters.bootstrap.stores import open_stores
from adapters.cli.output import JsonFlag, Output
from adapters.cli.session import load_settings
from adapters.clock import SystemClock
from adapters.home import ALL_ROLES, HomeLock, prepare_home

NEXT: Final = "next: `dealsync run`; linked records are read again, unknown writes before anything"

app = typer.Typer()


@app.command()
def recover(*, json: JsonFlag = False) -> None:
    """Make a lost database anew from what was published to Kafka.

    The database that the settings name must be empty, and no engine may run.
    """
    output = Output(as_json=json)
    settings = load_settings()
    clock = SystemClock()
    home = prepare_home(settings.home)
    with (
        HomeLock(home, ALL_ROLES, command="dealsync recover", at=clock.now()),
        telemetry.to_file(home, clock) as logger,
        open_stores(settings, log=LogName.KAFKA, recovering=True) as stores,
    ):
        recovery = recover_stores(stores, output.hint, clock=clock, logger=logger)
    output.show(
        "recovery",
        {
            **asdict(recovery.recovered),
            "digests": dict(recovery.digests),
            "facts_decided": recovery.facts,
        },
        lambda console: _print(console, recovery),
    )
    output.hint(NEXT)


def _print(console: Console, recovery: Recovery) -> None:
    recovered = recovery.recovered
    console.print(
        f"{recovered.events} events of {recovered.streams} streams, up to event {recovered.cut};"
        f" this is epoch {recovered.epoch}\n"
        f"{recovered.left_out} published events were beyond it; {recovery.facts} facts were"
        " decided anew\n"
        f"{recovered.unknown_writes} writes have no answer and are looked up\n"
        f"{recovered.refreshes} records are read again",
        markup=False,
    )
    for table, digest in recovery.digests.items():
        console.print(f"{digest}  {table}", markup=False)
