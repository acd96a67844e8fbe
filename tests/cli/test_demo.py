"""`demo` plays its whole story, shows every behaviour, and says what to try next."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.rules import RuleId
from tests.support.program import DEALSYNC, dealsync_here, environment

RULES = Path(__file__).parents[2] / "domain" / "rules"
#: a minute, and half of one for a machine that does other work meanwhile
SECONDS_MAX = 90.0


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What `demo --keep` said, while what it started still runs; it ends as one that is told to."""
    folder = tmp_path_factory.mktemp("demo")
    demo = subprocess.Popen(  # noqa: S603 - our own program
        [DEALSYNC, "demo", "--keep", "--json"],
        env=environment(folder / "no home of its own"),
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    said = json.loads(demo.stdout.readline())
    yield said
    demo.terminate()
    assert demo.wait(30) == 0
    demo.stdout.close()
    assert not Path(said["home"]).exists()
    assert list(folder.iterdir()) == []


@pytest.fixture(scope="module")
def told(kept: dict[str, Any]) -> dict[str, Any]:
    assert "steps" in kept, kept
    return kept


def test_the_story_is_told_step_by_step_in_under_a_minute(told: dict[str, Any]) -> None:
    assert told["schema"] == "dealsync.demo/1"
    assert [step["number"] for step in told["steps"]] == list(range(1, len(told["steps"]) + 1))
    assert all(step["sides"] and step["rules"] for step in told["steps"])
    assert float(told["seconds"]) < SECONDS_MAX
    assert any("dealsync why" in command for command in told["next"])


def test_the_story_shows_every_behaviour(told: dict[str, Any]) -> None:
    """Each module of the rules, and each of the words that the customer's story has."""
    shown = {rule for step in told["steps"] for rule in step["rules"]}
    unknown = shown - set(RuleId)
    missing = [
        path.stem
        for path in sorted(RULES.glob("*.py"))
        if path.stem != "__init__" and not shown & set(_rules_of(path))
    ]

    assert (unknown, missing) == (set(), [])
    assert {"import", "merge", "suspend", "permission", "delete-fuse", "undelete"} <= shown


def test_a_command_is_shown_with_what_it_printed(told: dict[str, Any]) -> None:
    commands = [command for step in told["steps"] for command in step["commands"]]

    assert all(command["output"] for command in commands)
    assert any("DS408" in command["output"] for command in commands)


def test_what_it_leaves_running_answers_what_it_says_to_try(told: dict[str, Any]) -> None:
    home = Path(told["home"])

    for line in told["next"]:
        ended = dealsync_here(home, *line.split()[1:])
        assert (ended.code, bool(ended.out)) == (0, True), line


def _rules_of(path: Path) -> list[str]:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.findall(r"`([a-z-]+)`", docstring.partition("\n\n")[0])
