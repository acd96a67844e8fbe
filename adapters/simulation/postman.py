"""How HubSpot's webhooks reach us in a world: late, twice, in another order, never, or replayed."""

from typing import Final

from adapters.clock import FixedClock
from adapters.http_transport import HttpRequest
from adapters.hubspot.signature import HEADER_TIME, SignedBy
from adapters.hubspot.webhook import Endpoint, accept
from adapters.sandbox.front import Front
from adapters.sandbox.hubspot.box import HubSpotSandbox
from adapters.sandbox.hubspot.deliveries import CLIENT_SECRET
from adapters.simulation.dice import Dice, happens
from adapters.simulation.evidence import Violation
from adapters.simulation.faults import Hazards
from adapters.source import WebhookInbox

PATH: Final = "/hubspot"
URL: Final = f"http://127.0.0.1:8103{PATH}"
#: how long after it was signed a delivery may be believed
SIGNED_SECONDS_MAX: Final = 300
_SUCCESS: Final = range(200, 300)


class Postman:
    """Who brings HubSpot's deliveries.

    Args:
        hubspot: whose they are.
        inbox: where they go once they are accepted.
        clock: ours.
        hazards: what may befall them.
    """

    def __init__(
        self, hubspot: Front, inbox: WebhookInbox, clock: FixedClock, hazards: Hazards
    ) -> None:
        assert isinstance(hubspot.box, HubSpotSandbox), "the HubSpot front has a HubSpot box"
        self._box = hubspot.box
        signed_by = SignedBy((CLIENT_SECRET,), URL)
        self._endpoint = Endpoint(path=PATH, signed_by=signed_by, inbox=inbox)
        self._clock = clock
        self._hazards = hazards
        #: deliveries that were taken, as somebody could send them again
        self._taken: list[HttpRequest] = []
        self.violations: list[Violation] = []

    def bring_all(self) -> None:
        """Bring what is due, with nothing in the way."""
        for one in self._box.due_webhooks(self._clock.at):
            self._box.webhook_answered(one.number, self._bring(one.request), self._clock.at)

    def bring(self, dice: Dice) -> str:
        """Bring what is due, as far as the odds let it; return it in words."""
        odds, hazards, at = self._hazards.odds, self._hazards, self._clock.at
        due = list(self._box.due_webhooks(at))
        if len(due) > 1 and happens(dice, odds.webhook_reorder):
            hazards.befell("webhooks reordered", "hubspot")
            due.reverse()
        taken = 0
        for one in due:
            if happens(dice, odds.webhook_drop):
                hazards.befell("webhook dropped", "hubspot")
                self._box.webhook_answered(one.number, 204, at)
                continue
            if happens(dice, odds.webhook_late):
                hazards.befell("webhook late", "hubspot")
                self._box.webhook_answered(one.number, None, at)
                continue
            if happens(dice, odds.webhook_twice):
                hazards.befell("webhook twice", "hubspot")
                self._bring(one.request)
            self._box.webhook_answered(one.number, self._bring(one.request), at)
            self._taken.append(one.request)
            taken += 1
        if self._taken and happens(dice, odds.webhook_replay):
            self._replay(dice.choice(self._taken))
        return f"{taken} of {len(due)} deliveries" if due else ""

    def _bring(self, request: HttpRequest) -> int:
        return accept(request, PATH, self._endpoint, self._clock.at).status

    def _replay(self, request: HttpRequest) -> None:
        """Let somebody send an old delivery again; one that is too old must be refused."""
        headers = {name.lower(): value for name, value in request.headers}
        sent_at = int(headers[HEADER_TIME.lower()]) / 1000
        is_old = abs(self._clock.at.timestamp() - sent_at) > SIGNED_SECONDS_MAX
        self._hazards.befell("old webhook replayed" if is_old else "webhook replayed", "hubspot")
        if self._bring(request) in _SUCCESS and is_old:
            self.violations.append(Violation("bug", "an old delivery was taken when sent again"))
