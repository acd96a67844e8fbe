"""Where each source resumes, in memory: the twin of `postgres.bookmarks`."""

from typing_extensions import override

from domain.ports import Bookmarks


class MemoryBookmarks(Bookmarks):
    """Texts by name in a dict."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    @override
    def read(self, name: str) -> str | None:
        return self._texts.get(name)

    @override
    def write(self, name: str, text: str) -> None:
        self._texts[name] = text
