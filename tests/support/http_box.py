"""Puts one sandbox on a loopback socket, for the vendors' own clients: no faults, no saving."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override

from adapters.http_transport import HttpRequest
from adapters.sandbox.box import Box


@contextmanager
def served(box: Box) -> Iterator[str]:
    """Serve `box` on a free port; yields its base URL."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        """Hands a request to the box and writes its answer."""

        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            host = self.headers.get("Host", "127.0.0.1")
            request = HttpRequest(
                self.command,
                f"http://{host}{self.path}",
                tuple(self.headers.items()),
                self.rfile.read(length),
            )
            with lock:
                response = box.answer(request, datetime.now(UTC)).response
            self.send_response(response.status)
            for name, value in response.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815 - the library's

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet: a test tells what went wrong by itself."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
