"""`status` counts what still waits for somebody, and nothing that is settled."""

from pathlib import Path

from domain.facts import WriteHeld
from domain.ids import FactId, opportunity
from domain.ports import KeyedFact, Topic
from domain.writes import ArchiveDeal, UpdateDeal
from tests.support.filled_home import FilledHome, Recorded, filled_home
from tests.support.scenario import DEAL, OPPORTUNITY, at


def _refused() -> Recorded:
    """A live pair with an amount that HubSpot refused."""
    scenario = Recorded()
    scenario.live()
    scenario.when(scenario.opportunity(100, amount="1500"))
    (write,) = scenario.asked(UpdateDeal)
    scenario.given(scenario.rejected(write, 110, "amount", code="INVALID"))
    return scenario


def _rejected(home: FilledHome) -> int:
    return int(home.call("status", "--json").json["waiting"]["rejected"])


def test_a_refused_write_waits_while_its_issue_is_open(tmp_path: Path) -> None:
    scenario = _refused()
    with filled_home(tmp_path, scenario) as filled:
        assert _rejected(filled) == 1

        # Somebody takes the value back: both sides are equal, and nobody has anything to do.
        filled.tell(scenario.opportunity(120, amount="1200"), at=scenario.now)

        assert _rejected(filled) == 0
        assert filled.call("issues", "list", "--json").json["items"] == []


def test_a_refused_write_that_went_through_later_is_settled(tmp_path: Path) -> None:
    scenario = _refused()
    with filled_home(tmp_path, scenario) as filled:
        scenario.when(scenario.opportunity(120, amount="1600"))
        (again,) = scenario.asked(UpdateDeal)
        filled.tell(scenario.facts[-1], at=scenario.now)
        filled.tell(scenario.done(again, 130), at=scenario.now)

        assert _rejected(filled) == 0


def test_a_pair_that_syncs_no_more_waits_for_nothing(tmp_path: Path) -> None:
    scenario = Recorded()
    scenario.live()
    scenario.when(scenario.opportunity(100, type="Something new"))
    with filled_home(tmp_path, scenario) as filled:
        before = filled.call("status", "--json").json["waiting"]
        filled.call("pairs", "unlink", DEAL)
        after = filled.call("status", "--json").json["waiting"]
        restored = filled.call("pairs", "restore", DEAL, "amount", "--value", "7")
        filled.call("pairs", "resume", DEAL)
        resumed = filled.call("issues", "list", "--json").json["items"]

    assert (before["held_fields"], before["open_issues"]) == (1, 1)
    assert (after["held_fields"], after["open_issues"]) == (0, 0)
    assert "the pair is detached" in restored.err
    assert [issue["code"] for issue in resumed] == ["DS401"]


def test_who_released_a_held_delete_stands_in_the_audit_log(tmp_path: Path) -> None:
    scenario = Recorded()
    scenario.live()
    scenario.when(scenario.deleted(200, opportunity(OPPORTUNITY)))
    (write,) = scenario.asked(ArchiveDeal)
    with filled_home(tmp_path, scenario) as filled:
        filled.call("status")  # it takes decided writes in, as deliver would
        with filled.stores.database.transaction() as connection:
            connection.execute("UPDATE delivery SET state = 'held' WHERE state = 'pending'")
        held = WriteHeld(
            id=FactId("held"), at=at(210), stream=write.stream, write_id=write.id, reason="many"
        )
        filled.stores.log.append([KeyedFact(Topic.OUTCOMES, write.stream, held)])
        filled.work(at(210))
        (issue,) = filled.call("issues", "list", "--json").json["items"]
        why = filled.call("why", DEAL).out
        released = filled.call("writes", "release", "--json")
        filled.work(at(220))
        lines = filled.call("audit", "list", "--rule", "delete-fuse", "--json").json["items"]
        (pending,) = filled.call("writes", "list", "--state", "pending", "--json").json["items"]

    assert issue["code"] == "DS602"
    assert "a write (archive in HubSpot) is held: DS602" in why
    assert released.json["released"] == 1
    assert lines[-1]["cause"]["by"].startswith("operator")
    assert "DS602" in lines[-1]["reason"]
    assert pending["state_reason"].startswith("released by operator")
