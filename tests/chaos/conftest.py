"""Says what a run was made of, right before pytest's last line."""

import gc
import logging
from collections.abc import Iterator

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


@pytest.fixture(autouse=True)
def _sockets_let_go(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let the sockets go that kafka-python leaves to the garbage collector when nobody answers."""
    # A captured record would keep such a socket beyond the test, for another to stumble over.
    caplog.set_level(logging.CRITICAL + 1, logger="kafka")
    yield
    gc.collect()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print them."""
    for report in config.stash[REPORTS]:
        for line in report.lines():
            terminalreporter.write_line(line)
