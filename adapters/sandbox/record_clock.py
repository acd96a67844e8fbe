"""The sandbox's record clock: how far record times are moved from real time.

Only the times written into records move. Tokens, signatures, rate limits and the access log keep
real time, so a test can age its records without being signed out.
"""

from datetime import datetime, timedelta

from adapters.sandbox.tables import Tables

TABLE = "clock"
KEY = "offset"
#: a hundred years: further away a date overflows somewhere
OFFSET_SECONDS_MAX = 3_155_760_000.0


def offset_seconds(tables: Tables) -> float:
    """Return the seconds to add to real time; 0 if it was never moved."""
    row = tables.get(TABLE, KEY)
    return 0.0 if row is None else float(str(row["seconds"]))


def set_offset(tables: Tables, seconds: float) -> None:
    """Move the record clock to `seconds` from real time."""
    tables.put(TABLE, KEY, {"seconds": seconds})


def record_at(tables: Tables, at: datetime) -> datetime:
    """Return what the record clock shows at the real instant `at`."""
    return at + timedelta(seconds=offset_seconds(tables))
