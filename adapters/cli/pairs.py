"""`pairs …`: opportunities and their deals, now and earlier, and what a person can do about one."""

from dataclasses import asdict
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters.bootstrap.present import Present
from adapters.cli import earlier, naming, requesting, stories
from adapters.cli.earlier import Earlier, Settled
from adapters.cli.output import (
    CommandFailure,
    ExitCode,
    JsonFlag,
    Output,
    instant,
    print_table,
)
from adapters.cli.session import Session, open_session
from adapters.cli.wording import agreed_text, field_text
from domain import facts
from domain.canonical import FieldType, NotCanonicalError, Value
from domain.catalog import Catalog
from domain.ids import POLICY_STREAM, Crm, Kind
from domain.mapping import OWNER, REQUIRED, Mapping
from domain.pair import Pair, PairState
from domain.rules import stages, values
from projections.reading import PairRow

LIMIT: Final = 100
LIMIT_MAX: Final = 100_000

app = typer.Typer(help="Opportunities and their deals.", no_args_is_help=True)

PairArgument = Annotated[
    str, typer.Argument(metavar="ID", help="An opportunity (006…) or a deal (digits).")
]


@app.command("list")
def list_pairs(
    *,
    state: Annotated[PairState | None, typer.Option(help="Only pairs in this state.")] = None,
    issues: Annotated[bool, typer.Option("--issues", help="Only pairs with open issues.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="At most so many.")] = LIMIT,
    json: JsonFlag = False,
) -> None:
    """List pairs."""
    with open_session() as session:
        rows = session.stores.views.pairs(
            state=None if state is None else state.value, with_issues=issues, limit=limit
        )
    output = Output(as_json=json)
    if output.as_json:
        output.line({"schema": "dealsync.pair/1", "items": [asdict(row) for row in rows]})
        return
    for row in rows:
        output.text(_row_text(row))
    if not rows:
        output.text("no pairs: nothing was read yet, or nothing is in that state")
    elif len(rows) == limit:
        output.hint(f"the first {limit}; --limit shows more")


@app.command()
def show(
    *,
    pair: PairArgument,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="As it was then: ISO 8601, or 15m, 2h, 3d ago."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Show what both CRMs and the link are, or were at a moment."""
    with open_session() as session:
        when = None if at is None else naming.instant_of(at, session.clock.now())
        named = naming.resolve_pair(session.stores, pair)
        history = stories.history_of(session.stores, named.stream)
        adopted = earlier.policy_at(
            Present(session.stores).moment(),
            stories.history_of(session.stores, POLICY_STREAM),
            when,
        )
    history = history if when is None else earlier.up_to(history, when)
    state = stories.folded(history)
    if not isinstance(state, Pair):
        raise CommandFailure("not_found", f"{pair}: nothing was known of it at {at or 'any time'}")
    settled = earlier.settled(history)
    told = {
        "pair_id": named.stream,
        "at": when,
        "policy_version": adopted.policy_version,
        **earlier.described(state, adopted.policy, settled),
    }
    Output(as_json=json).show("pair", told, lambda console: _print(console, state, told, settled))


@app.command()
def resume(*, pair: PairArgument, json: JsonFlag = False) -> None:
    """Take a stopped or detached pair up again: attach what lives, create what is missing."""
    _request(pair, "resume", json=json)


@app.command()
def unlink(*, pair: PairArgument, json: JsonFlag = False) -> None:
    """Take a pair apart: both records stay, nothing crosses any more."""
    _request(pair, "unlink", json=json)


@app.command()
def link(
    *,
    opportunity: Annotated[str, typer.Argument(metavar="OPPORTUNITY", help="006…")],
    deal: Annotated[str, typer.Argument(metavar="DEAL", help="A deal's number.")],
    json: JsonFlag = False,
) -> None:
    """Make an opportunity and a deal one pair."""
    output = Output(as_json=json)
    records = (naming.record_of(opportunity), naming.record_of(deal))
    if [record.kind for record in records] != [Kind.OPPORTUNITY, Kind.DEAL]:
        raise CommandFailure(
            "no_id",
            f"expected an opportunity (006…) and a deal (digits), found {opportunity} and {deal}",
            exit_code=ExitCode.WRONG_INPUT,
        )
    with open_session() as session:
        named = naming.resolve(session.stores, opportunity)
        naming.resolve(session.stores, deal)
        fact = facts.LinkRequested(
            id=requesting.request_id(session, "link", records[0].id, records[1].id),
            at=session.clock.now(),
            by=requesting.operator(),
            opportunity_id=records[0].id,
            deal_id=records[1].id,
        )
        answer = requesting.ask(session, "dealsync pairs link", named.stream, fact).check()
    requesting.show(output, "link", opportunity, answer)


@app.command()
def restore(
    *,
    pair: PairArgument,
    field: Annotated[str, typer.Argument(metavar="FIELD", help="Our name, or either CRM's.")],
    value: Annotated[
        str | None,
        typer.Option(help="This value, in Salesforce's terms (a stage by its name); '' for blank."),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="The value that was agreed then.")
    ] = None,
    choices: Annotated[
        bool, typer.Option("--list", help="Only list the values that it had.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Give a field an earlier value on both sides: without a choice, the one that last lost."""
    output = Output(as_json=json)
    if value is not None and at is not None:
        raise CommandFailure(
            "usage", "expected --value or --at, found both", exit_code=ExitCode.WRONG_INPUT
        )
    with open_session() as session:
        named = naming.resolve_pair(session.stores, pair)
        mapping = _mapping(session, field)
        history = stories.history_of(session.stores, named.stream)
        now = session.clock.now()
        context = earlier.context_of(Present(session.stores).moment(), now)
        found = earlier.values_of(mapping, history, context)
        if choices:
            _list_values(output, found)
            return
        if value is not None:
            wanted: Value = _checked(mapping, value, stories.folded(history), session)
        elif at is not None:
            then = stories.folded(earlier.up_to(history, naming.instant_of(at, now)))
            wanted = _agreed(then, mapping, pair, at)
        else:
            wanted = _lost(found, pair, mapping)
        answer = requesting.ask_pair(
            session, named.stream, "restore", field=mapping.name, value=wanted
        ).check()
        state = stories.folded(stories.history_of(session.stores, named.stream))
    requesting.show(output, "restore", pair, answer)
    if isinstance(state, Pair) and state.state is not PairState.LIVE:
        output.hint(f"the pair is {state.state}: it is written once the pair syncs again")


def _row_text(row: PairRow) -> str:
    """Return a pair as people read it."""
    amount = "" if row.amount is None else f"  {row.amount}"
    close_date = "" if row.close_date is None else f"  {row.close_date}"
    counts = (
        ("issues", row.issues),
        ("held fields", row.held),
        ("parked facts", row.parked),
        ("waits", len(row.waiting_for)),
    )
    more = "".join(f"  {count} {word}" for word, count in counts if count)
    return (
        f"{row.opportunity_id or '-':<18}  {row.deal_id or '-':<12}  {row.state:<8}"
        f"  {row.name or '-'}{amount}{close_date}{more}"
    )


def _request(pair: str, action: str, *, json: bool) -> None:
    output = Output(as_json=json)
    with open_session() as session:
        named = naming.resolve_pair(session.stores, pair)
        answer = requesting.ask_pair(session, named.stream, action).check()
    requesting.show(output, action, pair, answer)


def _mapping(session: Session, field: str) -> Mapping:
    policy = Present(session.stores).policy()
    mapping = policy.mapping(field)
    if mapping is None:
        names = ", ".join(mapping.name for mapping in policy.mappings)
        raise CommandFailure(
            "unknown_field",
            f"expected one of {names}, found {field!r}",
            exit_code=ExitCode.WRONG_INPUT,
        )
    return mapping


def _checked(mapping: Mapping, value: str, state: object, session: Session) -> Value:
    moment = Present(session.stores).moment()
    if mapping.type is FieldType.STAGE and isinstance(state, Pair):
        value = _stage(value, state, moment.catalog)
    if not value and mapping.name in (*REQUIRED, OWNER):
        raise CommandFailure(
            "no_value",
            f"expected a value, found '': {mapping.salesforce} cannot be blank in Salesforce",
            exit_code=ExitCode.WRONG_INPUT,
        )
    try:
        return values.read(mapping, value, earlier.context_of(moment, session.clock.now()))
    except NotCanonicalError as error:
        raise CommandFailure("no_value", str(error), exit_code=ExitCode.WRONG_INPUT) from error


def _stage(value: str, pair: Pair, catalog: Catalog) -> str:
    """Return a stage with its record type, as a request names it."""
    record_type_id = stages.scope(value) if stages.bare(value) else (pair.record_type_id or "")
    name = stages.bare(value) or value
    record_type = catalog.record_type(record_type_id)
    if record_type is not None and name not in record_type.stage_names:
        raise CommandFailure(
            "no_value",
            f"expected a stage of record type {record_type_id}"
            f" ({', '.join(record_type.stage_names)}), found {value!r}",
            exit_code=ExitCode.WRONG_INPUT,
        )
    return stages.joined(record_type_id, name) or ""


def _agreed(then: object, mapping: Mapping, pair: str, at: str) -> Value:
    if not isinstance(then, Pair) or not then.field(mapping.name).salesforce.seen:
        raise CommandFailure("not_found", f"{pair}: {mapping.name} was not known at {at}")
    state = then.field(mapping.name)
    return state.base.salesforce if state.base is not None else state.salesforce.known


def _lost(found: tuple[Earlier, ...], pair: str, mapping: Mapping) -> Value:
    latest = earlier.lost(found)
    if latest is None:
        raise CommandFailure(
            "not_found",
            f"{pair}: no value of {mapping.name} lost; choose one with --value or --at",
            hint=f"`dealsync pairs restore {pair} {mapping.name} --list` lists what it had",
        )
    if not latest.can_be_restored:
        raise CommandFailure(
            "no_counterpart",
            f"{pair}: the value that lost, {latest.value!r} of {latest.side}, has no counterpart in"
            " Salesforce",
            hint="add it to the field's table of values in the policy, or choose with --value",
        )
    return latest.salesforce


def _list_values(output: Output, found: tuple[Earlier, ...]) -> None:
    output.rows(
        "earlier_value",
        [asdict(one) for one in found],
        {
            "at": "set at",
            "side": "in",
            "how": "",
            "value": "value",
            "salesforce": "in Salesforce's terms",
            "by": "by",
        },
        empty="the field was never seen",
    )


def _print(
    console: Console, pair: Pair, told: dict[str, object], settled: dict[str, Settled]
) -> None:
    name = pair.summary.name if pair.summary is not None else None
    console.print(escape(f"{name or 'no name'}  {pair.state}"), style="bold")
    for side in Crm:
        record = pair.side(side)
        former = [i for i, lives in record.ids.items() if not lives]
        more = f"  (former: {', '.join(former)})" if former else ""
        read = "" if record.read_at is None else f"  read {instant(record.read_at)}"
        console.print(escape(f"{side:<10} {record.current or 'none'}{read}{more}"))
    console.print(f"policy     version {told['policy_version']}")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("field", "Salesforce", "HubSpot", "agreed", "since", "held"):
        table.add_column(heading, overflow="fold")
    for field, state in pair.fields.items():
        held = ", ".join(f"{h.code} ({side})" for side, h in state.held.items())
        known = settled.get(field)
        agreed, since = ("", "")
        if state.base is not None and known is not None:
            agreed, since = agreed_text(known.event), instant(known.at)
        table.add_row(
            escape(field),
            escape(field_text(field, state.salesforce.known)),
            escape(field_text(field, state.hubspot.known)),
            escape(agreed),
            since,
            escape(held),
        )
    print_table(console, table)
    for (code, subject), text in sorted(pair.issues.items()):
        console.print(escape(f"! {code} {subject}: {text}"))
    if pair.waiting:
        console.print(escape(f"waits for {', '.join(pair.waiting)}"))
