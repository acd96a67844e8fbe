"""What still moves, and what waits for a person: for `wait` and `status`.

Quiet is a claim about one moment, put together from several readings. So it is made only when two
looks in a row found nothing that moves and the same newest facts and events.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from adapters.bootstrap.engine import undelivered_webhooks
from adapters.bootstrap.present import Present
from adapters.bootstrap.stores import Stores
from adapters.postgres.waiting import count_waiting, followers_behind
from adapters.source import full_pass_begun_at
from domain.ids import Crm
from domain.rules.prerequisites import missing_permission

#: a done write that its CRM has not shown again by then never will be
ECHO_SECONDS_MAX: Final = 20.0
#: what only another full pass settles
UNSEEN: Final = "writes not seen again"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at everything that can move."""

    #: what moves, in words → how much; empty: nothing
    moving: Mapping[str, int]
    #: what waits for a person or for data → how much
    waiting: Mapping[str, int]
    #: the newest facts and events: two looks with equal marks are of one moment
    mark: tuple[object, ...] = field(default=(), repr=False)

    @property
    def is_quiet(self) -> bool:
        """Tell whether nothing moves."""
        return not self.moving


def look(
    stores: Stores,
    present: Present,
    *,
    at: datetime,
    passes_since: datetime | None = None,
    sandbox_url: str | None = None,
) -> Look:
    """Look once.

    Args:
        stores: the home's.
        present: over the same stores.
        at: our clock.
        passes_since: count a CRM as moving until a full pass begun after this is complete.
        sandbox_url: of a HubSpot sandbox, which knows of webhooks that it has not got rid of.
    """
    decided = stores.decisions.positions()
    heads = dict(stores.log.heads())
    undecided = sum(max(0, head - decided.get(source, -1)) for source, head in heads.items())
    passes = {crm: full_pass_begun_at(stores.bookmarks, crm) for crm in Crm}
    counts = stores.desk.counts(unseen_after=_unseen_after(passes, at))
    behind, due = followers_behind(stores.database)
    may_write = missing_permission(present.moment().catalog) is None
    moving = {
        "webhooks not delivered": 0 if sandbox_url is None else undelivered_webhooks(sandbox_url),
        "records to be read": stores.refreshes.waiting(),
        "facts to be decided": undecided,
        "events to be followed": behind,
        "signals to be told": due,
        "events and signals to be projected": stores.followers.unfinished(),
        "writes pending": counts.pending if may_write else 0,
        "writes sent": counts.sent,
        "writes of unknown outcome": counts.unknown if may_write else 0,
        "outcomes not in the log": counts.unpublished,
        UNSEEN: counts.unseen,
    }
    if passes_since is not None:
        for crm, begun_at in passes.items():
            moving[f"full pass of {crm}"] = int(begun_at is None or begun_at < passes_since)
    waiting = {
        "held_deletes": counts.held,
        "without_permission": 0 if may_write else counts.pending + counts.unknown,
        **count_waiting(stores.database),
    }
    return Look(
        moving={name: count for name, count in moving.items() if count},
        waiting=waiting,
        mark=(tuple(sorted(heads.items())), stores.decisions.last_event_id()),
    )


def _unseen_after(passes: Mapping[Crm, datetime | None], at: datetime) -> datetime:
    """Return since when a done write that was not seen again may still be.

    A full pass that began after the answer has shown what the write left, whether or not that
    taught anything; and whatever no pass shows is not waited for for ever.
    """
    deadline = at - timedelta(seconds=ECHO_SECONDS_MAX)
    begun = [begun_at for begun_at in passes.values() if begun_at is not None]
    return max(deadline, min(begun)) if len(begun) == len(passes) else deadline
