"""Both stores of deliveries, and how far a write is brought in them."""

from collections.abc import Callable
from dataclasses import dataclass

from domain import outcomes
from domain.deliveries import (
    Brakes,
    Claim,
    Claimed,
    Deliveries,
    DeliveryDesk,
    Done,
    Settled,
    Settlement,
    State,
)
from domain.ids import Crm
from domain.writes import Write
from tests.support.delivery_samples import (
    AT,
    Decided,
    later,
    terms,
)

HUBSPOT, SALESFORCE = Crm.HUBSPOT, Crm.SALESFORCE


@dataclass(frozen=True)
class Bench:
    """One store; `open` gives a further handle on it, as another process would."""

    decided: Decided
    open: Callable[[], Deliveries]
    desk: DeliveryDesk
    brakes: Brakes

    def claim(self, crm: Crm = HUBSPOT, seconds: float = 0) -> Claim:
        return self.open().claim(crm, terms(), later(seconds))

    def states(self, *wanted: Write) -> list[State]:
        found = {one.write.id: one.state for one in self.desk.find(limit=1_000)}
        return [found[write.id] for write in wanted]

    def sent(self, write: Write, seconds: float = 0) -> Claimed:
        """Bring a write as far as its call."""
        [claimed] = self.claim(write.CRM, seconds).claimed
        cleared = self.open().begin({claimed.attempt_id: [write.id]}, later(seconds))
        assert cleared == {write.id}
        return claimed


def done(claimed: Claimed, write: Write, seconds: float, record_id: str = "1") -> Settlement:
    fact = outcomes.done(
        write, Done(record_id), number=claimed.number, sent_at=AT, answered_at=later(seconds)
    )
    return Settlement(claimed.attempt_id, "done", (Settled(write.id, State.DONE, fact),))


def again(claimed: Claimed, write: Write, seconds: float) -> Settlement:
    settled = Settled(write.id, State.PENDING, None, "busy", later(seconds))
    return Settlement(claimed.attempt_id, "not sent", (settled,))


def published(store: Deliveries, crm: Crm = HUBSPOT) -> list[type]:
    return [type(one.fact) for one in store.unpublished(crm, limit=100)]
