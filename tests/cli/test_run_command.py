"""The engine alone, against accounts that the settings name: sign-in by JWT, webhooks, one loop."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.accounts import settings_of
from tests.support.program import Program, dealsync_here

FREE_PORTS = ("--salesforce-port", "0", "--hubspot-port", "0")


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """Settings that name the accounts of sandboxes which run on a home of their own."""
    home = tmp_path / "sandboxes"
    sandboxes = Program(home, "sandbox", "--empty", *FREE_PORTS).wait_ready()
    yield settings_of(sandboxes, tmp_path)
    assert sandboxes.stop() == 0


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    dealsync_here(tmp_path / "home", "reset")


def test_the_engine_alone_needs_a_policy_and_sets_up_without_an_engine(
    home: Path, accounts: Mapping[str, str]
) -> None:
    refused = dealsync_here(home, "run", "--json", settings=accounts)
    assert (refused.code, refused.json["code"]) == (1, "no_policy")

    file = home.parent / "dealsync.toml"
    file.write_text("[switches]\ndeal_sync = true\n", encoding="utf-8")
    assert dealsync_here(home, "policy", "adopt", str(file)).code == 0
    setup = dealsync_here(home, "setup", "--json", settings=accounts)
    assert setup.code == 0, setup.out
    assert (len(setup.json["pipelines"]), setup.json["not_ready"]) == (2, [])

    engine = Program(home, "run", settings=accounts).wait_ready()
    assert engine.until_quiet()["rejected"] == 0
    second = engine.call("run", "--only", "decide", "--json")
    assert (second.code, second.json["code"]) == (1, "home_held")
    assert engine.stop() == 0


def test_a_crm_that_lets_nobody_in_is_told_and_waited_for(
    home: Path, accounts: Mapping[str, str]
) -> None:
    file = home.parent / "dealsync.toml"
    file.write_text("", encoding="utf-8")
    assert dealsync_here(home, "policy", "adopt", str(file)).code == 0
    stranger = {**accounts, "DEALSYNC_SALESFORCE_USERNAME": "stranger@sandbox.example"}

    engine = Program(home, "run", settings=stranger).wait_ready()
    ended = engine.call("wait", "--until-quiet", "--timeout", "3", "--json")
    status = engine.call("status", "--json").json
    assert engine.stop() == 0

    assert ended.json["code"] == "timeout"
    assert "salesforce" in ended.json["message"]
    assert "salesforce.read" in status["troubles"]


def test_one_loop_alone_holds_its_role_only(home: Path, accounts: Mapping[str, str]) -> None:
    file = home.parent / "dealsync.toml"
    file.write_text("", encoding="utf-8")
    assert dealsync_here(home, "policy", "adopt", str(file)).code == 0

    engine = Program(home, "run", "--only", "decide", settings=accounts).wait_ready()
    loops = engine.call("status", "--json").json["loops"]
    waiting = engine.call("wait", "--until-quiet", "--json")
    assert engine.stop() == 0

    assert [role for role, holder in loops.items() if holder] == ["decide"]
    assert waiting.json["code"] == "no_engine"
    assert "ingest" in waiting.json["message"]


def test_nothing_is_published_where_facts_are_in_postgresql(
    home: Path, accounts: Mapping[str, str]
) -> None:
    refused = dealsync_here(home, "run", "--only", "publish", "--json", settings=accounts)

    assert (refused.code, refused.json["code"]) == (2, "nothing_to_run")
