"""What can go wrong that a function cannot decide by itself.

```
SyncError
├── PoisonFactError        this fact can never be decided as it is: park it
└── PortError              something outside did not answer as a port promises
    ├── RetryableError     the same call may succeed later
    ├── ThrottledError     it will not succeed before `until`
    └── UnauthenticatedError  nobody let us in: sign in again, or a person must act
```

A CRM's refusal of a write is no error: it is the fact `WriteRejected`, with the vendor's code.
"""

from datetime import datetime


class SyncError(Exception):
    """The root; the message says what was expected, what was found, and what to do."""


class PoisonFactError(SyncError):
    """A fact that cannot be decided."""


class PortError(SyncError):
    """A port could not do its work.

    Args:
        message: what was expected, what was found, what to do.
        code: the vendor's own code, or blank.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class RetryableError(PortError):
    """The same call may succeed later."""


class ThrottledError(PortError):
    """The CRM will not serve us before `until` (our clock)."""

    def __init__(self, message: str, *, until: datetime, code: str = "") -> None:
        super().__init__(message, code=code)
        self.until = until


class UnauthenticatedError(PortError):
    """The CRM refused our credentials, or a permission is missing."""
