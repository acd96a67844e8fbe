"""The wheel holds the three packages whole, nothing else, and runs away from the checkout."""

import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "projections", "adapters")


def _uv(*arguments: str) -> None:
    program = Path(sys.executable).with_name("uv")
    subprocess.run([program, *arguments], check=True)  # noqa: S603  our own tool


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _uv("build", "--wheel", "--quiet", "--out-dir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


def test_no_other_distribution_ships_our_names() -> None:
    """`adapters` is a real package on the public index: a collision is not imaginary."""
    strangers = {
        f"{distribution.name}: {file}"
        for distribution in distributions()
        if distribution.name != "dealsync"
        for file in distribution.files or ()
        if file.parts[0] in PACKAGES
    }

    assert strangers == set()


def test_the_wheel_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        folders = {name.partition("/")[0] for name in archive.namelist()}

    assert {folder for folder in folders if not folder.endswith(".dist-info")} == set(PACKAGES)


def test_the_wheel_holds_what_is_no_python(wheel: Path) -> None:
    """Every statement, template and type marker of the source tree comes along."""
    wanted = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    with ZipFile(wheel) as archive:
        missing = wanted - set(archive.namelist())

    assert {f"{package}/py.typed" for package in PACKAGES} <= wanted
    assert missing == set()


def test_the_wheel_runs_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    _uv("venv", "--quiet", "--python", sys.executable, str(environment))
    _uv("pip", "install", "--quiet", "--python", str(environment / "bin" / "python"), str(wheel))

    answer = subprocess.run(  # noqa: S603  our own program
        [environment / "bin" / "dealsync", "--help"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )

    assert answer.returncode == 0, answer.stderr
    assert "dealsync" in answer.stdout
