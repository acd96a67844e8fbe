"""`why` tells the chain from the fact to the echo, and why nothing was done."""

from collections.abc import Iterator

import pytest

from domain import ids
from domain.ids import FactId
from domain.policy import Policy, Switches
from domain.writes import UpdateDeal
from tests.support.filled_home import FilledHome, Recorded, filled_home
from tests.support.scenario import DEAL, OPPORTUNITY, salesforce_catalog


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
        ((DEAL, "colour"), 2, "unknown_field"),
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

    assert "deal-sync-switch: deal sync is off" in told["answer"]
    assert "entry-salesforce: it existed before" in told["answer"]
    assert told["steps"][-1]["kind"] == "event"


def test_why_not_gives_every_reason_that_holds_now(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    scenario = Recorded(Policy(switches=Switches(deal_sync=False)))
    scenario.adopted()
    gone = ids.salesforce_id("012000000000009")
    scenario.given(scenario.opportunity(0, record_type_id=gone, reason="baseline"))
    scenario.given(salesforce_catalog(id=FactId("later"), permissions=("ApiEnabled",)))
    with filled_home(tmp_path_factory.mktemp("reasons"), scenario) as filled:
        answer = filled.call("why", OPPORTUNITY, "--json").json["answer"]
        scenario.when(scenario.opportunity(10, record_type_id=gone, amount="1"))
        filled.tell(scenario.facts[-1], at=scenario.now)
        after_an_edit = filled.call("why", OPPORTUNITY, "--json").json["answer"]
        # What held when it was last decided, and does not any more, is no reason.
        scenario.propose(Policy())
        filled.tell(scenario.facts[-1], at=scenario.now)
        switched_on = filled.call("why", OPPORTUNITY, "--json").json["answer"]

    for rule in ("deal-sync-switch", "record-type-gone", "entry-salesforce", "permission"):
        assert f"{rule}: " in answer, answer
        assert f"{rule}: " in after_an_edit, after_an_edit
    assert "deal-sync-switch" not in switched_on
    assert "record-type-gone: " in switched_on


def test_a_write_that_waits_for_a_permission_says_so_and_what_to_do(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    scenario = Recorded()
    scenario.live()
    scenario.given(salesforce_catalog(id=FactId("later"), permissions=("ApiEnabled",)))
    scenario.when(scenario.opportunity(100, amount="1500"))
    with filled_home(tmp_path_factory.mktemp("permission"), scenario) as filled:
        field = filled.call("why", DEAL, "amount", "--json").json["answer"]
        whole = filled.call("why", DEAL, "--json").json["answer"]

    for answer in (field, whole):
        assert "under way" not in answer
        assert "waits: integration@example.com has neither Modify All Data" in answer
        assert "grant Modify All Data" in answer


def test_a_write_that_nobody_sends_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    scenario = Recorded()
    scenario.live()
    scenario.when(scenario.opportunity(100, amount="1500"))
    with filled_home(tmp_path_factory.mktemp("nobody"), scenario) as filled:
        answer = filled.call("why", DEAL, "amount", "--json").json["answer"]

    assert "waits: no engine runs that sends it" in answer


def test_why_names_the_author_of_the_value_that_stands_and_of_the_one_that_lost(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    scenario = Recorded()
    scenario.live()
    scenario.when(scenario.opportunity(100, amount="1500", by="ada"))
    # Made in HubSpot by dana before that, read after it: her news settles it, ada's stands.
    scenario.when(scenario.deal(105, amount="1400", set_at={"amount": 60}, link=OPPORTUNITY))
    with filled_home(tmp_path_factory.mktemp("authors"), scenario) as filled:
        answer = filled.call("why", DEAL, "amount", "--json").json["answer"]

    assert "Salesforce won (set by ada)" in answer
    assert "HubSpot's '1400' (set by dana at 2026-11-24T09:01:00.000Z) lost" in answer


def test_an_edit_is_audited_with_the_value_before_it(home: FilledHome) -> None:
    (line,) = home.call("audit", "list", "--id", DEAL, "--kind", "observed", "--json").json[
        "items"
    ][-1:]
    (field,) = line["fields"]

    assert (field["field"], field["before"], field["after"]) == ("amount", "1200", "1500")
    assert field["by"] == "dana"
