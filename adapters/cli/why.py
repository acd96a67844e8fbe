"""`why`: how a record or one of its fields came to be as it is, step by step, or why not."""

from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from adapters.cli import explaining, naming, standing, stories
from adapters.cli.explaining import Step, Told
from adapters.cli.output import CommandFailure, ExitCode, JsonFlag, Output, instant
from adapters.cli.session import open_session
from adapters.cli.standing import Now
from domain.catalog import Catalog
from domain.ids import WriteId
from domain.mapping import Mapping
from domain.pair import Pair
from projections.reading import WriteRow

#: steps without --all
EVENTS_MAX: Final = 200
_STYLES: Final = {
    "fact": "cyan",
    "event": "bold",
    "write": "yellow",
    "attempt": "dim",
    "echo": "green",
}

app = typer.Typer()

IdArgument = Annotated[
    str,
    typer.Argument(metavar="ID", help="006…, a deal's number, contact:77, company:77."),
]


@app.command()
def why(
    *,
    record: IdArgument,
    field: Annotated[
        str | None, typer.Argument(metavar="FIELD", help="Our name of a field, or either CRM's.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="The whole history, not only the present value's.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Explain how a record or a field came to be as it is."""
    output = Output(as_json=json)
    with open_session() as session:
        named = naming.resolve(session.stores, record)
        now = standing.now_of(session, session.clock.now())
        history = stories.history_of(session.stores, named.stream)
        state = stories.folded(history)
        mapping = None if field is None else _mapping(now, field)
        if mapping is None:
            chosen = history if everything else history[-EVENTS_MAX:]
        else:
            _check_pair(state, record)
            chosen = explaining.about_field(history, mapping.name, whole=everything)
        steps = list(
            explaining.steps_of(
                chosen,
                stories.facts_behind(session.stores.log, chosen),
                stories.sent_of(session.stores, chosen),
            )
        )
        rows = standing.rows_of(session, state) if isinstance(state, Pair) else {}
    answer = _answer(state, mapping, history, now, rows)
    output.show(
        "why",
        {
            "id": record,
            "stream": named.stream,
            "field": None if mapping is None else mapping.name,
            "steps": [
                {
                    "kind": step.kind,
                    "at": step.at,
                    "ref": step.ref,
                    "text": step.text,
                    "caused_by": step.caused_by,
                }
                for step in steps
            ],
            "answer": answer,
        },
        lambda console: _print(console, steps, answer),
    )
    if len(chosen) < len(history) and mapping is None:
        output.hint(f"the latest {len(chosen)} of {len(history)} events; --all tells all")


def _mapping(now: Now, field: str) -> Mapping:
    mapping = now.policy.mapping(field)
    if mapping is None:
        names = ", ".join(mapping.name for mapping in now.policy.mappings)
        raise CommandFailure(
            "unknown_field",
            f"expected a mapped field ({names}, or either CRM's name of it), found {field!r}",
            hint="a field that no mapping names does not sync; `dealsync policy show` lists them",
            exit_code=ExitCode.WRONG_INPUT,
        )
    return mapping


def _check_pair(state: object, record: str) -> None:
    if not isinstance(state, Pair):
        raise CommandFailure(
            "no_pair", f"expected an opportunity or a deal for a field, found {record}"
        )


def _answer(
    state: object,
    mapping: Mapping | None,
    history: list[Told],
    now: Now,
    rows: dict[WriteId, WriteRow],
) -> str:
    match state:
        case Pair() if mapping is not None:
            return explaining.field_answer(state, mapping, history, now, rows)
        case Pair():
            return explaining.pair_answer(state, history, now, rows)
        case Catalog():
            return explaining.other_answer(history, state)
        case _:
            return explaining.other_answer(history, None)


def _print(console: Console, steps: list[Step], answer: str) -> None:
    depths: dict[str, int] = {}
    for step in steps:
        depth = depths.get(step.caused_by or "", -1) + 1
        depths[step.ref] = depth
        indent = "  " * min(depth, 4)
        style = _STYLES[step.kind]
        console.print(
            f"[dim]{instant(step.at)}[/dim] {indent}[{style}]{step.kind:<8}[/{style}]"
            f"{escape(step.text)}"
        )
    console.print(escape(answer), style="bold")
