"""`simulate --policy`: rules that never settle are named; sound ones are quiet."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.cli.app import app

#: two mappings that write one HubSpot property: each puts its own value back
AT_WAR = """
[fields.next]
salesforce = "NextStep"
hubspot = "description"
type = "text"
"""
SOUND = """
[fields.next]
salesforce = "NextStep"
hubspot = "hs_next_step"
type = "text"
"""
#: seeds in some of which somebody writes the shared property
SEEDS = "12..13"


@pytest.fixture
def policy(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a policy file."""
    path = tmp_path / "dealsync.toml"
    path.write_text(request.param)
    return path


def simulated(policy: Path, *more: str) -> tuple[int, str]:
    arguments = ["simulate", "--seeds", SEEDS, "--steps", "60", "--whole", "--policy", str(policy)]
    result = CliRunner().invoke(app, [*arguments, *more])
    return result.exit_code, result.output


@pytest.mark.parametrize("policy", [AT_WAR], indirect=True)
def test_rules_at_war_are_named(policy: Path) -> None:
    code, said = simulated(policy, "--json")

    (one,) = [one for one in json.loads(said)["never_settle"] if one["crm"] == "hubspot"]
    assert code == 1
    assert one["name"] == "description"
    assert [rule.partition(" ")[0] for rule in one["rules"]] == [
        "fields.description",
        "fields.next",
    ]


@pytest.mark.parametrize("policy", [AT_WAR], indirect=True)
def test_a_person_can_read_which_rules_they_are(policy: Path) -> None:
    code, said = simulated(policy)

    assert code == 1
    assert "hubspot description never settles under this policy" in said
    assert "fields.next (two_way, NextStep ↔ description)" in said


@pytest.mark.parametrize("policy", [SOUND], indirect=True)
def test_a_sound_policy_is_quiet(policy: Path) -> None:
    code, _ = simulated(policy)

    assert code == 0
