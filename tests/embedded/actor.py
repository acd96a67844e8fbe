"""A process of its own that uses a home's server, for the tests of this folder.

Run as `python actor.py HOME`: says the URL and the server's process id, then waits until its
standard input closes, and leaves the server.
"""

import sys
from pathlib import Path

from adapters.postgres.embedded import EmbeddedPostgres

if __name__ == "__main__":
    server = EmbeddedPostgres(Path(sys.argv[1]))
    print(server.ensure_running(), server.pid(), flush=True)  # noqa: T201  read by the test
    sys.stdin.read()
    server.stop()
