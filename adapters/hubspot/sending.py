"""The calls of one `send`: the first may fail as a whole, what follows a possible effect may not.

A gateway raises only before any effect. So the first call of a send raises what a port promises;
from then on the same failures are answers: not sent, or unknown.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from adapters.hubspot.calls import Calls
from adapters.hubspot.errors import Problem, Verdict, fail
from adapters.hubspot.wire import Json
from domain.deliveries import NotSent, Rejected, Unknown
from domain.errors import PortError, ThrottledError

_Found = TypeVar("_Found")


class Sending:
    """One send.

    Args:
        calls: the account.
        at: our clock before the send.
    """

    def __init__(self, calls: Calls, at: datetime) -> None:
        self._calls = calls
        self.at = at
        self._has_begun = False

    def write(
        self, method: str, path: str, body: Json = None
    ) -> bytes | Problem | NotSent | Unknown:
        """Change something.

        Returns:
            The answer's body; or why HubSpot refused it; or that it had no effect and may go again;
            or that nobody knows.

        Raises:
            PortError: the first call of the send failed as a whole, without effect.
        """
        try:
            answer = self._calls.write(method, path, at=self.at, body=body)
        except PortError as error:
            if not self._has_begun:
                raise
            return not_sent(error)
        if isinstance(answer, Problem) and not answer.uncertain:
            return self._refused(answer)
        self._has_begun = True
        if answer is None:
            return Unknown(f"no whole answer to {method} {path}")
        if isinstance(answer, Problem):
            return Unknown(f"HubSpot answered {answer.code}: {answer.message}")
        return answer

    def read(self, ask: Callable[[], _Found]) -> _Found | NotSent:
        """Read something between calls."""
        try:
            return ask()
        except PortError as error:
            if not self._has_begun:
                raise
            return not_sent(error)

    def begun(self) -> None:
        """Say that a read settles what was refused: failures from here on are answers."""
        self._has_begun = True

    def _refused(self, problem: Problem) -> Problem | NotSent:
        match problem.verdict:
            case Verdict.RETRY | Verdict.THROTTLED | Verdict.UNAUTHENTICATED:
                if not self._has_begun:
                    fail(problem)
                return NotSent(f"{problem.code}: {problem.message}", problem.until)
            case Verdict.GONE | Verdict.CONFLICT | Verdict.REJECTED:
                return problem


def not_sent(error: PortError) -> NotSent:
    """Return the answer for a call that failed without effect."""
    return NotSent(str(error), error.until if isinstance(error, ThrottledError) else None)


def rejected(problem: Problem) -> Rejected:
    """Return the answer for a refusal."""
    return Rejected(
        code=problem.code,
        message=problem.message,
        fields=problem.fields,
        gone=problem.verdict is Verdict.GONE,
    )


def row_answer(problem: Problem) -> Rejected | NotSent | Unknown:
    """Return the answer for one record that a batch refused."""
    match problem.verdict:
        case Verdict.THROTTLED | Verdict.UNAUTHENTICATED:
            return NotSent(f"{problem.code}: {problem.message}", problem.until)
        case Verdict.RETRY:
            return Unknown(f"{problem.code}: {problem.message}")
        case Verdict.GONE | Verdict.CONFLICT | Verdict.REJECTED:
            return rejected(problem)
