"""Publish: what was decided is told to others, from the event store, in windows.

It is a loop of its own where facts are kept in Kafka. One worker publishes at a time, whoever holds
the publication's row; the others wait for it, so a second one is only there to take over.

Now and then it also tells where the sources would resume. A recovery goes on from there: what came
new before the database was lost and after it was last read must still be met as new.

| stopped here | after the restart |
|---|---|
| while a window is being sent | the same window is sent again, perhaps a longer one |
| after that, before the position moved | the same again; readers pass over what they have |
| after the position moved | the next window |

It never sends anything to a CRM and never reads one.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from structlog.typing import FilteringBoundLogger

from projections.publishing import CheckpointTaken, EventTopic, Publication

#: events of one window
WINDOW_EVENTS: Final = 1_000
#: how long nothing may come before the mark is told by itself
MARK_SECONDS: Final = 1.0
#: how long it is at least from one checkpoint to the next: twice the last time, within these
CHECKPOINT_SECONDS_MIN: Final = 1.0
CHECKPOINT_SECONDS_MAX: Final = 900.0


class Publish:
    """The publish loop of one worker; a second one is harmless.

    Args:
        publication: what is published, and how far.
        topic: where to.
        bookmarks: where the sources would resume now.
        logger: one line a window.
        limit: events of one window.
    """

    def __init__(
        self,
        *,
        publication: Publication,
        topic: EventTopic,
        bookmarks: Callable[[], Mapping[str, str]],
        logger: FilteringBoundLogger,
        limit: int = WINDOW_EVENTS,
    ) -> None:
        self._publication = publication
        self._topic = topic
        self._bookmarks = bookmarks
        self._logger = logger
        self._limit = limit
        self._quiet_since: datetime | None = None
        self._checkpoint_at: datetime | None = None
        self._checkpoint_seconds = CHECKPOINT_SECONDS_MIN

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
        count = self._publication.publish(self._topic.send, limit=self._limit, tell_mark=is_quiet)
        if count and not is_quiet:
            self._quiet_since = None
        elif quiet_since is None:
            self._quiet_since = at
        if count:
            self._logger.info("published", events=count)
            self._take_checkpoint(at)
        return count

    def _take_checkpoint(self, at: datetime) -> None:
        """Tell the bookmarks, if that was long enough ago.

        Whoever publishes does so, not who stands by. In a young store much is new, so it is done
        often at first.
        """
        if self._checkpoint_at is not None:
            if at - self._checkpoint_at < timedelta(seconds=self._checkpoint_seconds):
                return
            self._checkpoint_seconds = min(2 * self._checkpoint_seconds, CHECKPOINT_SECONDS_MAX)
        bookmarks = dict(self._bookmarks())
        epoch = self._publication.state().epoch
        self._topic.note(CheckpointTaken(epoch=epoch, bookmarks=bookmarks))
        self._checkpoint_at = at
