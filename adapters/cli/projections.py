"""`projections …`: what is derived from events, folded again and compared, or put right."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from adapters.cli.output import CommandFailure, ExitCode, JsonFlag, Output
from adapters.cli.session import Session, open_session
from adapters.home import ROLES, HomeLock
from projections.following import FOLLOWERS, INLINE, Comparison

NAMES: Final = (*INLINE, *FOLLOWERS)

app = typer.Typer(
    help="What is derived from events. Nothing here can reach a CRM.", no_args_is_help=True
)

Names = Annotated[
    list[str] | None, typer.Argument(metavar="NAME…", help=f"{', '.join(NAMES)}; none: all.")
]


@app.command("list")
def list_projections(*, json: JsonFlag = False) -> None:
    """List projections and how far each is."""
    with open_session() as session:
        states = session.stores.rebuilds.states()
    Output(as_json=json).rows(
        "projection",
        [{**asdict(state), "lag": state.lag} for state in states],
        {"name": "name", "kind": "kind", "position": "position", "lag": "lag", "rows": "rows"},
        empty="no projections",
    )


@app.command()
def compare(*, names: Names = None, json: JsonFlag = False) -> None:
    """Fold events again beside the live tables and say what differs."""
    output = Output(as_json=json)
    wanted = _checked(names)
    with open_session() as session:
        found = [_one(output, session.stores.rebuilds.compare, name) for name in wanted]
    _show(output, "comparison", found, verb="differ")
    if any(comparison.differing for comparison in found):
        raise typer.Exit(ExitCode.FINDINGS)


@app.command()
def rebuild(*, names: Names = None, json: JsonFlag = False) -> None:
    """Fold events again and put the result in the live tables' place.

    Followers are rebuilt while the engine runs; inline tables only with the engine stopped.
    """
    output = Output(as_json=json)
    wanted = _checked(names) if names else FOLLOWERS
    with open_session() as session, ExitStack() as held:
        if any(name in INLINE for name in wanted):
            held.enter_context(_without_engine(session))
        found = [_one(output, session.stores.rebuilds.rebuild, name) for name in wanted]
    _show(output, "rebuild", found, verb="were put right")


def _without_engine(session: Session) -> HomeLock:
    """Keep engines off the home: what decides writes these tables."""
    return HomeLock(
        session.home, ROLES, command="dealsync projections rebuild", at=session.clock.now()
    )


def _one(output: Output, fold: Callable[[str], Comparison], name: str) -> Comparison:
    output.hint(f"{name}: folding all events again")
    return fold(name)


def _checked(names: Sequence[str] | None) -> tuple[str, ...]:
    for name in names or ():
        if name not in NAMES:
            raise CommandFailure(
                "unknown_projection",
                f"expected one of {', '.join(NAMES)}, found {name!r}",
                exit_code=ExitCode.WRONG_INPUT,
            )
    return tuple(names or NAMES)


def _show(output: Output, noun: str, found: Sequence[Comparison], *, verb: str) -> None:
    def print_all(console: Console) -> None:
        for comparison in found:
            console.print(
                f"{comparison.name}: {comparison.rows} rows at event {comparison.position},"
                f" {comparison.differing} {verb}",
                markup=False,
            )
            for difference in comparison.differences:
                console.print(escape(f"  {difference.what} {difference.table} {difference.row}"))

    if output.as_json:
        items = [asdict(comparison) for comparison in found]
        output.line({"schema": f"dealsync.{noun}/1", "items": items})
    else:
        print_all(output.console)
