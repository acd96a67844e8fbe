"""Rule `budget`: no window and no day exceeds its limit, however calls are asked for."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.claiming import Spent
from domain.deliveries import CallLimits

START = datetime(2026, 11, 24, 23, 59, 30, tzinfo=UTC)
LIMITS = CallLimits(burst_calls=10, burst_seconds=5.0, daily_calls=60)

#: seconds since the last wish, calls
wishes = st.lists(st.tuples(st.floats(0, 4), st.integers(1, 10)), max_size=60)


@settings(max_examples=200, deadline=None)
@given(wishes)
def test_no_window_and_no_day_exceeds_its_limit(asked: list[tuple[float, int]]) -> None:
    account, at = Spent(), START
    granted: list[tuple[datetime, int]] = []
    for seconds, calls in asked:
        at += timedelta(seconds=seconds)
        after = account.take(calls, LIMITS, at)
        if isinstance(after, Spent):
            account = after
            granted.append((at, calls))

    for moment, _ in granted:
        window = [n for a, n in granted if moment <= a < moment + timedelta(seconds=5)]
        assert sum(window) <= LIMITS.burst_calls
    for day in {a.date() for a, _ in granted}:
        assert sum(n for a, n in granted if a.date() == day) <= LIMITS.daily_calls


@settings(max_examples=200, deadline=None)
@given(wishes)
def test_what_is_refused_is_granted_when_it_was_told_to_come_back(
    asked: list[tuple[float, int]],
) -> None:
    """Liveness: nobody waits for ever, if nobody else asks meanwhile."""
    account, at = Spent(), START
    for seconds, calls in asked:
        at += timedelta(seconds=seconds)
        for _ in range(3):
            after = account.take(calls, LIMITS, at)
            if isinstance(after, Spent):
                account = after
                break
            assert after > at
            at = after
        else:
            raise AssertionError(account)
