"""What a value must be like to be taken into a property, and the form in which it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from adapters.sandbox.hubspot import instants
from adapters.sandbox.hubspot.errors import Problem
from adapters.sandbox.hubspot.rows import row_in, rows_in, text
from adapters.sandbox.tables import JsonValue, Row

#: HubSpot's limit for a text
TEXT_CHARACTERS_MAX = 65_536
#: numbers are doubles
_EXPONENT_MAX = 308


@dataclass(frozen=True, slots=True)
class PropertyRule:
    """A property's definition, as far as writing and comparing need it."""

    name: str
    type: str
    read_only: bool
    unique: bool
    #: several values joined by `;`
    multiple: bool
    #: None where the options are kept elsewhere (owners, pipelines, currencies) or nowhere
    options: tuple[str, ...] | None
    #: set by HubSpot from the value of other properties or records
    calculated: bool


def rules_of(definitions: Mapping[str, Row]) -> dict[str, PropertyRule]:
    """Return the rules of properties that are not archived."""
    return {
        name: _rule(name, definition)
        for name, definition in definitions.items()
        if not definition.get("archived")
    }


def _rule(name: str, definition: Row) -> PropertyRule:
    kind = text(definition, "type")
    field_type = text(definition, "fieldType")
    enumerated = kind == "enumeration" and not definition.get("externalOptions")
    return PropertyRule(
        name=name,
        type=kind,
        read_only=bool(row_in(definition, "modificationMetadata").get("readOnlyValue")),
        unique=bool(definition.get("hasUniqueValue")),
        multiple=field_type == "checkbox",
        options=tuple(text(option, "value") for option in rows_in(definition, "options"))
        if enumerated
        else None,
        calculated=bool(definition.get("calculated")),
    )


def plain(value: JsonValue) -> str | None:
    """Return a value of a request's `properties` as text; None for what is no single value."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


def taken(rule: PropertyRule, value: str) -> str | Problem:
    """Return a value that is not blank in the form in which it is kept, or why it is not taken."""
    match rule.type:
        case "string":
            return value if len(value) <= TEXT_CHARACTERS_MAX else _too_long(rule, value)
        case "number":
            return _number(rule, value)
        case "datetime":
            ms = instants.parsed(value)
            return _invalid(rule, value, "INVALID_LONG", "long") if ms is None else instants.iso(ms)
        case "date":
            day = instants.parsed_date(value)
            return day or _invalid(rule, value, "INVALID_DATE", "date at midnight UTC")
        case "bool":
            lowered = value.lower()
            return lowered if lowered in {"true", "false"} else _no_option(rule, value, _BOOLEANS)
        case "enumeration" if rule.options is not None:
            return _option(rule, value, rule.options)
        case _:
            return value


_BOOLEANS = ("true", "false")


def no_option(name: str, value: str, options: tuple[str, ...]) -> Problem:
    """Return the problem of a value that is none of the options."""
    allowed = ", ".join(options)
    return Problem(
        name, "INVALID_OPTION", f"{value} was not one of the allowed options: [{allowed}]"
    )


def _no_option(rule: PropertyRule, value: str, options: tuple[str, ...]) -> Problem:
    return no_option(rule.name, value, options)


def _option(rule: PropertyRule, value: str, options: tuple[str, ...]) -> str | Problem:
    if not rule.multiple:
        return value if value in options else _no_option(rule, value, options)
    chosen = [one for one in value.split(";") if one]
    unknown = next((one for one in chosen if one not in options), None)
    return ";".join(chosen) if unknown is None else _no_option(rule, unknown, options)


def _number(rule: PropertyRule, value: str) -> str | Problem:
    stripped = value.strip()
    try:
        number = Decimal(stripped)
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_finite() and abs(number.adjusted()) <= _EXPONENT_MAX:
        return stripped
    return _invalid(rule, value, "INVALID_DOUBLE", "number")


def _invalid(rule: PropertyRule, value: str, code: str, what: str) -> Problem:
    return Problem(rule.name, code, f"{value} was not a valid {what}.")


def _too_long(rule: PropertyRule, value: str) -> Problem:
    return Problem(
        rule.name,
        "PROPERTY_VALUE_TOO_LONG",
        f"Property value length {len(value)} exceeds the maximum of {TEXT_CHARACTERS_MAX}.",
    )
