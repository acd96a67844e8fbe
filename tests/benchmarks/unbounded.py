"""`dealsync`, but without a budget of calls: for CRMs on this machine that have none either.

python -m tests.benchmarks.unbounded run --worker 1
"""

import sys
from typing import Final

from adapters.bootstrap import crms
from adapters.cli.app import run
from domain.deliveries import CallLimits
from domain.ids import Crm

_NONE: Final = CallLimits(burst_calls=1_000_000, burst_seconds=10, daily_calls=1_000_000_000)

if __name__ == "__main__":
    vars(crms)["LOCAL_LIMITS"] = dict.fromkeys(Crm, _NONE)
    sys.exit(run(sys.argv[1:]))
