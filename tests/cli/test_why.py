"""`why` tells the chain from the fact to the echo, and why nothing was done."""

from collections.abc import Iterator

import pytest

from domain.policy import Policy, Switches
from domain.writes import UpdateDeal
from tests.support.filled_home import FilledHome, Recorded, filled_home
from tests.support.scenario import DEAL, OPPORTUNITY


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledHome]:
    scenario = Recorded()
    scenario.live()
    scenario.when(scenario.opportunity(100, amount="1500"))
    (write,) = scenario.asked(UpdateDeal)
    scenario.given(scenario.done(write, 110, DEAL))
    scenario.given(
        scenario.deal(120, amount="1500", set_at={"amount": 110}, ours=["amount"], link=OPPORTUNITY)
    )
    with filled_home(tmp_path_factory.mktemp("why"), scenario) as filled:
        yield filled


def test_the_chain_of_a_field_goes_from_the_fact_to_the_echo(home: FilledHome) -> None:
    told = home.call("why", OPPORTUNITY, "amount", "--json").json
    kinds = [step["kind"] for step in told["steps"]]
    refs = {step["ref"] for step in told["steps"]}
    write = next(step for step in told["steps"] if step["kind"] == "write")

    assert told["schema"] == "dealsync.why/1"
    assert kinds[:3] == ["fact", "event", "event"]
    assert {"write", "attempt", "echo"} <= set(kinds)
    assert write["caused_by"] in refs
    assert "'1500'" in told["answer"]
    assert all(set(step) == {"kind", "at", "ref", "text", "caused_by"} for step in told["steps"])
    assert all(step["at"].endswith("Z") for step in told["steps"])


@pytest.mark.parametrize("field", ["amount", "Amount"])
@pytest.mark.parametrize("record", [OPPORTUNITY, OPPORTUNITY[:15], DEAL])
def test_either_id_and_name_tells_the_same(home: FilledHome, record: str, field: str) -> None:
    told = home.call("why", record, field, "--json").json

    assert told["field"] == "amount"
    assert told["steps"] == home.call("why", DEAL, "amount", "--json").json["steps"]


def test_a_whole_record_is_told(home: FilledHome) -> None:
    ended = home.call("why", DEAL)

    assert ended.code == 0
    assert "entry-salesforce" in ended.out
    assert "the pair is live" in ended.out
    assert "\x1b" not in ended.out


def test_a_field_that_only_we_read_has_its_first_reading(home: FilledHome) -> None:
    told = home.call("why", DEAL, "description", "--all", "--json").json

    assert told["steps"]


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("ninety",), 2, "no_id"),
        (("deal:x",), 2, "no_id"),
        (("4711",), 1, "not_found"),
        (("contact:4711",), 1, "not_found"),
        ((DEAL, "colour"), 1, "unknown_field"),
    ],
)
def test_what_cannot_be_told(
    home: FilledHome, arguments: tuple[str, ...], code: int, word: str
) -> None:
    ended = home.call("why", *arguments, "--json")

    assert (ended.code, ended.json["code"]) == (code, word)


def test_why_not_names_the_switch(tmp_path_factory: pytest.TempPathFactory) -> None:
    scenario = Recorded(Policy(switches=Switches(deal_sync=False)))
    scenario.adopted()
    scenario.given(scenario.opportunity(0, reason="baseline"))
    scenario.when(scenario.opportunity(10, amount="1"))
    with filled_home(tmp_path_factory.mktemp("off"), scenario) as filled:
        told = filled.call("why", OPPORTUNITY, "--json").json

    assert "deal-sync-switch: nothing decided: deal sync is off" in told["answer"]
    assert told["steps"][-1]["kind"] == "event"
