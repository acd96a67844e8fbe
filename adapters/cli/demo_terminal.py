"""Runs commands of dealsync on the demo's home, and keeps those that are to be shown."""

import contextlib
import io
import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ran:
    """One command and what it printed."""

    command: str
    output: str


@dataclass(slots=True)
class Terminal:
    """A terminal in the folder of the demo's home.

    Commands run in this process: the same code, without the start of another Python each time.
    """

    home: Path
    #: since the last `shown`
    _ran: list[Ran] = field(default_factory=list)

    def run(self, *arguments: str) -> str:
        """Run a command that is shown with the step; return what it printed."""
        output = self.ask(*arguments)
        self._ran.append(Ran(" ".join(("dealsync", *arguments)), output))
        return output

    def ask(self, *arguments: str) -> str:
        """Run a command that nobody is shown; return what it printed."""
        from adapters.cli.app import run  # noqa: PLC0415 - it knows this command too

        printed = io.StringIO()
        before = dict(os.environ)
        os.environ.update({"DEALSYNC_HOME": str(self.home), "NO_COLOR": "1"})
        try:
            with (
                contextlib.chdir(self.home.parent),
                contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(printed),
            ):
                run(arguments)
        finally:
            os.environ.clear()
            os.environ.update(before)
        return printed.getvalue().strip()

    def file(self, name: str, text: str) -> str:
        """Write a file beside the home; return its name."""
        (self.home.parent / name).write_text(text, encoding="utf-8")
        return name

    def shown(self) -> tuple[Ran, ...]:
        """Return the commands to show, once."""
        ran = tuple(self._ran)
        self._ran.clear()
        return ran
