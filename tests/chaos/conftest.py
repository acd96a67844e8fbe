"""Says what a run was made of, right before pytest's last line."""

import pytest

from tests.chaos.report import Report

REPORTS = pytest.StashKey[list[Report]]()


def pytest_configure(config: pytest.Config) -> None:
    """Nothing was run yet."""
    config.stash[REPORTS] = []


@pytest.fixture
def reports(pytestconfig: pytest.Config) -> list[Report]:
    """Reports to print at the end."""
    return pytestconfig.stash[REPORTS]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print them."""
    for report in config.stash[REPORTS]:
        for line in report.lines():
            terminalreporter.write_line(line)
