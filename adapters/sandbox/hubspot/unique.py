"""Who has which unique value: e-mail addresses and properties with `hasUniqueValue`.

A value is free again once its record is in the bin. A restored record gets it back only if nobody
took it meanwhile; a record in the bin is still found by it (`archived=true`).
"""

from collections.abc import Iterator, Mapping

from adapters.sandbox.hubspot.errors import ExistsError, InvalidValuesError, Problem
from adapters.sandbox.hubspot.kinds import CONTACTS, Kind
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import Holder, Record, as_holder, as_row

TABLE = "unique"


def holder(portal: Portal, kind: Kind, name: str, value: str) -> Holder | None:
    """Return who has a value, None if nobody ever had it."""
    row = portal.tables.get(TABLE, _key(kind, name, value))
    return None if row is None else as_holder(row)


def is_unique(portal: Portal, kind: Kind, name: str) -> bool:
    """Return whether a record can be named by this property."""
    return name in portal.unique_names(kind)


def check(portal: Portal, kind: Kind, given: Mapping[str, str], own_id: str | None) -> None:
    """Check that no other record has a value that must be unique.

    Raises:
        ApiError: one has. 409 for a contact's e-mail address, else 400 naming the properties.
    """
    problems = []
    for name in portal.unique_names(kind):
        value = given.get(name)
        if not value:
            continue
        found = holder(portal, kind, name, value)
        if found is None or found["id"] is None or found["id"] == own_id:
            continue
        if kind is CONTACTS and name == "email":
            raise ExistsError(kind.upper, found["id"])
        problems.append(
            Problem(
                name,
                "CONFLICTING_UNIQUE_VALUE",
                f"{found['id']} already has that value.",
            )
        )
    if problems:
        raise InvalidValuesError(problems)


def take(portal: Portal, kind: Kind, record: Record) -> None:
    """Give a live record the unique values it carries."""
    for name, value in _unique_values(portal, kind, record):
        _set(portal, kind, name, value, live=record["id"])


def move(portal: Portal, kind: Kind, before: Record, after: Record) -> None:
    """Follow a change of a live record's unique values."""
    for name in portal.unique_names(kind):
        old, new = before["values"].get(name), after["values"].get(name)
        if old == new:
            continue
        if old is not None:
            _set(portal, kind, name, old, live=None)
        if new is not None:
            _set(portal, kind, name, new, live=after["id"])


def release(portal: Portal, kind: Kind, record: Record) -> None:
    """Free the unique values of a record that goes into the bin."""
    for name, value in _unique_values(portal, kind, record):
        found = holder(portal, kind, name, value)
        archived = [] if found is None else found["archived"]
        _put(portal, kind, name, value, {"id": None, "archived": [*archived, record["id"]]})


def drop(portal: Portal, kind: Kind, record: Record) -> None:
    """Free the unique values of a record that is gone for good."""
    for name, value in _unique_values(portal, kind, record):
        _set(portal, kind, name, value, live=None)
    forget_archived(portal, kind, record)


def forget_archived(portal: Portal, kind: Kind, record: Record) -> None:
    """Take note that a record is no longer in the bin."""
    for name, value in _unique_values(portal, kind, record):
        found = holder(portal, kind, name, value)
        if found is not None and record["id"] in found["archived"]:
            others = [one for one in found["archived"] if one != record["id"]]
            _put(portal, kind, name, value, {"id": found["id"], "archived": others})


def taken_by_others(portal: Portal, kind: Kind, record: Record) -> tuple[str, ...]:
    """Return the properties whose value another live record has by now."""
    return tuple(
        name
        for name, value in _unique_values(portal, kind, record)
        if (found := holder(portal, kind, name, value)) is not None
        and found["id"] not in {None, record["id"]}
    )


def _unique_values(portal: Portal, kind: Kind, record: Record) -> Iterator[tuple[str, str]]:
    for name in portal.unique_names(kind):
        if name in record["values"]:
            yield name, record["values"][name]


def _set(portal: Portal, kind: Kind, name: str, value: str, *, live: str | None) -> None:
    found = holder(portal, kind, name, value)
    _put(
        portal,
        kind,
        name,
        value,
        {"id": live, "archived": [] if found is None else found["archived"]},
    )


def _put(portal: Portal, kind: Kind, name: str, value: str, found: Holder) -> None:
    if found["id"] is None and not found["archived"]:
        portal.tables.drop(TABLE, _key(kind, name, value))
    else:
        portal.tables.put(TABLE, _key(kind, name, value), as_row(found))


def _key(kind: Kind, name: str, value: str) -> str:
    return f"{kind.name}|{name}|{value}"
