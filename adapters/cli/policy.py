"""`policy …`: the policy in force, a policy file, and putting one in force."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from adapters.bootstrap import accounts
from adapters.bootstrap.present import Present
from adapters.cli import policy_check, policy_file
from adapters.cli.alone import answering
from adapters.cli.output import CommandFailure, ExitCode, JsonFlag, Output
from adapters.cli.session import is_home, load_settings, open_session
from adapters.cli.starting import Asking
from domain import policy_text
from domain.policy import Policy

app = typer.Typer(help="The policy: what syncs, and which side wins.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The policy file.")]


@app.command()
def show(
    *,
    default: Annotated[
        bool, typer.Option("--default", help="The commented sample, to start from.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Print the policy in force."""
    output = Output(as_json=json)
    if default:
        _print_policy(output, Policy(), policy_text.sample(), version=0)
        return
    with open_session() as session:
        adopted = Present(session.stores).moment().adopted
    if adopted.policy_version == 0:
        raise CommandFailure(
            "no_policy",
            "expected an adopted policy, found none: nothing may cross before one is in force",
            hint="`dealsync policy show --default` prints one to start from",
        )
    text = adopted.text or policy_text.render(adopted.policy)
    _print_policy(output, adopted.policy, text, version=adopted.policy_version)


@app.command()
def check(*, file: FileArgument = Path(policy_file.FILE_NAME), json: JsonFlag = False) -> None:
    """Say what is wrong with a policy file, and what would differ by it."""
    wanted = policy_file.from_file(file)
    if is_home(load_settings()):
        with open_session() as session:
            found = policy_check.checked(session, wanted)
    else:
        found = policy_check.without_home(wanted)
    found.show(Output(as_json=json))
    if found.findings:
        raise typer.Exit(ExitCode.FINDINGS)


@app.command()
def adopt(
    *,
    file: FileArgument = Path(policy_file.FILE_NAME),
    json: JsonFlag = False,
) -> None:
    """Put a policy file in force."""
    output = Output(as_json=json)
    wanted = policy_file.from_file(file)
    with open_session(must_exist=False) as session:
        policy_check.refuse_problems(session.stores, wanted)
        with answering(
            session,
            "dealsync policy adopt",
            ("decide",),
            lambda: accounts.of_settings(session.settings),
        ) as go_on:
            version = Asking(session.stores, session.clock.now, go_on).adopt(wanted)
    output.show(
        "policy_adopted",
        {"version": version, "file": wanted.where},
        lambda console: console.print(
            f"version {version} is in force: {wanted.where}", markup=False
        ),
    )


def _print_policy(output: Output, policy: Policy, text: str, *, version: int) -> None:
    output.show(
        "policy",
        {"version": version, "policy": policy.model_dump(mode="json"), "text": text},
        lambda console: console.print(escape(text), end=""),
    )
