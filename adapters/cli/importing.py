"""`import …` and `sync`: have records read now because a person says so, and count what came of it.

The ids are chosen first, then each is wished to be read, then the request itself is appended. Every
fact of these readings cites the request, every event cites its fact: so the outcome of each record
is told by the events, and an import that is repeated or broken off does no harm.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from adapters.bootstrap import choosing
from adapters.bootstrap.present import Present
from adapters.cli import import_counts, naming, reaching, requesting
from adapters.cli.alone import answering
from adapters.cli.import_counts import Counts
from adapters.cli.import_watch import Watch
from adapters.cli.output import CommandFailure, ExitCode, JsonFlag, Output
from adapters.cli.session import Session, open_session
from adapters.salesforce.errors import ReadRefusedError
from domain import facts
from domain.ids import CATALOG_STREAM, Crm, FactId, Kind, Ref
from domain.issues import DELETES_HELD
from domain.ports import KeyedFact, Refresh, Topic

#: an import may take this long
SECONDS_MAX: Final = 3_600.0
#: wishes added in one transaction
WISHES_MAX: Final = 5_000
#: what an import needs of the engine
ROLES_NEEDED: Final = ("ingest", "decide", "project")

app = typer.Typer(help="Bring existing records into the sync.", no_args_is_help=True)
sync_app = typer.Typer()

Ids = Annotated[
    list[str] | None, typer.Option("--ids", metavar="ID,…", help="These; may be given repeatedly.")
]
Where = Annotated[
    str | None, typer.Option(metavar="SOQL", help="Those that a SOQL condition chooses.")
]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


@app.command()
def opportunities(
    *,
    ids: Ids = None,
    where: Where = None,
    everything: All = False,
    fields: Annotated[
        str | None,
        typer.Option(metavar="FIELD,…", help="Take these fields over, though they did not change."),
    ] = None,
    include_detached: Annotated[
        bool, typer.Option("--include-detached", help="Revive detached pairs too.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Import opportunities: new ones get a deal, live pairs are reconciled."""
    output = Output(as_json=json)
    selection = _Selection(Kind.OPPORTUNITY, ids, where, everything=everything)
    with open_session() as session:
        _check_fuse(session)
        named = _our_names(session, fields)
        word = "import_named" if ids or include_detached else "import"
        reason = f"{word}:{','.join(named)}" if named else word
        refs = selection.chosen(session)
        counts, request = _import(session, output, refs, reason, selection)
        is_on = _is_on(session, Kind.OPPORTUNITY)
    _show(output, selection, counts, request, len(refs))
    _end(output, counts, selection, is_on=is_on)


@app.command()
def accounts(
    *, ids: Ids = None, where: Where = None, everything: All = False, json: JsonFlag = False
) -> None:
    """Import accounts: each is linked to its company, or gets one. Needs company sync."""
    output = Output(as_json=json)
    selection = _Selection(Kind.ACCOUNT, ids, where, everything=everything)
    with open_session() as session:
        refs = selection.chosen(session)
        counts, request = _import(session, output, refs, "import", selection)
        is_on = _is_on(session, Kind.ACCOUNT)
    _show(output, selection, counts, request, len(refs))
    _end(output, counts, selection, is_on=is_on)


@sync_app.command()
def sync(
    *,
    record: Annotated[str, typer.Argument(metavar="ID", help="006…, or a deal's number.")],
    json: JsonFlag = False,
) -> None:
    """Sync one record now, by the same rules."""
    output = Output(as_json=json)
    ref = naming.record_of(record)
    if ref.kind not in (Kind.OPPORTUNITY, Kind.DEAL):
        raise CommandFailure(
            "no_pair",
            f"expected an opportunity (006…) or a deal (digits), found {record!r}",
            exit_code=ExitCode.WRONG_INPUT,
        )
    selection = _Selection(ref.kind, [ref.id], None, everything=False)
    with open_session() as session:
        counts, request = _import(session, output, (ref,), "sync_now", selection)
        is_on = _is_on(session, ref.kind)
    _show(output, selection, counts, request, 1)
    _end(output, counts, selection, is_on=is_on)
    if counts.skipped:
        raise typer.Exit(ExitCode.FINDINGS)


class _Selection:
    """Which records are meant.

    Raises:
        CommandFailure: not exactly one way of choosing was given, or an id is none.
    """

    def __init__(
        self, kind: Kind, ids: list[str] | None, where: str | None, *, everything: bool
    ) -> None:
        self.kind = kind
        self.where = where
        self.named = tuple(
            dict.fromkeys(
                self._named(part.strip())
                for text in ids or ()
                for part in text.split(",")
                if part.strip()
            )
        )
        if (bool(self.named) + (where is not None) + everything) != 1:
            raise CommandFailure(
                "usage",
                "expected one of --ids, --where and --all",
                exit_code=ExitCode.WRONG_INPUT,
            )

    @property
    def words(self) -> str:
        """Return what was chosen, in words."""
        if self.named:
            return f"by id: {', '.join(ref.id for ref in self.named[:5])}"
        return "all" if self.where is None else f"where {self.where}"

    def chosen(self, session: Session) -> tuple[Ref, ...]:
        """Return the records; Salesforce is asked unless they are named.

        Raises:
            CommandFailure: Salesforce does not take the condition.
        """
        if self.named:
            return self.named
        try:
            found = choosing.ids_where(
                reaching.accounts_of(session), self.kind, self.where or "", session.clock.now()
            )
        except ReadRefusedError as error:
            raise CommandFailure(
                "bad_condition",
                str(error),
                hint='a condition stands behind WHERE: --where "Amount > 1000"',
                exit_code=ExitCode.WRONG_INPUT,
            ) from error
        return tuple(Ref(Crm.SALESFORCE, self.kind, record_id) for record_id in found)

    def _named(self, text: str) -> Ref:
        ref = naming.record_of(text)
        if ref.kind is not self.kind:
            raise CommandFailure(
                "no_id",
                f"expected ids of {self.kind} records, found {text!r}",
                exit_code=ExitCode.WRONG_INPUT,
            )
        return ref


def _import(
    session: Session, output: Output, refs: Sequence[Ref], reason: str, selection: _Selection
) -> tuple[Counts, FactId]:
    """Wish the records to be read, append the request, and wait until each was decided."""
    at = session.clock.now()
    request = requesting.request_id(session, reason, selection.words)
    fact = facts.ImportRequested(
        id=request,
        at=at,
        by=requesting.operator(),
        kind=selection.kind,
        selection=f"{reason}, {selection.words}",
        count=len(refs),
    )
    watch = Watch(session, request, selection.kind)
    with answering(
        session,
        "dealsync import",
        ROLES_NEEDED,
        lambda: reaching.accounts_of(session),
        seconds_max=SECONDS_MAX,
    ) as go_on:
        _wish(session, refs, reason, request, at)
        session.stores.log.append([KeyedFact(Topic.REQUESTS, CATALOG_STREAM, fact)])
        with _progress(output) as progress:
            task = progress.add_task("importing", total=len(refs))
            while not watch.look():
                progress.update(task, completed=watch.decided)
                go_on()
            progress.update(task, completed=len(refs), description="waiting for the CRMs' answers")
            while not watch.creates_settled():
                go_on()
    outcomes = watch.outcomes()
    found = (outcomes.get(ref.id, import_counts.NOT_FOUND) for ref in refs)
    return import_counts.counted(found), request


def _wish(
    session: Session, refs: Sequence[Ref], reason: str, request: FactId, at: datetime
) -> None:
    for start in range(0, len(refs), WISHES_MAX):
        session.stores.refreshes.add(
            [
                Refresh(ref.crm, ref.kind, ref.id, reason, request, at)
                for ref in refs[start : start + WISHES_MAX]
            ]
        )


def _progress(output: Output) -> Progress:
    """Return a bar that shows where a person looks."""
    errors = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=errors,
        transient=True,
        disable=output.as_json or not errors.is_terminal,
    )


def _our_names(session: Session, fields: str | None) -> tuple[str, ...]:
    """Return our names of the fields to take over."""
    policy = Present(session.stores).policy()
    names: list[str] = []
    for text in (part.strip() for part in (fields or "").split(",")):
        mapping = policy.mapping(text) if text else None
        if mapping is not None:
            names.append(mapping.name)
        elif text:
            known = ", ".join(mapping.name for mapping in policy.mappings)
            raise CommandFailure(
                "unknown_field",
                f"expected mapped fields ({known}), found {text!r}",
                exit_code=ExitCode.WRONG_INPUT,
            )
    return tuple(names)


def _check_fuse(session: Session) -> None:
    fuse = session.stores.brakes.fuse()
    if fuse.blown_at is not None:
        raise CommandFailure(
            "fuse_blown",
            f"expected a whole delete fuse, found it blown: {fuse.held} deletes are held"
            f" ({DELETES_HELD.code})",
            hint="`dealsync writes release` lets them go, `dealsync writes cancel --held` gives"
            " them up",
            exit_code=ExitCode.FUSE_BLOWN,
            retryable=True,
        )


def _is_on(session: Session, kind: Kind) -> bool:
    adopted = Present(session.stores).moment().adopted
    switches = adopted.policy.switches
    wanted = switches.company_sync if kind is Kind.ACCOUNT else switches.deal_sync
    return adopted.policy_version > 0 and wanted


def _show(
    output: Output, selection: _Selection, counts: Counts, request: FactId, count: int
) -> None:
    values: dict[str, object] = {
        "kind": selection.kind,
        "selection": selection.words,
        "request": request,
        "count": count,
        **_all_words(selection.kind, counts),
        "skipped": dict(counts.skipped),
        "refused": dict(counts.refused),
    }

    def print_all(console: Console) -> None:
        told = [f"{n} {word.replace('_', ' ')}" for word, n in counts.by_outcome.items()]
        told += [f"{n} skipped ({reason})" for reason, n in counts.skipped.items()]
        told += [f"{n} refused ({reason})" for reason, n in counts.refused.items()]
        console.print(f"{count} {selection.kind}: {', '.join(told) or 'none'}", markup=False)

    output.show("import", values, print_all)


def _all_words(kind: Kind, counts: Counts) -> dict[str, int]:
    """Return every count that such an import has, zeros included."""
    words = (
        (import_counts.LINKED, import_counts.CREATED, import_counts.AMBIGUOUS)
        if kind is Kind.ACCOUNT
        else (
            import_counts.CREATED,
            import_counts.ADOPTED,
            import_counts.RECONCILED,
            import_counts.RESUMED,
            import_counts.WAITING,
        )
    )
    always = (*words, import_counts.NOT_FOUND, import_counts.PARKED, import_counts.OFF)
    return {word: counts.of(word) for word in always}


def _end(output: Output, counts: Counts, selection: _Selection, *, is_on: bool) -> None:
    """End with the exit code that fits what came of it."""
    if not is_on:
        switch = "company_sync" if selection.kind is Kind.ACCOUNT else "deal_sync"
        output.hint(
            f"{switch} is off: nothing was created, and the import is spent; set {switch} = true,"
            " adopt the policy, and import again"
        )
        raise typer.Exit(ExitCode.FINDINGS)
    missing = counts.of(import_counts.NOT_FOUND)
    if missing and missing == len(selection.named):
        output.hint("Salesforce or HubSpot has no such record")
        raise typer.Exit(ExitCode.FAILED)
    unsettled = counts.of(import_counts.PARKED) + counts.of(import_counts.AMBIGUOUS)
    if counts.of(import_counts.WAITING):
        output.hint("`dealsync why ID` says what a record waits for; it goes on by itself")
    if missing or unsettled or counts.refused:
        output.hint("`dealsync issues list` and `dealsync parked list` say what waits")
        raise typer.Exit(ExitCode.FINDINGS)
