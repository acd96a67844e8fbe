"""`pairs` shows pairs now and earlier, and asks things of one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.ids import Crm
from domain.mapping import DEFAULT_MAPPINGS, FieldRule
from domain.policy import Policy
from domain.writes import UpdateDeal
from tests.support.filled_home import FilledHome, Recorded, filled_home
from tests.support.scenario import DEAL, NEW_BUSINESS, OPPORTUNITY, at

BEFORE = "2026-11-24T09:01:00Z"


def _live() -> Recorded:
    """A live pair whose amount is changed twice in Salesforce."""
    scenario = Recorded()
    scenario.live()
    scenario.now = at(100)
    scenario.when(scenario.opportunity(100, amount="1500"))
    return scenario


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledHome]:
    with filled_home(tmp_path_factory.mktemp("pairs"), _live()) as filled:
        yield filled


@pytest.fixture
def own_home(tmp_path: Path) -> Iterator[FilledHome]:
    with filled_home(tmp_path, _live()) as filled:
        yield filled


def test_the_list_has_one_item_a_pair(home: FilledHome) -> None:
    told = home.call("pairs", "list", "--json").json
    (pair,) = told["items"]

    assert told["schema"] == "dealsync.pair/1"
    assert (pair["opportunity_id"], pair["deal_id"], pair["state"]) == (OPPORTUNITY, DEAL, "live")
    assert pair["amount"] == "1500"
    assert pair["close_date"] == "2026-12-31"
    assert pair["last_decided_at"].endswith("Z")
    assert pair["company_id"] is None


def test_the_list_is_narrowed_by_state(home: FilledHome) -> None:
    assert home.call("pairs", "list", "--state", "stopped", "--json").json["items"] == []
    assert home.call("pairs", "list", "--state", "sleepy", "--json").code == 2


def test_people_read_a_line_a_pair(home: FilledHome) -> None:
    ended = home.call("pairs", "list")

    assert OPPORTUNITY in ended.out
    assert "live" in ended.out
    assert "\x1b" not in ended.out


def test_a_pair_is_shown_with_both_sides_of_each_field(home: FilledHome) -> None:
    told = home.call("pairs", "show", DEAL, "--json").json
    amount = next(field for field in told["fields"] if field["field"] == "amount")

    assert told["schema"] == "dealsync.pair/1"
    assert told["salesforce"]["record_id"] == OPPORTUNITY
    assert told["hubspot"]["record_id"] == DEAL
    assert told["policy_version"] == 1
    assert amount["agreed"] == {
        "salesforce": "1500",
        "hubspot": "1500",
        "winner": "salesforce",
        "how": "sequential",
        "by": "dana",
        "decided_at": "2026-11-24T09:01:40.000Z",
    }
    assert len(told["open_writes"]) == 1


def test_a_pair_is_shown_as_it_was(tmp_path: Path) -> None:
    scenario = Recorded()
    scenario.live()
    with filled_home(tmp_path, scenario) as filled:
        filled.tell(scenario.opportunity(100, amount="1500"), at=at(100))
        then = filled.call("pairs", "show", OPPORTUNITY, "--at", BEFORE, "--json").json
        now = filled.call("pairs", "show", OPPORTUNITY, "--json").json
        never = filled.call("pairs", "show", OPPORTUNITY, "--at", "2020-01-01", "--json")

    assert _amount(then) == "1200"
    assert _amount(now) == "1500"
    assert then["policy_version"] == 1
    assert (never.code, never.json["code"]) == (1, "not_found")


def _amount(told: dict[str, object]) -> object:
    fields = told["fields"]
    assert isinstance(fields, list)
    return next(field["salesforce"] for field in fields if field["field"] == "amount")


def test_people_read_a_table_of_fields(home: FilledHome) -> None:
    ended = home.call("pairs", "show", OPPORTUNITY)

    assert "Acme Renewal  live" in ended.out
    assert "close_date" in ended.out


def test_unlink_detaches_and_resume_takes_up_again(own_home: FilledHome) -> None:
    unlinked = own_home.call("pairs", "unlink", DEAL, "--json")
    (pair,) = own_home.call("pairs", "list", "--json").json["items"]
    resumed = own_home.call("pairs", "resume", OPPORTUNITY, "--json")

    assert unlinked.code == 0
    assert "pair.PairDetached" in [event["type"] for event in unlinked.json["events"]]
    assert pair["state"] == "detached"
    assert resumed.code == 0
    assert "pair.SyncEntered" in [event["type"] for event in resumed.json["events"]]


def test_what_cannot_be_done_says_why(own_home: FilledHome) -> None:
    resume = own_home.call("pairs", "resume", DEAL, "--json")
    link = own_home.call("pairs", "link", OPPORTUNITY, DEAL, "--json")

    assert (resume.code, resume.json["code"]) == (1, "nothing_done")
    assert "the pair is live" in resume.json["message"]
    assert (link.code, link.json["code"]) == (1, "nothing_done")


def test_nobody_is_named_for_a_value_whose_author_is_not_known(home: FilledHome) -> None:
    told = home.call("pairs", "show", DEAL, "--json").json
    (agreed,) = [field["agreed"] for field in told["fields"] if field["field"] == "close_date"]

    assert (agreed["winner"], agreed["by"]) == ("salesforce", None)


def test_a_restored_value_names_the_operator_and_when(own_home: FilledHome) -> None:
    own_home.call("pairs", "restore", DEAL, "amount", "--value", "1300")
    told = own_home.call("pairs", "show", DEAL, "--json").json
    people = own_home.call("pairs", "show", DEAL).out
    (agreed,) = [field["agreed"] for field in told["fields"] if field["field"] == "amount"]

    assert (agreed["winner"], agreed["how"]) == (None, "restored")
    assert agreed["by"].startswith("operator")
    assert agreed["decided_at"].endswith("Z")
    assert "by operator" in people
    assert "nobody" not in people


def test_a_stage_is_restored_by_its_name(own_home: FilledHome) -> None:
    wrong = own_home.call("pairs", "restore", DEAL, "stage", "--value", "Won", "--json")
    restored = own_home.call("pairs", "restore", DEAL, "StageName", "--value", "Negotiation")

    assert (wrong.code, wrong.json["code"]) == (2, "no_value")
    assert "Prospecting, Negotiation, Closed Won" in wrong.json["message"]
    assert restored.code == 0, restored.err
    assert f"stage is to be 'Negotiation' of {NEW_BUSINESS} in Salesforce" in restored.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "contact:77"), 2),
        (("resume", "nobody"), 2),
        (("resume", "4711"), 1),
        (("link", DEAL, OPPORTUNITY), 2),
        (("link", OPPORTUNITY, "4711"), 1),
        (("restore", DEAL, "colour"), 2),
        (("restore", DEAL, "amount", "--value", "much"), 2),
        (("restore", DEAL, "close_date", "--value", ""), 2),
        (("restore", DEAL, "amount", "--value", "1", "--at", "1h"), 2),
        (("restore", DEAL, "amount", "--at", "soon"), 2),
        (("show", DEAL, "--at", "999999d"), 2),
        (("show", DEAL, "--at", "0001-01-01T00:00:00+14:00"), 2),
        (("show", ""), 2),
        (("show", "٣٣٣"), 2),
        (("show", "006"), 1),
        (("show", "9" * 200), 1),
    ],
)
def test_wrong_ids_and_values(home: FilledHome, arguments: tuple[str, ...], code: int) -> None:
    assert home.call("pairs", *arguments, "--json").code == code


def test_the_value_that_lost_is_restored(tmp_path: Path) -> None:
    scenario = Recorded()
    scenario.live()
    scenario.when(scenario.opportunity(100, amount="1500"))
    # Made at the same time in HubSpot: Salesforce was later, HubSpot's value lost.
    scenario.when(scenario.deal(105, amount="1400", set_at={"amount": 60}, link=OPPORTUNITY))
    with filled_home(tmp_path, scenario) as filled:
        found = filled.call("pairs", "restore", DEAL, "amount", "--list", "--json").json
        restored = filled.call("pairs", "restore", DEAL, "amount", "--json")

    assert found["schema"] == "dealsync.earlier_value/1"
    (lost,) = [one for one in found["items"] if one["how"] == "lost"]
    assert (lost["value"], lost["by"], lost["at"]) == ("1400", "dana", "2026-11-24T09:01:00.000Z")
    assert restored.code == 0, restored.out
    assert any("'1400' (restored, by" in event["text"] for event in restored.json["events"])


def test_a_named_value_and_an_earlier_moment_can_be_restored(own_home: FilledHome) -> None:
    nothing_lost = own_home.call("pairs", "restore", DEAL, "amount", "--json")
    named = own_home.call("pairs", "restore", DEAL, "Amount", "--value", "1300.50", "--json")

    assert (nothing_lost.code, nothing_lost.json["code"]) == (1, "not_found")
    assert "--list" in nothing_lost.json["hint"]
    assert any("'1300.5' (restored, by" in event["text"] for event in named.json["events"])
    assert len(named.json["writes"]) >= 1


def test_a_held_field_is_decided(tmp_path: Path) -> None:
    hold = [
        m.model_copy(update={"rule": FieldRule.HOLD}) if m.name == "amount" else m
        for m in DEFAULT_MAPPINGS
    ]
    scenario = Recorded(Policy(mappings=tuple(hold)))
    scenario.live()
    scenario.when(scenario.opportunity(100, amount="1500"))
    (write,) = scenario.asked(UpdateDeal)
    scenario.when(scenario.deal(105, amount="1400", set_at={"amount": 99}, link=OPPORTUNITY))
    scenario.given(scenario.cancelled(write, 106, "the deal changed meanwhile", "who-wins"))
    with filled_home(tmp_path, scenario) as filled:
        (group,) = filled.call("issues", "list", "--json").json["items"]
        shown = filled.call("issues", "show", DEAL, "--json").json
        told = filled.call("why", DEAL, "amount", "--json").json
        decided = filled.call("issues", "decide", DEAL, Crm.HUBSPOT, "--json")
        again = filled.call("issues", "decide", DEAL, Crm.HUBSPOT, "--json")

    assert group["code"] == "DS408"
    assert "dealsync issues decide" in group["fix"]
    assert shown["issues"][0]["subject"] == "amount"
    assert "DS408" in told["answer"]
    assert decided.code == 0, decided.out
    assert any(
        "'1400' (HubSpot wins, decided, by dana)" in e["text"] for e in decided.json["events"]
    )
    assert again.code == 0 or again.json["code"] == "not_found"
