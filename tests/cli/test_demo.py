"""`demo` plays its whole story, shows every behaviour, and says what to try next."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from domain.rules import RuleId
from tests.support.program import dealsync

RULES = Path(__file__).parents[2] / "domain" / "rules"
#: a minute, and half of one for a machine that does other work meanwhile
SECONDS_MAX = 90.0


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("demo") / "home"
    ended = dealsync(home, "demo", "--json", timeout=120)
    assert ended.code == 0, ended.out or ended.err
    assert not home.exists()
    return ended.json


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


def _rules_of(path: Path) -> list[str]:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.findall(r"`([a-z-]+)`", docstring.partition("\n\n")[0])
