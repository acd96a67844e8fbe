"""Run the suites that can run here: `make test`, and without a server `make check`.

A suite is a folder of `tests/`. Says first which ones cannot run and why, then becomes pytest, so
that pytest's own line is the last and its exit code is the answer.

Usage: python -m tests.suites [--without-server] [pytest's arguments]
"""

import os
import sys
import tempfile
from pathlib import Path

from adapters.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError
from tests.support.kafka_servers import why_no_kafka

#: these start PostgreSQL, the sandboxes or the whole program
NEED_A_SERVER = frozenset(
    {"acceptance", "analysts", "cli", "clients", "contracts", "crash", "embedded"},
)
#: these start a Kafka too, or use the one that KAFKA_BOOTSTRAP_SERVERS names
NEED_KAFKA = frozenset({"kafka"})
#: not suites: programs with targets of their own, and what suites share
NOT_SUITES = frozenset({"benchmarks", "chaos", "support", "__pycache__"})

TESTS = Path(__file__).parent


def why_no_server() -> str | None:
    """Try the server once, in a home of its own; return why it does not run, or None."""
    with tempfile.TemporaryDirectory(prefix="dealsync-suites-") as folder:
        server = EmbeddedPostgres(Path(folder) / "home")
        try:
            server.ensure_running()
        except EmbeddedPostgresError as error:
            return str(error)
        server.stop()
        return None


def suites() -> dict[str, list[str]]:
    """Return the folders that hold tests, by whether they need a server: yes, no, or Kafka."""
    found: dict[str, list[str]] = {"yes": [], "no": [], "kafka": []}
    for folder in sorted(TESTS.iterdir()):
        if folder.name in NOT_SUITES or not any(folder.glob("**/test_*.py")):
            continue
        if folder.name in NEED_KAFKA:
            found["kafka"].append(folder.name)
        else:
            found["yes" if folder.name in NEED_A_SERVER else "no"].append(folder.name)
    return found


def main(arguments: list[str]) -> None:
    """Say what cannot run, then run the rest."""
    found = suites()
    chosen = list(found["no"])
    if "--without-server" in arguments:
        arguments.remove("--without-server")
    elif reason := why_no_server():
        both = ", ".join(found["yes"] + found["kafka"])
        print(f"cannot run here: {both}: {reason}")  # noqa: T201
    else:
        chosen += found["yes"]
        if reason := why_no_kafka():
            print(f"cannot run here: {', '.join(found['kafka'])}: {reason}")  # noqa: T201
        else:
            chosen += found["kafka"]
    print(f"suites: {', '.join(chosen)}", flush=True)  # noqa: T201
    folders = [str(TESTS / name) for name in chosen]
    os.execv(sys.executable, [sys.executable, "-m", "pytest", "-q", *arguments, *folders])  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
