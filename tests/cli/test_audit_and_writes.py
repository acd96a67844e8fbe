"""`audit` and `writes`: what was decided, and what became of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.ids import opportunity
from domain.writes import UpdateDeal
from tests.support.filled_home import FilledHome, Recorded, filled_home
from tests.support.scenario import DEAL, OPPORTUNITY

AUDIT_KEYS = {
    *("id", "at", "kind", "rule", "pair_id", "opportunity_id", "deal_id", "contact_id", "crm"),
    *("object", "record_id", "operation", "fields", "reason", "ambiguous", "cause"),
    *("policy_version", "write_id"),
}


def _live() -> Recorded:
    scenario = Recorded()
    scenario.live()
    scenario.when(scenario.opportunity(100, amount="1500"))
    return scenario


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledHome]:
    with filled_home(tmp_path_factory.mktemp("audit"), _live()) as filled:
        yield filled


def test_a_line_has_the_documented_keys(home: FilledHome) -> None:
    told = home.call("audit", "list", "--kind", "delivered", "--json").json
    line = told["items"][0]

    assert told["schema"] == "dealsync.audit_line/1"
    assert set(line) == AUDIT_KEYS
    assert set(line["cause"]) == {"fact", "by", "at"}
    assert set(line["fields"][0]) == {"field", "before", "after", "losing"}
    assert (line["operation"], line["object"], line["opportunity_id"]) == (
        "create",
        "deal",
        OPPORTUNITY,
    )


def test_the_export_is_every_line_on_its_own(home: FilledHome) -> None:
    exported = [json.loads(line) for line in home.call("audit", "export").out.splitlines()]
    listed = home.call("audit", "list", "--limit", "1000", "--json").json["items"]

    assert {line.pop("schema") for line in exported} == {"dealsync.audit_line/1"}
    assert listed == exported


def test_lines_are_chosen_by_record_rule_kind_and_write(home: FilledHome) -> None:
    all_lines = home.call("audit", "list", "--id", DEAL, "--json").json["items"]
    (decided,) = home.call(
        "audit", "list", "--kind", "decided", "--rule", "created-with", "--json"
    ).json["items"]
    of_write = home.call("audit", "list", "--write", decided["write_id"], "--json").json["items"]

    assert {line["pair_id"] for line in all_lines} == {decided["pair_id"]}
    assert [line["kind"] for line in of_write] == ["decided", "delivered"]
    assert home.call("audit", "list", "--until", "2020-01-01", "--json").json["items"] == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--rule", "no-such-rule"), 2),
        (("--since", "yesterday-ish"), 2),
        (("--write", "x"), 2),
        (("--id", "4711"), 1),
        (("--kind", "guessed"), 2),
    ],
)
def test_wrong_filters(home: FilledHome, arguments: tuple[str, ...], code: int) -> None:
    assert home.call("audit", "list", *arguments, "--json").code == code


def test_people_read_a_line_a_decision(home: FilledHome) -> None:
    ended = home.call("audit", "list", "--kind", "decided")

    assert "field-rule: update deal 9001: amount '1200' → '1500'" in ended.out


def test_people_read_all_that_a_create_wrote(home: FilledHome) -> None:
    ended = home.call("audit", "list", "--kind", "delivered")

    (create,) = [line for line in ended.out.splitlines() if "create deal" in line]
    assert "dealsync_opportunity_id blank → '006" in create
    assert "dealsync_state = 'live'" in create


def test_people_read_why_a_write_was_cancelled(tmp_path: Path) -> None:
    scenario = _live()
    (write,) = scenario.asked(UpdateDeal)
    scenario.given(scenario.cancelled(write, 106, "the deal changed meanwhile", "who-wins"))
    with filled_home(tmp_path, scenario) as filled:
        ended = filled.call("audit", "list", "--kind", "cancelled")
        (line,) = filled.call("audit", "list", "--kind", "cancelled", "--json").json["items"]

    assert "who-wins: update deal 9001: the deal changed meanwhile: amount" in ended.out
    assert line["reason"] == "the deal changed meanwhile"


def test_writes_are_listed_with_their_state(home: FilledHome) -> None:
    told = home.call("writes", "list", "--json").json
    states = [write["state"] for write in told["items"]]

    assert told["schema"] == "dealsync.write/1"
    assert states == ["pending", "done", "done"]
    assert (
        home.call("writes", "list", "--state", "pending", "--crm", "hubspot").out.count("\n") == 1
    )


def test_a_pending_write_is_cancelled_once(tmp_path: Path) -> None:
    with filled_home(tmp_path, _live()) as filled:
        (write,) = filled.call("writes", "list", "--state", "pending", "--json").json["items"]
        retried = filled.call("writes", "retry", write["write_id"], "--json")
        cancelled = filled.call("writes", "cancel", write["write_id"], "--json")
        again = filled.call("writes", "cancel", write["write_id"], "--json")

    assert (retried.code, retried.json["retried"]) == (0, 1)
    assert (cancelled.code, cancelled.json["cancelled"]) == (0, 1)
    assert (again.code, again.json["code"]) == (1, "nothing_done")


def test_retrying_a_held_write_points_to_its_release(tmp_path: Path) -> None:
    scenario = _live()
    scenario.when(scenario.deleted(200, opportunity(OPPORTUNITY)))
    with filled_home(tmp_path, scenario) as filled:
        filled.call("status")  # it takes decided writes in, as deliver would
        (archive,) = [
            write
            for write in filled.call("writes", "list", "--json").json["items"]
            if write["operation"] == "archive"
        ]
        with filled.stores.database.transaction() as connection:
            connection.execute("UPDATE delivery SET state = 'held' WHERE state = 'pending'")
        ended = filled.call("writes", "retry", archive["write_id"], "--json")

    assert (ended.code, ended.json["code"]) == (1, "nothing_done")
    assert "dealsync writes release" in ended.json["hint"]


@pytest.mark.parametrize("action", ["retry", "cancel"])
@pytest.mark.parametrize(
    ("write_ids", "code"),
    [((), 2), (("x",), 2), (("00000000-0000-0000-0000-000000000000",), 1)],
)
def test_writes_that_are_not_there(
    home: FilledHome, action: str, write_ids: tuple[str, ...], code: int
) -> None:
    assert home.call("writes", action, *write_ids, "--json").code == code


def test_release_and_cancel_of_held_deletes_count_them(tmp_path: Path) -> None:
    scenario = _live()
    scenario.when(scenario.deleted(200, opportunity(OPPORTUNITY)))
    with filled_home(tmp_path, scenario) as filled:
        released = filled.call("writes", "release", "--json")
        cancelled = filled.call("writes", "cancel", "--held", "--json")

    assert released.json == {"schema": "dealsync.writes/1", "released": 0}
    assert cancelled.json == {"schema": "dealsync.writes/1", "cancelled": 0}
