"""Steps the loops inside a command, where no engine runs on the home.

A request must be answered whether or not an engine runs: if one does, its answer is waited for; if
none does, the command takes the home's lock and does the engine's work until the answer is there.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from adapters import telemetry
from adapters.bootstrap.accounts import Accounts
from adapters.bootstrap.crms import open_crms
from adapters.bootstrap.engine import end_own_leases
from adapters.bootstrap.loops import decide_loop, loops_of
from adapters.bootstrap.present import Present
from adapters.cli.output import CommandFailure
from adapters.cli.session import Session
from adapters.engine.runner import Loop
from adapters.home import ROLES, HomeHeldError, HomeLock, holder_of

#: how long an answer may take
ANSWER_SECONDS_MAX: Final = 120.0
LOOK_SECONDS: Final = 0.05


@contextmanager
def answering(
    session: Session,
    command: str,
    roles: Collection[str],
    accounts: Callable[[], Accounts],
    *,
    seconds_max: float = ANSWER_SECONDS_MAX,
) -> Iterator[Callable[[], None]]:
    """Give what to do between two looks for an answer.

    Args:
        session: the open home.
        command: what a person typed.
        roles: the loops that the answer needs.
        accounts: asked only if this command has to reach the CRMs itself.
        seconds_max: how long the answer may take.

    Raises:
        HomeHeldError: some of the loops are held by others, and some by nobody.
        SettingsError: the CRMs have to be reached and are not named.
    """
    deadline = _Deadline(session, seconds_max)
    try:
        lock = HomeLock(session.home, ROLES, command=command, at=session.clock.now())
    except HomeHeldError:
        if any(holder_of(session.home, role) is None for role in roles):
            raise
        yield deadline.wait
        return
    with lock, telemetry.to_file(session.home, session.clock) as logger:
        if set(roles) == {"decide"}:
            yield _stepping(decide_loop(session.stores, logger), session, deadline)
            return
        end_own_leases(session.stores, roles, session.clock.now())
        present = Present(session.stores)
        with open_crms(accounts(), session.stores.bookmarks, present.policy) as crms:
            loops: dict[str, Loop] = {}
            for role in roles:
                loops |= loops_of(
                    role, session.stores, crms, present, clock=session.clock, logger=logger
                )
            yield _stepping(loops, session, deadline)


class _Deadline:
    """Waits a little at a time, and not for ever."""

    def __init__(self, session: Session, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._now = session.clock.now
        self._begun_at: datetime = self._now()

    def check(self) -> None:
        """Give up when the time is over.

        Raises:
            CommandFailure: it is.
        """
        if (self._now() - self._begun_at).total_seconds() > self._seconds_max:
            raise CommandFailure(
                "timeout",
                f"expected an answer within {self._seconds_max:.0f} s, found none; the request"
                " stands in the log and will be answered",
                hint="`dealsync status` shows what waits",
                retryable=True,
            )

    def wait(self) -> None:
        """Wait a little for an engine that runs elsewhere."""
        self.check()
        time.sleep(LOOK_SECONDS)  # noqa: TID251 - another process works meanwhile


def _stepping(
    loops: Mapping[str, Loop], session: Session, deadline: _Deadline
) -> Callable[[], None]:
    def go_on() -> None:
        if not sum(loop.step(session.clock.now()) for loop in loops.values()):
            deadline.wait()
        deadline.check()

    return go_on
