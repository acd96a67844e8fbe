"""Lets a vendor's client that speaks through `requests` reach a sandbox's box without a socket."""

from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO

import requests
from requests.adapters import BaseAdapter
from typing_extensions import override
from urllib3 import HTTPResponse

from adapters.http_transport import HttpRequest
from adapters.sandbox.box import Box


class BoxAdapter(BaseAdapter):
    """Sends a prepared request to a box; what is `https` for the client is answered all the same.

    Args:
        box: the sandbox.
        now: the clock that it is asked by.
    """

    def __init__(self, box: Box, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._box = box
        self._now = now

    @override
    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: bool | str = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        content = request.body or b""
        assert isinstance(content, (str, bytes)), "no client streams to a sandbox"
        sent = HttpRequest(
            str(request.method),
            str(request.url),
            tuple((name, str(value)) for name, value in request.headers.items()),
            content.encode() if isinstance(content, str) else content,
        )
        answered = self._box.answer(sent, self._now()).response
        response = requests.Response()
        response.status_code = answered.status
        response.headers.update(answered.headers)
        response.raw = HTTPResponse(BytesIO(answered.body), preload_content=False)
        response.url = sent.url
        response.request = request
        response.encoding = "utf-8"
        return response

    @override
    def close(self) -> None:
        """Nothing is open."""
