"""Both CRMs in one process that stays up, and the engine in another that is killed again and again.

The engine is `dealsync run`, with settings as for real CRMs: a key signs it in to Salesforce, a
token to HubSpot, and webhooks arrive.
"""

import random
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from adapters.postgres.embedded import EmbeddedPostgres
from adapters.sandbox.hubspot.actors import ENGINE_TOKEN
from adapters.sandbox.salesforce.seed import INTEGRATION
from tests.crash.relay import relay
from tests.support.accounts import settings_of
from tests.support.program import DEALSYNC, Ended, Program, dealsync_here, environment

FREE_PORTS = ("--salesforce-port", "0", "--hubspot-port", "0")
CONVERGE_SECONDS_MAX = 120
TIMEOUT_SECONDS = 10
#: how each CRM calls us
ENGINE = (INTEGRATION, ENGINE_TOKEN)
#: what the engine changes records with
WRITES = r"composite/sobjects|/batch/(create|update|archive)|/associations/.*/batch/associate"
#: what it makes properties, pipelines and fields with
DEFINITIONS = r"/properties/|/pipelines/|/tooling/"
#: how often the setup is killed before it may end
SETUP_KILLS = 1
#: how often a kill comes while the engine starts, and how often in mid-write; else at any moment
STARTING_SHARE = 0.15
WRITING_SHARE = 0.5
STARTING_SECONDS = 1.5
WORKING_SECONDS = 1.5
#: there may be nothing to write
WRITING_SECONDS = 3.0
#: answers are held back after the effect: a kill in between leaves an unknown result
HELD_BACK_SHARE = 0.6
HELD_BACK_SECONDS = 0.3

_POLICY = """\
[deletes]
fuse_count = 1000
[polling]
hubspot_seconds = 1
"""


class World:
    """Two CRMs, and the engine while it runs.

    Args:
        folder: holds both homes and what the settings name.
        crms: the sandboxes.
        webhook_port: where the engine takes webhooks in.
        webhook_url: where HubSpot sends them.
    """

    def __init__(self, folder: Path, crms: Program, webhook_port: int, webhook_url: str) -> None:
        self.home = folder / "home"
        self._settings = {
            **settings_of(crms, folder),
            "DEALSYNC_WEBHOOK_PORT": str(webhook_port),
            "DEALSYNC_WEBHOOK_URL": webhook_url,
        }
        self.crms = crms
        self.salesforce_url = crms.salesforce_url
        self.hubspot_url = crms.hubspot_url
        self.engine: Program | None = None
        #: number of a call in the access log, by CRM
        self._read_to = dict.fromkeys((crms.salesforce_url, crms.hubspot_url), 0)
        #: what engines wrote to standard error: nothing, unless something is wrong
        self.errors: list[str] = []

    def start(self) -> Program:
        """Start the engine, without waiting for it."""
        assert self.engine is None, "one engine runs already"
        self.engine = Program(self.home, "run", settings=self._settings)
        return self.engine

    def kill_at_random(self, dice: random.Random) -> None:
        """Kill the engine at any moment: while it starts, while it works, or in mid-write."""
        assert self.engine is not None, "an engine runs"
        draw = dice.random()
        if draw < STARTING_SHARE:
            time.sleep(dice.uniform(0, STARTING_SECONDS))
        else:
            self.engine.wait_ready()
            if draw < STARTING_SHARE + WRITING_SHARE:
                self.wait_for_a_write()
                time.sleep(dice.uniform(0, HELD_BACK_SECONDS))
            else:
                time.sleep(dice.uniform(0, WORKING_SECONDS))
        self.kill()

    def kill_in_mid_write(self) -> None:
        """Kill the engine as soon as it has changed something."""
        self.wait_for_a_write()
        self.kill()

    @contextmanager
    def asking(self, *arguments: str) -> Iterator[None]:
        """Let a command run until the end of the block; it may fail, as its engine does."""
        with subprocess.Popen(  # noqa: S603 - our own program
            [DEALSYNC, *arguments],
            env=environment(self.home),
            cwd=self.home.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ):
            yield

    def wait_for_a_write(self) -> None:
        """Return once the engine has changed something, or a while has passed."""
        places = {url: self._newest(url) for url in (self.salesforce_url, self.hubspot_url)}
        deadline = time.monotonic() + WRITING_SECONDS
        while time.monotonic() < deadline:
            if any(self.has_written_since(url, after) for url, after in places.items()):
                return
            time.sleep(0.02)

    def has_written_since(self, crm_url: str, after: int) -> bool:
        """Tell whether the engine has changed something in a CRM since a call of its log."""
        return any(_is_write(call) for call in self._calls(crm_url, after))

    def _newest(self, crm_url: str) -> int:
        """Return the number of the newest call; what came before need not be read again."""
        for call in self._calls(crm_url, self._read_to[crm_url]):
            self._read_to[crm_url] = call["number"]
        return self._read_to[crm_url]

    def kill(self) -> None:
        """End the engine with SIGKILL, wherever it is."""
        engine = self._ended()
        assert engine.process.poll() is None, f"the engine ended by itself: {engine.errors()}"
        engine.kill()
        assert engine.process.returncode == -signal.SIGKILL
        self.errors += filter(None, [engine.errors()])

    def stop(self) -> None:
        """End the engine as a person does."""
        engine = self._ended()
        assert engine.stop() == 0, engine.errors()
        self.errors += filter(None, [engine.errors()])

    def dealsync(self, *arguments: str) -> Ended:
        """Run a command in the engine's home."""
        return dealsync_here(self.home, *arguments)

    def must(self, *arguments: str) -> Ended:
        """Run a command that has to succeed."""
        ended = self.dealsync(*arguments)
        assert ended.code == 0, f"dealsync {' '.join(arguments)}: {ended.out} {ended.err}"
        return ended

    def until_quiet(self) -> None:
        """Return once both CRMs were read again and nothing moves."""
        self.must("wait", "--until-quiet", "--timeout", str(CONVERGE_SECONDS_MAX), "--json")

    def control(self, crm_url: str, call: str, **body: Any) -> None:  # noqa: ANN401 - JSON
        """Tell a sandbox something."""
        answer = requests.post(f"{crm_url}/sandbox/{call}", json=body, timeout=TIMEOUT_SECONDS)
        assert answer.ok, answer.text

    def engine_calls(self, crm_url: str) -> list[dict[str, Any]]:
        """Return the calls of the engine's that changed something, or were to and were taken."""
        return [call for call in self._calls(crm_url) if _is_write(call)]

    def _calls(self, crm_url: str, after: int = 0) -> Iterator[dict[str, Any]]:
        """Return a sandbox's access log, page by page."""
        while True:
            log = f"{crm_url}/sandbox/access-log?after={after}"
            page = requests.get(log, timeout=TIMEOUT_SECONDS).json()["calls"]
            if not page:
                return
            yield from page
            after = page[-1]["number"]

    def database_processes(self) -> set[int]:
        """Return the living processes of the engine's database: the server and its children."""
        server = EmbeddedPostgres(self.home).pid()
        return {
            pid
            for pid, parent, command in _processes()
            if server in (pid, parent) or str(self.home) in command
        }

    def _ended(self) -> Program:
        engine, self.engine = self.engine, None
        assert engine is not None, "no engine runs"
        return engine


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Start both CRMs, put a policy in force and set everything up; at the end stop all of it."""
    webhook_port = _free_port()
    with (
        Program(folder / "crms", "sandbox", "--empty", *FREE_PORTS) as crms,
        relay(webhook_port) as webhook_url,
    ):
        made = World(folder, crms.wait_ready(), webhook_port, webhook_url)
        try:
            _settle(folder, made)
            yield made
        finally:
            if made.engine is not None:
                made.engine.kill()
            made.dealsync("reset")
            assert crms.stop() == 0
            dealsync_here(crms.home, "reset")


def _settle(folder: Path, made: World) -> None:
    (folder / "policy.toml").write_text(_POLICY, encoding="utf-8")
    made.must("policy", "adopt", str(folder / "policy.toml"))
    for url, who in ((made.salesforce_url, INTEGRATION), (made.hubspot_url, ENGINE_TOKEN)):
        held_back = {
            "kind": "delay",
            "match": {"who": who, "path": f"{WRITES}|{DEFINITIONS}"},
            "probability": HELD_BACK_SHARE,
            "seconds": HELD_BACK_SECONDS,
        }
        made.control(url, "faults", faults=[held_back])
    for _ in range(SETUP_KILLS):
        made.start().wait_ready()
        with made.asking("setup"):
            made.kill_in_mid_write()
    made.start().wait_ready()
    made.must("setup")
    made.until_quiet()
    made.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_write(call: dict[str, Any]) -> bool:
    """Tell whether the engine changed something, or sent what the CRM found to be there."""
    return (
        call["who"] in ENGINE
        and call["status"] < 300
        and (call["changed"] or re.search(WRITES, call["path"]) is not None)
    )


def alive(pids: set[int]) -> set[int]:
    """Return those that still run."""
    return pids & {pid for pid, _, _ in _processes()}


def _processes() -> Iterator[tuple[int, int, str]]:
    """Yield id, parent's id and command of every process that is no zombie."""
    listed = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,stat=,args="],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=True,
    )
    for line in listed.stdout.splitlines():
        pid, parent, state, *command = line.split(maxsplit=3)
        if not state.startswith("Z"):
            yield int(pid), int(parent), "".join(command)
