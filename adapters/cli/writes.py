"""`writes …`: what was decided to be written, and what a person can do about a single write."""

from dataclasses import asdict
from typing import Annotated, Final

import typer

from adapters.cli import naming, requesting
from adapters.cli.output import CommandFailure, ExitCode, JsonFlag, Output, instant
from adapters.cli.session import Session, open_session
from domain import facts
from domain.deliveries import State
from domain.ids import Crm, WriteId
from domain.issues import DELETES_HELD
from domain.ports import KeyedFact, Topic
from projections.reading import WriteRow

LIMIT: Final = 50
LIMIT_MAX: Final = 100_000

app = typer.Typer(help="Decided writes and what became of them.", no_args_is_help=True)

#: what a person can do about a write that a command does not touch
_WHAT_TO_DO: Final[dict[State, str]] = {
    State.PENDING: "it goes by itself; `dealsync why ID` says what it waits for",
    State.SENT: "it is on its way; its answer settles it",
    State.DONE: "nothing is left to do of what is done",
    State.REJECTED: "`dealsync issues retry ID` lets what was refused be decided again",
    State.UNKNOWN: "`dealsync writes retry` has it read now",
    State.HELD: "`dealsync writes release` lets what the fuse holds go,"
    " `dealsync writes cancel --held` gives it up",
    State.CANCELLED: "it was given up; what is still wanted was decided anew",
}

WriteIds = Annotated[
    list[str] | None, typer.Argument(metavar="WRITE_ID…", help="As `writes list` prints them.")
]


@app.command("list")
def list_writes(
    *,
    state: Annotated[State | None, typer.Option(help="Only writes in this state.")] = None,
    crm: Annotated[Crm | None, typer.Option(help="Only writes to this CRM.")] = None,
    record: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="Only of this record's pair.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="The latest so many.")] = LIMIT,
    json: JsonFlag = False,
) -> None:
    """List writes, the latest first."""
    with open_session() as session:
        rows = session.stores.views.writes(
            state=None if state is None else state.value,
            crm=None if crm is None else crm.value,
            stream=None if record is None else naming.resolve(session.stores, record).stream,
            limit=limit,
        )
        fuse = session.stores.brakes.fuse()
    output = Output(as_json=json)
    if output.as_json:
        output.line({"schema": "dealsync.write/1", "items": [asdict(row) for row in rows]})
    for row in () if output.as_json else rows:
        output.text(_text(row))
    if not rows:
        output.text("no writes in that state")
    if fuse.blown_at is not None:
        output.hint(
            f"{fuse.held} deletes are held: `dealsync writes release` lets them go,"
            " `dealsync writes cancel --held` gives them up"
        )


@app.command()
def retry(*, write_ids: WriteIds = None, json: JsonFlag = False) -> None:
    """Let waiting writes go now, and unknown ones be read now."""
    with open_session() as session:
        rows = _found(session, write_ids)
        count = session.stores.desk.retry([row.write_id for row in rows])
    _tell(json, "retried", count, rows, "pending or unknown")


@app.command()
def cancel(
    *,
    write_ids: WriteIds = None,
    held: Annotated[
        bool, typer.Option("--held", help="All deletes that the fuse holds; it is whole again.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Give up writes that are not sent."""
    output = Output(as_json=json)
    with open_session() as session:
        at = session.clock.now()
        if held:
            by = requesting.operator()
            count = session.stores.brakes.mend_fuse(release=False, at=at, by=by)
            _show_mended(output, "cancelled", count)
            return
        rows = _found(session, write_ids)
        count = session.stores.desk.cancel(
            [row.write_id for row in rows], reason=f"cancelled by {requesting.operator()}", at=at
        )
    _tell(json, "cancelled", count, rows, "pending or held")


@app.command()
def release(*, json: JsonFlag = False) -> None:
    """Let the deletes go that the fuse holds; it is whole again."""
    with open_session() as session:
        _tell_who(session)
        count = session.stores.brakes.mend_fuse(
            release=True, at=session.clock.now(), by=requesting.operator()
        )
    _show_mended(Output(as_json=json), "released", count)


def _tell_who(session: Session) -> None:
    """Have the issue of each held delete closed by this operator, so that the audit log says who.

    Nobody waits for it: the deletes go in any case, and their answers close the issue as well.
    """
    held = session.stores.views.writes(state=State.HELD.value, limit=LIMIT_MAX)
    at = session.clock.now()
    asked = [
        facts.PairRequested(
            id=requesting.request_id(session, "discard", row.pair_id, row.write_id),
            at=at,
            by=requesting.operator(),
            stream=row.pair_id,
            action="discard",
            field=DELETES_HELD.code,
        )
        for row in held
    ]
    if asked:
        session.stores.log.append([KeyedFact(Topic.REQUESTS, f.stream, f) for f in asked])


def _found(session: Session, write_ids: list[str] | None) -> list[WriteRow]:
    """Return the writes that were named.

    Raises:
        CommandFailure: none was named, one is no id, or one is unknown.
    """
    if not write_ids:
        raise CommandFailure(
            "usage",
            "expected the id of a write, found none",
            hint="`dealsync writes list` prints them",
            exit_code=ExitCode.WRONG_INPUT,
        )
    rows: list[WriteRow] = []
    for text in write_ids:
        row = session.stores.views.write(WriteId(naming.uuid_of(text)))
        if row is None:
            raise CommandFailure("not_found", f"expected a decided write, found none called {text}")
        rows.append(row)
    return rows


def _text(row: WriteRow) -> str:
    """Return a write as people read it."""
    why = f": {row.state_reason}" if row.state_reason else ""
    record = row.record_id or row.opportunity_id or row.deal_id or ""
    return (
        f"{row.write_id}  {instant(row.decided_at)}  {row.state:<9}  {row.operation} {record} in"
        f" {row.crm} ({row.rule}, {row.attempts} attempts){why}"
    )


def _tell(as_json: bool, verb: str, count: int, rows: list[WriteRow], wanted: str) -> None:  # noqa: FBT001 - passed on
    if count == 0:
        states = ", ".join(f"{row.write_id} is {row.state}" for row in rows)
        raise CommandFailure(
            "nothing_done",
            f"expected writes that are {wanted}, found: {states}",
            hint="; ".join(_WHAT_TO_DO[s] for s in State if s in {row.state for row in rows}),
        )
    Output(as_json=as_json).show(
        "writes",
        {verb: count, "asked": len(rows)},
        lambda console: console.print(f"{verb}: {count} of {len(rows)}", markup=False),
    )


def _show_mended(output: Output, verb: str, count: int) -> None:
    output.show(
        "writes",
        {verb: count},
        lambda console: console.print(f"{verb}: {count} held deletes", markup=False),
    )
