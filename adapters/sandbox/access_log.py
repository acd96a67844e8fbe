"""The access log of one sandbox: every vendor call and every screen action, in order.

It is the independent witness of what reached a CRM, so it is kept with the state and survives a
restart. The control API's own calls are never in it.
"""

from datetime import datetime

from adapters.sandbox import json_http
from adapters.sandbox.box import Answer
from adapters.sandbox.tables import JsonValue, Tables

TABLE = "access_log"
#: the method under which a screen action is logged; its path is the action's name
ACTION_METHOD = "ACTION"
#: one page of the log, so that an answer stays small
CALLS_PER_PAGE_MAX = 1_000
#: older calls are forgotten: the log lives in memory
CALLS_KEPT_MAX = 1_000_000


def append(tables: Tables, method: str, path: str, answer: Answer, at: datetime) -> None:
    """Log one call; `at` is real time, whatever the record clock says."""
    number = tables.next_number(TABLE)
    tables.put(
        TABLE,
        str(number),
        {
            "number": number,
            "at": json_http.instant(at),
            "who": answer.who,
            "method": method,
            "path": path,
            "status": answer.response.status,
            "records": list(answer.records),
            "changed": answer.changed,
        },
    )
    tables.drop(TABLE, str(number - CALLS_KEPT_MAX))


def calls_after(tables: Tables, after: int) -> list[JsonValue]:
    """Return the calls numbered above `after`, oldest first, one page at most."""
    first = max(after + 1, last_number(tables) - CALLS_KEPT_MAX + 1)
    numbers = range(first, min(first + CALLS_PER_PAGE_MAX, last_number(tables) + 1))
    found = (tables.get(TABLE, str(number)) for number in numbers)
    return [call for call in found if call is not None]


def last_number(tables: Tables) -> int:
    """Return the number of the newest call, 0 if there was none."""
    row = tables.get("counter", TABLE)
    return 0 if row is None else int(str(row["value"]))


def restart_after(tables: Tables, number: int) -> None:
    """Let the next call have the number after `number`: numbers never repeat, even over a reset."""
    tables.put("counter", TABLE, {"value": number})
