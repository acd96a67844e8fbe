"""Sends what was decided to Salesforce, and reads before and after.

Creates carry a key fixed before the call: a look by that key, deleted rows included, comes first,
and settles what became of a call without an answer (rule `once`). Roles have no key: the rows of
(opportunity, contact) are read instead. Updates go by id. Nothing here can delete an opportunity.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

from typing_extensions import override

from adapters.salesforce import names, soql, translate
from adapters.salesforce.connection import Connection
from adapters.salesforce.custom_field import FieldMaker
from adapters.salesforce.reader import Reader
from adapters.salesforce.row_writes import Batch, RowWrite, RowWriter
from adapters.salesforce.schema import Schema
from adapters.salesforce.translate import Shown
from adapters.salesforce.wire import Json, Row
from domain.canonical import FieldType
from domain.deliveries import Addressed, Answer, Done, Gateway, NotSent, Rejected, Unknown
from domain.effect import took_effect
from domain.errors import PortError
from domain.facts import Observation, Reading
from domain.ids import Crm
from domain.writes import (
    AddContactRole,
    CreateField,
    CreateOpportunity,
    FieldChange,
    RemoveContactRole,
    UpdateOpportunity,
)

_W = TypeVar("_W")

#: the object of a record, by the first three characters of its id
_PREFIXES: Final = {"006": names.OPPORTUNITY, "003": names.CONTACT, "001": names.ACCOUNT}
_COLLECTION: Final = "/composite/sobjects"
_GONE: Final = "ENTITY_IS_DELETED"


class SalesforceGateway(Gateway):
    """One org as deliver uses it.

    Args:
        connection: the org.
        schema: its describes, shared with the source.
        fields: names of the opportunity's fields that policy maps or observes, as of now.
    """

    def __init__(
        self, *, connection: Connection, schema: Schema, fields: Callable[[], Collection[str]]
    ) -> None:
        self._connection = connection
        self._reader = Reader(connection, schema, fields)
        self._rows = RowWriter(connection)
        self._field_maker = FieldMaker(connection, schema)

    @property
    @override
    def crm(self) -> Crm:
        return Crm.SALESFORCE

    @override
    def look(self, wanted: Sequence[Addressed], at: datetime) -> tuple[Observation, ...]:
        look = self._reader.look(at, "look")
        by_object: dict[str, set[str]] = defaultdict(set)
        for addressed in wanted:
            record_id = addressed.record_on(Crm.SALESFORCE)
            if record_id is not None and record_id[:3] in _PREFIXES:
                by_object[_PREFIXES[record_id[:3]]].add(record_id)
        shown: list[Shown] = []
        for of, record_ids in by_object.items():
            rows = self._reader.by_id(of, record_ids, at)
            shown += [self._reader.shown(of, row, look) for row in rows.values()]
            shown += [
                translate.deleted(translate.KINDS[of], record_id, at, look)
                for record_id in sorted(record_ids - rows.keys())
                if self._reader.is_deleted(of, record_id, at)
            ]
        return tuple(translate.identified(fact, at.isoformat()) for fact in shown)

    @override
    def send(self, wanted: Sequence[Addressed], at: datetime) -> tuple[Answer, ...]:
        match wanted[0].write:
            case CreateOpportunity():
                return self._create(_of_class(wanted, CreateOpportunity), at)
            case UpdateOpportunity():
                return self._update(wanted, at)
            case AddContactRole():
                return self._add_roles(wanted, _of_class(wanted, AddContactRole), at)
            case RemoveContactRole():
                return self._remove_roles(_of_class(wanted, RemoveContactRole), at)
            case CreateField():
                return tuple(
                    self._field_maker.make(write, at) for write in _of_class(wanted, CreateField)
                )
            case _:
                raise _not_ours(wanted)

    @override
    def resolve(self, wanted: Sequence[Addressed], at: datetime) -> tuple[Answer, ...]:
        match wanted[0].write:
            case CreateOpportunity():
                writes = _of_class(wanted, CreateOpportunity)
                found = self._by_key([write.key for write in writes], at)
                return tuple(
                    Done(found[write.key])
                    if write.key in found
                    else NotSent(f"no opportunity has {names.LINK_FIELD} {write.key}")
                    for write in writes
                )
            case UpdateOpportunity():
                rows = self._opportunities(wanted, at)
                return tuple(_settled_update(each, rows) for each in wanted)
            case AddContactRole():
                return self._settle_added(wanted, _of_class(wanted, AddContactRole), at)
            case RemoveContactRole():
                removals = _of_class(wanted, RemoveContactRole)
                living = self._living_roles([write.role_id for write in removals], at)
                return tuple(
                    NotSent("the role is still there")
                    if write.role_id in living
                    else Done(write.role_id)
                    for write in removals
                )
            case CreateField():
                return tuple(
                    Done(None)
                    if self._field_maker.is_made(write, at)
                    else NotSent("the field is not there, or not open to us")
                    for write in _of_class(wanted, CreateField)
                )
            case _:
                raise _not_ours(wanted)

    def _create(self, writes: Sequence[CreateOpportunity], at: datetime) -> tuple[Answer, ...]:
        found = self._by_key([write.key for write in writes], at)
        fresh = [write for write in writes if write.key not in found]
        rows = [
            RowWrite(
                {
                    "attributes": {"type": names.OPPORTUNITY},
                    **_values(write.fields),
                    names.LINK_FIELD: write.key,
                }
            )
            for write in fresh
        ]
        path = f"{_COLLECTION}/{names.OPPORTUNITY}/{names.LINK_FIELD}"
        answers = iter(self._rows.write(Batch("PATCH", path), rows, at))
        return tuple(
            Done(found[write.key]) if write.key in found else next(answers) for write in writes
        )

    def _update(self, wanted: Sequence[Addressed], at: datetime) -> tuple[Answer, ...]:
        answers: dict[int, Answer] = {}
        rows: list[RowWrite] = []
        sent: list[int] = []
        for number, addressed in enumerate(wanted):
            record_id = addressed.target.record_id
            if record_id is None:
                answers[number] = _gone()
                continue
            values: dict[str, Json] = {
                "attributes": {"type": names.OPPORTUNITY},
                "Id": record_id,
                **_values(addressed.write.fields),
            }
            rows.append(RowWrite(values, record_id))
            sent.append(number)
        written = self._rows.write(Batch("PATCH", _COLLECTION), rows, at)
        answers.update(zip(sent, self._blamed(rows, written, at), strict=True))
        return tuple(answers[number] for number in range(len(wanted)))

    def _blamed(
        self, rows: Sequence[RowWrite], answers: Sequence[Answer], at: datetime
    ) -> tuple[Answer, ...]:
        """Tell a record that is not there from a value that names nothing: one code for both."""
        unclear = {
            row.record_id
            for row, answer in zip(rows, answers, strict=True)
            if isinstance(answer, Rejected)
            and answer.code == "INVALID_CROSS_REFERENCE_KEY"
            and not answer.fields
            and row.record_id is not None
        }
        if not unclear:
            return tuple(answers)
        try:
            there = self._reader.by_id(names.OPPORTUNITY, [each for each in unclear if each], at)
        except PortError as error:
            # The other rows are written, so nothing may be raised; a refused one may go again.
            return tuple(
                NotSent(str(error))
                if isinstance(answer, Rejected) and row.record_id in unclear
                else answer
                for row, answer in zip(rows, answers, strict=True)
            )
        return tuple(
            replace(answer, gone=True)
            if isinstance(answer, Rejected)
            and row.record_id in unclear
            and row.record_id not in there
            else answer
            for row, answer in zip(rows, answers, strict=True)
        )

    def _add_roles(
        self, wanted: Sequence[Addressed], writes: Sequence[AddContactRole], at: datetime
    ) -> tuple[Answer, ...]:
        opportunities = self._opportunities(wanted, at)
        there = self._roles_between(opportunities, at)
        answers: dict[int, Answer] = {}
        rows: list[RowWrite] = []
        #: (opportunity, contact) → the writes that want it
        asked: dict[tuple[str, str], list[int]] = {}
        for number, (addressed, write) in enumerate(zip(wanted, writes, strict=True)):
            opportunity_id = addressed.target.record_id or ""
            between = (opportunity_id, write.contact_id)
            if _is_gone(opportunities.get(opportunity_id)):
                answers[number] = _gone()
            elif between in there:
                answers[number] = Done(None)  # not made by us
            elif between in asked:
                asked[between].append(number)
            else:
                asked[between] = [number]
                rows.append(RowWrite(_role_values(opportunity_id, write)))
        written = self._rows.write(Batch("POST", _COLLECTION), rows, at)
        for numbers, answer in zip(asked.values(), written, strict=True):
            answers.update(dict.fromkeys(numbers, answer))
        return tuple(answers[number] for number in range(len(wanted)))

    def _settle_added(
        self, wanted: Sequence[Addressed], writes: Sequence[AddContactRole], at: datetime
    ) -> tuple[Answer, ...]:
        opportunities = self._opportunities(wanted, at)
        there = self._roles_between(opportunities, at)
        user_id = self._connection.session(at).user_id
        gone = [key for key in opportunities if _is_gone(opportunities[key])]
        gone_with_it = self._roles_made(gone, user_id, at)
        answers: list[Answer] = []
        for addressed, write in zip(wanted, writes, strict=True):
            opportunity_id = addressed.target.record_id or ""
            role = there.get((opportunity_id, write.contact_id))
            if role is not None:
                is_ours = role.reference("LastModifiedById") == user_id
                answers.append(Done(role.id if is_ours else None))
            elif (opportunity_id, write.contact_id) in gone_with_it:
                answers.append(Done(gone_with_it[opportunity_id, write.contact_id]))
            elif _is_gone(opportunities.get(opportunity_id)):
                answers.append(_gone())
            else:
                answers.append(NotSent("the contact has no role on the opportunity"))
        return tuple(answers)

    def _remove_roles(
        self, writes: Sequence[RemoveContactRole], at: datetime
    ) -> tuple[Answer, ...]:
        living = self._living_roles([write.role_id for write in writes], at)
        rows = [RowWrite(record_id=role_id) for role_id in sorted(living)]
        written = self._rows.write(Batch("DELETE", _COLLECTION), rows, at)
        answers = dict(zip((row.record_id for row in rows), written, strict=True))
        return tuple(_removed(answers.get(write.role_id), write.role_id) for write in writes)

    def _by_key(self, keys: Sequence[str], at: datetime) -> Mapping[str, str]:
        """Return the opportunity of each key that has one; a living one before a deleted one."""
        found: dict[str, str] = {}
        for batch in soql.batches(keys):
            query = soql.select(
                ("Id", "IsDeleted", names.LINK_FIELD),
                names.OPPORTUNITY,
                where=soql.is_in(names.LINK_FIELD, batch),
                order="Id",
            )
            rows = self._connection.query(query, at, include_deleted=True)
            for row in sorted(rows, key=lambda each: each.flag("IsDeleted")):
                found.setdefault(row.text(names.LINK_FIELD) or "", row.id)
        return found

    def _opportunities(self, wanted: Sequence[Addressed], at: datetime) -> Mapping[str, Row]:
        record_ids = [each.target.record_id or "" for each in wanted]
        return self._reader.by_id(names.OPPORTUNITY, record_ids, at)

    def _roles_between(
        self, opportunities: Mapping[str, Row], at: datetime
    ) -> Mapping[tuple[str, str], Row]:
        rows = self._reader.roles_of(opportunities, at)
        return {
            (row.reference("OpportunityId") or "", row.reference("ContactId") or ""): row
            for row in rows
        }

    def _roles_made(
        self, opportunity_ids: Sequence[str], user_id: str, at: datetime
    ) -> Mapping[tuple[str, str], str]:
        """Return the roles that we made on deleted opportunities: they were deleted with them."""
        found: dict[tuple[str, str], str] = {}
        for batch in soql.batches(opportunity_ids):
            query = soql.select(
                ("Id", "OpportunityId", "ContactId", "CreatedById"),
                names.ROLE,
                where=soql.is_in("OpportunityId", batch),
                order="Id",
            )
            for row in self._connection.query(query, at, include_deleted=True):
                if row.reference("CreatedById") == user_id:
                    between = (row.reference("OpportunityId"), row.reference("ContactId"))
                    found[between[0] or "", between[1] or ""] = row.id
        return found

    def _living_roles(self, role_ids: Sequence[str], at: datetime) -> frozenset[str]:
        rows = self._reader.by_id(names.ROLE, role_ids, at)
        return frozenset(key for key, row in rows.items() if not row.flag("IsDeleted"))


def wire_value(change: FieldChange) -> Json:
    """Return what a field change is in JSON: numbers and checkboxes are no texts there."""
    if change.wire is None:
        return False if change.type is FieldType.BOOLEAN else None
    match change.type:
        case FieldType.DECIMAL:
            return Decimal(change.wire)
        case FieldType.BOOLEAN:
            return change.wire == "true"
        case _:
            return change.wire


def _values(changes: Sequence[FieldChange]) -> dict[str, Json]:
    """Return the fields of a row; the master record type is told by leaving it out."""
    return {
        change.name: wire_value(change)
        for change in changes
        if (change.name, change.wire) != (names.RECORD_TYPE_FIELD, names.MASTER_RECORD_TYPE)
    }


def _role_values(opportunity_id: str, write: AddContactRole) -> dict[str, Json]:
    values: dict[str, Json] = {
        "attributes": {"type": names.ROLE},
        "OpportunityId": opportunity_id,
        "ContactId": write.contact_id,
    }
    if write.role is not None:
        values["Role"] = write.role
    return values


def _settled_update(addressed: Addressed, rows: Mapping[str, Row]) -> Answer:
    record_id = addressed.target.record_id
    row = rows.get(record_id or "")
    if record_id is None or _is_gone(row) or row is None:
        return _gone()
    changes = addressed.write.fields
    if any(not row.has(change.name) for change in changes):
        return Unknown("a field that was written cannot be read")
    if took_effect(changes, {change.name: row.text(change.name) for change in changes}):
        readings = tuple(
            Reading(name=change.name, value=row.text(change.name)) for change in changes
        )
        return Done(record_id, readings)
    return NotSent("the opportunity does not hold what was to be written")


def _removed(answer: Answer | None, role_id: str) -> Answer:
    """Return the answer of a removal: a role that is gone already is removed."""
    if answer is None or (isinstance(answer, Rejected) and answer.gone):
        return Done(role_id)
    return answer


def _is_gone(row: Row | None) -> bool:
    return row is None or row.flag("IsDeleted")


def _gone() -> Rejected:
    return Rejected(code=_GONE, message="the opportunity is deleted or unknown", gone=True)


def _of_class(wanted: Sequence[Addressed], kind: type[_W]) -> tuple[_W, ...]:
    writes = tuple(each.write for each in wanted if isinstance(each.write, kind))
    if len(writes) != len(wanted):
        raise _not_ours(wanted)
    return writes


def _not_ours(wanted: Sequence[Addressed]) -> ValueError:
    topics = sorted({each.write.topic for each in wanted})
    return ValueError(f"expected writes to Salesforce of one class, found {topics}")
