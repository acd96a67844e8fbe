"""Instants and dates as Salesforce writes them: UTC, `+0000` without a colon, whole seconds.

Written so, they have one length, and sort as text: stored and compared as they are sent.
"""

import re
from datetime import UTC, date, datetime

#: `2026-01-31T12:00:00Z`, with or without fraction, with `Z`, `+0000` or `+00:00`
INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(Z|z|[+ -]\d\d:?\d\d)?\Z",
)


def written(at: datetime) -> str:
    """Return an instant as text, cut to its second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def read(text: str) -> datetime:
    """Return the instant in a text; a missing zone means UTC.

    A plus sign that an address turned into a blank is taken for what it was.

    Raises:
        ValueError: it is no instant.
    """
    found = INSTANT.match(text)
    if found is None:
        raise ValueError(text)
    day, time_of_day, zone = found.groups()
    zone = "+00:00" if zone in (None, "Z", "z") else zone.replace(" ", "+")
    try:
        return datetime.fromisoformat(f"{day}T{time_of_day}{zone}").astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def read_date(text: str) -> date:
    """Return the date in a text; the date part of an instant counts.

    Raises:
        ValueError: it is no date.
    """
    if "T" in text:
        return read(text).date()
    return date.fromisoformat(text)
