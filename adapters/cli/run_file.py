"""Where a running engine says how it is reached: `run.json` of the home.

It is valid only while the engine holds the home: whoever reads it asks that first.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

FILE_NAME: Final = "run.json"


@contextmanager
def written(
    home: Path, addresses: Mapping[str, str | None], *, keep: bool = False
) -> Iterator[None]:
    """Say where things are, until the end of the block, or for longer."""
    path = home / FILE_NAME
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(dict(addresses)), encoding="utf-8")
    unfinished.replace(path)
    try:
        yield
    finally:
        if not keep:
            path.unlink(missing_ok=True)


def read(home: Path) -> Mapping[str, str | None]:
    """Return what an engine wrote down, empty if none did."""
    try:
        said = json.loads((home / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
