"""What stands before a sandbox's box: control API, faults, access log.

A pure object like the box: `answer(request, at)`. What an answer cannot say, it marks: how long
to hold the answer back, and that the connection is to be dropped in place of one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from typing_extensions import override

from adapters.http_transport import HttpRequest, HttpResponse, HttpTransport, NoAnswerError
from adapters.sandbox import access_log, control, faults, json_http, partial, vendor_errors
from adapters.sandbox.box import Answer, Box
from adapters.sandbox.faults import Strike
from adapters.sandbox.partial import Batch
from adapters.sandbox.vendor_errors import Crm

#: the access log's status for a call that was cut off before the CRM read it
STATUS_CUT_OFF = 0


@dataclass(frozen=True, slots=True)
class FrontAnswer:
    """What to do with one request's caller."""

    #: not to be sent where the connection is dropped
    response: HttpResponse
    #: hold everything back so long; the change, if any, is already made
    delay_seconds: float = 0.0
    #: close the connection, so that the caller gets no whole answer
    drop_connection: bool = False


class Front:
    """One CRM in a sandbox as its callers meet it; two threads must take turns."""

    def __init__(self, box: Box, crm: Crm) -> None:
        self.box = box
        self.crm = crm

    def answer(self, request: HttpRequest, at: datetime) -> FrontAnswer:
        """Answer one request, at the real instant `at`; the box reads the record clock itself."""
        path = json_http.path_of(request)
        if path == "/sandbox" or path.startswith(control.PREFIX):
            return FrontAnswer(control.answer(self.box, self.crm, request, at))
        batch = partial.batch_of(self.crm, request)
        strikes = faults.strikes(
            self.box.tables,
            request.method,
            json_http.target_of(request),
            self.box.who(request, at),
            0 if batch is None else len(batch.rows),
        )
        answered = self._under(strikes, request, batch, at)
        access_log.append(self.box.tables, request.method, path, answered, at)
        return FrontAnswer(
            answered.response,
            delay_seconds=sum(_held_back(strike) for strike in strikes),
            drop_connection=any(
                strike.fault.kind in {"reset_before", "timeout_after_commit"} for strike in strikes
            ),
        )

    def _under(
        self, strikes: tuple[Strike, ...], request: HttpRequest, batch: Batch | None, at: datetime
    ) -> Answer:
        failing: frozenset[int] = frozenset()
        for strike in strikes:
            match strike.fault.kind:
                case "error":
                    return self._refused(
                        vendor_errors.failing(self.crm, strike.fault, strike.draw), request, at
                    )
                case "throttle":
                    return self._refused(
                        vendor_errors.throttled(self.crm, strike.fault, strike.draw), request, at
                    )
                case "reset_before":
                    return self._refused(HttpResponse(STATUS_CUT_OFF), request, at)
                case "partial" if batch is not None:
                    failing |= faults.chosen_rows(strike, len(batch.rows))
                case _:
                    continue
        if batch is None or not failing:
            return self.box.answer(request, at)
        if len(failing) == len(batch.rows):  # two such faults on one batch: one row gets through
            failing -= {min(failing)}
        return self._without(failing, batch, at)

    def _refused(self, response: HttpResponse, request: HttpRequest, at: datetime) -> Answer:
        return Answer(response, who=self.box.who(request, at))

    def _without(self, failing: frozenset[int], batch: Batch, at: datetime) -> Answer:
        if batch.all_or_none:
            return self._refused(partial.fails_whole(batch, failing), batch.request, at)
        answered = self.box.answer(partial.without(batch, failing), at)
        response = partial.with_failures(self.crm, batch, failing, answered.response)
        return replace(answered, response=response)


def _held_back(strike: Strike) -> float:
    return strike.fault.seconds if strike.fault.kind in {"delay", "timeout_after_commit"} else 0.0


class FrontTransport(HttpTransport):
    """Calls a front in this thread, with its faults as a caller on the network would meet them."""

    def __init__(self, front: Front, now: Callable[[], datetime]) -> None:
        self._front = front
        self._now = now

    @override
    def send(self, request: HttpRequest, *, timeout_seconds: float) -> HttpResponse:
        answered = self._front.answer(request, self._now())
        if answered.drop_connection:
            raise NoAnswerError(f"{request.method} {request.url}: connection closed")
        if answered.delay_seconds >= timeout_seconds:
            raise NoAnswerError(f"{request.method} {request.url}: no answer in {timeout_seconds} s")
        return answered.response


def front_transport(front: Front, now: Callable[[], datetime]) -> HttpTransport:
    """Return a transport that reaches `front` without a socket and without waiting."""
    return FrontTransport(front, now)
