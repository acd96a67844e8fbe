"""Reads one TOML table key by key, and collects what is wrong with it, each with its line.

A reader names what it expects of a key and always gets a sound value back: the file's, or the
default where the file says nothing or something wrong. So one reading finds every mistake.
"""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from typing_extensions import override

from domain.errors import SyncError

_Choice = TypeVar("_Choice", bound=StrEnum)
_Path = tuple[str, ...]

_KEY: Final = re.compile(r"""\s*(?:"([^"\\]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*""")
_AT_THE_END: Final = "(at end of document)"
_DECODER_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)")


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """One thing that is wrong with a policy file."""

    #: counted from 1; None: it is nowhere in the file, or at its end
    line: int | None
    #: `fields.amount.rule`; blank: the file as a whole
    key: str
    #: what was expected, what was found, what to do
    text: str

    @override
    def __str__(self) -> str:
        """Return `line 12: fields.amount.rule: expected …`."""
        where = "" if self.line is None else f"line {self.line}: "
        return f"{where}{self.key}: {self.text}" if self.key else f"{where}{self.text}"


class PolicyError(SyncError):
    """A policy file is malformed.

    Args:
        problems: at least one, in the order of the file.
    """

    def __init__(self, problems: tuple[PolicyProblem, ...]) -> None:
        assert problems, "an error says what is wrong"
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class TomlTable:
    """One table of a TOML text.

    Args:
        content: the table as parsed, with decimals.
        path: where it stands.
        lines: line by key path, of the whole text.
        problems: grows by what is found wrong.
    """

    def __init__(
        self,
        content: Mapping[str, object],
        path: _Path,
        lines: Mapping[_Path, int],
        problems: list[PolicyProblem],
    ) -> None:
        self.content = content
        self._path = path
        self._lines = lines
        self._problems = problems

    @classmethod
    def of_text(cls, text: str) -> "TomlTable":
        """Parse a whole text.

        Raises:
            PolicyError: it is no TOML.
        """
        try:
            content = tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            raise PolicyError((_undecoded(str(error), text),)) from error
        return cls(content, (), _key_lines(text), [])

    def __contains__(self, key: str) -> bool:
        """Tell whether the file says something of a key."""
        return key in self.content

    def check(self) -> None:
        """End the reading.

        Raises:
            PolicyError: something is wrong in this table or another of the same text.
        """
        if self._problems:
            self._problems.sort(key=lambda problem: (problem.line is None, problem.line or 0))
            raise PolicyError(tuple(self._problems))

    def wrong(self, key: str, expected: str, found: object, remedy: str) -> None:
        """Note that a key's value is not what it should be; blank key: the table itself."""
        remedy = f"; {remedy}" if remedy else ""
        self._problem(key, f"expected {expected}, found {_shown(found)}{remedy}")

    def only(self, known: Iterable[str]) -> None:
        """Note each key that nobody reads."""
        names = list(known)
        for key in self.content:
            if key not in names:
                close = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
                remedy = f"did you mean {close[0]}?" if close else "remove it"
                self._problem(key, f"expected one of {', '.join(names)}, found {key}; {remedy}")

    def table(self, key: str) -> "TomlTable":
        """Return a table inside; an empty one if there is none."""
        found = self.content.get(key, {})
        if not isinstance(found, dict):
            place = ".".join((*self._path, key))
            self.wrong(key, "a table", found, f"write it as [{place}]")
            found = {}
        return TomlTable(found, (*self._path, key), self._lines, self._problems)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        found = self.content.get(key, default)
        if isinstance(found, bool):
            return found
        self.wrong(key, "true or false", found, "write it without quotes")
        return default

    def number(self, key: str, default: Decimal, *, low: str, high: str) -> Decimal:
        """Return an exact number between two others, both included."""
        found = self.content.get(key, default)
        if isinstance(found, int | Decimal) and not isinstance(found, bool):
            number = Decimal(found)
            if number.is_finite() and Decimal(low) <= number <= Decimal(high):
                return number
        self.wrong(key, f"a number from {low} to {high}", found, f"the default is {default}")
        return default

    def whole(self, key: str, default: int, *, low: int, high: int) -> int:
        """Return a whole number between two others, both included."""
        found = self.content.get(key, default)
        if isinstance(found, int) and not isinstance(found, bool) and low <= found <= high:
            return found
        self.wrong(key, f"a whole number from {low} to {high}", found, f"the default is {default}")
        return default

    def text(
        self,
        key: str,
        default: str,
        *,
        expected: str = "text in quotes",
        is_good: Callable[[str], bool] = lambda _text: True,
        remedy: str = "",
    ) -> str:
        """Return text that passes a test."""
        found = self.content.get(key, default)
        if isinstance(found, str) and (found == default or is_good(found)):
            return found
        self.wrong(key, expected, found, remedy)
        return default

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, none twice; empty if there is none."""
        found = self.content.get(key, [])
        if isinstance(found, list) and all(isinstance(text, str) and text for text in found):
            if len(set(found)) == len(found):
                return tuple(found)
            self.wrong(key, "each entry once", found, "remove the repeated one")
            return ()
        self.wrong(key, "a list of texts in quotes", found, 'such as ["a", "b"]')
        return ()

    def choice(self, key: str, default: _Choice) -> _Choice:
        """Return one of an enumeration's words."""
        found = self.content.get(key, default.value)
        words = [member.value for member in type(default)]
        if isinstance(found, str) and found in words:
            return type(default)(found)
        close = difflib.get_close_matches(str(found), words, n=1, cutoff=0.6)
        remedy = f"did you mean {close[0]}?" if close else f"the default is {default.value}"
        self.wrong(key, f"one of {', '.join(words)}", found, remedy)
        return default

    def _problem(self, key: str, text: str) -> None:
        path = (*self._path, key) if key else self._path
        line = next(
            (self._lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._lines),
            None,
        )
        self._problems.append(PolicyProblem(line, ".".join(map(_key_shown, path)), text))


def line_of(text: str, key: str) -> int | None:
    """Return the line where a text says something of a key such as `fields.amount.rule`.

    Where it says nothing of that very key, the line of what it is part of; None: nowhere.
    """
    lines = _key_lines(text)
    path = tuple(key.split("."))
    parts = (path[:length] for length in range(len(path), 0, -1))
    return next((lines[part] for part in parts if part in lines), None)


def _shown(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return repr(value)
        case None:
            return "nothing"
        case dict():
            return "a table"
        case list():
            return "[" + ", ".join(_shown(part) for part in value) + "]"
        case _:
            return str(value)


def _key_shown(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f'"{key}"'


def _key_lines(text: str) -> dict[_Path, int]:
    """Return the line of each key path: good enough for messages, no second parser."""
    lines: dict[_Path, int] = {}
    for number, path in _keys(text):
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], number)
    return lines


def _keys(text: str) -> Iterator[tuple[int, _Path]]:
    """Return the key path of each line that starts with a key."""
    table: _Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.lstrip()
        if stripped.startswith("["):
            table = _dotted(stripped.lstrip("["))
            yield number, table
        elif inner := _dotted(line, closed_by="="):
            yield number, (*table, *inner)


def _dotted(text: str, *, closed_by: str = "]") -> _Path:
    """Return the parts of a dotted key at the start of a text; empty: there is none."""
    parts: list[str] = []
    place = 0
    while (found := _KEY.match(text, place)) is not None:
        parts.append(next(part for part in found.groups() if part is not None))
        place = found.end()
        if text[place : place + 1] == closed_by:
            return tuple(parts)
        if text[place : place + 1] != ".":
            break
        place += 1
    return ()


def _undecoded(message: str, text: str) -> PolicyProblem:
    """Return what a parser of TOML could not take."""
    found = _DECODER_LINE.search(message)
    line = int(found[1]) if found is not None else len(text.splitlines())
    what = _DECODER_LINE.sub("", message).removesuffix(_AT_THE_END).strip()
    path: _Path = dict(_keys(text)).get(line, ())
    remedy = "put text in quotes, and each key once"
    return PolicyProblem(
        line, ".".join(map(_key_shown, path)), f"expected TOML, found a mistake: {what}; {remedy}"
    )
