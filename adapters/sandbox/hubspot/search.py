"""Searches records of one kind: filter groups, text query, one sort, a window of 10,000.

Where all groups bound the time of change, the id, or a unique value, only the records in those
bounds are looked at.
"""

import itertools
import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from adapters.sandbox.hubspot import computed, instants, showing, unique
from adapters.sandbox.hubspot.call import Call, Reply
from adapters.sandbox.hubspot.errors import ApiError, invalid_json
from adapters.sandbox.hubspot.kinds import Kind
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import Record, number, rows_in, text, texts_in, whole
from adapters.sandbox.tables import JsonValue, Row, Tables

WINDOW_MAX = 10_000
PAGE_DEFAULT = 10
PAGE_MAX = 200
GROUPS_MAX = 5
FILTERS_PER_GROUP_MAX = 6
FILTERS_MAX = 18
QUERY_CHARACTERS_MAX = 3_000
VALUES_MAX = 100
#: what a text query looks through
_SEARCHABLE = (
    *("dealname", "email", "firstname", "lastname", "phone", "company"),
    *("name", "domain", "website", "description"),
)
_Comparable = Decimal | str
_Matches = Callable[[Record], bool]


def answer(portal: Portal, call: Call, kind: Kind) -> Reply:
    """Answer `…/search`."""
    body = call.body()
    limit, start = _page(body)
    groups = _groups(body)
    matches = _matcher(portal, kind, groups, text(body, "query"))
    indexed_until = _indexed_until(portal.tables, call.edit.ms)
    found = [
        record
        for record_id in _candidates(portal, kind, groups)
        if (record := portal.stored(kind, record_id)) is not None
        and record["archivedMs"] is None
        and record["updatedMs"] <= indexed_until
        and matches(record)
    ]
    found = _sorted(portal, kind, found, body)
    page = found[start : start + limit]
    call.records += [record["id"] for record in page]
    properties = texts_in(body, "properties")
    results: list[JsonValue] = [showing.found(portal, kind, one, properties) for one in page]
    answered: Row = {"total": len(found), "results": results}
    if start + limit < len(found):
        answered["paging"] = {"next": {"after": str(start + limit)}}
    return Reply(200, answered)


def set_lag_ms(tables: Tables, ms: int) -> None:
    """Let a search miss what changed within the last `ms`: HubSpot's index follows behind."""
    tables.put("search", "lag", {"ms": ms})


def lag_ms(tables: Tables) -> int:
    """Return how far searches are behind, 0 unless it was set."""
    row = tables.get("search", "lag")
    return 0 if row is None else number(row, "ms")


def _indexed_until(tables: Tables, ms: int) -> float:
    """Return up to when changes are found; without a lag even those dated ahead of the clock."""
    lag = lag_ms(tables)
    return ms - lag if lag else math.inf


def _page(body: Row) -> tuple[int, int]:
    limit, start = number(body, "limit", PAGE_DEFAULT), number(body, "after")
    if not 1 <= limit <= PAGE_MAX:
        raise ApiError(400, f"limit={limit} must be a number from 1 to {PAGE_MAX}")
    if start < 0 or start + limit > WINDOW_MAX:
        raise ApiError(
            400, f"The maximum number of results of a search is {WINDOW_MAX}; after={start}"
        )
    if len(text(body, "query")) > QUERY_CHARACTERS_MAX:
        raise ApiError(400, f"query is longer than {QUERY_CHARACTERS_MAX} characters")
    return limit, start


def _groups(body: Row) -> list[list[Row]]:
    """Return the filters by group; a record is found if it passes all filters of one group."""
    groups = [rows_in(group, "filters") for group in rows_in(body, "filterGroups")]
    bare = rows_in(body, "filters")
    groups = [*groups, bare] if bare else groups
    if (
        len(groups) > GROUPS_MAX
        or any(len(group) > FILTERS_PER_GROUP_MAX for group in groups)
        or sum(map(len, groups)) > FILTERS_MAX
    ):
        raise ApiError(
            400,
            f"Up to {GROUPS_MAX} filter groups of {FILTERS_PER_GROUP_MAX} filters are supported,"
            f" {FILTERS_MAX} filters in all",
        )
    return groups


def _candidates(portal: Portal, kind: Kind, groups: list[list[Row]]) -> Iterator[str]:
    """Yield ids of at least all records that can match, each once."""
    everything = portal.index(kind).after(-1)
    if not groups:
        return everything
    since = [_lower_bound(group, kind.modified) for group in groups]
    if all(ms is not None for ms in since):
        return portal.index(kind).changed_since(min(ms for ms in since if ms is not None))
    above = [_id_bound(group) for group in groups]
    if all(bound is not None for bound in above):
        return portal.index(kind).after(min(bound for bound in above if bound is not None))
    held = [_holders(portal, kind, group) for group in groups]
    if all(ids is not None for ids in held):
        return iter({one: None for ids in held for one in ids or ()})
    return everything


def _lower_bound(group: list[Row], name: str) -> int | None:
    for one in group:
        if text(one, "propertyName") == name and text(one, "operator") in {
            *("GT", "GTE", "EQ", "BETWEEN"),
        }:
            return instants.parsed(text(one, "value"))
    return None


def _id_bound(group: list[Row]) -> int | None:
    for one in group:
        if text(one, "propertyName") == "hs_object_id" and text(one, "operator") in {"GT", "GTE"}:
            value = whole(text(one, "value"))
            return None if value is None else value - 1
    return None


def _holders(portal: Portal, kind: Kind, group: list[Row]) -> list[str] | None:
    """Return who can match a filter on a unique value, None if there is no such filter."""
    for one in group:
        name = text(one, "propertyName")
        if not unique.is_unique(portal, kind, name):
            continue
        match text(one, "operator"):
            case "EQ":
                values = [text(one, "value")]
            case "IN":
                values = texts_in(one, "values")
            case _:
                continue
        holders = (
            unique.holder(portal, kind, name, value.lower() if name == "email" else value)
            for value in values
        )
        return [found["id"] for found in holders if found is not None and found["id"] is not None]
    return None


def _matcher(portal: Portal, kind: Kind, groups: list[list[Row]], query: str) -> _Matches:
    tests = [[_filter(portal, kind, one) for one in group] for group in groups]
    words = query.lower().split()

    def matches(record: Record) -> bool:
        if tests and not any(all(test(record) for test in group) for group in tests):
            return False
        return not words or _has_words(record, words)

    return matches


def _has_words(record: Record, words: list[str]) -> bool:
    shown = " ".join(record["values"].get(name, "") for name in _SEARCHABLE).lower()
    return all(word in shown for word in words)


def _filter(portal: Portal, kind: Kind, asked: Row) -> _Matches:
    name, operator = text(asked, "propertyName"), text(asked, "operator")
    rule = portal.rules(kind).get(name)
    if rule is None:
        raise ApiError(
            400,
            f"There was a problem with the request: property {name} does not exist",
            context={"propertyName": [name]},
        )
    if name == "hs_object_id":
        key_of: Callable[[str], _Comparable] = _as_number
    else:
        key_of = _KEYS.get(rule.type, str.lower)
    test = _test(asked, operator, key_of)

    def passes(record: Record) -> bool:
        value = record["values"].get(name)
        if value is None:
            value = computed.value_of(portal, kind, record, name)
        return test(value)

    return passes


def _test(
    asked: Row, operator: str, key_of: Callable[[str], _Comparable]
) -> Callable[[str | None], bool]:
    """Return whether a record's value, None if blank, passes one filter."""
    value = text(asked, "value")
    match operator:
        case "HAS_PROPERTY":
            return lambda held: held is not None
        case "NOT_HAS_PROPERTY":
            return lambda held: held is None
        case "IN" | "NOT_IN":
            given = texts_in(asked, "values")
            if not given or len(given) > VALUES_MAX:
                raise invalid_json(f"1 to {VALUES_MAX} values of a filter")
            keys = {key_of(one) for one in given}
            if operator == "IN":
                return lambda held: held is not None and key_of(held) in keys
            return lambda held: held is None or key_of(held) not in keys
        case "CONTAINS_TOKEN" | "NOT_CONTAINS_TOKEN":
            pattern = _token_pattern(value)
            wanted = operator == "CONTAINS_TOKEN"
            return lambda held: (held is not None and bool(pattern.search(held))) is wanted
        case _:
            return _comparison(asked, operator, key_of)


def _comparison(
    asked: Row, operator: str, key_of: Callable[[str], _Comparable]
) -> Callable[[str | None], bool]:
    value = text(asked, "value")
    if not value:
        raise invalid_json("value of a filter")
    key = key_of(value)
    match operator:
        case "EQ":
            return lambda held: held is not None and key_of(held) == key
        case "NEQ":
            return lambda held: held is None or key_of(held) != key
        case "BETWEEN":
            high = key_of(text(asked, "highValue"))
            return lambda held: held is not None and _in_order(key, key_of(held), high)
        case "LT":
            return lambda held: held is not None and not _in_order(key, key_of(held))
        case "LTE":
            return lambda held: held is not None and _in_order(key_of(held), key)
        case "GT":
            return lambda held: held is not None and not _in_order(key_of(held), key)
        case "GTE":
            return lambda held: held is not None and _in_order(key, key_of(held))
        case _:
            raise invalid_json(f"a known operator, not {operator!r}")


def _in_order(*keys: _Comparable) -> bool:
    """Return whether keys of one type ascend; keys of two types do not."""
    return all(_not_above(low, high) for low, high in itertools.pairwise(keys))


def _not_above(low: _Comparable, high: _Comparable) -> bool:
    if isinstance(low, str) and isinstance(high, str):
        return low <= high
    if isinstance(low, Decimal) and isinstance(high, Decimal):
        return low <= high
    return False


def _as_number(value: str) -> _Comparable:
    try:
        number_sent = Decimal(value)
    except InvalidOperation:
        return value.lower()
    return number_sent if number_sent.is_finite() else value.lower()


#: page after page compares the same times
@lru_cache(maxsize=65_536)
def _as_time(value: str) -> _Comparable:
    ms = instants.parsed(value)
    return value if ms is None else Decimal(ms)


_KEYS: dict[str, Callable[[str], _Comparable]] = {
    "number": _as_number,
    "datetime": _as_time,
    "date": _as_time,
}


def _token_pattern(value: str) -> re.Pattern[str]:
    """Return what finds a word; `*` stands for any characters of it."""
    inner = re.escape(value).replace(r"\*", r"\S*")
    return re.compile(rf"(?<!\w){inner}(?!\w)", re.IGNORECASE)


def _sorted(portal: Portal, kind: Kind, found: list[Record], body: Row) -> list[Record]:
    asked = body.get("sorts")
    sorts = asked if isinstance(asked, list) else []
    if len(sorts) > 1:
        raise ApiError(400, "Only one sort is supported")
    if not sorts:
        return sorted(found, key=lambda record: int(record["id"]))
    first = sorts[0]
    if isinstance(first, dict):
        name, descending = text(first, "propertyName"), text(first, "direction") == "DESCENDING"
    else:
        descending, name = str(first).startswith("-"), str(first).lstrip("-")
    rule = portal.rules(kind).get(name)
    if rule is None:
        raise ApiError(400, f"Cannot sort by {name}: it does not exist")
    if name == "hs_object_id":
        return sorted(found, key=lambda record: int(record["id"]), reverse=descending)
    if name == kind.modified:
        return sorted(
            found, key=lambda record: (record["updatedMs"], int(record["id"])), reverse=descending
        )
    key_of = _KEYS.get(rule.type, str.lower)

    def key(record: Record) -> tuple[bool, bool, Decimal, str, int]:
        value = computed.value_of(portal, kind, record, name)
        made = "" if value is None else key_of(value)
        is_number = isinstance(made, Decimal)
        return (
            value is not None,
            is_number,
            made if isinstance(made, Decimal) else Decimal(0),
            made if isinstance(made, str) else "",
            int(record["id"]),
        )

    return sorted(found, key=key, reverse=descending)
