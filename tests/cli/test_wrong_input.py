"""Bad input gets one clear message and the right exit code, and no traceback."""

from pathlib import Path

import pytest

from adapters.home import prepare_home
from adapters.settings import FILE_NAME
from tests.support.program import dealsync, dealsync_here


@pytest.mark.parametrize(
    "arguments",
    [
        ("up", "--no-such-flag"),
        ("up", "--salesforce-port", "70000"),
        ("up", "--seed", "galaxy"),
        ("up", "--log", "paper"),
        ("run", "--only", "dance"),
        ("wait", "--until-quiet", "--timeout", "soon"),
        ("log", "tail", "--lines", "0"),
        ("no-such-command",),
        ("policy", "adopt", "no-such-file.toml"),
        ("run",),
    ],
)
def test_wrong_input_ends_with_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = dealsync_here(tmp_path / "home", *arguments, "--json")

    assert ended.code == 2
    assert ended.json["schema"] == "dealsync.error/1"
    assert ended.json["message"]
    assert ended.err == ""


@pytest.mark.parametrize(
    "arguments", [("status",), ("wait",), ("wait", "--until-quiet"), ("setup",), ("log", "export")]
)
def test_a_command_that_needs_a_home_says_that_there_is_none(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ended = dealsync_here(tmp_path / "home", *arguments, "--json")

    assert (ended.code, ended.json["code"]) == (1, "no_home")
    assert "dealsync up" in ended.json["hint"]


@pytest.mark.parametrize("arguments", [("status",), ("why", "5521"), ("audit", "list")])
def test_a_database_that_is_down_is_said_with_what_to_do(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    prepare_home(tmp_path / "home")
    settings = 'database_url = "postgresql://nobody@127.0.0.1:1/nothing"\n'
    (tmp_path / FILE_NAME).write_text(settings, encoding="utf-8")

    ended = dealsync_here(tmp_path / "home", *arguments, "--json")

    assert (ended.code, ended.json["code"]) == (1, "database")
    assert ended.json["retryable"]
    assert "database_url" in ended.json["hint"]
    assert "nothing is lost" in ended.json["hint"]


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "home" / "thesis.txt"
    other.parent.mkdir()
    other.write_text("mine", encoding="utf-8")

    for command in ("up", "reset"):
        ended = dealsync_here(tmp_path / "home", command)
        assert ended.code == 1
        assert "dealsync home" in ended.err
    assert other.read_text(encoding="utf-8") == "mine"


def test_a_message_for_people_goes_to_standard_error(tmp_path: Path) -> None:
    ended = dealsync(tmp_path / "home", "status")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error: ")
    assert "\x1b" not in ended.err


def test_version_and_help_need_no_home(tmp_path: Path) -> None:
    assert dealsync_here(tmp_path / "home", "version", "--json").json["version"]
    ended = dealsync_here(tmp_path / "home", "--help")

    assert (ended.code, list(tmp_path.iterdir())) == (0, [])
    assert "up" in ended.out
