"""How many API calls the org used in the last 24 hours, and how many it has."""

from datetime import datetime, timedelta

from adapters.sandbox.salesforce.errors import FORBIDDEN, RefusedError
from adapters.sandbox.salesforce.store import Store
from adapters.sandbox.tables import Row

TABLE = "usage"
KEY = "hours"
DAY = timedelta(hours=24)
HOUR = "%Y-%m-%dT%H"


def count(store: Store, at: datetime) -> tuple[int, int]:
    """Count one call; return how many were used and how many there are.

    Raises:
        RefusedError: REQUEST_LIMIT_EXCEEDED; the call does not count.
    """
    hours = store.get(TABLE, KEY) or {}
    oldest = (at - DAY).strftime(HOUR)
    kept: Row = {hour: calls for hour, calls in hours.items() if hour > oldest}
    used = sum(calls for calls in kept.values() if isinstance(calls, int))
    limit = daily_limit(store)
    if used >= limit:
        raise RefusedError(
            "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=FORBIDDEN
        )
    now = at.strftime(HOUR)
    calls = kept.get(now, 0)
    kept[now] = (calls if isinstance(calls, int) else 0) + 1
    store.put(TABLE, KEY, kept)
    return used + 1, limit


def used(store: Store) -> int:
    """Return how many calls were used, as of the last one."""
    hours = store.get(TABLE, KEY) or {}
    return sum(calls for calls in hours.values() if isinstance(calls, int))


def daily_limit(store: Store) -> int:
    """Return how many calls the org has in 24 hours."""
    limit = store.setting("daily_limit")
    assert isinstance(limit, int), "the seed sets it"
    return limit
