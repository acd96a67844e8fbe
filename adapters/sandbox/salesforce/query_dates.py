"""What `TODAY`, `LAST_WEEK` or `NEXT_N_DAYS:3` mean on a given day.

Weeks begin on Sunday, as in an org in the United States; fiscal years are calendar years.
"""

from datetime import date, timedelta
from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["day", "week", "month", "quarter", "year"]
UNITS: dict[str, Unit] = {
    "DAYS": "day",
    "WEEK": "week",
    "WEEKS": "week",
    "MONTH": "month",
    "MONTHS": "month",
    "QUARTER": "quarter",
    "QUARTERS": "quarter",
    "YEAR": "year",
    "YEARS": "year",
}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
YEAR_MONTHS = 12
NINETY = 90


def span(word: str, count: int | None, today: date) -> tuple[date, date] | None:
    """Return the first day and the day after the last, or None if it is no such word.

    Raises:
        ValueError: it leads out of the calendar.
    """
    try:
        return _span(word, count, today)
    except OverflowError as error:
        raise ValueError(word) from error


def _span(word: str, count: int | None, today: date) -> tuple[date, date] | None:
    named = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}
    if word in named and count is None:
        return _days(today, named[word], named[word] + 1)
    if word in {"LAST_90_DAYS", "NEXT_90_DAYS"} and count is None:
        past = word.startswith("LAST")
        return _days(today, 1 - NINETY, 1) if past else _days(today, 1, NINETY + 1)
    side, _, rest = word.replace("_FISCAL", "").partition("_")
    counted = rest.startswith("N_")
    unit = UNITS.get(rest.removeprefix("N_"))
    if unit is None or counted != (count is not None) or side not in {"LAST", "THIS", "NEXT"}:
        return None
    if side == "THIS":
        return None if counted else (_start(unit, today, 0), _start(unit, today, 1))
    if unit == "day":
        if count is None:
            return None
        return _days(today, 1 - count, 1) if side == "LAST" else _days(today, 1, count + 1)
    many = 1 if count is None else count
    if side == "LAST":
        return _start(unit, today, -many), _start(unit, today, 0)
    return _start(unit, today, 1), _start(unit, today, many + 1)


def _days(today: date, first: int, after: int) -> tuple[date, date]:
    return today + timedelta(days=first), today + timedelta(days=after)


def _start(unit: Unit, today: date, later: int) -> date:
    """Return the first day of the unit around today, moved by so many units."""
    if unit == "day":
        return today + timedelta(days=later)
    if unit == "week":
        sunday = today - timedelta(days=today.isoweekday() % 7)
        return sunday + timedelta(weeks=later)
    months = MONTHS[unit]
    index = today.year * YEAR_MONTHS + (today.month - 1) // months * months + later * months
    return date(index // YEAR_MONTHS, index % YEAR_MONTHS + 1, 1)
