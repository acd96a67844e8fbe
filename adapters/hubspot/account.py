"""Which account and app a token belongs to: asked once, kept while the process lives.

Our app's id is what tells our own values from others' (rule `echo`).
"""

from datetime import datetime

from pydantic import ValidationError

from adapters.hubspot.reader import Reader
from adapters.hubspot.wire import TokenOwner
from domain.errors import RetryableError

_TOKEN_INFO = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105 - a path


class Account:
    """The account as the reader's token sees it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._app_id: str | None = None

    def app_id(self, at: datetime) -> str:
        """Return our app's id.

        Raises:
            PortError: HubSpot does not say.
        """
        return self._app_id if self._app_id is not None else self.token_owner(at).app_id

    def token_owner(self, at: datetime) -> TokenOwner:
        """Ask whom the token stands for, and what it may do.

        Raises:
            PortError: HubSpot does not say.
        """
        answer = self._reader.raw("POST", _TOKEN_INFO, at, tokenKey=self._reader.token())
        try:
            owner = TokenOwner.model_validate_json(answer)
        except ValidationError as error:
            raise RetryableError(
                "expected HubSpot to name the app of our token, found a body that is none"
            ) from error
        self._app_id = owner.app_id
        return owner
