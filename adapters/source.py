"""How ingest reads a CRM: the ports `Source` and `WebhookInbox`, and passes that `wait` asks for.

Both CRMs' adapters implement it; the loop that drives them is `engine.ingest`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from domain.facts import Fact
from domain.ids import Crm
from domain.ports import Bookmarks, Refresh


@dataclass(frozen=True, slots=True)
class Polled:
    """What one bounded piece of a source's own reading found."""

    facts: tuple[Fact, ...] = ()
    #: bookmark name → text, to be written once the facts are durable
    bookmarks: Mapping[str, str] = field(default_factory=dict)
    #: whether the next piece is due at once
    more: bool = False
    #: when the full pass that ends with this piece began; None: none ends here
    pass_begun_at: datetime | None = None


class Source(Protocol):
    """One CRM as ingest reads it.

    A source keeps its place in `Bookmarks` and only reads them: what it wants written it returns.
    What it remembers besides is a cache that may be lost at any moment.
    """

    crm: Crm

    def due(self, at: datetime) -> bool:
        """Tell whether a poll is due, or a pass is half done."""
        ...

    def poll(self, at: datetime) -> Polled:
        """Read one bounded piece: part of the baseline, of a poll, or of a sweep.

        Args:
            at: our clock, before any request of this piece goes out.

        Raises:
            PortError: the CRM did not answer; nothing counts as read.
        """
        ...

    def read(self, refreshes: Sequence[Refresh], at: datetime) -> tuple[Fact, ...]:
        """Read the records named; one that is unknown to the CRM and to us leaves no fact.

        Raises:
            PortError: the CRM did not answer; nothing counts as read.
        """
        ...


#: how long a delivery is kept: HubSpot sends one again for a day, with a signature of its own
WEBHOOKS_KEPT: Final = timedelta(days=7)
#: how many outdated deliveries go when one comes
WEBHOOKS_FORGOTTEN_AT_ONCE: Final = 100


class WebhookInbox(Protocol):
    """Takes in webhook deliveries as they came, each with the wishes to read what it names.

    Those older than `WEBHOOKS_KEPT` go as new ones come; the facts that they led to stay.
    """

    def receive(
        self, body: bytes, *, signature_hash: str, at: datetime, wishes: Sequence[Refresh]
    ) -> bool:
        """Store a delivery and its wishes in one atomic step, durable on return.

        Args:
            body: the raw body.
            signature_hash: of signature and timestamp: the same for the same delivery.
            at: our clock.
            wishes: one for each record named.

        Returns:
            False if this very delivery was taken in before; then nothing is stored.
        """
        ...


def want_full_pass(bookmarks: Bookmarks, at: datetime) -> None:
    """Ask the running engine to read both CRMs once from now, without waiting for the rhythm."""
    for crm in Crm:
        bookmarks.write(_wanted(crm), at.isoformat())


def full_pass_begun_at(bookmarks: Bookmarks, crm: Crm) -> datetime | None:
    """Return when the last completed full pass of a CRM began; None: none was ever completed."""
    return _instant(bookmarks.read(_passed(crm)))


def is_pass_wanted(bookmarks: Bookmarks, crm: Crm) -> bool:
    """Tell whether somebody waits for a full pass that no completed one answers."""
    wanted = _instant(bookmarks.read(_wanted(crm)))
    if wanted is None:
        return False
    begun = full_pass_begun_at(bookmarks, crm)
    return begun is None or begun < wanted


def passed(crm: Crm, begun_at: datetime) -> tuple[str, str]:
    """Return the bookmark, name and text, of a completed full pass."""
    return _passed(crm), begun_at.isoformat()


def _passed(crm: Crm) -> str:
    return f"{crm}.full_pass_begun_at"


def _wanted(crm: Crm) -> str:
    return f"{crm}.full_pass_wanted_at"


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
