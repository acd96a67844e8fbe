"""The whole program as users run it: `dealsync …` as a process of its own, on a home of its own."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from adapters.cli.app import run
from tests.support.backing import backing

DEALSYNC = Path(sys.executable).with_name("dealsync")
READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object that it printed."""
        found: dict[str, Any] = json.loads(self.out)
        return found


def environment(home: Path) -> dict[str, str]:
    """Return this process's environment, with that home and no account of anybody."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DEALSYNC_", "DATABASE_"))}
    kept.pop("KAFKA_BOOTSTRAP_SERVERS", None)
    # As users have it: compiled once, else each start takes seconds.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "DEALSYNC_HOME": str(home), "COLUMNS": "100"}


def dealsync(home: Path, *arguments: str, timeout: float = 60.0) -> Ended:
    """Run a command to its end, in the folder that holds the home."""
    done = subprocess.run(  # noqa: S603 - our own program
        [DEALSYNC, *arguments],
        env=environment(home),
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def dealsync_here(home: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> Ended:
    """Run a command in this process: the same code, without the start of another Python."""
    out, err = io.StringIO(), io.StringIO()
    before = dict(os.environ)
    folder = Path.cwd()
    os.environ.clear()
    os.environ.update({**environment(home), **(settings or {})})
    os.chdir(home.parent)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(arguments)
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)
    return Ended(code, out.getvalue(), err.getvalue())


class Program:
    """`dealsync up` (or another serving command) that runs on a home.

    Args:
        home: is made if it is not there.
        arguments: the command, with its options.
        settings: environment variables besides the home's.
    """

    def __init__(
        self, home: Path, *arguments: str, settings: Mapping[str, str] | None = None
    ) -> None:
        self.home = home
        self.arguments = arguments
        self.settings = settings or {}
        self._error_file = home.parent / f"{home.name}.stderr"
        with self._error_file.open("w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                [DEALSYNC, *arguments, "--json"],
                env={**environment(home), **self.settings},
                cwd=home.parent,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.ready: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Return itself: the end of the block leaves no process behind."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it if it still runs."""
        if self.process.poll() is None:
            self.kill()

    def wait_ready(self) -> Self:
        """Return once it says that it is ready."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"{self.arguments} ended before it was ready: {self.errors()}"
        self.ready = json.loads(line)
        assert self.ready["schema"] == "dealsync.ready/1", self.ready
        return self

    def errors(self) -> str:
        """Return what it wrote to standard error."""
        return self._error_file.read_text(encoding="utf-8")

    @property
    def salesforce_url(self) -> str:
        """Where the Salesforce sandbox answers."""
        return str(self.ready["salesforce_url"])

    @property
    def hubspot_url(self) -> str:
        """Where the HubSpot sandbox answers."""
        return str(self.ready["hubspot_url"])

    def call(self, *arguments: str) -> Ended:
        """Run a command on the same home."""
        return dealsync_here(self.home, *arguments, settings=self.settings)

    def until_quiet(self, timeout: float = 30.0) -> dict[str, Any]:
        """Return once nothing moves any more: what waits for a person."""
        ended = self.call("wait", "--until-quiet", "--timeout", str(timeout), "--json")
        assert ended.code == 0, ended.out
        waiting: dict[str, Any] = ended.json["waiting"]
        return waiting

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; return its exit code."""
        self.process.send_signal(number)
        return self._finish()

    def kill(self) -> None:
        """End it with SIGKILL: it can do nothing more."""
        self.process.kill()
        self._finish()

    def _finish(self) -> int:
        try:
            code = self.process.wait(timeout=STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@contextmanager
def running(home: Path, *options: str) -> Iterator[Program]:
    """Run `dealsync up` on free ports until the end of the block, then delete what it left."""
    ports = ("--salesforce-port", "0", "--hubspot-port", "0")
    settings, log = backing()
    try:
        with Program(home, "up", *ports, *log, *options, settings=settings) as program:
            yield program.wait_ready()
            if program.process.poll() is None:
                program.stop()
    finally:
        dealsync_here(home, "reset")


def eventually(holds: Any, *, seconds: float = 10.0) -> Any:  # noqa: ANN401 - whatever it returns
    """Return what `holds()` returns once that is something true."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"expected it within {seconds} s"
        time.sleep(0.05)
    return found
