"""`import`, `sync` and `doctor`: against the running program, and what counts as which outcome."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.cli import import_counts
from domain.ids import opportunity
from domain.policy import Policy, Switches
from tests.support.filled_home import filled_home
from tests.support.program import Program, dealsync_here, running
from tests.support.scenario import OPPORTUNITY, Scenario

ADMINISTRATOR = "admin@sandbox.example"
INTEGRATION = "integration@sandbox.example"
UNKNOWN = "006000000000zzz"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A running program over a seeded company, of whose opportunities none has entered yet."""
    with running(tmp_path_factory.mktemp("import") / "home") as started:
        started.until_quiet(60)
        yield started


@pytest.fixture
def outside(program: Program) -> list[str]:
    """Opportunities that nobody imported or edited yet."""
    rows = program.call("pairs", "list", "--state", "outside", "--json").json["items"]
    return [row["opportunity_id"] for row in rows if row["opportunity_id"] is not None]


def _act(url: str, **arguments: object) -> None:
    _post(f"{url}/sandbox/actions", **arguments)


def _post(url: str, **arguments: object) -> None:
    request = urllib.request.Request(  # noqa: S310 - our own sandbox
        url,
        json.dumps(arguments).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own sandbox
        assert answer.status == 200


def test_named_opportunities_get_their_deals(program: Program, outside: list[str]) -> None:
    chosen = ",".join(outside[:2])
    told = program.call("import", "opportunities", "--ids", chosen, "--json")
    program.until_quiet()
    again = program.call(
        "import", "opportunities", "--ids", outside[0], "--ids", outside[1], "--json"
    )

    assert told.code == 0, told.out
    assert told.json["schema"] == "dealsync.import/1"
    assert (told.json["count"], told.json["created"], told.json["skipped"]) == (2, 2, {})
    assert (again.json["created"], again.json["reconciled"]) == (0, 2)


def test_what_a_crm_refuses_is_not_counted_as_created(program: Program, outside: list[str]) -> None:
    said = {"status": 400, "code": "VALIDATION_ERROR", "message": "no such deals here"}
    refuse = {
        "kind": "error",
        **said,
        "match": {"method": "POST", "path": "/deals(/batch/create)?$"},
    }
    _post(f"{program.hubspot_url}/sandbox/faults", faults=[refuse])
    try:
        ended = program.call("import", "opportunities", "--ids", ",".join(outside[2:4]), "--json")
        people = program.call("import", "opportunities", "--ids", outside[4])
    finally:
        _post(f"{program.hubspot_url}/sandbox/faults", faults=[])

    assert ended.code == 3, ended.out
    assert (ended.json["count"], ended.json["created"]) == (2, 0)
    assert ended.json["refused"] == {"VALIDATION_ERROR no such deals here": 2}
    assert "1 refused (VALIDATION_ERROR no such deals here)" in people.out


def test_a_create_that_waits_for_a_permission_is_not_counted_as_created(
    program: Program, outside: list[str]
) -> None:
    permission = {"action": "set_permission", "as": ADMINISTRATOR, "user": INTEGRATION}
    for name in ("ModifyAllData", "ModifyMetadata"):
        _act(program.salesforce_url, **permission, permission=name, value=False)
    try:
        program.until_quiet()
        ended = program.call("import", "opportunities", "--ids", outside[6], "--json")
    finally:
        for name in ("ModifyAllData", "ModifyMetadata"):
            _act(program.salesforce_url, **permission, permission=name, value=True)
        program.until_quiet()

    assert (ended.json["created"], ended.json["waiting"]) == (0, 1), ended.out


def test_opportunities_are_chosen_by_condition(program: Program) -> None:
    ended = program.call("import", "opportunities", "--where", "Amount > 60000", "--json")

    assert ended.code == 0, ended.out
    assert ended.json["count"] == ended.json["created"] + ended.json["reconciled"] > 0


def test_an_import_while_deal_sync_is_off_is_spent(
    program: Program, outside: list[str], tmp_path: Path
) -> None:
    off, on = tmp_path / "off.toml", tmp_path / "on.toml"
    off.write_text("[switches]\ndeal_sync = false\n", encoding="utf-8")
    on.write_text("", encoding="utf-8")
    assert program.call("policy", "adopt", str(off)).code == 0
    try:
        ended = program.call("import", "opportunities", "--ids", outside[0], "--json")
        people = program.call("import", "opportunities", "--ids", outside[0])
    finally:
        assert program.call("policy", "adopt", str(on)).code == 0

    assert (ended.code, ended.json["off"], ended.json["created"]) == (3, 1, 0)
    assert "deal_sync is off" in people.err


def test_a_record_that_no_crm_has_is_not_found(program: Program, outside: list[str]) -> None:
    alone = program.call("import", "opportunities", "--ids", UNKNOWN, "--json")
    mixed = program.call("import", "opportunities", "--ids", f"{UNKNOWN},{outside[-1]}", "--json")
    synced = program.call("sync", UNKNOWN, "--json")

    assert (alone.code, alone.json["not_found"]) == (1, 1)
    assert (mixed.code, mixed.json["not_found"]) == (3, 1)
    assert (synced.code, synced.json["not_found"]) == (1, 1)


def test_accounts_are_linked_or_get_a_company(program: Program) -> None:
    ended = program.call("import", "accounts", "--all", "--json")
    again = program.call("import", "accounts", "--all", "--json")

    assert ended.code == 0, ended.out
    assert ended.json["kind"] == "account"
    assert ended.json["count"] == ended.json["linked"] + ended.json["created"] > 0
    assert again.json["count"] == ended.json["count"]


def test_one_record_is_synced_from_either_side(program: Program, outside: list[str]) -> None:
    entered = program.call("sync", outside[-2], "--json")
    program.until_quiet()
    deal_id = program.call("pairs", "show", outside[-2], "--json").json["hubspot"]["record_id"]
    deal = program.call("sync", deal_id, "--json")
    why = program.call("why", deal_id, "name", "--json")

    assert (entered.code, entered.json["created"]) == (0, 1)
    assert (deal.code, deal.json["reconciled"]) == (0, 1)
    assert {"fact", "event", "write", "attempt", "echo"} <= {
        step["kind"] for step in why.json["steps"]
    }


def test_a_bad_condition_is_told_in_the_words_of_salesforce(program: Program) -> None:
    ended = program.call("import", "opportunities", "--where", "Nothing >", "--json")

    assert (ended.code, ended.json["code"]) == (2, "bad_condition")
    assert "MALFORMED_QUERY" in ended.json["message"]


def test_the_doctor_finds_nothing_and_then_a_missing_permission(program: Program) -> None:
    healthy = program.call("doctor", "--json")
    permission = {"action": "set_permission", "as": ADMINISTRATOR, "user": INTEGRATION}
    for name in ("ModifyAllData", "ModifyMetadata"):
        _act(program.salesforce_url, **permission, permission=name, value=False)
    try:
        ill = program.call("doctor", "--json")
        people = program.call("doctor")
    finally:
        for name in ("ModifyAllData", "ModifyMetadata"):
            _act(program.salesforce_url, **permission, permission=name, value=True)

    assert healthy.code == 0, healthy.out
    assert healthy.json["problems"] == 0
    assert ill.code == 3
    assert any(
        "Modify All Data" in check["text"] and check["fix"]
        for check in ill.json["checks"]
        if check["status"] == "problem"
    )
    assert "✗" in people.out
    assert "\x1b" not in people.out


def test_the_doctor_ends_with_4_where_nobody_lets_us_in(program: Program) -> None:
    user = INTEGRATION
    _act(program.salesforce_url, action="set_user_active", user=user, value=False)
    _act(program.salesforce_url, action="expire_sessions", user=user)
    try:
        ended = program.call("doctor", "--json")
    finally:
        _act(program.salesforce_url, action="set_user_active", user=user, value=True)

    assert ended.code == 4
    assert any("inactive_user" in check["text"] for check in ended.json["checks"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "opportunities"),
        ("import", "opportunities", "--all", "--where", "Amount > 1"),
        ("import", "opportunities", "--ids", "77"),
        ("import", "opportunities", "--ids", "nonsense"),
        ("import", "accounts", "--ids", "006000000000001"),
        ("import", "contacts", "--all"),
        ("sync", "contact:77"),
        ("sync", "x"),
    ],
)
def test_wrong_selections_end_with_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert dealsync_here(tmp_path / "home", *arguments, "--json").code == 2


def test_a_blown_delete_fuse_refuses_an_import(tmp_path: Path) -> None:
    with filled_home(tmp_path) as filled:
        with filled.stores.database.transaction() as connection:
            connection.execute("UPDATE delete_fuse SET blown_at = transaction_timestamp()")
        ended = filled.call("import", "opportunities", "--all", "--json")
        doctor = filled.call("doctor", "--json")

    assert (ended.code, ended.json["code"]) == (5, "fuse_blown")
    assert "dealsync writes release" in ended.json["hint"]
    assert doctor.code == 3
    assert any("fuse is blown" in check["text"] for check in doctor.json["checks"])


def test_an_import_needs_an_engine_or_accounts(tmp_path: Path) -> None:
    with filled_home(tmp_path) as filled:
        ended = filled.call("import", "opportunities", "--all", "--json")

    assert (ended.code, ended.json["code"]) == (1, "no_engine")


# -- outcomes


def test_an_opportunity_outside_is_created_and_a_live_one_reconciled() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, reason="baseline"))
    created = scenario.decide(scenario.opportunity(10, reason="import"))
    live = Scenario().live()
    reconciled = live.decide(live.opportunity(200, reason="import"))
    written = live.decide(live.opportunity(210, amount="7", reason="import"))

    assert import_counts.of_opportunity(created) == import_counts.CREATED
    assert import_counts.of_opportunity(reconciled) == import_counts.RECONCILED
    assert import_counts.of_opportunity(written) == import_counts.RECONCILED


def test_an_opportunity_that_lacks_something_waits() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.opportunity(0, reason="baseline", close_date=None))
    told = scenario.decide(scenario.opportunity(10, reason="import", close_date=None))
    again = scenario.decide(scenario.opportunity(20, reason="import", close_date=None))

    assert import_counts.of_opportunity(told) == import_counts.WAITING
    assert import_counts.of_opportunity(again) == "waiting"


def test_a_stopped_pair_is_skipped_and_a_detached_one_revived_by_name() -> None:
    stopped = Scenario().live()
    stopped.when(stopped.deal(100, pipeline_id="default", set_at={"pipeline": 99, "dealstage": 99}))
    skipped = stopped.decide(stopped.opportunity(200, reason="import"))
    detached = Scenario().live()
    detached.when(detached.asks(100, "unlink"))
    passed_over = detached.decide(detached.opportunity(200, reason="import"))
    revived = detached.decide(detached.opportunity(210, reason="import_named"))

    assert import_counts.of_opportunity(skipped) == "stopped"
    assert import_counts.of_opportunity(passed_over) == "detached"
    assert import_counts.of_opportunity(revived) == import_counts.RESUMED


def test_deletion_and_switches_are_outcomes_of_their_own() -> None:
    deleted = Scenario().live()
    gone = deleted.decide(deleted.deleted(100, opportunity(OPPORTUNITY), reason="import"))
    off = Scenario(Policy(switches=Switches(deal_sync=False))).adopted()
    off.given(off.opportunity(0, reason="baseline"))
    spent = off.decide(off.opportunity(10, reason="import"))

    assert import_counts.of_opportunity(gone) == "deleted"
    assert import_counts.of_opportunity(spent) == import_counts.OFF


def test_a_create_that_came_to_nothing_is_told_with_the_words_for_it() -> None:
    counts = import_counts.counted(["created", "refused: INVALID no", "stopped"])

    assert (dict(counts.refused), dict(counts.skipped)) == ({"INVALID no": 1}, {"stopped": 1})


def test_whatever_is_no_outcome_is_a_reason_for_skipping() -> None:
    counts = import_counts.counted(["created", "stopped", "stopped", "reconciled"])

    assert dict(counts.by_outcome) == {"created": 1, "reconciled": 1}
    assert dict(counts.skipped) == {"stopped": 2}
