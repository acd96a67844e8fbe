"""Logging of the process: one line per step, with counts and ids; never a record's content.

Content belongs in the audit log. So that a careless line cannot leak it, a value that is no number,
instant, id or single word is replaced by its type, and an exception by its type and place, since
its message may quote a record.

    with telemetry.to_file(home, clock) as log:
        log.info("decided", facts=120, events=131, topic="crm.salesforce.changes.v1")
"""

import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TextIO, cast
from uuid import UUID

import structlog
from structlog.typing import FilteringBoundLogger, Processor, WrappedLogger

from adapters.clock import Clock

LOG_BYTES_MAX = 20_000_000
WORD_CHARACTERS_MAX = 120
FILE_NAME = "engine.jsonl"

#: an id, code, topic, path or name of a step; no e-mail address and no sentence
_WORD = re.compile(rf"[A-Za-z0-9_.:/+\-]{{0,{WORD_CHARACTERS_MAX}}}")
#: the keys that this module and structlog fill themselves
_OWN_KEYS = frozenset({"event", "level", "at"})


@contextmanager
def to_file(home: Path, clock: Clock) -> Iterator[FilteringBoundLogger]:
    """Give a logger that appends JSON lines to `logs/engine.jsonl` of the home.

    A file grown too large is first put aside as `engine.jsonl.1`, over the one put aside before.
    """
    folder = home / "logs"
    folder.mkdir(exist_ok=True)
    path = folder / FILE_NAME
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(folder / f"{FILE_NAME}.1")
    # Line by line, so that a kill loses nothing that was said.
    with path.open("a", encoding="utf-8", buffering=1) as stream:
        yield to_stream(stream, clock)


def to_stderr(clock: Clock) -> FilteringBoundLogger:
    """Return a logger for the standard error: columns for a terminal, else JSON lines."""
    if sys.stderr.isatty():
        return to_stream(sys.stderr, clock, structlog.dev.ConsoleRenderer(colors=False))
    return to_stream(sys.stderr, clock)


def to_stream(
    stream: TextIO, clock: Clock, renderer: Processor | None = None
) -> FilteringBoundLogger:
    """Return a logger that writes lines to an open stream, JSON unless told otherwise."""

    def stamp(
        _logger: WrappedLogger, _method: str, line: MutableMapping[str, object]
    ) -> MutableMapping[str, object]:
        line["at"] = clock.now().isoformat(timespec="milliseconds")
        return line

    wrapped = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            stamp,
            _without_content,
            renderer or structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    return cast("FilteringBoundLogger", wrapped)  # structlog declares Any


def _without_content(
    _logger: WrappedLogger, _method: str, line: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Replace what may be a record's content by its type."""
    return {key: value if key in _OWN_KEYS else _harmless(value) for key, value in line.items()}


def _harmless(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return _harmless(value.value)
        case str() if _WORD.fullmatch(value):
            return value
        case date() | UUID():
            return str(value)
        case BaseException():
            return _place_of(value)
        case tuple() | list():
            return [_harmless(part) for part in value]
        case _:
            return f"<{type(value).__name__}>"


def _place_of(error: BaseException) -> str:
    """Say what kind of error it was and where it was raised, without its message."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    code = trace.tb_frame.f_code
    return f"{type(error).__name__} at {Path(code.co_filename).name}:{trace.tb_lineno}"
