"""The crash matrix in short: the delicate scenarios, one crash in so many; `make crash-matrix`."""

import pytest

from tests.simulation.crash_scenarios import SCENARIOS
from tests.simulation.crashing import Scenario, tried

#: of the crashes that differ, each so-manieth
EVERY = 15
SCENARIOS_MIN = 40
DELICATE = [one for one in SCENARIOS if one.delicate]


@pytest.mark.parametrize("scenario", DELICATE, ids=lambda one: one.name)
def test_it_converges_wherever_the_engine_dies(scenario: Scenario) -> None:
    found = tried(scenario, every=EVERY)

    assert not found.wrong
    assert len(found.verdicts) > 1


def test_there_are_scenarios_enough() -> None:
    assert len(SCENARIOS) >= SCENARIOS_MIN
    assert len(DELICATE) >= 10
