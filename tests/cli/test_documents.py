"""docs/cli.md names every command; every command has `--json`; each example is a real command."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from adapters.cli.app import app
from domain.issues import PROBLEMS

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT = (DOCS / "cli.md").read_text(encoding="utf-8")
ISSUES = (DOCS / "issues.md").read_text(encoding="utf-8")


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    nested = getattr(command, "commands", None)
    if nested is None:
        yield " ".join(path), command
        return
    for name, inner in nested.items():
        yield from _commands(inner, (*path, name))


COMMANDS = dict(_commands(get_command(app)))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_is_in_the_document_with_an_example(name: str) -> None:
    assert f"`{name}" in DOCUMENT
    assert f"`dealsync {name}" in DOCUMENT


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_has_json(name: str) -> None:
    assert any("--json" in parameter.opts for parameter in COMMANDS[name].params)


def test_each_issue_is_in_its_document_with_its_fix() -> None:
    rows = re.findall(r"^\| (DS\d{3}) \| (.+?) \| (.+?) \| `(.+?)` \|", ISSUES, re.MULTILINE)

    assert rows == [
        (code, problem.title, problem.fix, problem.rule)
        for code, problem in sorted(PROBLEMS.items())
    ]


def test_each_example_is_a_command() -> None:
    fixes = "".join(problem.fix for problem in PROBLEMS.values())
    examples = re.findall(r"`dealsync ([a-z][^`]*)`", DOCUMENT + ISSUES + fixes)
    unknown = [
        example
        for example in examples
        if not any(example == name or example.startswith(f"{name} ") for name in COMMANDS)
    ]

    assert unknown == []
