"""One HubSpot account: its tables, and what is worked out from them so that an answer is quick.

Nothing but the tables is state. A cache holds the rows it was made from and is made again when
these are no longer the ones in the tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from adapters.sandbox.hubspot import instants
from adapters.sandbox.hubspot.actors import Actor
from adapters.sandbox.hubspot.kinds import Kind
from adapters.sandbox.hubspot.property_rules import PropertyRule, rules_of
from adapters.sandbox.hubspot.record_index import RecordIndex
from adapters.sandbox.hubspot.rows import Record, as_record, as_row, text
from adapters.sandbox.tables import Row, Tables

#: how long the bin keeps a record
BIN_MILLISECONDS = 90 * instants.DAY_MILLISECONDS
#: merged into merged into …: a chain longer than this is a bug
_MERGES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Edit:
    """One author's change at one instant of the record clock."""

    actor: Actor
    ms: int
    iso: str


def edit_of(actor: Actor, ms: int) -> Edit:
    """Return an edit at epoch milliseconds `ms`."""
    return Edit(actor, ms, instants.iso(ms))


@dataclass(frozen=True, slots=True)
class _Rules:
    rows: Mapping[str, Row]
    by_name: dict[str, PropertyRule]
    unique: tuple[str, ...]


@dataclass(slots=True)
class Portal:
    """The account. `tables` is its whole state."""

    tables: Tables
    _indexes: dict[str, RecordIndex] = field(default_factory=dict)
    _rules: dict[str, _Rules] = field(default_factory=dict)

    def rules(self, kind: Kind) -> dict[str, PropertyRule]:
        """Return the kind's properties by name, as far as writing needs them."""
        return self._cached_rules(kind).by_name

    def unique_names(self, kind: Kind) -> tuple[str, ...]:
        """Return the properties whose values no two live records may share."""
        return self._cached_rules(kind).unique

    def _cached_rules(self, kind: Kind) -> _Rules:
        rows = self.tables.rows(kind.properties)
        cached = self._rules.get(kind.name)
        if cached is None or cached.rows is not rows:
            by_name = rules_of(rows)
            unique = tuple(name for name, rule in by_name.items() if rule.unique)
            cached = self._rules[kind.name] = _Rules(rows, by_name, unique)
        return cached

    def forget_rules(self, kind: Kind) -> None:
        """Say that a property's definition has changed."""
        self._rules.pop(kind.name, None)

    def index(self, kind: Kind) -> RecordIndex:
        """Return the kind's index."""
        rows = self.tables.rows(kind.name)
        cached = self._indexes.get(kind.name)
        if cached is None or cached.rows is not rows:
            cached = self._indexes[kind.name] = RecordIndex(rows)
        return cached

    def new_id(self, kind: Kind) -> str:
        """Return an id that no record has had."""
        return str(kind.id_base + self.tables.next_number(kind.name))

    def stored(self, kind: Kind, record_id: str) -> Record | None:
        """Return the record with exactly this id, in the bin or not."""
        row = self.tables.get(kind.name, record_id)
        return None if row is None else as_record(row)

    def live(self, kind: Kind, record_id: str) -> Record | None:
        """Return the record that an id stands for now, merged or not; None in the bin or gone."""
        record = self.stored(kind, record_id)
        if record is None:
            record = self.stored(kind, self.survivor_id(kind, record_id))
        return None if record is None or record["archivedMs"] is not None else record

    def archived(self, kind: Kind, record_id: str, ms: int) -> Record | None:
        """Return the record with this id if it is in the bin and still kept at `ms`."""
        record = self.stored(kind, record_id)
        if record is None or record["archivedMs"] is None:
            return None
        return None if ms - record["archivedMs"] > BIN_MILLISECONDS else record

    def survivor_id(self, kind: Kind, record_id: str) -> str:
        """Return the id of the record that this one was merged into, its own if into none."""
        for _ in range(_MERGES_MAX):
            row = self.tables.get("merged", f"{kind.name}|{record_id}")
            if row is None:
                return record_id
            record_id = text(row, "to")
        raise AssertionError(f"{kind.singular} {record_id} is merged in a circle")

    def keep(self, kind: Kind, record: Record) -> None:
        """Put a record, new or changed."""
        before = self.tables.get(kind.name, record["id"])
        # taken before the row is put: it may be built from the rows just now
        index = self.index(kind) if self.tables.rows(kind.name) else None
        self.tables.put(kind.name, record["id"], as_row(record))
        if index is None:
            return
        if before is None:
            index.added(record["id"])
        if before is None or as_record(before)["updatedMs"] != record["updatedMs"]:
            index.changed(record["id"], record["updatedMs"])

    def zone(self) -> ZoneInfo:
        """Return the account's time zone."""
        row = self.tables.get("account", "details")
        return ZoneInfo("UTC" if row is None else text(row, "timeZone", "UTC"))
