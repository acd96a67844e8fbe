"""`parked …`: facts that could not be decided, and those behind them on the same stream."""

from dataclasses import asdict
from typing import Annotated, Final

import typer

from adapters.cli import naming, requesting
from adapters.cli.output import ExitCode, JsonFlag, Output
from adapters.cli.session import open_session
from domain import events, facts

LIMIT: Final = 1_000

app = typer.Typer(help="Facts that wait for a person.", no_args_is_help=True)

IdArgument = Annotated[
    str,
    typer.Argument(metavar="ID", help="006…, a deal, contact:77, or the pair_id that is listed."),
]


@app.command("list")
def list_parked(*, json: JsonFlag = False) -> None:
    """List parked facts, oldest first."""
    with open_session() as session:
        rows = session.stores.views.parked(limit=LIMIT)
    output = Output(as_json=json)
    output.rows(
        "parked_fact",
        [asdict(row) for row in rows],
        {
            "parked_at": "parked",
            "opportunity_id": "opportunity",
            "deal_id": "deal",
            "pair_id": "pair_id",
            "topic": "fact",
            "error": "why",
        },
        empty="no parked facts",
    )
    if rows:
        output.hint("next: mend the cause, then `dealsync parked retry ID`; or `parked discard ID`")


@app.command()
def retry(*, record: IdArgument, json: JsonFlag = False) -> None:
    """Decide a record's parked facts again, in order."""
    _settle(record, again=True, json=json)


@app.command()
def discard(*, record: IdArgument, json: JsonFlag = False) -> None:
    """Give a record's parked facts up; the audit log keeps them."""
    _settle(record, again=False, json=json)


def _settle(record: str, *, again: bool, json: bool) -> None:
    output = Output(as_json=json)
    action = "retry" if again else "discard"
    with open_session() as session:
        named = naming.resolve(session.stores, record)
        fact = facts.FactsRetried(
            id=requesting.request_id(session, "parked", action, named.stream),
            at=session.clock.now(),
            by=requesting.operator(),
            stream=named.stream,
            again=again,
        )
        answer = requesting.ask(session, f"dealsync parked {action}", named.stream, fact).check()
    requesting.show(output, f"parked {action}", record, answer)
    if any(isinstance(event, events.NothingDecided) for event in answer.events):
        raise typer.Exit(ExitCode.FINDINGS)  # some are decided, the rest still waits
