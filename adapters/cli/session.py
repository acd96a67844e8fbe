"""What a command works with: settings, home, clock, and the home's database while it is needed.

The database is joined if an engine or another command runs it, else started; whoever leaves it last
stops it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.bootstrap.stores import Stores, open_stores
from adapters.cli.output import CommandFailure
from adapters.clock import Clock, SystemClock
from adapters.home import MARKER, ROLES, Holder, holder_of, prepare_home
from adapters.settings import Settings


@dataclass(frozen=True, slots=True)
class Session:
    """One command at work on an open database."""

    settings: Settings
    home: Path
    clock: Clock
    stores: Stores


def load_settings() -> Settings:
    """Return the settings of this process.

    Raises:
        SettingsError: they are wrong.
    """
    return Settings.load(os.environ, Path.cwd())


@contextmanager
def open_session(*, must_exist: bool = True) -> Iterator[Session]:
    """Open the home's database for one command.

    Args:
        must_exist: refuse a home that nothing was ever run in, instead of making one.

    Raises:
        CommandFailure: there is no such home.
        HomeError, EmbeddedPostgresError, RetryableError: it cannot be opened.
    """
    settings = load_settings()
    if must_exist and not is_home(settings):
        raise no_home(settings)
    home = prepare_home(settings.home)
    with open_stores(settings) as stores:
        yield Session(settings, home, SystemClock(), stores)


def is_home(settings: Settings) -> bool:
    """Tell whether something was ever run in the home."""
    return (settings.home / MARKER).is_file()


def no_home(settings: Settings) -> CommandFailure:
    """Return the failure of a command that needs a home."""
    return CommandFailure(
        "no_home",
        f"{settings.home}: expected a home, found none",
        hint="start with `dealsync up`, or set DEALSYNC_HOME to the folder of a running one",
    )


def engine_holders(home: Path) -> dict[str, Holder | None]:
    """Return who runs each of the four loops on this home, None where nobody does."""
    return {role: holder_of(home, role) for role in ROLES}
