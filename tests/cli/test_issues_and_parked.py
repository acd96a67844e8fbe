"""`issues`, `parked`, `projections`: what waits for a person, and what is derived."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain import facts
from domain.ids import FactId
from domain.issues import PROBLEMS
from tests.support.filled_home import FilledHome, Recorded, filled_home
from tests.support.scenario import DEAL, OPPORTUNITY, at


def _with_issue() -> Recorded:
    """A live pair whose owner has no counterpart."""
    scenario = Recorded()
    scenario.live()
    scenario.when(scenario.opportunity(100, type="Partner"))
    return scenario


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledHome]:
    with filled_home(tmp_path_factory.mktemp("issues"), _with_issue()) as filled:
        yield filled


def test_issues_are_grouped_by_code_with_their_fix(home: FilledHome) -> None:
    told = home.call("issues", "list", "--json").json
    (group,) = told["items"]

    assert told["schema"] == "dealsync.issue/1"
    assert (group["code"], group["count"], group["rule"]) == ("DS401", 1, "value-map")
    assert group["fix"] == PROBLEMS["DS401"].fix


def test_an_issue_is_shown_by_code_and_by_record(home: FilledHome) -> None:
    by_code = home.call("issues", "show", "ds401", "--json").json
    by_record = home.call("issues", "show", OPPORTUNITY, "--json").json

    assert by_code["issues"] == by_record["issues"]
    assert by_code["title"] == PROBLEMS["DS401"].title
    assert by_record["issues"][0]["deal_id"] == DEAL
    assert "fix:" in home.call("issues", "show", DEAL).out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "DS999"), 2),
        (("show", "4711"), 1),
        (("retry", "DS402"), 1),
        (("decide", DEAL, "both"), 2),
        (("decide", DEAL, "hubspot"), 1),
        (("discard", "nothing"), 2),
    ],
)
def test_issues_that_are_not_there(home: FilledHome, arguments: tuple[str, ...], code: int) -> None:
    assert home.call("issues", *arguments, "--json").code == code


def test_retry_and_discard_are_asked_of_each_record(tmp_path: Path) -> None:
    with filled_home(tmp_path, _with_issue()) as filled:
        retried = filled.call("issues", "retry", "DS401", "--json")
        discarded = filled.call("issues", "discard", DEAL, "--json")
        filled.work(at(300))
        left = filled.call("issues", "list", "--json").json["items"]

    assert len(retried.json["answers"]) == 1
    assert "pair.FieldFreed" in [e["type"] for e in retried.json["answers"][0]["events"]]
    assert "any.IssueClosed" in [e["type"] for e in discarded.json["answers"][0]["events"]]
    assert left == []


def test_discarding_says_what_was_closed_and_that_it_may_come_back(tmp_path: Path) -> None:
    with filled_home(tmp_path, _with_issue()) as filled:
        other = filled.call("issues", "discard", DEAL, "--issue", "DS402", "--json")
        ended = filled.call("issues", "discard", DEAL, "--issue", "ds401")
        again = filled.call("issues", "discard", DEAL, "--json")

    assert (other.code, other.json["code"]) == (1, "not_found")
    assert f"discarded: DS401 of {OPPORTUNITY}, about type@hubspot: " in ended.out
    assert "opens again at the record's next look" in ended.err
    assert (again.code, again.json["code"]) == (1, "not_found")


def _with_parked() -> Recorded:
    """A live pair with a fact that cannot be decided, and one behind it."""
    scenario = Recorded()
    scenario.live()
    return scenario


def _poison(scenario: Recorded) -> facts.PairRequested:
    return facts.PairRequested(
        id=FactId("poison"),
        at=at(150),
        stream=scenario.pair().stream,
        action="restore",
        field="amount",
        value="much",
    )


def test_parked_facts_are_listed_retried_and_discarded(tmp_path: Path) -> None:
    scenario = _with_parked()
    with filled_home(tmp_path, scenario) as filled:
        filled.tell(_poison(scenario), scenario.opportunity(160, amount="1600"), at=at(160))
        listed = filled.call("parked", "list", "--json").json
        blocked = filled.call("pairs", "unlink", DEAL, "--json")
        retried = filled.call("parked", "retry", DEAL, "--json")
        discarded = filled.call("parked", "discard", DEAL, "--json")
        again = filled.call("parked", "discard", DEAL, "--json")
        filled.work(at(200))
        left = filled.call("parked", "list", "--json").json["items"]

    assert listed["schema"] == "dealsync.parked_fact/1"
    assert [row["opportunity_id"] for row in listed["items"]] == [OPPORTUNITY, OPPORTUNITY]
    assert (blocked.code, blocked.json["code"]) == (1, "parked")
    assert (retried.code, retried.json["code"]) == (1, "nothing_done")
    assert discarded.code == 0
    assert {e["type"] for e in discarded.json["events"]} == {"any.ParkedFactSettled"}
    assert again.code == 1
    assert left == []


def test_projections_are_listed_compared_and_rebuilt(home: FilledHome) -> None:
    listed = home.call("projections", "list", "--json").json
    compared = home.call("projections", "compare", "--json")
    rebuilt = home.call("projections", "rebuild", "sync_status", "audit_line", "--json")

    assert listed["schema"] == "dealsync.projection/1"
    assert {row["lag"] for row in listed["items"]} == {0}
    assert compared.code == 0
    assert {row["differing"] for row in compared.json["items"]} == {0}
    assert [row["name"] for row in rebuilt.json["items"]] == ["sync_status", "audit_line"]
    assert home.call("projections", "compare", "nothing", "--json").code == 2


def test_a_difference_is_found_and_put_right(tmp_path: Path) -> None:
    with filled_home(tmp_path, _with_issue()) as filled:
        with filled.stores.database.transaction() as connection:
            connection.execute("DELETE FROM sync_status")
        compared = filled.call("projections", "compare", "sync_status", "--json")
        rebuilt = filled.call("projections", "rebuild", "sync_status", "--json")
        again = filled.call("projections", "compare", "sync_status", "--json")

    assert (compared.code, compared.json["items"][0]["differing"]) == (3, 1)
    assert (rebuilt.code, rebuilt.json["items"][0]["differing"]) == (0, 1)
    assert (again.code, again.json["items"][0]["differing"]) == (0, 0)
