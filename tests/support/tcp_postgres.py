"""A PostgreSQL that is reached over TCP, as one on another machine is: for `DATABASE_URL`.

It is made of the same programs as the embedded one, listens on loopback only, and can be killed.
"""

import os
import shutil
import signal
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from adapters.postgres import programs

USER: Final = "dealsync"
HOST: Final = "127.0.0.1"
START_SECONDS_MAX: Final = 60


class TcpPostgres:
    """One server with a folder of its own.

    Args:
        folder: for its cluster; None: a temporary one.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="dealsync-tcp-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.cluster = self.folder / "cluster"
        self.port = _free_port()
        self._databases = 0

    def start(self) -> None:
        """Start it, or start it again after it was stopped or killed."""
        if not self.cluster.exists():
            self.folder.chmod(0o711)
            programs.give_away(self.folder)
            programs.run(
                *("initdb", "--pgdata", str(self.cluster), "--username", USER, "--auth=trust"),
                *("--encoding=UTF8", "--locale=C", "--no-instructions"),
                working_in=self.folder,
            )
        settings = f"-c listen_addresses={HOST} -c port={self.port} -c unix_socket_directories="
        programs.run(
            *("pg_ctl", "start", "-w", "-s", "-D", str(self.cluster), "-o", settings),
            *("-l", str(self.folder / "server.log"), "-t", str(START_SECONDS_MAX)),
            working_in=self.folder,
        )

    def stop(self, *, mode: str = "fast") -> None:
        """Stop it at once; connections are cut, what was committed stays.

        Args:
            mode: `pg_ctl`'s; after `immediate` the next start is a recovery, as after a crash.
        """
        programs.run(
            *("pg_ctl", "stop", "-s", "-m", mode, "-D", str(self.cluster)), working_in=self.folder
        )

    def kill(self) -> None:
        """End the server and all its processes with SIGKILL, and wait until they are gone."""
        lines = (self.cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        pid = int(lines[0])
        with suppress(ProcessLookupError):
            # Its backends notice within moments that it is gone, and end.
            os.kill(pid, signal.SIGKILL)
        while programs.runs_with(pid, str(self.cluster)):
            time.sleep(0.02)
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def new_database(self) -> str:
        """Make an empty database; return its URL."""
        self._databases += 1
        name = f"t{self._databases}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def url(self, database: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://{USER}@{HOST}:{self.port}/{database}"

    def delete(self) -> None:
        """Stop it and delete everything."""
        with suppress(programs.ProgramError):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
