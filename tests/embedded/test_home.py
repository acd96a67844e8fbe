"""A home is marked, locked by role, and never emptied by mistake."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.home import (
    LOCKS,
    MARKER,
    ROLES,
    FileLock,
    HomeHeldError,
    HomeLock,
    NotAHomeError,
    empty_home,
    holder_of,
    prepare_home,
)

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_new_folder_becomes_a_home_and_stays_one(tmp_path: Path) -> None:
    home = prepare_home(tmp_path / "deep" / "home")

    assert prepare_home(home) == home
    assert (home / MARKER).is_file()


def test_a_folder_with_other_files_does_not_become_a_home(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(NotAHomeError, match="found other files"):
        prepare_home(tmp_path)

    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_home(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")

    with pytest.raises(NotAHomeError, match="found a file"):
        prepare_home(file)


def test_a_second_holder_learns_who_is_the_first(tmp_path: Path) -> None:
    home = prepare_home(tmp_path / "home")
    with (
        HomeLock(home, ROLES, command="dealsync up", at=AT),
        pytest.raises(HomeHeldError) as refused,
    ):
        HomeLock(home, ("decide",), command="dealsync run --only decide", at=AT)

    assert refused.value.role == "decide"
    assert f"dealsync up (process {os.getpid()}, since 2026-01-02T03:04:05+00:00)" in str(
        refused.value
    )


def test_a_refused_lock_holds_none_of_its_roles(tmp_path: Path) -> None:
    home = prepare_home(tmp_path / "home")
    with HomeLock(home, ("project",), command="one", at=AT):
        with pytest.raises(HomeHeldError):
            HomeLock(home, ROLES, command="two", at=AT)

        assert holder_of(home, "decide") is None
        with HomeLock(home, ("decide", "ingest", "deliver"), command="three", at=AT):
            pass


def test_a_holder_is_known_while_it_holds(tmp_path: Path) -> None:
    home = prepare_home(tmp_path / "home")
    assert holder_of(home, "ingest") is None
    with HomeLock(home, ROLES, command="dealsync up", at=AT):
        holder = holder_of(home, "ingest")

    assert holder is not None
    assert holder.command == "dealsync up"
    assert holder_of(home, "ingest") is None


def test_the_lock_of_a_killed_holder_is_free(tmp_path: Path) -> None:
    home = prepare_home(tmp_path / "home")
    program = (
        "import sys, os, signal; from pathlib import Path; from datetime import datetime, UTC;"
        "from adapters.home import HomeLock, ROLES;"
        "lock = HomeLock(Path(sys.argv[1]), ROLES, command='killed', at=datetime.now(UTC));"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(home)], check=False)  # noqa: S603

    with HomeLock(home, ROLES, command="next", at=AT):
        holder = holder_of(home, "deliver")

    assert holder is not None
    assert holder.command == "next"


def test_emptying_keeps_the_marker_and_follows_no_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("mine", encoding="utf-8")
    home = prepare_home(tmp_path / "home")
    (home / "link").symlink_to(precious)
    (home / "logs").mkdir()
    (home / "logs" / "engine.jsonl").write_text("{}\n", encoding="utf-8")

    empty_home(home)

    assert sorted(entry.name for entry in home.iterdir()) == [MARKER, LOCKS]
    assert (precious / "thesis.txt").read_text(encoding="utf-8") == "mine"


def test_emptying_an_absent_home_does_nothing(tmp_path: Path) -> None:
    empty_home(tmp_path / "absent")

    assert list(tmp_path.iterdir()) == []


def test_a_held_home_is_not_emptied(tmp_path: Path) -> None:
    home = prepare_home(tmp_path / "home")
    (home / "kept").write_text("", encoding="utf-8")
    with (
        HomeLock(home, ("ingest",), command="dealsync run", at=AT),
        pytest.raises(HomeHeldError, match="dealsync run"),
    ):
        empty_home(home)

    assert (home / "kept").exists()


def test_a_lock_is_shared_or_held_alone(tmp_path: Path) -> None:
    path = tmp_path / "some.lock"
    with FileLock(path) as one, FileLock(path) as two, FileLock(path) as third:
        one.shared()
        two.shared()
        assert not third.try_exclusive()

    with FileLock(path) as alone:
        assert alone.try_exclusive()
