"""Turns what can be foreseen to go wrong into one clear message and the right exit code."""

from adapters.bootstrap.engine import WebhookPortTakenError
from adapters.cli.output import CommandFailure, ExitCode
from adapters.engine.runner import GivenUpError
from adapters.home import HomeError, HomeHeldError
from adapters.postgres.embedded import EmbeddedPostgresError
from adapters.sandbox.http_skin import PortTakenError
from adapters.sandbox.store import SandboxInUseError
from adapters.settings import SettingsError
from domain.errors import PortError, SyncError, ThrottledError, UnauthenticatedError

#: what a command may meet; everything else is a bug
FORESEEN = (
    CommandFailure,
    SettingsError,
    HomeError,
    EmbeddedPostgresError,
    PortTakenError,
    WebhookPortTakenError,
    SandboxInUseError,
    SyncError,
    GivenUpError,
)


def failure_of(error: Exception) -> CommandFailure:
    """Return the failure to print for a foreseen exception."""
    text = str(error)
    match error:
        case CommandFailure():
            return error
        case SettingsError():
            return CommandFailure("settings", text, exit_code=ExitCode.WRONG_INPUT)
        case HomeHeldError():
            return CommandFailure("home_held", text, retryable=True)
        case HomeError():
            return CommandFailure("home", text)
        case PortTakenError() | WebhookPortTakenError():
            return CommandFailure("port_taken", text, retryable=True)
        case SandboxInUseError():
            return CommandFailure("sandbox_in_use", text, retryable=True)
        case EmbeddedPostgresError():
            return CommandFailure("database", text)
        case UnauthenticatedError():
            return CommandFailure("not_permitted", text, exit_code=ExitCode.NOT_PERMITTED)
        case ThrottledError():
            return CommandFailure("throttled", text, retryable=True)
        case PortError():
            return CommandFailure("no_answer", text, retryable=True)
        case _:
            return CommandFailure("failed", text)
