"""What still moves in a world; nothing does when it is quiet."""

from collections.abc import Mapping
from datetime import datetime

from adapters.sandbox.front import Front
from adapters.sandbox.hubspot.box import HubSpotSandbox
from adapters.simulation.stores import Stores
from adapters.source import full_pass_begun_at
from domain.ids import Crm


def moving(
    stores: Stores, hubspot: Front, at: datetime, *, passes_since: datetime | None = None
) -> Mapping[str, int]:
    """Return what moves, in words → how much; empty: nothing.

    Args:
        stores: of the world.
        hubspot: whose webhooks may be under way.
        at: our clock.
        passes_since: a CRM moves until a full pass begun after this is complete.
    """
    decided = stores.decisions.positions()
    undecided = sum(head - decided.get(source, -1) for source, head in stores.log.heads().items())
    counts = stores.desk.counts(unseen_after=at)
    assert isinstance(hubspot.box, HubSpotSandbox), "the HubSpot front has a HubSpot box"
    found = {
        "webhooks not delivered": hubspot.box.undelivered_webhooks(),
        "records to be read": stores.refreshes.waiting(),
        "facts to be decided": undecided,
        "events and signals to be projected": stores.followers.unfinished(),
        "writes pending": counts.pending,
        "writes sent": counts.sent,
        "writes of unknown outcome": counts.unknown,
        "outcomes not in the log": counts.unpublished,
    }
    if passes_since is not None:
        for crm in Crm:
            begun = full_pass_begun_at(stores.bookmarks, crm)
            found[f"full pass of {crm}"] = int(begun is None or begun < passes_since)
    return {name: count for name, count in found.items() if count}
