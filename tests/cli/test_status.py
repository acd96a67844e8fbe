"""`status` counts what still waits for somebody, and nothing that is settled."""

from pathlib import Path

from domain.writes import UpdateDeal
from tests.support.filled_home import FilledHome, Recorded, filled_home


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
