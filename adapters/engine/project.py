"""Project: events become rows for people, and signals for other aggregates.

One step lets each follower fold what is new, notes what has waited for an instant that has come,
and tells what is due. A follower's rows and position move together; a signal is told at least once
and is the same fact each time, so stopping anywhere loses and doubles nothing.

It never sends anything to a CRM and never reads one (rule `replay-silent`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from structlog.typing import FilteringBoundLogger

from domain.deliveries import DeliveryDesk
from domain.ports import ChangeLog, Refreshes
from projections.following import FOLLOWERS, Followers, Outgoing


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one step takes."""

    #: events a follower folds in one transaction
    events: int = 1_000
    #: streams woken by instants
    instants: int = 500
    #: signals, wishes and echoes told
    dues: int = 500


BOUNDS: Final = Bounds()


class Project:
    """The project loop of one worker; a second one is harmless.

    Args:
        followers: whose tables are kept.
        log: where signals go.
        refreshes: where wishes to read go.
        desk: where done writes are marked as seen again.
        logger: one line a step that did something.
        bounds: how much is taken at a time.
    """

    def __init__(
        self,
        *,
        followers: Followers,
        log: ChangeLog,
        refreshes: Refreshes,
        desk: DeliveryDesk,
        logger: FilteringBoundLogger,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._followers = followers
        self._log = log
        self._refreshes = refreshes
        self._desk = desk
        self._logger = logger
        self._bounds = bounds

    def step(self, at: datetime) -> int:
        """Do a bounded piece of what waits.

        Args:
            at: our clock.

        Returns:
            How many events, instants and signals were dealt with; 0: none wait.

        Raises:
            RetryableError: the store or the log does not answer; the step can be repeated.
            UnknownTopicError: a newer program wrote what this one does not know: it must stop.
        """
        bounds = self._bounds
        moved = {
            name: count
            for name in FOLLOWERS
            if (count := self._followers.follow(name, limit=bounds.events))
        }
        woken = self._followers.wake(at, limit=bounds.instants)
        told = self._followers.emit(self._send, limit=bounds.dues)
        if moved or woken or told:
            self._logger.info("projected", **moved, woken=woken, told=told)
        return sum(moved.values()) + woken + told

    def _send(self, going: Outgoing) -> None:
        if going.signals:
            self._log.append(going.signals)
        if going.wishes:
            self._refreshes.add(going.wishes)
        if going.echoes:
            self._desk.mark_echoes(going.echoes)
