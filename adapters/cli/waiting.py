"""`wait` and `status`: what still moves, what waits for a person, who runs where."""

import time
from datetime import datetime, timedelta
from typing import Annotated, Final

import typer
from rich.console import Console

from adapters.bootstrap import quiet
from adapters.bootstrap.ingesting import trouble_bookmark
from adapters.bootstrap.loops import LOG_TROUBLE
from adapters.bootstrap.present import Present
from adapters.bootstrap.quiet import Look
from adapters.cli import run_file
from adapters.cli.output import CommandFailure, JsonFlag, Output
from adapters.cli.session import (
    Session,
    engine_holders,
    is_home,
    load_settings,
    no_home,
    open_session,
)
from adapters.postgres.publication import PostgresPublication
from adapters.source import is_pass_wanted, want_full_pass
from domain.ids import Crm
from domain.issues import DELETES_HELD
from projections.publishing import PublicationState

LOOK_SECONDS: Final = 0.1
#: how long a poll or a webhook may take to show a write, before one more full pass is asked for
UNSEEN_SECONDS: Final = 1.5
TIMEOUT_SECONDS: Final = 60.0
TIMEOUT_SECONDS_MAX: Final = 86_400.0

app = typer.Typer()


@app.command()
def wait(
    *,
    until_quiet: Annotated[
        bool,
        typer.Option("--until-quiet", help="Until nothing moves any more; there is nothing else."),
    ] = True,
    timeout: Annotated[
        float, typer.Option(min=0, max=TIMEOUT_SECONDS_MAX, help="Give up after so many seconds.")
    ] = TIMEOUT_SECONDS,
    json: JsonFlag = False,
) -> None:
    """Wait until both CRMs were read once more and nothing moves."""
    del until_quiet  # it is said for whoever reads the command
    output = Output(as_json=json)
    _needs_engine()
    with open_session() as session:
        begun_at = session.clock.now()
        want_full_pass(session.stores.bookmarks, begun_at)
        found = _until_quiet(session, begun_at, timeout)
        seconds = f"{(session.clock.now() - begun_at).total_seconds():.1f}"
    output.show(
        "wait",
        {"quiet": True, "seconds": seconds, "waiting": dict(found.waiting)},
        lambda console: console.print(
            f"quiet after {seconds} s; {_waiting_words(found)}", markup=False
        ),
    )


@app.command()
def status(*, json: JsonFlag = False) -> None:
    """Say who runs, what moves and what waits."""
    with open_session() as session:
        at = session.clock.now()
        present = Present(session.stores)
        moment = present.moment()
        found = quiet.look(session.stores, present, at=at, sandbox_url=_sandbox_url(session))
        holders = engine_holders(session.home)
        addresses = run_file.read(session.home) if holders["ingest"] is not None else {}
        values: dict[str, object] = {
            "home": str(session.home),
            "running": all(holders.values()),
            "loops": {role: None if h is None else str(h) for role, h in holders.items()},
            "salesforce_url": addresses.get("salesforce_url"),
            "hubspot_url": addresses.get("hubspot_url"),
            "webhook_url": addresses.get("webhook_url"),
            "policy_version": moment.adopted.policy_version,
            "moving": dict(found.moving),
            "waiting": dict(found.waiting),
            "troubles": troubles_of(session, at),
            "fuse_blown_at": session.stores.brakes.fuse().blown_at,
            "last_event_id": session.stores.decisions.last_event_id(),
            "publication": _publication(session),
        }
    Output(as_json=json).show("status", values, lambda console: _print_status(console, values))


def _until_quiet(session: Session, begun_at: datetime, seconds: float) -> Look:
    """Look until two looks in a row find nothing that moves and the same moment.

    Raises:
        CommandFailure: the time is over, or the engine ended.
    """
    present = Present(session.stores)
    sandbox_url = _sandbox_url(session)
    deadline = begun_at + timedelta(seconds=seconds)
    before: Look | None = None
    unseen_since = begun_at
    while True:
        at = session.clock.now()
        if before is None or set(before.moving) != {quiet.UNSEEN}:
            unseen_since = at
        elif at - unseen_since > timedelta(seconds=UNSEEN_SECONDS):
            _pass_again(session, at)
        found = quiet.look(
            session.stores, present, at=at, passes_since=begun_at, sandbox_url=sandbox_url
        )
        if found.is_quiet and before is not None and before.is_quiet and before.mark == found.mark:
            return found
        before = found
        if at >= deadline:
            moving = ", ".join(f"{count} {name}" for name, count in found.moving.items())
            raise CommandFailure(
                "timeout",
                f"expected quiet within {seconds:g} s, found still moving:"
                f" {moving or 'something in the last moment'}",
                hint="`dealsync status` shows what moves; give it more time with --timeout",
                retryable=True,
            )
        _needs_engine()
        time.sleep(LOOK_SECONDS)  # noqa: TID251 - the engine works meanwhile


def _pass_again(session: Session, at: datetime) -> None:
    """Ask for one more pass, once the last one asked for is complete."""
    bookmarks = session.stores.bookmarks
    if not any(is_pass_wanted(bookmarks, crm) for crm in Crm):
        want_full_pass(bookmarks, at)


def _needs_engine() -> None:
    """Check that all four loops run on the home.

    Raises:
        CommandFailure: some do not.
    """
    settings = load_settings()
    if not is_home(settings):
        raise no_home(settings)
    missing = [role for role, holder in engine_holders(settings.home).items() if holder is None]
    if missing:
        raise CommandFailure(
            "no_engine",
            f"{settings.home}: expected a running engine, found nobody who runs"
            f" {', '.join(missing)}",
            hint="start it with `dealsync up` or `dealsync run`",
        )


def _sandbox_url(session: Session) -> str | None:
    """Return the address of the HubSpot sandbox that `up` serves, or None."""
    address = run_file.read(session.home).get("hubspot_url")
    return address if address is not None and address.startswith("http://") else None


def troubles_of(session: Session, at: datetime) -> dict[str, object]:
    """Return why a CRM is not read or not written to, by CRM; empty: all is well."""
    found: dict[str, object] = {}
    for crm in Crm:
        text = session.stores.bookmarks.read(trouble_bookmark(crm))
        if text:
            found[f"{crm}.read"] = text
    lost = session.stores.bookmarks.read(LOG_TROUBLE)
    if lost:
        found["log"] = lost
    for suspension in session.stores.brakes.suspensions(at):
        found[f"{suspension.crm}.write"] = suspension.reason
    return found


def publication_of(session: Session) -> PublicationState | None:
    """Return how far decided events are published; None: they are not, facts are in PostgreSQL."""
    if session.stores.logs.kafka is None:
        return None
    return PostgresPublication(session.stores.database).state()


def _publication(session: Session) -> dict[str, object] | None:
    state = publication_of(session)
    if state is None:
        return None
    return {
        "published_to": state.position,
        "not_published": state.lag,
        "oldest_decided_at": state.oldest_at,
    }


def _print_status(console: Console, values: dict[str, object]) -> None:
    console.print(f"home      {values['home']}", markup=False)
    loops = values["loops"]
    assert isinstance(loops, dict), "loops are a mapping"
    held = [f"{role}: {who}" for role, who in loops.items() if who is not None]
    if values["running"]:
        console.print(f"engine    running: {next(iter(loops.values()))}", markup=False)
    else:
        console.print(f"engine    {'; '.join(held) or 'not running'}", markup=False)
    console.print(f"policy    version {values['policy_version']}", markup=False)
    for heading, name in (("moving", "moving"), ("waiting", "waiting"), ("trouble", "troubles")):
        words = values[name]
        assert isinstance(words, dict), f"{name} is a mapping"
        text = ", ".join(f"{what} {count}" for what, count in words.items() if count)
        console.print(f"{heading:<9} {text or 'nothing'}", markup=False)
    publication = values["publication"]
    if isinstance(publication, dict):
        behind = publication["not_published"]
        console.print(f"published {'all' if not behind else f'all but {behind}'}", markup=False)
    if values["fuse_blown_at"] is not None:
        console.print(f"fuse      blown: {DELETES_HELD.code}, {DELETES_HELD.fix}", markup=False)


def _waiting_words(found: Look) -> str:
    words = [f"{count} {name.replace('_', ' ')}" for name, count in found.waiting.items() if count]
    return "nothing waits for a person" if not words else f"waiting: {', '.join(words)}"
