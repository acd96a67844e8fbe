"""How often a process that serves looks for garbage in cycles: rarely.

Facts, events and states are frozen values without cycles, which go when nobody names them any more.
The collector finds nothing among them, and looked through them for a fifth of a decision's time.
What does make cycles (errors with their tracebacks, connections) is still found, a little later.
"""

import gc
from typing import Final

#: new containers until the youngest are looked through; Python's own setting: 700
YOUNGEST: Final = 50_000
#: looks at the youngest until the middle ones are, and at those until all are
MIDDLE, ALL = 20, 100


def collect_rarely() -> None:
    """Set aside what is there, for good, and look for garbage rarely from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST, MIDDLE, ALL)
