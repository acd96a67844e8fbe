"""SOQL text from values: quoting, instants, keysets. A query is built nowhere else.

A chain of conditions is all AND or all OR in SOQL; a mix needs parentheses, which stand here.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from adapters.salesforce import names


def select(
    fields: Iterable[str], of: str, *, where: str = "", order: str = "", limit: int = 0
) -> str:
    """Return a query; blank parts are left out, and so is a limit of 0."""
    parts = ["SELECT", ", ".join(fields), "FROM", of]
    if where:
        parts += ["WHERE", where]
    if order:
        parts += ["ORDER BY", order]
    if limit:
        parts += ["LIMIT", str(limit)]
    return " ".join(parts)


def quoted(text: str) -> str:
    """Return a text literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def is_in(field: str, values: Sequence[str]) -> str:
    """Return `field IN (…)`; at least one value."""
    return f"{field} IN ({', '.join(quoted(value) for value in values)})"


def instant(at: datetime) -> str:
    """Return an instant literal: whole seconds, UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def since(at: datetime, record_id: str | None) -> str:
    """Return the condition of a page ordered by (SystemModstamp, Id).

    Args:
        at: the page begins with records modified then.
        record_id: …and behind this one among them; None: with the first.
    """
    if record_id is None:
        return f"SystemModstamp >= {instant(at)}"
    return (
        f"(SystemModstamp > {instant(at)} OR"
        f" (SystemModstamp = {instant(at)} AND Id > {quoted(record_id)}))"
    )


def batches(values: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Return the values, each once and none blank, in lists that one query takes."""
    whole = sorted({value for value in values if value})
    for start in range(0, len(whole), names.BATCH_SIZE_MAX):
        yield tuple(whole[start : start + names.BATCH_SIZE_MAX])
