"""The home: the one folder that holds everything an embedded run writes.

A marker file says that a folder is a home; nothing without it is ever emptied. Locks are advisory
(`flock`), so the system releases them when their holder dies, however it dies. A lock file is
written to say who holds it and is never deleted: two processes must always meet at the same file.

This module must not know what is kept in a home: the database and the sandboxes see to their own.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from typing_extensions import override

MARKER = ".dealsync-home"
#: stays when a home is emptied, for whoever waits at one of its files
LOCKS = "locks"
#: the four loops; `up`, and `run` without `--only`, hold all of them
ROLES = ("ingest", "decide", "project", "deliver")
#: the loop beside them where facts are in Kafka
PUBLISH = "publish"
#: everything that an engine does
ALL_ROLES = (*ROLES, PUBLISH)

#: how often a lock is tried that nobody wrote itself down for; a look takes microseconds
LOOKS_MAX = 1_000

_MARKER_TEXT = "This folder belongs to dealsync, which may empty it: dealsync reset\n"


class HomeError(Exception):
    """A home cannot be used as asked; the message says what to do."""


class NotAHomeError(HomeError):
    """The folder is not a home, so nothing in it is touched."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, as it wrote itself down."""

    pid: int
    command: str
    #: ISO 8601, UTC
    since: str

    @override
    def __str__(self) -> str:
        return f"{self.command} (process {self.pid}, since {self.since})"


class HomeHeldError(HomeError):
    """Another process holds a lock of this home."""

    def __init__(self, home: Path, role: str, holder: Holder | None) -> None:
        who = str(holder) if holder else "another process"
        super().__init__(
            f"{home}: expected nobody to hold '{role}', found {who}; "
            "stop that one first, or choose another home with DEALSYNC_HOME"
        )
        self.home = home
        self.role = role
        #: None where the other process has not written itself down yet
        self.holder = holder


def prepare_home(home: Path) -> Path:
    """Make the folder a home if it is new or empty.

    Returns:
        The home as an absolute path without symbolic links.

    Raises:
        NotAHomeError: there is something in the folder already, and it is not a home's.
    """
    home = home.expanduser().resolve()
    if home.exists() and not home.is_dir():
        raise NotAHomeError(f"{home}: expected a folder, found a file; set DEALSYNC_HOME")
    # Others may pass through but not look around: as root, the database's own user has to.
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    marker = home / MARKER
    if not marker.exists():
        # A second process may be preparing this home too: then its locks folder is all there is.
        if {entry.name for entry in home.iterdir()} - {MARKER, LOCKS}:
            raise NotAHomeError(
                f"{home}: expected a dealsync home or an empty folder, found other files and no "
                f"{MARKER}; set DEALSYNC_HOME to a folder of its own"
            )
        marker.write_text(_MARKER_TEXT, encoding="utf-8")
    (home / LOCKS).mkdir(exist_ok=True)
    return home


def empty_home(home: Path) -> None:
    """Delete everything in a home but the marker and the lock files; an absent one is empty.

    Stop the home's database first: `adapters.postgres.embedded.stop_and_empty` does both.

    Raises:
        NotAHomeError: the folder carries no marker; nothing was deleted.
        HomeHeldError: some process still uses the home; nothing was deleted.
    """
    home = home.expanduser().resolve()
    if not home.exists():
        return
    if not (home / MARKER).is_file():
        raise NotAHomeError(
            f"{home}: expected a dealsync home, found no {MARKER}; nothing was deleted"
        )
    with ExitStack() as held:
        for path in sorted((home / LOCKS).glob("*.lock")):
            lock = held.enter_context(FileLock(path))
            if not lock.try_exclusive():
                raise HomeHeldError(home, path.stem, _holder(path))
        for entry in home.iterdir():
            if entry.name in {MARKER, LOCKS}:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


class FileLock:
    """An advisory lock on a file: the system releases it when the process ends in any way."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def exclusive(self) -> None:
        """Wait until nobody else holds it, then hold it alone."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def shared(self) -> None:
        """Wait until nobody holds it alone, then hold it among others."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Hold it alone, if nobody else holds it; say whether that is so now."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def try_shared(self) -> bool:
        """Hold it among others, if nobody holds it alone; say whether that is so now."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write(self, text: str) -> None:
        """Replace what the file says; only its exclusive holder may."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def close(self) -> None:
        """Let go."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class HomeLock:
    """Holds roles of a home until closed: all of those asked for, or none.

    Args:
        home: a prepared home.
        roles: some of `ALL_ROLES`; the order does not matter.
        command: what a person typed, for the message that a second one gets.
        at: now, for the same message.
        worker: one of several that may hold a role together, each with a name of its own; None:
            alone.

    Raises:
        HomeHeldError: one of the roles is held already; it says by whom.
    """

    def __init__(
        self,
        home: Path,
        roles: Sequence[str],
        *,
        command: str,
        at: datetime,
        worker: str | None = None,
    ) -> None:
        self.home = home
        self._held = ExitStack()
        holder = Holder(os.getpid(), command, at.isoformat(timespec="seconds"))
        with ExitStack() as taking:
            # In one order, so that two that want several cannot each take half.
            for role in sorted(roles):
                path = home / LOCKS / f"{role}.lock"
                if worker is not None:
                    if not _take(taking.enter_context(FileLock(path)), shared=True):
                        raise HomeHeldError(home, role, _holder(path))
                    path = home / LOCKS / f"{role}.{worker}.lock"
                lock = taking.enter_context(FileLock(path))
                if not _take(lock):
                    raise HomeHeldError(home, role, _holder(path) or _one_of_several(path))
                lock.write(json.dumps(asdict(holder)))
                taking.callback(lock.write, "")
            self._held = taking.pop_all()

    def close(self) -> None:
        """Let all roles go."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def holder_of(home: Path, role: str) -> Holder | None:
    """Return who holds a role of the home now, or None: to say whether an engine runs."""
    path = home / LOCKS / f"{role}.lock"
    if not path.exists():
        return None
    with FileLock(path) as lock:
        if not lock.try_exclusive():
            return _holder(path) or _one_of_several(path)
        lock.write("")
        return None


def _one_of_several(path: Path) -> Holder | None:
    """Return one of the workers that hold a role together; None: it is none of them."""
    for other in sorted(path.parent.glob(f"{path.stem}.*.lock")):
        holder = _holder(other)
        if holder is not None and _is_alive(holder.pid):
            return holder
    return None


def _take(lock: FileLock, *, shared: bool = False) -> bool:
    """Hold the lock, alone or among others, unless someone who wrote itself down does.

    `holder_of` holds a lock for some microseconds to look, and whoever was killed leaves its text:
    neither is a holder.
    """
    for _ in range(LOOKS_MAX):
        if lock.try_shared() if shared else lock.try_exclusive():
            return True
        holder = _holder(lock.path) or _one_of_several(lock.path)
        if holder and _is_alive(holder.pid):
            return False
        os.sched_yield()
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _holder(path: Path) -> Holder | None:
    """Read who wrote itself down; None for an empty or half-written file."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Holder(int(said["pid"]), str(said["command"]), str(said["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
