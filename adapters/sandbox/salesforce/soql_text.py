"""The text of a SOQL query: takes its texts and instants out, and points into it when it is wrong.

Queries that differ only in ids and instants have one shape then, so their tree is made once. A run
of texts between commas counts as one.
"""

import re
from dataclasses import dataclass

from adapters.sandbox.salesforce.errors import RefusedError

#: how many characters a query may have
LENGTH_MAX = 100_000
#: a run of texts, an instant, or a date
LITERAL = re.compile(
    r"(?P<texts>'(?:[^'\\]|\\.)*'(?:\s*,\s*'(?:[^'\\]|\\.)*')*)"
    r"|(?P<instant>(?<![\w.-])\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))"
    r"|(?P<date>(?<![\w.-])\d{4}-\d\d-\d\d(?![\w-]))",
    re.IGNORECASE | re.DOTALL,
)
TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
ESCAPE = re.compile(r"\\(.)", re.DOTALL)
ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
MARKS = {"texts": "s", "instant": "t", "date": "d"}
#: how many characters a message shows before and after the place it points at
AROUND = 20


@dataclass(frozen=True, slots=True)
class Lifting:
    """A query without its texts and instants, and those by number."""

    shape: str
    literals: tuple[str, ...]
    #: where each literal stands in the shape, and how many characters it lost there
    cuts: tuple[tuple[int, int], ...]

    def texts(self, number: int) -> list[str]:
        """Return the texts of a run, without quotes and escapes."""
        return [_unescaped(found[1]) for found in TEXT.finditer(self.literals[number])]

    def original(self, column: int) -> int:
        """Return where a place in the shape was in the query as it was sent."""
        return column + sum(lost for start, lost in self.cuts if start < column)


def lift(text: str) -> Lifting:
    """Take the texts and instants out of a query.

    Raises:
        RefusedError: it is too long or holds a character that no query has.
    """
    if len(text) > LENGTH_MAX:
        raise RefusedError("MALFORMED_QUERY", f"SOQL statement is longer than {LENGTH_MAX}")
    literals: list[str] = []
    cuts: list[tuple[int, int]] = []
    pieces: list[str] = []
    end = 0
    length = 0
    for found in LITERAL.finditer(text):
        between = text[end : found.start()]
        kind = str(found.lastgroup)
        # A run of texts keeps its number alone; the shape must not depend on the text.
        mark = f"@{MARKS[kind]}{len(literals)}"
        pieces += (between, mark)
        length += len(between)
        cuts.append((length, len(found[0]) - len(mark)))
        length += len(mark)
        literals.append(found[0])
        end = found.end()
        if "@" in between:
            raise malformed(text, text.index("@"), "unexpected token: '@'")
    if "@" in text[end:]:
        raise malformed(text, text.index("@", end), "unexpected token: '@'")
    pieces.append(text[end:])
    return Lifting("".join(pieces), tuple(literals), tuple(cuts))


def malformed(text: str, place: int, reason: str) -> RefusedError:
    """Return MALFORMED_QUERY as Salesforce words it: the line, a caret, where, and why."""
    return RefusedError("MALFORMED_QUERY", pointed(text, place, reason))


def pointed(text: str, place: int, reason: str) -> str:
    """Return a message that points into a query."""
    start = max(0, place - AROUND)
    excerpt = text[start : place + AROUND].replace("\n", " ")
    row = text.count("\n", 0, place) + 1
    column = place - (text.rfind("\n", 0, place) + 1) + 1
    caret = " " * (place - start) + "^"
    return f"\n{excerpt}\n{caret}\nERROR at Row:{row}:Column:{column}\n{reason}"


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    # LIKE needs to know which % and _ were escaped, so their backslash stays.
    return ESCAPE.sub(
        lambda found: found[0] if found[1] in "%_" else ESCAPED.get(found[1], found[1]), text
    )
