"""What a policy would change, and what of it cannot work: for people, before they adopt it.

Compares a policy with the one in force and with what both CRMs are made of (rules `no-retroactive`,
`company-sync-order`, `field-rule`). It decides nothing. What nobody knows yet is not complained of.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.canonical import FieldType
from domain.catalog import Catalog
from domain.context import Context
from domain.facts import FieldSeen
from domain.ids import Crm
from domain.mapping import FieldRule, Mapping
from domain.pair import Pair, PairState
from domain.policy import Policy
from domain.rules import prerequisites, values

#: what each CRM calls the types that a mapping's type goes with
SALESFORCE_TYPES: Final[dict[FieldType, frozenset[str]]] = {
    FieldType.TEXT: frozenset(
        ("string", "textarea", "email", "phone", "url", "picklist", "combobox", "id", "reference")
    ),
    FieldType.DECIMAL: frozenset(("double", "currency", "percent", "int", "long")),
    FieldType.DATE: frozenset(("date", "datetime")),
    FieldType.DATETIME: frozenset(("datetime",)),
    FieldType.BOOLEAN: frozenset(("boolean",)),
    FieldType.PICKLIST: frozenset(("picklist", "combobox", "string", "reference")),
    FieldType.MULTI_PICKLIST: frozenset(("multipicklist",)),
    FieldType.OWNER: frozenset(("reference",)),
    FieldType.STAGE: frozenset(("picklist",)),
}
HUBSPOT_TYPES: Final[dict[FieldType, frozenset[str]]] = {
    FieldType.TEXT: frozenset(("string", "phone_number")),
    FieldType.DECIMAL: frozenset(("number",)),
    FieldType.DATE: frozenset(("date", "datetime")),
    FieldType.DATETIME: frozenset(("datetime",)),
    FieldType.BOOLEAN: frozenset(("bool", "enumeration")),
    FieldType.PICKLIST: frozenset(("enumeration", "string")),
    FieldType.MULTI_PICKLIST: frozenset(("enumeration",)),
    FieldType.OWNER: frozenset(("enumeration",)),
    FieldType.STAGE: frozenset(("enumeration",)),
}


class Weight(StrEnum):
    """How much a finding matters."""

    #: it cannot work so
    PROBLEM = "problem"
    #: it works, and surprises
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know before adopting."""

    weight: Weight
    #: `fields.amount.type`
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class MappingChange:
    """A mapping that is new, or other than before, over the live pairs."""

    field: str
    #: new, changed or removed
    what: str
    #: live pairs whose two sides would not be equal by it
    differ: int
    #: live pairs of which one side's value is not known yet
    unknown: int


def findings(before: Policy | None, after: Policy, catalog: Catalog) -> tuple[Finding, ...]:
    """Return what cannot work, and what surprises.

    Args:
        before: the policy in force; None: none was ever adopted.
        after: the one to adopt.
        catalog: what both CRMs are made of, as far as it was read.
    """
    found = [finding for crm in Crm for finding in of_mappings(after, catalog, crm)]
    found += [finding for mapping in after.mappings for finding in _repeated(mapping)]
    found += _definitions(after, catalog)
    found += _order(before, after)
    return tuple(found)


def of_mappings(policy: Policy, catalog: Catalog, crm: Crm) -> Iterator[Finding]:
    """Return what is wrong with the mapped fields of one CRM, as far as that was read."""
    for mapping in policy.mappings:
        if crm is Crm.SALESFORCE and catalog.salesforce is not None:
            yield from _salesforce(mapping, catalog)
        if crm is Crm.HUBSPOT and catalog.hubspot is not None:
            yield from _hubspot(mapping, catalog)


def changes(
    before: Policy, after: Policy, pairs: Iterable[Pair], context: Context
) -> tuple[MappingChange, ...]:
    """Count what would differ by each mapping that is new or changed.

    Args:
        before: the policy in force.
        after: the one to adopt; the context's too.
        pairs: all pairs; only live ones count.
        context: reads catalog and policy, for translating values.
    """
    was = {mapping.name: mapping for mapping in before.mappings}
    new = [mapping for mapping in after.mappings if was.get(mapping.name) != mapping]
    names = {mapping.name for mapping in after.mappings}
    differ = dict.fromkeys((mapping.name for mapping in new), 0)
    unknown = dict(differ)
    for pair in pairs:
        if pair.state is not PairState.LIVE:
            continue
        for mapping in new:
            same = _is_same(mapping, was.get(mapping.name), pair, context)
            differ[mapping.name] += same is False
            unknown[mapping.name] += same is None
    told = [
        MappingChange(
            field=mapping.name,
            what="changed" if mapping.name in was else "new",
            differ=differ[mapping.name],
            unknown=unknown[mapping.name],
        )
        for mapping in new
    ]
    gone = [MappingChange(name, "removed", 0, 0) for name in was if name not in names]
    return (*told, *gone)


def _is_same(mapping: Mapping, before: Mapping | None, pair: Pair, context: Context) -> bool | None:
    """Tell whether both sides are equal by a mapping; None: nobody knows."""
    state = pair.field(mapping.name)
    moved = before is not None and (before.salesforce, before.hubspot, before.type) != (
        mapping.salesforce,
        mapping.hubspot,
        mapping.type,
    )
    if moved or not (state.salesforce.seen and state.hubspot.seen):
        return None
    there = values.translate(mapping, state.salesforce.known, to=Crm.HUBSPOT, context=context)
    return isinstance(there, values.Found) and there.value == state.hubspot.known


def _salesforce(mapping: Mapping, catalog: Catalog) -> Iterator[Finding]:
    seen = catalog.salesforce_field(mapping.salesforce)
    yield from _field(mapping, "salesforce", mapping.salesforce, seen, SALESFORCE_TYPES)
    if seen is None:
        return
    if not seen.is_writable and _writes_salesforce(mapping):
        text = f"Salesforce {mapping.salesforce} cannot be written; use always_salesforce"
        yield Finding(Weight.PROBLEM, f"fields.{mapping.name}.rule", text)
    named = {pair.salesforce for pair in mapping.values}
    yield from _unknown_values(mapping, "Salesforce", named, seen)


def _hubspot(mapping: Mapping, catalog: Catalog) -> Iterator[Finding]:
    seen = catalog.hubspot_property(mapping.hubspot)
    yield from _field(mapping, "hubspot", mapping.hubspot, seen, HUBSPOT_TYPES)
    if seen is None:
        return
    if not seen.is_writable and mapping.rule is not FieldRule.DONT_SYNC:
        text = f"HubSpot {mapping.hubspot} cannot be written; choose another property"
        yield Finding(Weight.PROBLEM, f"fields.{mapping.name}.hubspot", text)
    yield from _unknown_values(mapping, "HubSpot", {p.hubspot for p in mapping.values}, seen)


def _repeated(mapping: Mapping) -> Iterator[Finding]:
    twice = [pair.hubspot for pair in mapping.values]
    for value in sorted({value for value in twice if twice.count(value) > 1}):
        text = f"HubSpot {value!r} stands for several Salesforce values; the first one comes back"
        yield Finding(Weight.WARNING, f"fields.{mapping.name}.values", text)


def _field(
    mapping: Mapping,
    side: str,
    name: str,
    seen: FieldSeen | None,
    types: dict[FieldType, frozenset[str]],
) -> Iterator[Finding]:
    where = "Salesforce" if side == "salesforce" else "HubSpot"
    if seen is None:
        text = f"expected a field of {where} that we can see, found none called {name}"
        yield Finding(Weight.PROBLEM, f"fields.{mapping.name}.{side}", text)
    elif seen.type not in types[mapping.type]:
        fitting = ", ".join(sorted(kind for kind, words in types.items() if seen.type in words))
        text = (
            f"{mapping.type} does not go with {where} {name}, which is {seen.type};"
            f" that goes with {fitting or 'no type of ours'}"
        )
        yield Finding(Weight.PROBLEM, f"fields.{mapping.name}.type", text)


def _unknown_values(
    mapping: Mapping, where: str, named: set[str], seen: FieldSeen
) -> Iterator[Finding]:
    for value in sorted(named - set(seen.values)) if seen.values else ():
        text = f"{where} {seen.name} has no value {value!r}; it has {', '.join(seen.values[:20])}"
        yield Finding(Weight.WARNING, f"fields.{mapping.name}.values", text)


def _writes_salesforce(mapping: Mapping) -> bool:
    return mapping.rule not in (FieldRule.ALWAYS_SALESFORCE, FieldRule.DONT_SYNC)


def _definitions(after: Policy, catalog: Catalog) -> Iterator[Finding]:
    """Check record types, pipelines and stages that the policy names."""
    if catalog.salesforce is not None:
        named = (
            *(("pipelines.order", i) for i in after.pipelines.order),
            *(("pipelines.bind", b.record_type_id) for b in after.pipelines.bind),
            *(("stages", o.record_type_id) for o in after.stages),
        )
        for key, record_type_id in dict.fromkeys(named):
            if catalog.record_type(record_type_id) is None:
                text = f"the org has no Opportunity record type {record_type_id}"
                yield Finding(Weight.PROBLEM, key, text)
        for override in after.stages:
            if catalog.opportunity_stage(override.stage_name) is None:
                text = f"the org has no opportunity stage {override.stage_name!r}"
                yield Finding(Weight.PROBLEM, f"stages.{override.record_type_id}", text)
        left = [
            r
            for r in catalog.salesforce.record_types
            if r.is_active and r.id not in catalog.synced_record_types(after)
        ]
        for record_type in left:
            text = (
                f"record type {record_type.name} ({record_type.id}) is beyond the limit of"
                f" {after.pipelines.limit} pipelines and does not sync"
            )
            yield Finding(Weight.WARNING, "pipelines.limit", text)
    if catalog.hubspot is not None:
        for bound in after.pipelines.bind:
            if catalog.pipeline(bound.pipeline_id) is None:
                text = f"HubSpot has no deal pipeline {bound.pipeline_id}"
                yield Finding(Weight.PROBLEM, "pipelines.bind", text)
        stage_ids = {stage.id for p in catalog.hubspot.pipelines for stage in p.stages}
        for override in after.stages:
            if override.stage_id not in stage_ids:
                text = f"HubSpot has no deal stage {override.stage_id}"
                yield Finding(Weight.PROBLEM, f"stages.{override.record_type_id}", text)


def _order(before: Policy | None, after: Policy) -> Iterator[Finding]:
    late = prerequisites.company_sync_is_late(before, after)
    if late is not None:
        yield Finding(Weight.WARNING, "switches.company_sync", late)
