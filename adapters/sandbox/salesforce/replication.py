"""Which records changed or were deleted in a span of time: `updated` and `deleted`.

Salesforce counts in minutes. Here the first minute is cut down and the last one rounded up, so
that a caller need not wait for a minute to end; what is covered twice is reported twice.
"""

from datetime import datetime, timedelta

from adapters.sandbox.salesforce import instants
from adapters.sandbox.salesforce.deletion import DELETION
from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.schema import ObjectType
from adapters.sandbox.tables import JsonValue

#: how far back a span may begin
REACH = timedelta(days=30)
MINUTE = timedelta(minutes=1)


def updated(
    call: Call, object_type: ObjectType, start: str | None, end: str | None
) -> dict[str, JsonValue]:
    """Return the ids of living records that were created or changed in the span."""
    first, last = _span(call, object_type, start, end)
    found: list[JsonValue] = [
        row["Id"]
        for row in call.org.store.changed_since(object_type.name, instants.written(first))
        if str(row["SystemModstamp"]) < instants.written(last) and not row.get("IsDeleted")
    ]
    return {"ids": found, "latestDateCovered": _covered(call, last)}


def deleted(
    call: Call, object_type: ObjectType, start: str | None, end: str | None
) -> dict[str, JsonValue]:
    """Return the records that were deleted in the span and not brought back."""
    first, last = _span(call, object_type, start, end)
    low, high = instants.written(first), instants.written(last)
    found: list[JsonValue] = [
        {"id": row["id"], "deletedDate": row["deletedDate"]}
        for row in call.org.store.rows(DELETION).values()
        if row["object"] == object_type.name and low <= str(row["deletedDate"]) < high
    ]
    return {
        "deletedRecords": found,
        "earliestDateAvailable": instants.written(call.at - REACH),
        "latestDateCovered": _covered(call, last),
    }


def _span(
    call: Call, object_type: ObjectType, start: str | None, end: str | None
) -> tuple[datetime, datetime]:
    if not object_type.replicateable:
        raise RefusedError(
            "INVALID_TYPE_FOR_OPERATION",
            f"object type {object_type.name} is not replicable",
        )
    first, last = _instant("start", start), _instant("end", end)
    if last <= first:
        raise RefusedError("INVALID_REPLICATION_DATE", "endDate before startDate")
    if first < call.at - REACH - MINUTE:
        raise RefusedError(
            "INVALID_REPLICATION_DATE",
            "startDate before the last 30 days, which is how far it goes",
        )
    floor = first.replace(second=0, microsecond=0)
    ceiling = last.replace(second=0, microsecond=0)
    return floor, ceiling if ceiling == last else ceiling + MINUTE


def _instant(name: str, text: str | None) -> datetime:
    if text is None:
        raise RefusedError("MISSING_ARGUMENT", f"Missing required parameter: {name}")
    try:
        return instants.read(text)
    except ValueError as error:
        raise RefusedError(
            "INVALID_REPLICATION_DATE", f"{name} is no date with time: {text}"
        ) from error


def _covered(call: Call, last: datetime) -> str:
    """Return up to when nothing can be added any more: never later than the minute that runs."""
    return instants.written(min(last, call.at.replace(second=0, microsecond=0)))
