"""Turns what can be foreseen to go wrong into one clear message and the right exit code."""

from adapters.bootstrap.engine import WebhookPortTakenError
from adapters.cli.output import CommandFailure, ExitCode
from adapters.engine.runner import GivenUpError
from adapters.home import HomeError, HomeHeldError
from adapters.postgres.database import DatabaseAwayError
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

_OWN_DATABASE = (
    "the home's own PostgreSQL could not be used; its log in the home says why; nothing is lost,"
    " run the command again once it is mended"
)
_OTHER_DATABASE = (
    "start PostgreSQL, or correct database_url (DATABASE_URL or dealsync.settings.toml); nothing is"
    " lost: facts and writes wait there, and an engine goes on by itself once it answers"
)
_NO_ANSWER = "`dealsync doctor` says what does not answer; nothing is lost, try again later"


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
            return CommandFailure("database", text, hint=_OWN_DATABASE)
        case DatabaseAwayError():
            return CommandFailure("database", text, hint=_OTHER_DATABASE, retryable=True)
        case UnauthenticatedError():
            return CommandFailure("not_permitted", text, exit_code=ExitCode.NOT_PERMITTED)
        case ThrottledError():
            return CommandFailure("throttled", text, retryable=True)
        case PortError():
            return CommandFailure("no_answer", text, hint=_NO_ANSWER, retryable=True)
        case _:
            return CommandFailure("failed", text)
