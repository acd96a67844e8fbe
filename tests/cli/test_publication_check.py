"""`doctor` tells how far decided events are published."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.cli.checkup import UNPUBLISHED_SECONDS_MAX, Status, of_publication
from projections.publishing import PublicationState

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(1.0, Status.OK), (UNPUBLISHED_SECONDS_MAX, Status.PROBLEM)],
)
def test_events_that_wait_too_long_are_a_problem(seconds: float, status: Status) -> None:
    state = PublicationState(0, 10, 15, AT - timedelta(seconds=seconds))

    check = of_publication(state, AT)

    assert check.status is status
    assert check.text == f"5 events are not published, the oldest for {seconds:.0f} s"


def test_a_publisher_that_keeps_up_is_well() -> None:
    check = of_publication(PublicationState(0, 15, 15), AT)

    assert (check.status, check.text) == (Status.OK, "everything decided is published")
