"""Times as HubSpot writes them: epoch milliseconds inside, ISO 8601 in UTC outside.

The fraction is left out when it is zero (`1970-01-01T00:00:00Z`), as in captured bodies.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MILLISECONDS = 1_000
DAY_MILLISECONDS = 86_400_000
_MILLISECONDS = re.compile(r"-?[0-9]{1,18}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
#: what year 9999 and year 1 allow; a number beyond is no time
_MS_MAX = 253_402_300_799_999
_MS_MIN = -62_135_596_800_000


def milliseconds(at: datetime) -> int:
    """Return the epoch milliseconds of an aware instant, cut off."""
    return (at - _EPOCH) // _MILLISECOND


@lru_cache(maxsize=4_096)
def iso(ms: int) -> str:
    """Return `2024-05-01T10:00:00.123Z`, or `2024-05-01T10:00:00Z` on the full second."""
    at = _EPOCH + timedelta(milliseconds=ms)
    text = at.strftime("%Y-%m-%dT%H:%M:%S") if ms % MILLISECONDS == 0 else at.isoformat()[:23]
    return text.rjust(19, "0") + "Z"


def parsed(text: str) -> int | None:
    """Return the epoch milliseconds of an instant as callers send it, None if it is none.

    Epoch milliseconds, ISO 8601 with an offset or `Z`, and plain dates (midnight UTC) are taken.
    """
    if _MILLISECONDS.fullmatch(text):
        ms = int(text)
        return ms if _MS_MIN <= ms <= _MS_MAX else None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return milliseconds(at if at.tzinfo is not None else at.replace(tzinfo=UTC))


def parsed_date(text: str) -> str | None:
    """Return a `date` property's value as HubSpot keeps it, None unless it is midnight UTC."""
    ms = parsed(text)
    if ms is None or ms % DAY_MILLISECONDS:
        return None
    return (_EPOCH + timedelta(milliseconds=ms)).date().isoformat()


def end_of_month(ms: int, zone: ZoneInfo) -> int:
    """Return the same time of day on the last day of the month, in the account's time zone."""
    local = (_EPOCH + timedelta(milliseconds=ms)).astimezone(zone)
    next_month = (local.date().replace(day=1) + timedelta(days=32)).replace(day=1)
    last_day = next_month - timedelta(days=1)
    return milliseconds(datetime.combine(last_day, local.time(), tzinfo=zone))


def next_midnight(ms: int, zone: ZoneInfo) -> int:
    """Return the first instant of the following day in the account's time zone."""
    today: date = (_EPOCH + timedelta(milliseconds=ms)).astimezone(zone).date()
    return milliseconds(datetime.combine(today + timedelta(days=1), time(), tzinfo=zone))
