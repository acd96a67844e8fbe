"""The import contracts hold, and each one notices a violation: one is planted per contract."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "projections", "adapters")

#: contract → (new file, its text): each a thing that someone in a hurry might write
VIOLATIONS = {
    "Dependencies point inwards": ("domain/planted.py", "import adapters.clock\n"),
    "The domain is pure": ("domain/planted.py", "import os\n"),
    "Projections touch no infrastructure": ("projections/planted.py", "import psycopg\n"),
    "Adapters: people, wiring, plugs, basics": ("adapters/newthing/__init__.py", ""),
    "Only postgres speaks SQL": ("adapters/engine/planted.py", "import psycopg\n"),
    "Only kafka_log speaks Kafka": ("adapters/engine/planted.py", "import kafka\n"),
    "What tests need stays in tests": ("adapters/engine/planted.py", "import simple_salesforce\n"),
}

#: more that must be noticed by the same contracts
OTHER_VIOLATIONS = [
    ("Dependencies point inwards", "projections/planted.py", "import adapters.clock\n"),
    ("The domain is pure", "domain/planted.py", "from time import time\n"),
    ("The domain is pure", "domain/planted.py", "import logging\n"),
    ("Projections touch no infrastructure", "projections/planted.py", "import random\n"),
    (
        "Adapters: people, wiring, plugs, basics",
        "adapters/engine/planted.py",
        "import adapters.sandbox\n",
    ),
    (
        "Adapters: people, wiring, plugs, basics",
        "adapters/sandbox/planted.py",
        "import adapters.postgres.embedded\n",
    ),
]


def _contracts() -> list[str]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)
    return [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pristine")
    _copy(ROOT, folder)
    return folder


def _copy(source: Path, target: Path) -> None:
    shutil.copy(source / "pyproject.toml", target)
    for package in PACKAGES:
        shutil.copytree(
            source / package, target / package, ignore=shutil.ignore_patterns("__pycache__")
        )


def _lint(folder: Path) -> tuple[int, list[str]]:
    """Run the linter in the folder; return its exit code and the contracts it calls broken."""
    program = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run(  # noqa: S603  our own linter
        [program, "--no-logo", "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        check=False,
        capture_output=True,
        text=True,
    )
    broken = [
        line.removesuffix(" BROKEN")
        for line in answer.stdout.splitlines()
        if line.endswith(" BROKEN")
    ]
    return answer.returncode, broken


def test_the_contracts_hold_here(pristine: Path) -> None:
    assert _lint(pristine) == (0, [])


def test_every_contract_has_a_violation() -> None:
    assert sorted(VIOLATIONS) == sorted(_contracts())


@pytest.mark.parametrize(
    ("contract", "place", "text"),
    [*((name, *planted) for name, planted in VIOLATIONS.items()), *OTHER_VIOLATIONS],
)
def test_a_violation_breaks_its_contract(
    contract: str, place: str, text: str, pristine: Path, tmp_path: Path
) -> None:
    _copy(pristine, tmp_path)
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'"""Planted."""\n\n{text}', encoding="utf-8")

    code, broken = _lint(tmp_path)

    assert code == 1
    assert contract in broken
