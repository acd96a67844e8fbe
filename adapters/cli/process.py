"""Commands that serve until stopped: `up`, `sandbox`, `run`; and `reset`, `version`."""

import importlib.metadata
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from adapters import telemetry
from adapters.bootstrap import accounts
from adapters.bootstrap.accounts import Accounts
from adapters.bootstrap.change_logs import LogName
from adapters.bootstrap.engine import Engine, running_engine
from adapters.bootstrap.garbage import collect_rarely
from adapters.bootstrap.present import Present
from adapters.bootstrap.stores import Stores, open_stores
from adapters.cli import policy_check, policy_file, run_file
from adapters.cli.output import CommandFailure, ExitCode, JsonFlag, Output
from adapters.cli.policy_file import PolicyFile
from adapters.cli.session import load_settings
from adapters.cli.starting import Asking, StoppedError, until_stopped
from adapters.cli.stopping import StopRequest, stop_on_signal
from adapters.clock import SystemClock
from adapters.home import ALL_ROLES, PUBLISH, HomeLock, prepare_home
from adapters.kafka_log import topics
from adapters.postgres.embedded import stop_and_empty
from adapters.sandbox.http_skin import SandboxServer
from adapters.sandbox.server import HUBSPOT_PORT, SALESFORCE_PORT, Seed, open_sandboxes

#: how often a serving command looks whether its loops still run
WATCH_SECONDS: Final = 0.25

app = typer.Typer()

SalesforcePort = Annotated[
    int, typer.Option(min=0, max=65_535, help="The Salesforce sandbox's port; 0 takes a free one.")
]
HubSpotPort = Annotated[
    int, typer.Option(min=0, max=65_535, help="The HubSpot sandbox's port; 0 takes a free one.")
]


LogOption = Annotated[
    LogName | None,
    typer.Option(help="Where facts are kept; a database stays with the log that it began with."),
]


class SeedName(StrEnum):
    """What a new sandbox is filled with."""

    COMPANY = "company"


class Role(StrEnum):
    """One of the four loops, or the one beside them."""

    INGEST = "ingest"
    DECIDE = "decide"
    PROJECT = "project"
    DELIVER = "deliver"
    PUBLISH = "publish"


@app.command()
def up(
    *,
    empty: Annotated[
        bool, typer.Option("--empty", help="People and record types, but no business records.")
    ] = False,
    seed: Annotated[
        SeedName, typer.Option(help="What new sandboxes are filled with.")
    ] = SeedName.COMPANY,
    policy: Annotated[
        Path | None,
        typer.Option(help="Adopt this policy file if it differs from the one in force."),
    ] = None,
    salesforce_port: SalesforcePort = SALESFORCE_PORT,
    hubspot_port: HubSpotPort = HUBSPOT_PORT,
    log: LogOption = None,
    json: JsonFlag = False,
) -> None:
    """Run both sandboxes and the engine until stopped."""
    output = Output(as_json=json)
    wanted = None if policy is None else policy_file.from_file(policy)
    settings = load_settings()
    clock = SystemClock()
    home = prepare_home(settings.home)
    with ExitStack() as opened:
        stop = opened.enter_context(stop_on_signal())
        opened.enter_context(HomeLock(home, ALL_ROLES, command="dealsync up", at=clock.now()))
        logger = opened.enter_context(telemetry.to_file(home, clock))
        sandboxes = opened.enter_context(
            _sandboxes(home, salesforce_port, hubspot_port, "empty" if empty else seed.value)
        )
        stores = opened.enter_context(open_stores(settings, log=log))
        if wanted is not None:
            policy_check.refuse_problems(stores, wanted)
        if stores.logs.kafka is not None:
            topics.apply(stores.logs.kafka.cluster, kinds=["create"])
        where = accounts.of_sandboxes(sandboxes.salesforce_url, sandboxes.hubspot_url)
        engine = opened.enter_context(
            running_engine(ALL_ROLES, stores, where, settings.webhook, clock=clock, logger=logger)
        )
        opened.enter_context(run_file.written(home, _addresses(where, engine)))
        asking = Asking(stores, clock.now, until_stopped(stop, engine.runner.check))
        try:
            version = asking.adopt(_to_adopt(wanted, engine, output))
            asking.set_up()
        except StoppedError:
            return
        _say_ready(output, where, engine, version)
        _serve(stop, engine.runner.check)


@app.command()
def sandbox(
    *,
    empty: Annotated[
        bool, typer.Option("--empty", help="People and record types, but no business records.")
    ] = False,
    salesforce_port: SalesforcePort = SALESFORCE_PORT,
    hubspot_port: HubSpotPort = HUBSPOT_PORT,
    json: JsonFlag = False,
) -> None:
    """Run both sandboxes alone until stopped."""
    output = Output(as_json=json)
    home = prepare_home(load_settings().home)
    with (
        stop_on_signal() as stop,
        _sandboxes(
            home, salesforce_port, hubspot_port, "empty" if empty else SeedName.COMPANY.value
        ) as server,
    ):
        urls = {"salesforce_url": server.salesforce_url, "hubspot_url": server.hubspot_url}
        if output.as_json:
            output.line({"schema": "dealsync.ready/1", **urls})
        else:
            output.text(f"ready  Salesforce {server.salesforce_url}  HubSpot {server.hubspot_url}")
        _serve(stop, lambda: None)


@app.command()
def run(
    *,
    only: Annotated[
        list[Role] | None, typer.Option(help="Run this loop alone; may be given several times.")
    ] = None,
    worker: Annotated[
        str | None,
        typer.Option(help="With Kafka: a name that no other worker on this home has, such as 2."),
    ] = None,
    log: LogOption = None,
    json: JsonFlag = False,
) -> None:
    """Run the engine against the accounts of the settings until stopped."""
    output = Output(as_json=json)
    settings = load_settings()
    clock = SystemClock()
    roles = tuple(role.value for role in only) if only else ALL_ROLES
    where = accounts.of_settings(settings)
    home = prepare_home(settings.home)
    command = " ".join(["dealsync run", *(f"--only {role}" for role in only or ())])
    if worker is not None:
        _check_name(worker)
        command += f" --worker {worker}"
    with ExitStack() as opened:
        stop = opened.enter_context(stop_on_signal())
        opened.enter_context(HomeLock(home, roles, command=command, at=clock.now(), worker=worker))
        logger = opened.enter_context(telemetry.to_file(home, clock))
        stores = opened.enter_context(open_stores(settings, log=log, worker=worker))
        if worker is not None and stores.logs.kafka is None:
            raise CommandFailure(
                "one_worker",
                "expected facts in Kafka, found them in PostgreSQL: one worker decides there",
                hint="`dealsync run` without --worker",
                exit_code=ExitCode.WRONG_INPUT,
            )
        if roles == (PUBLISH,) and stores.logs.kafka is None:
            raise CommandFailure(
                "nothing_to_run",
                "expected facts in Kafka, found them in PostgreSQL: nothing is published there",
                hint="`dealsync run` runs everything that there is to run",
                exit_code=ExitCode.WRONG_INPUT,
            )
        version = _needs_policy(stores)
        engine = opened.enter_context(
            running_engine(roles, stores, where, settings.webhook, clock=clock, logger=logger)
        )
        if "ingest" in roles:
            keep = worker is not None  # another worker may go on
            opened.enter_context(run_file.written(home, _addresses(where, engine), keep=keep))
        _say_ready(output, where, engine, version)
        _serve(stop, engine.runner.check)


def _check_name(worker: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,20}", worker):
        raise CommandFailure(
            "worker_name",
            f"expected a name of at most 20 letters, digits, - and _, found {worker!r}",
            exit_code=ExitCode.WRONG_INPUT,
        )


@app.command()
def reset(*, json: JsonFlag = False) -> None:
    """Stop the home's database and delete everything in the home."""
    output = Output(as_json=json)
    home = load_settings().home
    stop_and_empty(home)
    output.show("reset", {"home": str(home)}, lambda c: c.print(f"emptied {home}", markup=False))


@app.command()
def version(*, json: JsonFlag = False) -> None:
    """Say which version this is."""
    said = importlib.metadata.version("dealsync")
    Output(as_json=json).show(
        "version", {"version": said}, lambda c: c.print(f"dealsync {said}", markup=False)
    )


@contextmanager
def _sandboxes(
    home: Path, salesforce_port: int, hubspot_port: int, seed: str
) -> Iterator[SandboxServer]:
    chosen: Seed = "company" if seed == SeedName.COMPANY else "empty"
    server = open_sandboxes(
        home,
        salesforce_port=salesforce_port,
        hubspot_port=hubspot_port,
        clock=SystemClock(),
        seed=chosen,
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _to_adopt(wanted: PolicyFile | None, engine: Engine, output: Output) -> PolicyFile:
    """Return the policy that `up` adopts: the one asked for, else the one in force or a first."""
    adopted = engine.present.moment().adopted
    if wanted is not None:
        return wanted
    if adopted.policy_version == 0:
        return policy_file.in_folder(Path.cwd()) or policy_file.built_in()
    in_force = PolicyFile(adopted.policy, adopted.text, "the policy in force")
    try:
        found = policy_file.in_folder(Path.cwd())
    except CommandFailure as failure:
        output.warn(f"{failure.message}; version {adopted.policy_version} stays in force")
        return in_force
    if found is not None and found.policy != adopted.policy:
        output.warn(
            f"{found.where} differs from version {adopted.policy_version}, which stays in force;"
            " adopt it with `dealsync policy adopt`"
        )
    return in_force


def _needs_policy(stores: Stores) -> int:
    """Return the version of the policy in force.

    Raises:
        CommandFailure: there is none.
    """
    version = Present(stores).moment().adopted.policy_version
    if version == 0:
        raise CommandFailure(
            "no_policy",
            "expected an adopted policy, found none: nothing may cross before one is in force",
            hint="write dealsync.toml (`dealsync policy show --default`), then"
            " `dealsync policy adopt`",
        )
    return version


def _addresses(where: Accounts, engine: Engine) -> dict[str, str | None]:
    return {
        "salesforce_url": where.salesforce_url,
        "hubspot_url": where.hubspot_url,
        "webhook_url": engine.webhook_url,
    }


def _say_ready(output: Output, where: Accounts, engine: Engine, policy_version: int) -> None:
    if output.as_json:
        output.line(
            {
                "schema": "dealsync.ready/1",
                **_addresses(where, engine),
                "policy_version": policy_version,
            }
        )
        return
    output.text(
        f"ready  Salesforce {where.salesforce_url}  HubSpot {where.hubspot_url}"
        f"  policy version {policy_version}"
    )


def _serve(stop: StopRequest, check: Callable[[], None]) -> None:
    """Wait until somebody asks to stop.

    Raises:
        GivenUpError: a loop cannot go on.
    """
    collect_rarely()
    while not stop.wait(WATCH_SECONDS):
        check()
