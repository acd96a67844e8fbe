"""What Salesforce's refusals mean for us, by error code and never by status.

The same code comes with different statuses, and a row's refusal comes inside a 200, so the code is
the only evidence. A code that no table names is a refusal of the request itself, unless the status
says that the server failed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from domain.errors import PortError, RetryableError, ThrottledError, UnauthenticatedError

#: a used-up daily limit frees calls minute by minute; Salesforce names no instant
THROTTLED_SECONDS: Final = 30.0
SERVER_FAILED: Final = 500
TOO_MANY: Final = 429


class Meaning(Enum):
    """What to do about a refusal."""

    #: had no effect, and the same call may succeed later
    RETRY = auto()
    #: may have had its effect
    UNSURE = auto()
    #: no calls for a while
    THROTTLED = auto()
    #: the session ended
    SIGN_IN = auto()
    #: the user may not do this at all
    FORBIDDEN = auto()
    #: the record is deleted, or unknown to this user
    GONE = auto()
    #: the same call will be refused again
    REFUSED = auto()


_MEANINGS: Final = {
    "UNABLE_TO_LOCK_ROW": Meaning.RETRY,
    "SERVER_UNAVAILABLE": Meaning.RETRY,
    "REQUEST_RUNNING_TOO_LONG": Meaning.RETRY,
    "QUERY_TIMEOUT": Meaning.RETRY,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": Meaning.RETRY,
    "PROCESSING_HALTED": Meaning.RETRY,
    "TOO_MANY_APEX_REQUESTS": Meaning.RETRY,
    "ENTITY_IS_LOCKED": Meaning.RETRY,
    "RECORD_IN_USE_BY_WORKFLOW": Meaning.RETRY,
    "TERRITORY_REALIGN_IN_PROGRESS": Meaning.RETRY,
    "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE": Meaning.RETRY,
    "INVALID_READ_ONLY_USER_DML": Meaning.RETRY,
    "INVALID_QUERY_LOCATOR": Meaning.RETRY,
    "UNKNOWN_EXCEPTION": Meaning.UNSURE,
    "REQUEST_LIMIT_EXCEEDED": Meaning.THROTTLED,
    "TOO_MANY_REQUESTS": Meaning.THROTTLED,
    "INVALID_SESSION_ID": Meaning.SIGN_IN,
    "INVALID_AUTH_HEADER": Meaning.SIGN_IN,
    "API_DISABLED_FOR_ORG": Meaning.FORBIDDEN,
    "API_CURRENTLY_DISABLED": Meaning.FORBIDDEN,
    "INVALID_OPERATION_WITH_EXPIRED_PASSWORD": Meaning.FORBIDDEN,
    "INVALID_LOGIN": Meaning.FORBIDDEN,
    "FORBIDDEN": Meaning.FORBIDDEN,
    "INSUFFICIENT_ACCESS": Meaning.REFUSED,
    "INVALID_TYPE": Meaning.REFUSED,
    "ENTITY_IS_DELETED": Meaning.GONE,
    "NOT_FOUND": Meaning.GONE,
    "ENTITY_IS_ARCHIVED": Meaning.GONE,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error as Salesforce wrote it."""

    #: `errorCode` or `statusCode`; blank: the answer was no error of Salesforce's
    code: str
    message: str
    #: API names; empty: none blamed
    fields: tuple[str, ...] = ()
    status: int = 0

    @property
    def meaning(self) -> Meaning:
        """Return what to do about it."""
        if self.status == TOO_MANY:
            return Meaning.THROTTLED
        unlisted = Meaning.UNSURE if self.status >= SERVER_FAILED else Meaning.REFUSED
        return _MEANINGS.get(self.code, unlisted)

    @property
    def text(self) -> str:
        """Return it for people."""
        return f"{self.code}: {self.message}" if self.code else self.message


class ReadRefusedError(RetryableError):
    """Salesforce refused a reading; it may be allowed, or asked otherwise, later."""

    def __init__(self, refusal: Refusal, what: str) -> None:
        super().__init__(
            f"expected Salesforce to answer {what}, found {refusal.text}", code=refusal.code
        )
        self.refusal = refusal


def port_error(
    refusal: Refusal, what: str, at: datetime, *, retry_after_seconds: float | None = None
) -> PortError:
    """Return the exception that a refusal of a whole call is.

    Args:
        refusal: what Salesforce said.
        what: what was asked, in words.
        at: our clock when it was asked.
        retry_after_seconds: what a `Retry-After` header said, if there was one.
    """
    match refusal.meaning:
        case Meaning.THROTTLED:
            seconds = THROTTLED_SECONDS if retry_after_seconds is None else retry_after_seconds
            return ThrottledError(
                f"Salesforce serves no more calls for now ({refusal.text}); it goes on by itself",
                until=at + timedelta(seconds=seconds),
                code=refusal.code,
            )
        case Meaning.SIGN_IN | Meaning.FORBIDDEN:
            return UnauthenticatedError(
                f"expected Salesforce to let us in for {what}, found {refusal.text};"
                " check the integration user and its permissions",
                code=refusal.code,
            )
        case Meaning.RETRY | Meaning.UNSURE:
            return RetryableError(
                f"expected Salesforce to answer {what}, found {refusal.text}", code=refusal.code
            )
        case Meaning.GONE | Meaning.REFUSED:
            return ReadRefusedError(refusal, what)
