"""Runs both sandboxes over HTTP for a test, on free ports, in this process or in one of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.clock import SystemClock
from adapters.sandbox.http_skin import SandboxServer
from adapters.sandbox.server import Seed, open_sandboxes

REPOSITORY = Path(__file__).parents[2]


@contextmanager
def running_sandboxes(home: Path, seed: Seed | None = None) -> Iterator[SandboxServer]:
    """Serve both sandboxes in threads of this process; their state is in `home/sandbox`."""
    server = open_sandboxes(home, salesforce_port=0, hubspot_port=0, clock=SystemClock(), seed=seed)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class SandboxProcess:
    """Both sandboxes in a process of their own, to be ended in any way."""

    def __init__(self, home: Path) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "adapters.sandbox.server", "--home", str(home)]
        ports = ["--salesforce-port", "0", "--hubspot-port", "0"]
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            [*command, *ports], stdout=subprocess.PIPE, cwd=REPOSITORY
        )
        assert self.process.stdout is not None
        first_line = self.process.stdout.readline()
        assert first_line, "the sandboxes did not start; see their message above"
        urls = json.loads(first_line)
        self.salesforce_url = str(urls["salesforce_url"])
        self.hubspot_url = str(urls["hubspot_url"])

    def kill(self) -> None:
        """End it with SIGKILL: it can do nothing more."""
        self.process.kill()
        self._finish()

    def stop(self) -> int:
        """End it with SIGTERM; returns its exit code."""
        self.process.terminate()
        return self._finish()

    def _finish(self) -> int:
        code = self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code
