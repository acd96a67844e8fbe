"""How requests reach the CRMs in a world: each takes a while, may be lost, and is witnessed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from typing_extensions import override

from adapters.clock import FixedClock
from adapters.http_transport import HttpRequest, HttpResponse, HttpTransport, NoAnswerError
from adapters.sandbox import faults as sandbox_faults
from adapters.sandbox.front import Front
from adapters.simulation.chronicle import Chronicle
from adapters.simulation.faults import Hazards
from domain.ids import Crm

#: there and back again
LATENCY: Final = timedelta(milliseconds=40)
HOST_OF_SALESFORCE: Final = "127.0.0.1:8101"


class Wire(HttpTransport):
    """One actor's line to both CRMs.

    Args:
        fronts: the CRMs.
        actor: whose line it is.
        clock: moves with every request.
        chronicle: the witness.
        hazards: what may befall a request.
    """

    def __init__(
        self,
        fronts: Callable[[Crm], Front],
        *,
        actor: str,
        clock: FixedClock,
        chronicle: Chronicle,
        hazards: Hazards,
    ) -> None:
        self._fronts = fronts
        self._actor = actor
        self._clock = clock
        self._chronicle = chronicle
        self._hazards = hazards

    @override
    def send(self, request: HttpRequest, *, timeout_seconds: float) -> HttpResponse:
        crm = Crm.SALESFORCE if HOST_OF_SALESFORCE in request.url else Crm.HUBSPOT
        self._hazards.boundary(self._actor, f"before {crm}.request")
        front = self._fronts(crm)
        fault = self._hazards.on_request(crm, self._actor)
        if fault is not None:
            sandbox_faults.replace(front.box.tables, (fault,), self._chronicle.last_number)
        at: datetime = self._clock.at
        answered = front.answer(request, at)
        if fault is not None:
            sandbox_faults.replace(front.box.tables, (), 0)
        self._chronicle.observe(crm, self._actor, at)
        self._clock.at = at + LATENCY + timedelta(seconds=answered.delay_seconds)
        self._hazards.boundary(self._actor, f"after {crm}.request")
        if answered.drop_connection:
            raise NoAnswerError(f"{request.method} {request.url}: connection closed")
        return answered.response
