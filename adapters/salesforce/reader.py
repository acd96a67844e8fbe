"""Reads named records, whole, deleted ones included: for refresh rows, looks and imports.

Mere absence is no deletion: a record that no query finds is asked for by itself, and only an answer
that says *deleted* makes a fact of it (rule `delete-fuse`).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from adapters.salesforce import names, soql, translate
from adapters.salesforce.connection import Connection
from adapters.salesforce.errors import ReadRefusedError
from adapters.salesforce.schema import Schema
from adapters.salesforce.translate import Look, Shown
from adapters.salesforce.wire import Row
from domain.ids import Kind, is_salesforce_id, salesforce_id
from domain.ports import Refresh

#: our kinds that have an object here
OBJECTS: Final = {kind: name for name, kind in translate.KINDS.items()}
#: in a refresh's hint: read the contacts of an opportunity's roles too
WITH_CONTACTS: Final = "contacts"

#: words of a wish's reason that its facts keep, with what follows a colon; others: `refresh`
_REASONS: Final = frozenset({"baseline", "webhook", "import", "import_named", "sync_now"})
_SCHEMA_MOVED: Final = frozenset({"INVALID_FIELD", "INVALID_TYPE"})


class Reader:
    """Reads records by what names them.

    Args:
        connection: the org.
        schema: which fields the user sees.
        fields: names of the opportunity's fields that policy maps or observes, as of now.
    """

    def __init__(
        self, connection: Connection, schema: Schema, fields: Callable[[], Collection[str]]
    ) -> None:
        self._connection = connection
        self._schema = schema
        self._fields = fields

    def rows(
        self, of: str, where: str, at: datetime, *, order: str = "", limit: int = 0
    ) -> tuple[Row, ...]:
        """Return rows with all fields that facts need, deleted ones included.

        Raises:
            PortError: Salesforce did not answer.
        """
        wanted = [*translate.READ_FIELDS[of], *(self._fields() if of == names.OPPORTUNITY else ())]
        selected = translate.queried(self._schema.visible(of, wanted, at))
        query = soql.select(selected, of, where=where, order=order, limit=limit)
        try:
            return self._connection.query(query, at, include_deleted=True)
        except ReadRefusedError as error:
            if error.code in _SCHEMA_MOVED:
                self._schema.forget()
            raise

    def by_id(self, of: str, record_ids: Iterable[str], at: datetime) -> Mapping[str, Row]:
        """Return the rows of those ids that are there, deleted ones included, by id."""
        return self._by(of, "Id", record_ids, at)

    def look(self, at: datetime, reason: str, cause: str | None = None) -> Look:
        """Return what marks the facts of one reading."""
        return Look(at, reason, self._connection.session(at).user_id, cause)

    def shown(self, of: str, row: Row, look: Look) -> Shown:
        """Return the fact of a row of opportunities, contacts or accounts."""
        if row.flag("IsDeleted"):
            return translate.gone(translate.KINDS[of], row, look)
        match of:
            case names.OPPORTUNITY:
                return translate.opportunity(row, self._fields(), look)
            case names.CONTACT:
                return translate.contact(row, look)
            case _:
                return translate.account(row, look)

    def roles_of(self, opportunity_ids: Iterable[str], at: datetime) -> tuple[Row, ...]:
        """Return the living role rows of opportunities."""
        return self._live_roles("OpportunityId", sorted(set(opportunity_ids)), at)

    def role_sets(self, opportunity_ids: Iterable[str], look: Look) -> tuple[Shown, ...]:
        """Return the whole role sets of those opportunities that live."""
        wanted = sorted(set(opportunity_ids))
        sets: dict[str, list[Row]] = defaultdict(list)
        for row in self.roles_of(wanted, look.begun_at):
            sets[row.reference("OpportunityId") or ""].append(row)
        empty = [each for each in wanted if each not in sets]
        living = [each for each in wanted if each in sets] + self._alive(empty, look.begun_at)
        return tuple(translate.roles(each, sets[each], look) for each in living)

    def after_merge(self, of: str, winner_ids: Iterable[str], look: Look) -> tuple[Shown, ...]:
        """Return what Salesforce moved to the winners of merges without touching it."""
        winners = sorted(set(winner_ids))
        at = look.begun_at
        facts: list[Shown] = [
            self.shown(of, row, look) for row in self.by_id(of, winners, at).values()
        ]
        if of == names.CONTACT:
            moved = {
                row.reference("OpportunityId") or ""
                for row in self._live_roles("ContactId", winners, at)
            }
            rows = self.by_id(names.OPPORTUNITY, moved, at)
        else:
            rows = self._by(names.OPPORTUNITY, "AccountId", winners, at)
            contacts = self._by(names.CONTACT, "AccountId", winners, at).values()
            facts += [
                self.shown(names.CONTACT, row, look)
                for row in contacts
                if not row.flag("IsDeleted")
            ]
        living = [row for row in rows.values() if not row.flag("IsDeleted")]
        facts += [self.shown(names.OPPORTUNITY, row, look) for row in living]
        if of == names.CONTACT:
            facts += self.role_sets([row.id for row in living], look)
        return tuple(facts)

    def refreshed(self, wishes: Sequence[Refresh], at: datetime) -> tuple[Shown, ...]:
        """Return the facts that refresh rows ask for, catalog rows left out.

        Each wish has facts of its own, with its reason and cause; the rows are read once.
        """
        wanted: dict[str, dict[str, list[Refresh]]] = defaultdict(lambda: defaultdict(list))
        for wish in wishes:
            of = OBJECTS.get(wish.kind)
            if of is not None and is_salesforce_id(wish.record_id):
                wanted[of][salesforce_id(wish.record_id)].append(wish)
        return tuple(
            translate.identified(fact, f"{at.isoformat()} {fact.cause}")
            for of, by_id in wanted.items()
            for fact in self._refreshed(of, by_id, at)
        )

    def select(self, kind: Kind, where: str, at: datetime) -> tuple[str, ...]:
        """Return the ids of an import's records.

        Args:
            kind: opportunity, contact or account.
            where: a SOQL condition, a whole query that selects Id, or blank for all.
            at: our clock.

        Raises:
            ReadRefusedError: Salesforce does not take the condition.
            PortError: it did not answer.
        """
        text = where.strip()
        query = (
            text
            if text.lower().startswith("select ")
            else soql.select(("Id",), OBJECTS[kind], where=text, order="" if text else "Id")
        )
        return tuple(row.id for row in self._connection.query(query, at))

    def is_deleted(self, of: str, record_id: str, at: datetime) -> bool:
        """Tell whether Salesforce itself says that a record which no query finds is deleted."""
        try:
            self._connection.get(f"/sobjects/{of}/{record_id}", at, {"fields": "Id"})
        except ReadRefusedError as error:
            return error.code == "ENTITY_IS_DELETED"
        return False

    def _refreshed(
        self, of: str, wanted: Mapping[str, Sequence[Refresh]], at: datetime
    ) -> Iterator[Shown]:
        rows = self.by_id(of, wanted, at)
        for record_id in wanted.keys() - rows.keys():
            if self.is_deleted(of, record_id, at):
                for wish in wanted[record_id]:
                    look = self._wished(wish, at)
                    yield translate.deleted(translate.KINDS[of], record_id, at, look)
        living: dict[Look, list[str]] = defaultdict(list)
        with_contacts: dict[Look, list[str]] = defaultdict(list)
        merged: dict[Look, list[str]] = defaultdict(list)
        for record_id, row in rows.items():
            for wish in wanted[record_id]:
                look = self._wished(wish, at)
                yield self.shown(of, row, look)
                winner_id = row.reference("MasterRecordId") if row.flag("IsDeleted") else None
                if winner_id is not None:
                    merged[look].append(winner_id)
                elif of == names.OPPORTUNITY and not row.flag("IsDeleted"):
                    living[look].append(record_id)
                    if WITH_CONTACTS in wish.hint:
                        with_contacts[look].append(record_id)
        for look, ids in living.items():
            yield from self.role_sets(ids, look)
        for look, ids in with_contacts.items():
            contact_ids = {row.reference("ContactId") or "" for row in self.roles_of(ids, at)}
            for row in self.by_id(names.CONTACT, contact_ids, at).values():
                yield self.shown(names.CONTACT, row, look)
        for look, ids in merged.items():
            yield from self.after_merge(of, ids, look)

    def _wished(self, wish: Refresh, at: datetime) -> Look:
        is_kept = wish.reason.partition(":")[0] in _REASONS
        return self.look(at, wish.reason if is_kept else "refresh", wish.cause)

    def _by(self, of: str, field: str, values: Iterable[str], at: datetime) -> Mapping[str, Row]:
        return {
            row.id: row
            for batch in soql.batches(values)
            for row in self.rows(of, soql.is_in(field, batch), at)
        }

    def _live_roles(self, field: str, values: Sequence[str], at: datetime) -> tuple[Row, ...]:
        return _living(self._by(names.ROLE, field, values, at))

    def _alive(self, opportunity_ids: Sequence[str], at: datetime) -> list[str]:
        return [
            row.id
            for batch in soql.batches(opportunity_ids)
            for row in self._connection.query(
                soql.select(("Id",), names.OPPORTUNITY, where=soql.is_in("Id", batch)), at
            )
        ]


def _living(rows: Mapping[str, Row]) -> tuple[Row, ...]:
    return tuple(row for row in rows.values() if not row.flag("IsDeleted"))
