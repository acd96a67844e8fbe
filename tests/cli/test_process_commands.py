"""The commands that serve, and what they say when they cannot, as users start them."""

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.program import Program, dealsync, dealsync_here, running

FREE_PORTS = ("--salesforce-port", "0", "--hubspot-port", "0")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A running `dealsync up --empty` that tests only look at."""
    with running(tmp_path_factory.mktemp("up") / "home", "--empty") as started:
        yield started


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home that nothing was run in yet, emptied afterwards."""
    yield tmp_path / "home"
    dealsync_here(tmp_path / "home", "reset")


def test_up_is_ready_with_a_policy_and_every_loop(program: Program) -> None:
    status = program.call("status", "--json").json

    assert status["schema"] == "dealsync.status/1"
    assert status["running"] is True
    assert set(status["loops"]) == {"ingest", "decide", "project", "deliver"}
    assert status["policy_version"] == program.ready["policy_version"] == 1
    assert status["hubspot_url"] == program.hubspot_url


def test_wait_says_quiet_and_what_waits_for_a_person(program: Program) -> None:
    ended = program.call("wait", "--until-quiet", "--timeout", "30", "--json")

    assert ended.code == 0, ended.out
    assert ended.json["quiet"] is True
    assert set(ended.json["waiting"]) >= {"rejected", "parked", "contact_pending"}


def test_wait_names_what_still_moves_when_its_time_is_over(program: Program) -> None:
    ended = program.call("wait", "--until-quiet", "--timeout", "0", "--json")

    assert ended.code == 1
    assert ended.json["schema"] == "dealsync.error/1"
    assert ended.json["code"] == "timeout"
    assert ended.json["retryable"] is True
    assert "full pass" in ended.json["message"]


def test_a_second_engine_says_who_holds_the_home(program: Program) -> None:
    ended = dealsync(program.home, "up", "--empty", *FREE_PORTS)

    assert ended.code == 1
    assert f"process {program.process.pid}" in ended.err
    assert "Traceback" not in ended.err


def test_an_adopted_policy_is_answered_by_the_running_engine(program: Program) -> None:
    file = program.home.parent / "other.toml"
    file.write_text("[switches]\nlifecycle = false\n", encoding="utf-8")

    adopted = program.call("policy", "adopt", str(file), "--json")
    again = program.call("policy", "adopt", str(file), "--json")

    assert (adopted.code, adopted.json["version"]) == (0, 2)
    assert again.json["version"] == 2, "the same policy is not adopted twice"


def test_setup_is_answered_by_the_running_engine(program: Program) -> None:
    ended = program.call("setup", "--json")

    assert ended.code == 0, ended.out
    assert len(ended.json["pipelines"]) == 2
    assert (ended.json["not_ready"], ended.json["issues"]) == ([], [])


def test_the_log_is_one_json_object_a_line(program: Program) -> None:
    lines = [json.loads(line) for line in program.call("log", "export").out.splitlines()]
    places = [(line["topic"], line["partition"], line["offset"]) for line in lines]

    assert {line["schema"] for line in lines} == {"dealsync.fact/1"}
    assert len(set(places)) == len(places) > 0
    tail = program.call("log", "tail", "--lines", "3", "--topic", "sync.requests.v1")
    assert len(tail.out.splitlines()) == 3


def test_an_analyst_connects_and_can_only_read(program: Program) -> None:
    url = program.call("database", "url", "--reader", "--json").json["url"]

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM stored_events").fetchone() != (0,)
        with pytest.raises(psycopg.Error):
            connection.execute("DELETE FROM stored_events")


def test_a_home_in_use_is_not_emptied(program: Program) -> None:
    ended = program.call("reset", "--json")

    assert (ended.code, ended.json["code"]) == (1, "home_held")
    assert program.call("status", "--json").json["running"] is True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_up_ends_well_and_goes_on_where_it_was(home: Path, number: signal.Signals) -> None:
    first = Program(home, "up", "--empty", *FREE_PORTS).wait_ready()
    assert first.stop(number) == 0
    assert first.errors() == ""
    assert dealsync_here(home, "wait", "--until-quiet", "--json").json["code"] == "no_engine"

    second = Program(home, "up", "--empty", *FREE_PORTS).wait_ready()
    assert second.ready["policy_version"] == 1
    assert second.until_quiet()["rejected"] == 0
    assert second.stop() == 0


def test_up_adopts_the_folders_policy_once_and_warns_when_it_changes(home: Path) -> None:
    file = _policy(home)
    with Program(home, "up", "--empty", *FREE_PORTS) as first:
        assert first.wait_ready().ready["policy_version"] == 1
        assert first.stop() == 0
        assert first.errors() == ""
    file.write_text("[switches]\nlifecycle = false\n", encoding="utf-8")
    with Program(home, "up", "--empty", *FREE_PORTS) as second:
        assert second.wait_ready().ready["policy_version"] == 1
        assert second.stop() == 0
        assert "stays in force" in second.errors()
    with Program(home, "up", "--empty", "--policy", str(file), *FREE_PORTS) as third:
        assert third.wait_ready().ready["policy_version"] == 2
        assert third.stop() == 0
        assert third.errors() == ""


def test_a_killed_up_starts_again(home: Path) -> None:
    Program(home, "up", "--empty", *FREE_PORTS).wait_ready().kill()

    second = Program(home, "up", "--empty", *FREE_PORTS).wait_ready()
    assert second.stop() == 0


def test_a_taken_port_is_named(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = dealsync(home, "up", "--empty", "--salesforce-port", str(port), "--json")

    assert ended.code == 1
    assert ended.json["code"] == "port_taken"
    assert str(port) in ended.json["message"]


def test_reset_leaves_an_empty_home(home: Path) -> None:
    assert dealsync_here(home, "policy", "adopt", str(_policy(home))).code == 0
    assert (home / "postgres").exists()

    assert dealsync_here(home, "reset").code == 0
    assert not (home / "postgres").exists()
    assert dealsync_here(home, "reset").code == 0, "an empty home is emptied as well"


def test_a_policy_is_adopted_without_an_engine_and_survives(home: Path) -> None:
    assert dealsync_here(home, "policy", "adopt", str(_policy(home)), "--json").json["version"] == 1
    status = dealsync_here(home, "status", "--json").json

    assert (status["policy_version"], status["running"]) == (1, False)


def test_a_malformed_policy_changes_nothing(home: Path) -> None:
    file = home.parent / "bad.toml"
    file.write_text("[switches]\ndeal_sync = 7\n", encoding="utf-8")
    ended = dealsync(home, "policy", "adopt", str(file), "--json")

    assert ended.code == 2
    assert "deal_sync" in ended.json["message"]
    assert not home.exists()


def _policy(home: Path) -> Path:
    file = home.parent / "dealsync.toml"
    file.write_text("[switches]\ncompany_sync = false\n", encoding="utf-8")
    return file
