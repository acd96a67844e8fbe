"""Waits after failures: bounded, growing, and the same for the same history."""

from adapters.engine.backoff import FIRST_SECONDS, SECONDS_MAX, delay_seconds


def test_waits_stay_between_half_and_all_of_a_doubling_bounded_wait() -> None:
    for number in range(1, 100):
        full = min(FIRST_SECONDS * 2 ** (number - 1), SECONDS_MAX)

        assert full / 2 <= delay_seconds("write", number) < full


def test_the_same_try_waits_the_same_time_and_another_write_another() -> None:
    assert delay_seconds("write", 3) == delay_seconds("write", 3)
    assert delay_seconds("write", 3) != delay_seconds("other", 3)
