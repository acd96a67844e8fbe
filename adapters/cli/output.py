"""What a command prints: for people by rich, for programs as JSON; never both.

Standard output carries the answer and nothing else; progress and hints go to standard error. Under
`--json` an answer is one object with its `schema`, a stream is one JSON object a line, and a
failure is one object of schema `dealsync.error/1`.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | a sound request failed: not found, CRM down, time-out |
| 2 | what was given is wrong: a flag, a malformed policy, something that is no id |
| 3 | done, with findings |
| 4 | sign-in or permission |
| 5 | refused while the delete fuse is blown |
| 130 | interrupted; `up`, `run` and `sandbox` end with 0 then |
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Final, TypeAlias

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

JsonFlag: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")
]


#: columns of a table that goes into a file or a pipe
PLAIN_WIDTH: Final = 400


class ExitCode(IntEnum):
    """How a command ended, for scripts."""

    OK = 0
    FAILED = 1
    WRONG_INPUT = 2
    FINDINGS = 3
    NOT_PERMITTED = 4
    FUSE_BLOWN = 5
    INTERRUPTED = 130


class CommandFailure(Exception):  # noqa: N818 - not every failure is an error of ours
    """A command ends without its answer.

    Args:
        code: a stable word for programs: `no_engine`, `not_found`, `timeout`.
        message: what was expected, what was found.
        hint: what to do; blank: nothing comes to mind.
        exit_code: for scripts.
        retryable: whether the very same command may succeed later.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str = "",
        exit_code: ExitCode = ExitCode.FAILED,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
        self.retryable = retryable


class Output:
    """Prints the answer of one command, in the way that was asked for.

    Args:
        as_json: whether a program reads it.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console(highlight=False, soft_wrap=True)
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)

    def show(
        self, noun: str, values: Mapping[str, object], human: Callable[[Console], None]
    ) -> None:
        """Print one object, or what `human` prints of it."""
        if self.as_json:
            self.line({"schema": f"dealsync.{noun}/1", **values})
        else:
            human(self.console)

    def rows(
        self,
        noun: str,
        items: Sequence[Mapping[str, object]],
        columns: Mapping[str, str],
        *,
        empty: str,
    ) -> None:
        """Print a list: its items whole as JSON, or a table of some of their keys.

        Args:
            noun: of one item, as the schema names it.
            items: one mapping an item.
            columns: heading by key, in the table's order.
            empty: what people read where there is none.
        """
        if self.as_json:
            self.line({"schema": f"dealsync.{noun}/1", "items": list(items)})
            return
        if not items:
            self.console.print(escape(empty))
            return
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in columns.values():
            table.add_column(heading, overflow="fold")
        for item in items:
            table.add_row(*(escape(_cell(item.get(key))) for key in columns))
        print_table(Console(highlight=False), table)

    def line(self, value: Mapping[str, object]) -> None:
        """Print one JSON object on a line of its own."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, default=plain) + "\n")
        sys.stdout.flush()

    def text(self, text: str) -> None:
        """Print a line for people; nothing under `--json`."""
        if not self.as_json:
            self.console.print(escape(text))

    def hint(self, text: str) -> None:
        """Print what to do next on standard error; nothing under `--json`."""
        if not self.as_json:
            self._errors.print(f"[dim]{escape(text)}[/dim]")

    def warn(self, text: str) -> None:
        """Print on standard error what whoever reads the answer should know as well."""
        self._errors.print(f"[yellow]warning:[/yellow] {escape(text)}")

    def failure(self, failure: CommandFailure) -> None:
        """Print why there is no answer."""
        if self.as_json:
            self.line(
                {
                    "schema": "dealsync.error/1",
                    "code": failure.code,
                    "message": failure.message,
                    "hint": failure.hint,
                    "retryable": failure.retryable,
                }
            )
            return
        self._errors.print(f"[red]error:[/red] {escape(failure.message)}")
        if failure.hint:
            self._errors.print(f"[dim]hint: {escape(failure.hint)}[/dim]")


def print_table(console: Console, table: Table) -> None:
    """Print a table as wide as the terminal; where there is none, no cell is broken."""
    width = console.width if console.is_terminal else max(console.width, PLAIN_WIDTH)
    Console(highlight=False, file=console.file, width=width).print(table)


def plain(value: object) -> object:
    """Return what JSON can hold in place of a value: instants in UTC with milliseconds."""
    match value:
        case datetime():
            return instant(value)
        case Decimal():
            return str(value)
        case frozenset() | set():
            return sorted(value, key=str)
        case _:
            return str(value)


def instant(at: datetime) -> str:
    """Return an instant as ISO 8601 with milliseconds and `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return instant(value)
        case str():
            return value
        case Iterable():
            return ", ".join(str(part) for part in value)
        case _:
            return str(value)
