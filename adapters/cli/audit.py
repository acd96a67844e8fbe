"""`audit …`: every write, every decision not to write, and what became of them."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Final

import typer

from adapters.cli import naming
from adapters.cli.output import CommandFailure, ExitCode, JsonFlag, Output, instant
from adapters.cli.session import Session, open_session
from adapters.cli.wording import STATUS_PROPERTIES, field_text
from domain.ids import Crm, WriteId
from domain.rules import RuleId
from projections.audit_line import AuditField, AuditLine, LineKind
from projections.reading import AuditFilter, PlacedLine, Views

LIMIT: Final = 50
LIMIT_MAX: Final = 100_000
#: lines of one reading
PAGE_SIZE: Final = 2_000
SCHEMA: Final = "audit_line"

app = typer.Typer(help="The audit log.", no_args_is_help=True)

Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="From then on: ISO 8601, or 15m, 2h, 3d ago.")
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Before then.")]
Record = Annotated[
    str | None,
    typer.Option("--id", metavar="ID", help="Only of this record: 006…, a deal, contact:77."),
]
KindOption = Annotated[
    LineKind | None, typer.Option(help="Only lines of this kind.", show_choices=True)
]
RuleOption = Annotated[str | None, typer.Option(help="Only lines by this rule.")]
CrmOption = Annotated[Crm | None, typer.Option(help="Only lines about this CRM.")]
WriteOption = Annotated[
    str | None, typer.Option("--write", metavar="WRITE_ID", help="Only lines of this write.")
]


@app.command("list")
def list_lines(  # noqa: PLR0913 - one option a condition
    *,
    record: Record = None,
    since: Since = None,
    until: Until = None,
    kind: KindOption = None,
    rule: RuleOption = None,
    crm: CrmOption = None,
    write: WriteOption = None,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="The latest so many.")] = LIMIT,
    json: JsonFlag = False,
) -> None:
    """List the latest lines, oldest first."""
    with open_session() as session:
        chosen = _chosen(
            session,
            record=record,
            since=since,
            until=until,
            kind=kind,
            rule=rule,
            crm=crm,
            write=write,
        )
        placed = session.stores.views.audit(chosen, latest=True, limit=limit)
    output = Output(as_json=json)
    if output.as_json:
        items = [_shown(one.line) for one in placed]
        output.line({"schema": f"dealsync.{SCHEMA}/1", "items": items})
        return
    for one in placed:
        output.text(_text(one.line))
    if not placed:
        output.text("no lines: nothing was decided yet, or nothing matches")


@app.command()
def export(
    *,
    record: Record = None,
    since: Since = None,
    until: Until = None,
    kind: KindOption = None,
    rule: RuleOption = None,
    crm: CrmOption = None,
    write: WriteOption = None,
    json: JsonFlag = False,
) -> None:
    """Print all lines, one JSON object a line, oldest first."""
    del json  # it is never anything else
    output = Output(as_json=True)
    with open_session() as session:
        chosen = _chosen(
            session,
            record=record,
            since=since,
            until=until,
            kind=kind,
            rule=rule,
            crm=crm,
            write=write,
        )
        for placed in _pages(session.stores.views, chosen):
            output.line({"schema": f"dealsync.{SCHEMA}/1", **_shown(placed.line)})


def _chosen(
    session: Session,
    *,
    record: str | None,
    since: str | None,
    until: str | None,
    kind: LineKind | None,
    rule: str | None,
    crm: Crm | None,
    write: str | None,
) -> AuditFilter:
    now = session.clock.now()
    if rule is not None and rule not in list(RuleId):
        raise CommandFailure(
            "unknown_rule",
            f"expected one of {', '.join(RuleId)}, found {rule!r}",
            exit_code=ExitCode.WRONG_INPUT,
        )
    return AuditFilter(
        since=None if since is None else naming.instant_of(since, now),
        until=None if until is None else naming.instant_of(until, now),
        pair_id=None if record is None else naming.resolve(session.stores, record).stream,
        kind=kind,
        rule=rule,
        crm=None if crm is None else crm.value,
        write_id=None if write is None else WriteId(naming.uuid_of(write)),
    )


def _pages(views: Views, chosen: AuditFilter) -> Iterator[PlacedLine]:
    after = 0
    while page := views.audit(chosen, after=after, limit=PAGE_SIZE):
        yield from page
        after = page[-1].event_id


def _shown(line: AuditLine) -> dict[str, object]:
    return {**asdict(line), "fields": [field.values() for field in line.fields]}


def _text(line: AuditLine) -> str:
    """Return a line as people read it."""
    fields = [
        _field_text(field, line.kind)
        for field in line.fields
        if field.before != field.after or field.losing is not None
    ]
    record = line.record_id or line.opportunity_id or line.deal_id or line.contact_id or ""
    what = " ".join(word for word in (line.operation, line.object, record) if word)
    told = ", ".join(fields) or line.reason
    # A write's reason is its fields once more; of what became of it, the CRM's word, or ours.
    if line.kind not in (LineKind.DECIDED, LineKind.DELIVERED) and fields and line.reason:
        told = f"{line.reason}: {told}"
    doubt = " (time could not tell who won)" if line.ambiguous else ""
    # Of what a person had read, the fact's author is the record's last one, and asked for nothing.
    asked = line.kind is LineKind.OBSERVED and line.rule in (RuleId.IMPORT, RuleId.SYNC_NOW)
    by = f", by {line.cause.by}" if line.cause.by and not asked else ""
    text = ": ".join(part for part in (line.rule, what, told) if part)
    return f"{instant(line.at)}  {line.kind:<11}  {text}{doubt}{by}"


def _field_text(field: AuditField, kind: LineKind) -> str:
    losing = field.losing is not None and kind is LineKind.OBSERVED
    if field.field.startswith(STATUS_PROPERTIES) or kind is LineKind.HELD or losing:
        # What stood there before is not known, or not what the line is about.
        return f"{field.field} = {field_text(field.field, field.after)}"
    before, after = (field_text(field.field, value) for value in (field.before, field.after))
    lost = f" ({field_text(field.field, field.losing)} lost)" if field.losing is not None else ""
    return f"{field.field} {before} → {after}{lost}"
