"""One written form for each value, so that equal values compare equal (rule `canonical`, `blank`).

Inside the engine a value is text or `None`; `None` is blank (rule `blank`: HubSpot `""` or absent,
Salesforce null, whitespace only). `0` and `false` are values. Each field type has a canonicaliser:

| type | canonical text | remarks |
|---|---|---|
| text | trimmed, CRLF and CR become LF, at most `length` characters | names: 120 |
| decimal | shortest exact decimal, no exponent: `1200`, `0.5` | never a float |
| date | `2026-11-24` | of a datetime: the day in the given time zone |
| datetime | `2026-11-24T09:00:00.000Z` | |
| boolean | `true`, `false` | |
| picklist | trimmed | the value, not the label |
| multi_picklist | values sorted, joined by `;` | |
| reference | 18-character id | |

Law: a canonicaliser is idempotent (`tests/laws`).
"""

from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final, TypeAlias

from domain import ids

#: canonical text, or None for blank
Value: TypeAlias = str | None

NAME_LENGTH_MAX: Final = 120
#: of a number written out: `1E+999999999` is a number, too, and a gigabyte long
DIGITS_MAX: Final = 100
_MILLISECONDS: Final = 1000


class FieldType(StrEnum):
    """The type of a mapped pair of fields; policy names it."""

    TEXT = "text"
    DECIMAL = "decimal"
    DATE = "date"
    DATETIME = "datetime"
    BOOLEAN = "boolean"
    PICKLIST = "picklist"
    MULTI_PICKLIST = "multi_picklist"
    #: an owner: a Salesforce user id or a HubSpot owner id
    OWNER = "owner"
    #: record type and stage name, or pipeline and stage id, joined by `/`
    STAGE = "stage"


class NotCanonicalError(ValueError):
    """The text is no value of the type; the message says what was expected."""


def canonical(
    field_type: FieldType, raw: Value, *, zone: tzinfo = UTC, length: int | None = None
) -> Value:
    """Return the canonical text of what a CRM gave.

    Args:
        field_type: what the mapping says it is.
        raw: the CRM's own text; None if absent.
        zone: the zone whose day a datetime means when the type is `date`.
        length: cut longer text to this many characters (a name that HubSpot lets be longer).

    Raises:
        NotCanonicalError: `raw` is no such value.
    """
    if raw is None or not raw.strip():
        return None
    match field_type:
        case FieldType.TEXT:
            return _text(raw, length)
        case FieldType.DECIMAL:
            return _decimal(raw)
        case FieldType.DATE:
            return _date(raw, zone)
        case FieldType.DATETIME:
            return instant_text(parse_instant(raw))
        case FieldType.BOOLEAN:
            return _boolean(raw)
        case FieldType.MULTI_PICKLIST:
            return ";".join(sorted({part.strip() for part in raw.split(";") if part.strip()}))
        case FieldType.PICKLIST | FieldType.OWNER | FieldType.STAGE:
            return raw.strip()


def instant_text(at: datetime) -> str:
    """Return `2026-11-24T09:00:00.000Z`: UTC with milliseconds."""
    at = at.astimezone(UTC)
    # strftime's %Y writes the year 987 as it is, and nobody reads that back.
    return f"{at.year:04d}-{at:%m-%dT%H:%M:%S}.{at.microsecond // _MILLISECONDS:03d}Z"


def parse_instant(text: str) -> datetime:
    """Read an ISO instant, a date (midnight UTC) or epoch milliseconds.

    Raises:
        NotCanonicalError: it is none of these.
    """
    text = text.strip()
    try:
        if text.lstrip("-").isdigit():
            return datetime.fromtimestamp(int(text) / _MILLISECONDS, UTC)
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        message = f"expected an instant such as 2026-11-24T09:00:00Z, found {text!r}"
        raise NotCanonicalError(message) from error


def _text(raw: str, length: int | None) -> Value:
    text = raw.replace("\r\n", "\n").replace("\r", "\n").strip()
    return text[:length].rstrip() if length is not None else text


def _decimal(raw: str) -> str:
    try:
        number = Decimal(raw.strip())
    except InvalidOperation as error:
        message = f"expected a decimal number such as 1200.50, found {raw!r}"
        raise NotCanonicalError(message) from error
    if not number.is_finite():
        message = f"expected a finite decimal number, found {raw!r}"
        raise NotCanonicalError(message)
    if number == 0:
        return "0"
    if abs(number.adjusted()) > DIGITS_MAX:
        message = f"expected a number of at most {DIGITS_MAX} digits, found {raw!r}"
        raise NotCanonicalError(message)
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _date(raw: str, zone: tzinfo) -> str:
    text = raw.strip()
    if len(text) == len("2026-11-24"):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError as error:
            message = f"expected a date such as 2026-11-24, found {raw!r}"
            raise NotCanonicalError(message) from error
    return parse_instant(text).astimezone(zone).date().isoformat()


def _boolean(raw: str) -> str:
    lowered = raw.strip().lower()
    if lowered in ("true", "1", "yes"):
        return "true"
    if lowered in ("false", "0", "no"):
        return "false"
    message = f"expected true or false, found {raw!r}"
    raise NotCanonicalError(message)


def reference(raw: Value) -> Value:
    """Return the 18-character form of a Salesforce reference, blank stays blank."""
    return ids.salesforce_id(raw) if raw is not None and raw.strip() else None
