"""What a value of one CRM is in the other (rules `blank`, `canonical`, `value-map`).

| value | counterpart |
|---|---|
| blank | blank |
| text, number, date, boolean | the same canonical text; names at most 120 characters |
| picklist with a table in the policy | the row's other value; no row: none |
| picklist without a table | the same value, if the other CRM has it |
| owner | `rules.owners` |
| stage | `rules.stages` |

A value without a counterpart holds that field only; options are never added. Salesforce `null` and
HubSpot `""` are the same blank; `0` and `false` are values.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from domain import issues
from domain.canonical import FieldType, NotCanonicalError, Value, canonical, instant_text
from domain.context import Context
from domain.ids import Crm
from domain.issues import Problem
from domain.mapping import Mapping
from domain.rules import owners, stages


@dataclass(frozen=True, slots=True)
class Missing:
    """A value has no counterpart; which problem that is, in words."""

    problem: Problem
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """The counterpart, canonical in the other side's terms."""

    value: Value


Translated: TypeAlias = Found | Missing


def read(mapping: Mapping, raw: Value, context: Context) -> Value:
    """Return the canonical form of what a CRM showed.

    Raises:
        NotCanonicalError: it is no value of the mapping's type.
    """
    return canonical(mapping.type, raw, zone=context.zone, length=mapping.length)


def translate(mapping: Mapping, value: Value, *, to: Crm, context: Context) -> Translated:
    """Return what a canonical value is on the other side.

    Args:
        mapping: the pair of fields.
        value: canonical, in the terms of the side that is not `to`.
        to: the side whose terms are wanted.
        context: policy and catalog.
    """
    if value is None:
        return Found(None)
    match mapping.type:
        case FieldType.STAGE:
            found = stages.counterpart(value, to=to, context=context)
            return _or_missing(found, issues.STAGE_UNMAPPED, mapping, value, to)
        case FieldType.OWNER:
            found = owners.counterpart(value, to=to, context=context)
            return _or_missing(found, issues.OWNER_UNMATCHED, mapping, value, to)
        case FieldType.PICKLIST:
            found = _option(mapping, value, to=to, context=context)
            return _or_missing(found, issues.VALUE_UNMAPPED, mapping, value, to)
        case FieldType.MULTI_PICKLIST:
            parts = [_option(mapping, v, to=to, context=context) for v in value.split(";")]
            if any(part is None for part in parts):
                return _or_missing(None, issues.VALUE_UNMAPPED, mapping, value, to)
            return Found(";".join(sorted(part for part in parts if part is not None)))
        case _:
            return Found(canonical(mapping.type, value, zone=context.zone, length=mapping.length))


def wire(mapping: Mapping, value: Value, *, to: Crm, context: Context) -> Value:
    """Return the text to put on the wire for a canonical value.

    A day becomes midnight of the account's own zone where the field is a datetime, so that both
    CRMs show the same day; a stage goes without its record type or pipeline, which travels beside.
    """
    if value is None:
        return None
    if mapping.type is FieldType.STAGE:
        return stages.bare(value)
    if mapping.type is FieldType.DATE and _is_datetime(mapping, to, context):
        day = datetime.fromisoformat(value).replace(tzinfo=context.zone)
        return instant_text(day)
    return value


def _is_datetime(mapping: Mapping, to: Crm, context: Context) -> bool:
    if to is Crm.SALESFORCE:
        seen = context.catalog.salesforce_field(mapping.salesforce)
        return seen is not None and seen.type == "datetime"
    seen = context.catalog.hubspot_property(mapping.hubspot)
    return seen.type == "datetime" if seen is not None else mapping.hubspot == "closedate"


def _option(mapping: Mapping, value: str, *, to: Crm, context: Context) -> str | None:
    if mapping.values:
        for pair in mapping.values:
            here, there = (
                (pair.salesforce, pair.hubspot)
                if to is Crm.HUBSPOT
                else (pair.hubspot, pair.salesforce)
            )
            if here == value:
                return there
        return None
    field = (
        context.catalog.hubspot_property(mapping.hubspot)
        if to is Crm.HUBSPOT
        else context.catalog.salesforce_field(mapping.salesforce)
    )
    if field is not None and field.values and value not in field.values:
        return None
    return value


def _or_missing(
    found: str | None, problem: Problem, mapping: Mapping, value: str, to: Crm
) -> Translated:
    if found is not None:
        return Found(found)
    here = mapping.hubspot if to is Crm.SALESFORCE else mapping.salesforce
    there = mapping.salesforce if to is Crm.SALESFORCE else mapping.hubspot
    text = f"{to.other} {here} {value!r} has no counterpart in {to} {there}; {problem.fix}"
    return Missing(problem, text)


__all__ = ["Found", "Missing", "NotCanonicalError", "Translated", "read", "translate", "wire"]
