"""The token comes from a file, anew for each request, and never shows."""

from pathlib import Path

import pytest

from adapters.hubspot.auth import token_file
from domain.errors import UnauthenticatedError


def test_a_rotated_file_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("pat-one\n")
    token = token_file(path)

    assert token() == "pat-one"
    path.write_text("pat-two")
    assert token() == "pat-two"


@pytest.mark.parametrize("text", ["", "\n", "pat one", "pat\nmore"])
def test_a_file_that_holds_no_token_is_a_clear_refusal(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token"
    path.write_text(text)

    with pytest.raises(UnauthenticatedError) as raised:
        token_file(path)()

    assert str(path) in str(raised.value)
    assert "pat" not in str(raised.value).replace(str(path), "")


def test_a_missing_file_is_a_clear_refusal(tmp_path: Path) -> None:
    with pytest.raises(UnauthenticatedError, match="token"):
        token_file(tmp_path / "nothing")()
