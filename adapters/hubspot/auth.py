"""Who we are to HubSpot: a private app's token, and what HubSpot says about it.

The token is read anew for every request, so a rotated file needs no restart. It is never logged and
stands in no message.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from domain.errors import UnauthenticatedError

#: returns the bearer token to use now
Token: TypeAlias = Callable[[], str]


def fixed_token(text: str) -> Token:
    """Return a token that never changes: a sandbox's."""
    return lambda: text


def token_file(path: Path) -> Token:
    """Return the token that a file holds whenever it is asked for."""

    def read() -> str:
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UnauthenticatedError(
                f"expected a private app's token in {path}, found {type(error).__name__};"
                " put the token there"
            ) from error
        if not text or any(letter.isspace() for letter in text):
            raise UnauthenticatedError(
                f"expected one line with a private app's token in {path}, found something else"
            )
        return text

    return read
