"""How long to wait before the same thing is tried again: pure, bounded, jittered.

The jitter comes from what is tried and the number of the try, so the same history waits the same
times, and many writes that failed together do not come back together.
"""

import hashlib
from typing import Final

FIRST_SECONDS: Final = 1.0
SECONDS_MAX: Final = 300.0
#: more doublings than reach the maximum are not worth computing
DOUBLINGS_MAX: Final = 16
#: the shortest wait is this part of the longest
SHORTEST_SHARE: Final = 0.5


def delay_seconds(
    what: str, number: int, *, first: float = FIRST_SECONDS, longest: float = SECONDS_MAX
) -> float:
    """Return the wait after a failed try.

    Args:
        what: what is tried: a write's id, a CRM's name.
        number: 1 for the first try that failed.
        first: the wait after it, before jitter; doubles each time.
        longest: never wait longer.
    """
    doublings = min(max(number - 1, 0), DOUBLINGS_MAX)
    full = min(first * float(1 << doublings), longest)
    return full * (SHORTEST_SHARE + (1 - SHORTEST_SHARE) * _fraction(what, number))


def _fraction(what: str, number: int) -> float:
    """Return a number from 0 (included) to 1 (excluded), always the same for the same try."""
    digest = hashlib.blake2b(f"{what}\x1f{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
