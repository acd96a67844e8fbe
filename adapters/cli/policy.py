"""`policy …`: the policy in force, a policy file, and putting one in force."""

from pathlib import Path
from typing import Annotated

import typer

from adapters.bootstrap import accounts
from adapters.cli import policy_file
from adapters.cli.alone import answering
from adapters.cli.output import JsonFlag, Output
from adapters.cli.session import open_session
from adapters.cli.starting import Asking

app = typer.Typer(help="The policy: what syncs, and which side wins.", no_args_is_help=True)


@app.command()
def adopt(
    *,
    file: Annotated[Path, typer.Argument(help="The policy file.")] = Path(policy_file.FILE_NAME),
    json: JsonFlag = False,
) -> None:
    """Put a policy file in force."""
    output = Output(as_json=json)
    wanted = policy_file.from_file(file)
    with (
        open_session(must_exist=False) as session,
        answering(
            session,
            "dealsync policy adopt",
            ("decide",),
            lambda: accounts.of_settings(session.settings),
        ) as go_on,
    ):
        version = Asking(session.stores, session.clock.now, go_on).adopt(wanted)
    output.show(
        "policy_adopted",
        {"version": version, "file": wanted.where},
        lambda console: console.print(
            f"version {version} is in force: {wanted.where}", markup=False
        ),
    )
