"""Stands before the engines' webhook endpoints, as a proxy does, and stays up when an engine dies.

HubSpot's retries grow by the factor three: straight at an engine that is killed every other second
they would go on for hours. The relay tries again for as long as HubSpot waits for an answer, one
engine after the other where there are several. It says that a webhook was taken only if an engine
said so.
"""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
from typing_extensions import override

#: HubSpot waits 5
PATIENCE_SECONDS = 4.0
PAUSE_SECONDS = 0.1
ATTEMPT_SECONDS_MAX = 1.0
PATH = "/hubspot"
#: what HubSpot is told when no engine took it, and what an engine says that cannot take it now
NOBODY = 503


@contextmanager
def relay(*ports: int) -> Iterator[str]:
    """Pass webhooks on to ports of this machine; gives the address that HubSpot sends them to."""
    urls = [f"http://127.0.0.1:{port}{PATH}" for port in ports]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            self.send_response(_passed_on(urls, body, headers))
            self.send_header("Content-Length", "0")
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="relay")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PATH}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _passed_on(urls: Sequence[str], body: bytes, headers: dict[str, str]) -> int:
    """Return what an engine answered, or that there was none."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    status = NOBODY
    for url in itertools.cycle(urls):
        if time.monotonic() >= deadline:
            break
        try:
            status = requests.post(
                url, body, headers=headers, timeout=ATTEMPT_SECONDS_MAX
            ).status_code
        except requests.RequestException:
            time.sleep(PAUSE_SECONDS)
            continue
        if status < NOBODY:
            break
        time.sleep(PAUSE_SECONDS)  # its database is away: it may be back in a moment
    return status
