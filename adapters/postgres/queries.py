"""Named SQL queries, kept in `.sql` files beside the adapters that run them.

A file is a list of queries, each behind a line `-- name: the_name`. Comments behind that line
belong to the query.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

_HEADING: Final = re.compile(r"^-- name: *([a-z][a-z0-9_]*) *$", re.MULTILINE)


def named_queries(path: Path) -> Mapping[str, bytes]:
    """Read the queries of a file.

    Args:
        path: the `.sql` file.

    Returns:
        SQL by name, as bytes: what psycopg takes without asking for a literal.

    Raises:
        ValueError: a name stands twice, or there is none.
    """
    parts = _HEADING.split(path.read_text(encoding="utf-8"))[1:]
    names, bodies = parts[::2], parts[1::2]
    if not names or len(set(names)) != len(names):
        message = f"{path}: expected one `-- name:` line a query, found {names}"
        raise ValueError(message)
    return MappingProxyType(
        {name: body.strip().encode() for name, body in zip(names, bodies, strict=True)}
    )


def queries_beside(module_file: str) -> Mapping[str, bytes]:
    """Read the queries of the `.sql` file that has a module's name: `queries_beside(__file__)`."""
    return named_queries(Path(module_file).with_suffix(".sql"))
