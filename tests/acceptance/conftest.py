"""`dealsync up` as its own process, and a person in both CRMs with the vendors' own clients.

One running program serves the whole suite, and no longer; each test makes records of its own.
Tests that change what all records share (the policy, permissions, limits) run a second program.
"""

from collections.abc import Iterator

import pytest

from tests.acceptance.user import User
from tests.support.program import running


@pytest.fixture(scope="package")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """Start the program with empty CRMs; stop it at the end, and see that it ends well."""
    with running(tmp_path_factory.mktemp("shared") / "home", "--empty") as program:
        yield User(program)
        assert program.stop() == 0
