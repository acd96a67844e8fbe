"""What a value becomes when it is saved: trimmed, rounded, written in one way, or refused.

Source: the object reference's field types; blank text is saved as null.
"""

import math
import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from adapters.sandbox.salesforce import errors, ids, instants
from adapters.sandbox.salesforce.errors import RefusedError, UnreadableError
from adapters.sandbox.salesforce.schema import TEXT_TYPES, Field
from adapters.sandbox.tables import JsonValue

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+\Z")
#: years that a date may have
YEAR_MIN = 1700
YEAR_MAX = 4000


def saved(field: Field, value: JsonValue) -> JsonValue:
    """Return the value as the record will hold it.

    Raises:
        RefusedError: the field cannot hold it.
    """
    if value is None:
        if field.type == "boolean":
            raise _wrong(field, value)
        return None
    if isinstance(value, (list, dict)):
        raise UnreadableError(
            f"Cannot deserialize instance of {field.type} from START_"
            f"{'ARRAY' if isinstance(value, list) else 'OBJECT'} value"
        )
    match field.type:
        case "boolean":
            return _boolean(field, value)
        case "double" | "int" | "currency" | "percent":
            return _number(field, value)
        case "date":
            return _date(field, value)
        case "datetime":
            return _datetime(field, value)
        case "reference" | "id":
            return _reference(value)
        case "multipicklist":
            return _choices(field, value)
        case _:
            return _text(field, value)


def _text(field: Field, value: str | float) -> JsonValue:
    text = _storable(_spelled(value)).strip()
    if not text:
        return None
    if field.type in TEXT_TYPES or field.type == "picklist":
        if field.type != "textarea":
            text = text.replace("\r\n", " ").replace("\n", " ")
        if field.length and len(text) > field.length:
            raise RefusedError(
                "STRING_TOO_LONG",
                f"{field.label}: data value too large: {text} (max length={field.length})",
                fields=(field.name,),
            )
    if field.type == "email" and not EMAIL.match(text):
        raise RefusedError(
            "INVALID_EMAIL_ADDRESS",
            f"{field.label}: invalid email address: {text}",
            fields=(field.name,),
        )
    if field.type == "picklist" and field.restricted and field.values:
        return _canonical(field, text)
    return text


def _canonical(field: Field, text: str) -> str:
    for each in field.values:
        if each.value.lower() == text.lower():
            return each.value
    raise errors.restricted_picklist(field.name, text)


def _choices(field: Field, value: str | float) -> JsonValue:
    chosen = [part.strip() for part in _storable(_spelled(value)).split(";") if part.strip()]
    if field.restricted:
        chosen = [_canonical(field, part) for part in chosen]
    # The order of the picklist, each once, whatever order they came in.
    order = {each.value: place for place, each in enumerate(field.values)}
    unique = dict.fromkeys(chosen)
    return ";".join(sorted(unique, key=lambda part: order.get(part, len(order)))) or None


def _spelled(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _storable(text: str) -> str:
    """Return the text without what no database keeps: NUL and halves of characters."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _boolean(field: Field, value: str | float) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    raise _wrong(field, value)


def _number(field: Field, value: str | float) -> float | int | None:
    if isinstance(value, bool):
        raise _wrong(field, value)
    if isinstance(value, str) and not value.strip():
        return None
    try:
        number = Decimal(str(value))
        if not number.is_finite():
            raise _wrong(field, value)
        rounded = number.quantize(Decimal(1).scaleb(-field.scale), rounding=ROUND_HALF_UP)
    except InvalidOperation as error:
        raise _wrong(field, value) from error
    digits = field.precision - field.scale
    if field.precision and abs(rounded) >= Decimal(10) ** digits:
        raise RefusedError(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {value}",
            fields=(field.name,),
        )
    if field.type == "int":
        return int(rounded)
    written = float(rounded)
    assert math.isfinite(written), "quantize refuses what is not finite"
    return written


def _date(field: Field, value: str | float) -> str | None:
    if not isinstance(value, str):
        raise _wrong(field, value)
    if not value.strip():
        return None
    try:
        day = instants.read_date(value.strip())
    except ValueError as error:
        raise _wrong(field, value) from error
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise RefusedError(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: invalid date: {value}",
            fields=(field.name,),
        )
    return day.isoformat()


def _datetime(field: Field, value: str | float) -> str | None:
    if not isinstance(value, str):
        raise _wrong(field, value)
    if not value.strip():
        return None
    try:
        return instants.written(instants.read(value.strip()))
    except ValueError as error:
        raise _wrong(field, value) from error


def _reference(value: str | float) -> str | None:
    if not isinstance(value, str):
        raise errors.malformed_id(_spelled(value))
    if not value.strip():
        return None
    try:
        return ids.normalise(value.strip())
    except ids.MalformedIdError as error:
        raise errors.malformed_id(value) from error


def _wrong(field: Field, value: JsonValue) -> UnreadableError:
    shape = {bool: "VALUE_BOOLEAN", str: "VALUE_STRING", type(None): "VALUE_NULL"}.get(
        type(value), "VALUE_NUMBER"
    )
    return UnreadableError(
        f"Cannot deserialize instance of {field.type} from {shape} value {value} or request may be"
        " missing a required field"
    )
