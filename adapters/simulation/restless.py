"""Which fields never come to rest although nobody touches them, and which rules are at it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.sandbox.hubspot.rows import as_record
from adapters.simulation.checks_of_history import STATUS
from adapters.simulation.chronicle import Change, Chronicle
from adapters.simulation.evidence import changed_names
from domain.ids import Crm
from domain.mapping import Mapping

#: writes of one field of one record, with nobody at work, from which on it is no coincidence
WRITES_MIN: Final = 5
#: values that are told
_VALUES_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Restless:
    """A field that is written again and again."""

    crm: str
    record_id: str
    #: the CRM's own name
    name: str
    writes: int
    #: what it was set to in turn; blank is empty
    values: tuple[str, ...]
    #: the mappings that read or write it, in words
    rules: tuple[str, ...]


def found(chronicle: Chronicle, mappings: Sequence[Mapping], since: int) -> Iterator[Restless]:
    """Yield what was written again and again after a change, with nobody at work.

    Args:
        chronicle: what happened.
        mappings: of the policy.
        since: the number of the last change before the calm.
    """
    written: dict[tuple[Crm, str, str], list[str]] = {}
    for change in chronicle.changes:
        if change.number <= since or change.after is None or not change.is_ours:
            continue
        if change.table not in ("Opportunity", "deals"):
            continue
        for name in sorted(changed_names(change) - STATUS):
            values = written.setdefault((change.crm, change.key, name), [])
            values.append(_value(change, name))
    for (crm, record_id, name), values in written.items():
        if len(values) < WRITES_MIN:
            continue
        rules = tuple(
            f"fields.{one.name} ({one.rule}, {one.salesforce} ↔ {one.hubspot})"
            for one in mappings
            if name == (one.salesforce if crm is Crm.SALESFORCE else one.hubspot)
        )
        if rules:
            distinct = tuple(dict.fromkeys(values))[:_VALUES_MAX]
            yield Restless(crm, record_id, name, len(values), distinct, rules)


def _value(change: Change, name: str) -> str:
    assert change.after is not None, "the caller asked"
    if change.table == "deals":
        return as_record(change.after)["values"].get(name, "")
    value = change.after.get(name)
    return "" if value is None else str(value)
