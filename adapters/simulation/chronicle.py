"""Everything that happened in the two CRMs, in the order in which it really happened.

It looks at the sandboxes' own tables after every request, so it believes neither the engine nor a
clock. Checks and the oracle read it; nothing else does.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.sandbox import access_log
from adapters.sandbox.front import Front
from adapters.sandbox.hubspot.actors import ENGINE_TOKEN
from adapters.sandbox.salesforce.seed import INTEGRATION
from adapters.sandbox.tables import Row
from domain.ids import Crm

#: how we are called in each CRM
ENGINE: Final = {Crm.SALESFORCE: INTEGRATION, Crm.HUBSPOT: ENGINE_TOKEN}
#: the tables whose rows are records of a business
WATCHED: Final = {
    Crm.SALESFORCE: frozenset({"Opportunity", "Contact", "Account", "OpportunityContactRole"}),
    Crm.HUBSPOT: frozenset({"deals", "contacts", "companies", "association", "merged"}),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One row of one CRM, before and after a request."""

    #: over both CRMs and all calls
    number: int
    #: real time
    at: datetime
    crm: Crm
    #: user name or token
    who: str
    #: the engine's actor; blank: a person
    actor: str
    table: str
    key: str
    #: None: it was not there
    before: Row | None
    #: None: it is gone
    after: Row | None

    @property
    def is_ours(self) -> bool:
        """Tell whether the engine made the change."""
        return self.who == ENGINE[self.crm]


@dataclass(frozen=True, slots=True)
class Call:
    """One request that a CRM answered or dropped."""

    number: int
    at: datetime
    crm: Crm
    who: str
    actor: str
    method: str
    path: str
    status: int
    records: tuple[str, ...]
    changed: bool


class Chronicle:
    """Changes and calls of one world, oldest first."""

    def __init__(self, fronts: Mapping[Crm, Front]) -> None:
        """Begin with what the CRMs hold now."""
        self._fronts = dict(fronts)
        self._number = 0
        self._seen: dict[tuple[Crm, str, str], Row] = {}
        self._logged: dict[Crm, int] = {}
        self.changes: list[Change] = []
        self.calls: list[Call] = []
        for crm, front in self._fronts.items():
            front.box.tables.take_dirty()
            self._logged[crm] = access_log.last_number(front.box.tables)
            for table in WATCHED[crm]:
                for key, row in front.box.tables.rows(table).items():
                    self._seen[crm, table, key] = row

    @property
    def last_number(self) -> int:
        """Return the number of the newest change or call."""
        return self._number

    def observe(self, crm: Crm, actor: str, at: datetime) -> None:
        """Write down what the request that has just been answered did."""
        tables = self._fronts[crm].box.tables
        who = ""
        for number in range(self._logged[crm] + 1, access_log.last_number(tables) + 1):
            row = tables.get(access_log.TABLE, str(number))
            assert row is not None, "the newest calls are kept"
            who = str(row["who"])
            self._number += 1
            records = row["records"]
            self.calls.append(
                Call(
                    number=self._number,
                    at=at,
                    crm=crm,
                    who=who,
                    actor=actor,
                    method=str(row["method"]),
                    path=str(row["path"]),
                    status=int(str(row["status"])),
                    records=tuple(map(str, records)) if isinstance(records, list) else (),
                    changed=bool(row["changed"]),
                )
            )
            self._logged[crm] = number
        for table, key, after in tables.take_dirty():
            if table not in WATCHED[crm]:
                continue
            before = self._seen.get((crm, table, key))
            if before == after:
                continue
            self._number += 1
            self.changes.append(
                Change(self._number, at, crm, who, actor, table, key, before, after)
            )
            if after is None:
                self._seen.pop((crm, table, key), None)
            else:
                self._seen[crm, table, key] = after

    def of(self, crm: Crm, table: str) -> Iterator[Change]:
        """Yield the changes of one table."""
        return (one for one in self.changes if one.crm is crm and one.table == table)

    def digest(self) -> str:
        """Return a digest of everything in it: equal digests are equal histories."""
        found = hashlib.sha256()
        for change in self.changes:
            said = (change.number, change.at.isoformat(), change.crm, change.who, change.actor)
            body = json.dumps((said, change.table, change.key, change.after), sort_keys=True)
            found.update(body.encode())
        for call in self.calls:
            said = (call.number, call.at.isoformat(), call.crm, call.who, call.actor)
            body = json.dumps((said, call.method, call.path, call.status, call.records))
            found.update(body.encode())
        return found.hexdigest()
