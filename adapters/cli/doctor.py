"""`doctor`: signs in to both CRMs, reads what they let us do, and says what to mend."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Final

import typer
from rich.console import Console
from rich.markup import escape

from adapters.bootstrap import requests
from adapters.bootstrap.crms import Crms, open_crms
from adapters.bootstrap.present import Moment, Present
from adapters.cli import checkup, reaching, run_file
from adapters.cli.checkup import Check, Status
from adapters.cli.output import CommandFailure, ExitCode, JsonFlag, Output
from adapters.cli.session import Session, engine_holders, open_session
from adapters.cli.waiting import publication_of, troubles_of
from adapters.postgres.calls_today import calls_today
from adapters.settings import SettingsError
from domain import issues
from domain.catalog import Catalog
from domain.errors import PortError, UnauthenticatedError
from domain.facts import HubSpotCatalogObserved, SalesforceCatalogObserved
from domain.ids import Crm, Kind
from domain.policy import Budgets
from domain.ports import Refresh

_MARKS: Final = {Status.OK: "✓", Status.WARNING: "!", Status.PROBLEM: "✗"}
_STYLES: Final = {Status.OK: "green", Status.WARNING: "yellow", Status.PROBLEM: "red"}
_COUNT_MAX: Final = 10_000

app = typer.Typer()


@app.command()
def doctor(*, json: JsonFlag = False) -> None:
    """Check both accounts, the policy and the engine, and say what to mend."""
    output = Output(as_json=json)
    with open_session() as session:
        moment = Present(session.stores).moment()
        checks = [*_engine(session), *checkup.of_policy(moment)]
        refused = _accounts(session, moment, checks)
    counts = {status: sum(c.status is status for c in checks) for status in Status}
    values = {
        "checks": [asdict(check) for check in checks],
        "ok": counts[Status.OK],
        "warnings": counts[Status.WARNING],
        "problems": counts[Status.PROBLEM],
    }
    output.show("doctor", values, lambda console: _print(console, checks, counts))
    if refused:
        raise typer.Exit(ExitCode.NOT_PERMITTED)
    if counts[Status.PROBLEM]:
        raise typer.Exit(ExitCode.FINDINGS)


def _engine(session: Session) -> Iterator[Check]:
    holders = engine_holders(session.home)
    fuse = session.stores.brakes.fuse()
    yield from checkup.of_engine(
        [role for role, holder in holders.items() if holder is None],
        troubles_of(session, session.clock.now()),
        held_deletes=None if fuse.blown_at is None else fuse.held,
        parked=len(session.stores.views.parked(limit=_COUNT_MAX)),
    )
    publication = publication_of(session)
    if publication is not None:
        yield checkup.of_publication(publication, session.clock.now())


def _accounts(session: Session, moment: Moment, checks: list[Check]) -> bool:
    """Add what both accounts show; True: one of them does not let us in."""
    try:
        where = reaching.accounts_of(session)
    except (CommandFailure, SettingsError) as error:
        fix = "set DEALSYNC_SALESFORCE_… and DEALSYNC_HUBSPOT_…, or start `dealsync up`"
        checks.append(Check("accounts", Status.PROBLEM, str(error), fix))
        return False
    policy = moment.adopted.policy
    with open_crms(where, session.stores.bookmarks, lambda: policy) as crms:
        catalog, refused = _read(session, crms, checks)
        at = session.clock.now()
        if catalog.salesforce is not None:
            checks += checkup.of_salesforce(catalog.salesforce, policy, catalog)
        if catalog.hubspot is not None:
            checks += checkup.of_hubspot(catalog.hubspot, policy, catalog)
        checks += checkup.of_pipelines(moment, requests.not_ready(moment))
        checks.append(
            checkup.of_webhooks(
                run_file.read(session.home).get("webhook_url"),
                has_secret=bool(where.webhook_secrets),
            )
        )
        held = session.stores.views.issues(code=issues.OTHER_CONNECTOR.code, limit=_COUNT_MAX)
        checks.append(checkup.of_other_connector(len(held)))
        for crm, calls in sorted(calls_today(session.stores.database, at).items()):
            allowed = int(crms.limits[crm].daily_calls * _share(policy.budgets, crm))
            checks.append(checkup.of_budget(crm, calls, allowed))
    return refused


def _read(session: Session, crms: Crms, checks: list[Check]) -> tuple[Catalog, bool]:
    """Read both CRMs' definitions now; nothing is recorded."""
    catalog, refused = Catalog(), False
    for source in crms.sources:
        at = session.clock.now()
        wish = Refresh(source.crm, Kind.CATALOG, "", "doctor", "", at)
        try:
            read = source.read([wish], at)
        except UnauthenticatedError as error:
            refused = True
            fix = "correct the sign-in, or grant what is named"
            checks.append(Check(source.crm.value, Status.PROBLEM, f"refused: {error}", fix))
            continue
        except PortError as error:
            fix = "check that it is up, and its address"
            checks.append(Check(source.crm.value, Status.PROBLEM, str(error), fix))
            continue
        for fact in read:
            match fact:
                case SalesforceCatalogObserved():
                    catalog = replace(catalog, salesforce=fact)
                case HubSpotCatalogObserved():
                    catalog = replace(catalog, hubspot=fact)
                case _:
                    pass
    return catalog, refused


def _share(budgets: Budgets, crm: Crm) -> float:
    shares = {
        Crm.SALESFORCE: budgets.salesforce_daily_share,
        Crm.HUBSPOT: budgets.hubspot_daily_share,
    }
    return float(shares[crm])


def _print(console: Console, checks: list[Check], counts: dict[Status, int]) -> None:
    area = ""
    for check in sorted(checks, key=lambda c: c.area):
        name = check.area if check.area != area else ""
        area = check.area
        style = _STYLES[check.status]
        mark = _MARKS[check.status]
        console.print(f"{name:<11} [{style}]{mark}[/{style}] {escape(check.text)}")
        if check.fix:
            console.print(f"{'':<13} fix: {escape(check.fix)}")
    console.print(
        f"{counts[Status.OK]} ok, {counts[Status.WARNING]} warnings,"
        f" {counts[Status.PROBLEM]} problems"
    )
