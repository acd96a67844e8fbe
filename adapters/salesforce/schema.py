"""Which fields an object has for the integration user: describe, remembered.

A query that names a field the user cannot see is refused whole, so every query asks here first. An
admin can change a schema at any time: whoever meets a refusal calls `forget`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from adapters.salesforce import wire
from adapters.salesforce.connection import Connection
from adapters.salesforce.wire import Json

#: describes read lately: large, read again with every catalog, and hardly ever another
_REMEMBERED: Final = 16


@dataclass(frozen=True, slots=True)
class FieldDescribed:
    """One field as describe shows it."""

    name: str
    #: Salesforce's own type word: string, currency, picklist, reference, …
    type: str
    createable: bool
    updateable: bool
    #: active picklist values; empty: not restricted
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ObjectDescribed:
    """One object as describe shows it."""

    fields: Mapping[str, FieldDescribed]
    #: ids of the record types that the user may give to a record
    record_types: frozenset[str]


class Schema:
    """Describes of one org, as long as nobody doubts them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._objects: dict[str, ObjectDescribed] = {}
        #: counts the doubts, so that whoever shares this sees that another had one
        self.generation = 0

    def fields(self, object_name: str, at: datetime) -> Mapping[str, FieldDescribed]:
        """Return the fields that the user can see, by API name.

        Raises:
            PortError: Salesforce did not answer.
        """
        return self._described(object_name, at).fields

    def record_types(self, object_name: str, at: datetime) -> frozenset[str]:
        """Return the ids of the record types that the user may give to a record.

        Raises:
            PortError: Salesforce did not answer.
        """
        return self._described(object_name, at).record_types

    def visible(self, object_name: str, names: Collection[str], at: datetime) -> tuple[str, ...]:
        """Return those of the names that the user can see, sorted, each in Salesforce's own case.

        Raises:
            PortError: Salesforce did not answer.
        """
        own = {name.lower(): name for name in self.fields(object_name, at)}
        return tuple(sorted({own[name.lower()] for name in names if name.lower() in own}))

    def forget(self) -> None:
        """Describe again when next asked."""
        self.generation += 1
        self._objects.clear()

    def _described(self, object_name: str, at: datetime) -> ObjectDescribed:
        known = self._objects.get(object_name)
        if known is None:
            body = self._connection.get_raw(f"/sobjects/{object_name}/describe", at)
            known = self._objects[object_name] = _read(body)
        return known


@lru_cache(_REMEMBERED)
def _read(body: bytes) -> ObjectDescribed:
    described = wire.mapping(wire.parse(body), "a describe")
    return ObjectDescribed(
        _fields(described.get("fields")), _record_types(described.get("recordTypeInfos"))
    )


def _record_types(infos: Json) -> frozenset[str]:
    rows = (
        [wire.Row(each) for each in infos if isinstance(each, dict)]
        if isinstance(infos, list)
        else []
    )
    ids = (row.reference("recordTypeId") for row in rows if row.flag("available"))
    return frozenset(each for each in ids if each is not None)


def _fields(described: Json) -> Mapping[str, FieldDescribed]:
    found = {}
    for each in wire.sequence(described, "fields"):
        row = wire.Row(wire.mapping(each, "a field"))
        name = row.required("name")
        found[name] = FieldDescribed(
            name=name,
            type=row.required("type"),
            createable=row.flag("createable"),
            updateable=row.flag("updateable"),
            values=_values(row.values) if row.flag("restrictedPicklist") else (),
        )
    return found


def _values(described: Mapping[str, Json]) -> tuple[str, ...]:
    entries = described.get("picklistValues")
    rows = (
        [wire.Row(each) for each in entries or () if isinstance(each, dict)]
        if isinstance(entries, list)
        else []
    )
    return tuple(row.required("value") for row in rows if row.flag("active"))
