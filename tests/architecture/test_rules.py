"""Every rule of the specification has its id, its module, its tests and its row in the README.

The ids are written down here once more, so that one that disappears from the code is missed.
"""

import ast
import re
from itertools import chain
from pathlib import Path

import pytest

from domain.rules import RuleId

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path for path in (ROOT / "domain" / "rules").glob("*.py") if path.stem != "__init__"
)

#: what users can see in the two CRMs, by what it is about
RULES = {
    "switches and entry": """
        deal-sync-switch enable-before-import entry-salesforce entry-hubspot trigger-fields import
        sync-now company-sync company-sync-order permission other-connector suspend
    """,
    "counterparts": """
        link-ids adopt copied-link no-matching contact-identity account-identity once-paired
    """,
    "pipelines and stages": """
        record-type-pipeline pipeline-limit record-type-gone stage-map pipeline-move pipeline-scope
    """,
    "fields": """
        field-rule blank canonical value-map no-retroactive owner created-with required number-only
        close-date-rewrite not-taken partial-reject who-wins value-time
    """,
    "contacts": """
        contact-role contact-pending contact-many contact-removal contact-rollup rollup-target
        lifecycle
    """,
    "deletion, restoring, merging": """
        delete-down delete-never-up tombstone create-race undelete merge delete-fuse
    """,
}
#: what the engine promises around them
PROMISES = [
    *("echo", "once", "order", "explain", "nothing-lost"),
    *("replay-silent", "gap", "policy-change", "budget", "record-status"),
]
RULE_IDS = list(chain.from_iterable(ids.split() for ids in RULES.values()))


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def _own_rules(module: Path) -> list[str]:
    """Return the ids that a module claims: those in the first paragraph of its docstring."""
    paragraph = _docstring(module).partition("\n\n")[0]
    return [name for name in re.findall(r"`([a-z-]+)`", paragraph) if name in list(RuleId)]


def _text_of(*folders: Path) -> str:
    """Return the text of all Python files below the folders, but for this folder's."""
    return "\n".join(
        path.read_text(encoding="utf-8")
        for folder in folders
        for path in sorted(folder.rglob("*.py"))
        if path.parent != Path(__file__).parent
    )


def _unnamed(ids: list[str], text: str) -> list[str]:
    """Return the ids that a text names neither as text in quotes nor as a member of `RuleId`."""
    return [
        name
        for name in ids
        if not re.search(rf"[`\"']{name}[`\"']|\bRuleId\.{RuleId(name).name}\b", text)
    ]


def test_the_ids_are_those_of_the_specification() -> None:
    assert sorted(RULE_IDS + PROMISES) == sorted(rule.value for rule in RuleId)


def test_each_rule_has_a_module() -> None:
    claimed = {name for module in MODULES for name in _own_rules(module)}

    assert [name for name in RULE_IDS if name not in claimed] == []


def test_each_promise_is_named_where_it_is_kept() -> None:
    docstrings = "\n".join(
        _docstring(path)
        for package in ("domain", "projections", "adapters")
        for path in (ROOT / package).rglob("*.py")
    )

    assert _unnamed(PROMISES, docstrings) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_each_module_has_its_own_tests(module: Path) -> None:
    assert _own_rules(module) != []
    assert (ROOT / "tests" / "rules" / f"test_{module.stem}.py").exists()


def test_each_rule_and_promise_is_named_in_a_test() -> None:
    assert _unnamed(RULE_IDS + PROMISES, _text_of(ROOT / "tests")) == []


def test_each_rule_is_named_in_an_acceptance_test() -> None:
    assert _unnamed(RULE_IDS, _text_of(ROOT / "tests" / "acceptance")) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_each_module_has_a_row_in_the_readme(module: Path) -> None:
    rows = [
        line
        for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("|") and f"rules/{module.name}" in line
    ]

    assert len(rows) == 1
    assert [name for name in _own_rules(module) if f"`{name}`" not in rows[0]] == []
