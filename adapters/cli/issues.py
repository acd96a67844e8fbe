"""`issues …`: problems that a person can see, grouped by their number, each with its fix."""

from dataclasses import asdict
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from adapters.bootstrap import requests
from adapters.bootstrap.present import Present
from adapters.cli import naming, requesting
from adapters.cli.output import CommandFailure, ExitCode, JsonFlag, Output, instant
from adapters.cli.requesting import Answer
from adapters.cli.session import Session, open_session
from domain import issues as catalogue
from domain.ids import CATALOG_STREAM, Crm, FactId, StreamId
from domain.issues import PROBLEMS, Problem
from projections.reading import IssueGroup, IssueRow

#: issues of one answer
LIMIT: Final = 1_000
#: streams that one command asks
STREAMS_MAX: Final = 500

app = typer.Typer(help="Open problems and their fixes.", no_args_is_help=True)

Subject = Annotated[
    str, typer.Argument(metavar="CODE|ID", help="DS…, or a record: 006…, a deal, contact:77.")
]


@app.command("list")
def list_issues(*, json: JsonFlag = False) -> None:
    """List the codes that are open, with how many each has and what to do."""
    with open_session() as session:
        groups = session.stores.views.issue_groups()
    output = Output(as_json=json)
    output.rows(
        "issue",
        [_group(group) for group in groups],
        {
            "code": "code",
            "title": "what",
            "count": "open",
            "pairs": "records",
            "last_changed_at": "last",
            "fix": "fix",
        },
        empty="no open issues",
    )
    if groups:
        output.hint(f"next: `dealsync issues show {groups[0].code}`")


@app.command()
def show(*, what: Subject, json: JsonFlag = False) -> None:
    """Show the open issues of a code, or of a record."""
    with open_session() as session:
        if what.upper() in PROBLEMS:
            problem: Problem | None = PROBLEMS[what.upper()]
            rows = session.stores.views.issues(code=what.upper(), limit=LIMIT)
        else:
            problem = None
            named = naming.resolve(session.stores, _record(what))
            rows = session.stores.views.issues(stream=named.stream, limit=LIMIT)
    told: dict[str, object] = {
        **({"code": None} if problem is None else _problem(problem)),
        "issues": [asdict(row) for row in rows],
    }
    Output(as_json=json).show("issue", told, lambda console: _print(console, problem, rows))


@app.command()
def retry(*, what: Subject, json: JsonFlag = False) -> None:
    """Let held fields and refused writes go again."""
    output = Output(as_json=json)
    with open_session() as session:
        streams = _streams(session, what)
        answers = {stream: _retry(session, stream) for stream in streams}
    _show_all(output, "retry", what, answers)


@app.command()
def discard(
    *,
    what: Subject,
    only: Annotated[
        str | None,
        typer.Option("--issue", metavar="CODE|SUBJECT", help="Only this one of the record's."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Close issues that a person has seen to; nothing is written by that."""
    output = Output(as_json=json)
    with open_session() as session:
        codes = [code for code in (what.upper(), (only or "").upper()) if code in PROBLEMS]
        field = codes[0] if codes else (only or "")
        streams = _streams(session, what)
        found = {stream: _meant(session, stream, field) for stream in streams}
        if not any(found.values()):
            raise CommandFailure(
                "not_found",
                f"{what}: expected an open issue{f' {field}' if field else ''}, found none",
                hint="`dealsync issues show` with its id lists what is open",
            )
        answers = {
            stream: requesting.ask_pair(session, stream, "discard", field=field).check()
            for stream in streams
            if found[stream]
        }
    told = [{"stream": stream, **answer.values()} for stream, answer in answers.items()]
    rows = [row for stream in answers for row in found[stream]]
    output.show(
        "request",
        {"action": "discard", "id": what, "answers": told, "discarded": len(rows)},
        lambda console: _print_discarded(console, rows),
    )
    if any(not PROBLEMS[row.code].standing for row in rows):
        output.hint("one whose cause is still there opens again at the record's next look")


@app.command()
def decide(
    *,
    record: Annotated[str, typer.Argument(metavar="ID", help="006…, or a deal's number.")],
    side: Annotated[Crm, typer.Argument(help="Whose value stands.")],
    field: Annotated[
        str | None, typer.Option(help="Which field, where more than one waits.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Choose which side's value of a held field stands."""
    output = Output(as_json=json)
    with open_session() as session:
        named = naming.resolve_pair(session.stores, record)
        name = _held_field(session, named.stream, record, field)
        answer = requesting.ask_pair(
            session, named.stream, "decide", field=name, value=side.value
        ).check()
    requesting.show(output, "decide", record, answer)


def _held_field(session: Session, stream: StreamId, record: str, field: str | None) -> str:
    """Return our name of the field that waits for a decision.

    Raises:
        CommandFailure: it cannot be told which.
    """
    if field is not None:
        mapping = Present(session.stores).policy().mapping(field)
        if mapping is not None:
            return mapping.name
    code = catalogue.DECISION_NEEDED.code
    held = {h.field for h in session.stores.views.held_fields(stream) if h.code == code}
    if field is None and len(held) == 1:
        return held.pop()
    found = ", ".join(sorted(held)) or "none"
    raise CommandFailure(
        "not_found",
        f"{record}: expected one field that waits for a decision, found {found}",
        hint="name it with --field" if held else "`dealsync issues show ID` lists what is open",
    )


def _meant(session: Session, stream: StreamId, field: str) -> tuple[IssueRow, ...]:
    """Return the open issues of a stream that a code or a subject means; blank: all."""
    rows = session.stores.views.issues(stream=stream, limit=LIMIT)
    return tuple(row for row in rows if field in ("", row.code, row.subject))


def _print_discarded(console: Console, rows: list[IssueRow]) -> None:
    for row in rows:
        record = _record_name(row)
        console.print(escape(f"discarded: {row.code} of {record}, about {row.subject}: {row.text}"))


def _record_name(row: IssueRow) -> str:
    return row.opportunity_id or row.deal_id or row.contact_id or row.account_id or "catalog"


def _streams(session: Session, what: str) -> list[StreamId]:
    """Return whose issues are meant.

    Raises:
        CommandFailure: nobody's.
    """
    if what.upper() not in PROBLEMS:
        return [naming.resolve(session.stores, _record(what)).stream]
    rows = session.stores.views.issues(code=what.upper(), limit=LIMIT)
    streams = list(dict.fromkeys(row.pair_id for row in rows))[:STREAMS_MAX]
    if not streams:
        raise CommandFailure("not_found", f"expected an open issue {what.upper()}, found none")
    return streams


def _record(what: str) -> str:
    """Return an id, once it is clear that it was not meant as a code.

    Raises:
        CommandFailure: it looks like a code and is none.
    """
    if what[:2].upper() == "DS":
        raise CommandFailure(
            "unknown_code",
            f"expected one of {', '.join(PROBLEMS)}, found {what}",
            exit_code=ExitCode.WRONG_INPUT,
        )
    return what


def _retry(session: Session, stream: StreamId) -> Answer:
    if stream == CATALOG_STREAM:
        fact_id: FactId = requests.request_setup(
            session.stores, at=session.clock.now(), by=requesting.operator()
        )
        return Answer(fact_id, ())
    return requesting.ask_pair(session, stream, "retry").check()


def _show_all(output: Output, action: str, what: str, answers: dict[StreamId, Answer]) -> None:
    told = [{"stream": stream, **answer.values()} for stream, answer in answers.items()]

    def print_all(console: Console) -> None:
        for answer in answers.values():
            answer.print(console)
        console.print(f"{action}: {len(answers)} records", markup=False)

    output.show("request", {"action": action, "id": what, "answers": told}, print_all)


def _problem(problem: Problem) -> dict[str, object]:
    return {
        "code": problem.code,
        "rule": problem.rule,
        "title": problem.title,
        "fix": problem.fix,
        "standing": problem.standing,
    }


def _group(group: IssueGroup) -> dict[str, object]:
    return {
        **_problem(PROBLEMS[group.code]),
        "count": group.count,
        "pairs": group.streams,
        "first_opened_at": group.first_opened_at,
        "last_changed_at": group.last_changed_at,
        "sample": group.sample,
    }


def _print(console: Console, problem: Problem | None, rows: tuple[IssueRow, ...]) -> None:
    if problem is not None:
        console.print(escape(f"{problem.code} {problem.title} (rule {problem.rule})"), style="bold")
        console.print(escape(f"fix: {problem.fix}"))
    for row in rows:
        console.print(
            escape(
                f"{instant(row.opened_at)}  {row.code}  {_record_name(row)}"
                f"  {row.subject}: {row.text}"
            )
        )
        if problem is None:
            console.print(escape(f"  fix: {PROBLEMS[row.code].fix}"))
    if not rows:
        console.print("no open issues")
