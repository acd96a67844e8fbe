"""Counts requests against the account's limits: per app in ten seconds, per day, searches a second.

The windows follow real time. A refused request is not counted.
"""

from adapters.sandbox.hubspot import instants
from adapters.sandbox.hubspot.actors import PERSON, Actor
from adapters.sandbox.hubspot.errors import ApiError
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import number
from adapters.sandbox.tables import Row, Tables

TABLE = "usage"
_CONFIGURED = "limit"
#: HubSpot Professional; searches are counted over all apps of the account
DEFAULTS: dict[str, int] = {
    "burst": 190,
    "interval_ms": 10_000,
    "daily": 650_000,
    "search_per_second": 5,
}
Headers = tuple[tuple[str, str], ...]


def configured(tables: Tables) -> dict[str, int]:
    """Return the limits in force."""
    row = tables.get(_CONFIGURED, "configured")
    if row is None:
        return DEFAULTS
    return {name: number(row, name, default) for name, default in DEFAULTS.items()}


def configure(tables: Tables, wanted: Row) -> dict[str, int]:
    """Set some limits; the others stay.

    Raises:
        ValueError: an unknown name, or no whole number from 0.
    """
    limits: Row = dict(configured(tables))
    for name, value in wanted.items():
        if name not in DEFAULTS:
            raise ValueError(f"{name} is no limit; expected {', '.join(DEFAULTS)}")
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"{name} must be a whole number from 0")
        limits[name] = value
    tables.put(_CONFIGURED, "configured", limits)
    return configured(tables)


def count(portal: Portal, actor: Actor, ms: int, *, is_search: bool) -> Headers:
    """Count one request at real time `ms`; returns the headers that tell what is left.

    Raises:
        ApiError: a limit is used up.
    """
    tables = portal.tables
    limits = configured(tables)
    daily = _window(tables, "daily", ms)
    if daily is None:
        daily = (instants.next_midnight(ms, portal.zone()), 0)
    if daily[1] >= limits["daily"]:
        raise _refused("DAILY", "daily", _daily_headers(limits, daily[1]))
    burst = _window(tables, actor.token, ms) or (ms + limits["interval_ms"], 0)
    if burst[1] >= limits["burst"]:
        headers = _burst_headers(limits, burst[1])
        raise _refused("TEN_SECONDLY_ROLLING", "ten_secondly_rolling", headers)
    # who searches in HubSpot's screens takes nothing from the account's apps
    if is_search and actor is not PERSON:
        second = _window(tables, "search", ms) or (ms + instants.MILLISECONDS, 0)
        if second[1] >= limits["search_per_second"]:
            raise _refused("SECONDLY", "secondly", ())
        _keep(tables, "search", second)
    _keep(tables, "daily", daily)
    _keep(tables, actor.token, burst)
    if is_search:
        return ()
    return _burst_headers(limits, burst[1] + 1) + _daily_headers(limits, daily[1] + 1)


def _window(tables: Tables, key: str, ms: int) -> tuple[int, int] | None:
    """Return end and count of the window that `ms` is in, None if the last one is over."""
    row = tables.get(TABLE, key)
    if row is None:
        return None
    until, used = row["until_ms"], row["count"]
    assert isinstance(until, int)
    assert isinstance(used, int)
    return (until, used) if ms < until else None


def _keep(tables: Tables, key: str, window: tuple[int, int]) -> None:
    tables.put(TABLE, key, {"until_ms": window[0], "count": window[1] + 1})


def _refused(policy: str, words: str, headers: Headers) -> ApiError:
    return ApiError(
        429,
        f"You have reached your {words} limit.",
        category=None,
        extra={"errorType": "RATE_LIMIT", "policyName": policy},
        headers=headers,
    )


def _burst_headers(limits: dict[str, int], used: int) -> Headers:
    return (
        ("X-HubSpot-RateLimit-Max", str(limits["burst"])),
        ("X-HubSpot-RateLimit-Remaining", str(max(0, limits["burst"] - used))),
        ("X-HubSpot-RateLimit-Interval-Milliseconds", str(limits["interval_ms"])),
    )


def _daily_headers(limits: dict[str, int], used: int) -> Headers:
    return (
        ("X-HubSpot-RateLimit-Daily", str(limits["daily"])),
        ("X-HubSpot-RateLimit-Daily-Remaining", str(max(0, limits["daily"] - used))),
    )
