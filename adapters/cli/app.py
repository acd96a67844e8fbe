"""The command `dealsync`: one module a group of commands, put together here.

Whatever goes wrong ends here: what can be foreseen as one message, a bug as one line that asks to
report it. No traceback is printed.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from adapters.cli import (
    asking,
    audit,
    database,
    demo,
    doctor,
    importing,
    issues,
    log,
    pairs,
    parked,
    policy,
    process,
    projections,
    recovering,
    simulate,
    topics,
    waiting,
    why,
    writes,
)
from adapters.cli.failures import FORESEEN, failure_of
from adapters.cli.output import CommandFailure, ExitCode, Output

#: commands that end well when they are interrupted
SERVING: Final = frozenset({"up", "run", "sandbox"})
#: set to anything: print the traceback of a bug
DEBUG_VARIABLE: Final = "DEALSYNC_DEBUG"

app = typer.Typer(
    name="dealsync",
    help="Keeps Salesforce opportunities and HubSpot deals in step.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for commands in (
    demo.app,
    process.app,
    asking.app,
    waiting.app,
    doctor.app,
    importing.sync_app,
    why.app,
    simulate.app,
    recovering.app,
):
    app.add_typer(commands)
for name, group in (
    ("policy", policy.app),
    ("import", importing.app),
    ("pairs", pairs.app),
    ("audit", audit.app),
    ("writes", writes.app),
    ("issues", issues.app),
    ("parked", parked.app),
    ("projections", projections.app),
    ("log", log.app),
    ("topics", topics.app),
    ("database", database.app),
):
    app.add_typer(group, name=name)


def main() -> None:
    """Run the command line of this process and end with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line; return the exit code."""
    output = Output(as_json="--json" in arguments)
    try:
        code = get_command(app).main(list(arguments), "dealsync", standalone_mode=False)
    except TyperException as error:
        if error.format_message().startswith("Usage:") and not output.as_json:
            output.text(error.format_message())  # no command was given: the help is the answer
        else:
            output.failure(_usage(error))
        return ExitCode.WRONG_INPUT
    except FORESEEN as error:
        failure = failure_of(error)
        output.failure(failure)
        return failure.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return ExitCode.OK if SERVING & set(arguments[:1]) else ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has seen enough; the interpreter must not complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:  # noqa: BLE001 - the last line of defence, told as a bug
        output.failure(_bug(error))
        return ExitCode.FAILED
    return code if isinstance(code, int) else ExitCode.OK


def _usage(error: TyperException) -> CommandFailure:
    message = error.format_message()
    context = getattr(error, "ctx", None)
    hint = f"see `{context.command_path} --help`" if context is not None else "see --help"
    return CommandFailure("usage", message, hint=hint, exit_code=ExitCode.WRONG_INPUT)


def _bug(error: Exception) -> CommandFailure:
    if DEBUG_VARIABLE in os.environ:
        traceback.print_exception(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return CommandFailure(
        "bug",
        f"{type(error).__name__} at {os.path.basename(place.filename)}:{place.lineno}: {error}",  # noqa: PTH119 - a name, not a path
        hint=f"this is a bug of dealsync; set {DEBUG_VARIABLE}=1 to see where, and report it",
    )
