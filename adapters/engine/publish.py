"""Publish: what was decided is told to others, from the event store, in windows.

It is a loop of its own where facts are kept in Kafka. One worker publishes at a time, whoever holds
the publication's row; the others wait for it, so a second one is only there to take over.

| stopped here | after the restart |
|---|---|
| while a window is being sent | the same window is sent again, perhaps a longer one |
| after that, before the position moved | the same again; readers pass over what they have |
| after the position moved | the next window |

It never sends anything to a CRM and never reads one.
"""

from datetime import datetime, timedelta
from typing import Final

from structlog.typing import FilteringBoundLogger

from projections.publishing import Publication, Send

#: events of one window
WINDOW_EVENTS: Final = 1_000
#: how long nothing may come before the mark is told by itself
MARK_SECONDS: Final = 1.0


class Publish:
    """The publish loop of one worker; a second one is harmless.

    Args:
        publication: what is published, and how far.
        send: publishes a window.
        logger: one line a window.
        limit: events of one window.
    """

    def __init__(
        self,
        *,
        publication: Publication,
        send: Send,
        logger: FilteringBoundLogger,
        limit: int = WINDOW_EVENTS,
    ) -> None:
        self._publication = publication
        self._send = send
        self._logger = logger
        self._limit = limit
        self._quiet_since: datetime | None = None

    def step(self, at: datetime) -> int:
        """Publish one window.

        Args:
            at: our clock.

        Returns:
            How many events were published, 1 for a mark alone; 0: none wait.

        Raises:
            RetryableError: the store or the topic does not answer; the step can be repeated.
        """
        quiet_since = self._quiet_since
        is_quiet = quiet_since is not None and at - quiet_since >= timedelta(seconds=MARK_SECONDS)
        count = self._publication.publish(self._send, limit=self._limit, tell_mark=is_quiet)
        if count and not is_quiet:
            self._quiet_since = None
        elif quiet_since is None:
            self._quiet_since = at
        if count:
            self._logger.info("published", events=count)
        return count
