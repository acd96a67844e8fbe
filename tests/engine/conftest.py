"""What the tests of the engine share."""

import pytest

from tests.support.delivery_bench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
