"""What people read agrees with what is there: README, changelog, version, module docstrings."""

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
README_LINES_MAX = 180
CONTRIBUTING_LINES_MAX = 90


def _lines(name: str) -> list[str]:
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


def test_the_newest_heading_of_the_changelog_is_the_version() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    headings = [
        found[1]
        for line in _lines("CHANGELOG.md")
        if (found := re.match(r"## \[?([0-9][^\] ]*)", line))
    ]

    assert headings[0] == version


def test_the_readme_can_be_read_in_one_sitting() -> None:
    assert 0 < len(_lines("README.md")) <= README_LINES_MAX


def test_the_guide_for_contributors_is_short() -> None:
    assert 0 < len(_lines(".github/CONTRIBUTING.md")) <= CONTRIBUTING_LINES_MAX


def test_every_relative_link_leads_somewhere() -> None:
    documents = [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        *(ROOT / ".github").glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
    ]
    broken = [
        f"{document.relative_to(ROOT)} -> {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
        if "://" not in target and not (document.parent / target).exists()
    ]

    assert broken == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for package in ("domain", "projections", "adapters")
        for path in sorted((ROOT / package).rglob("*.py"))
        if ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]

    assert silent == []
