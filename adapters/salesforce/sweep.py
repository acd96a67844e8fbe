"""Compares all ids that live in the org with those we know, page by page.

It finds what no poll and no list of deletions showed: a gap longer than Salesforce remembers, a row
that became visible very late. It only names differences; what they mean is read record by record.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from adapters.salesforce import soql
from adapters.salesforce.connection import Connection

PAGE_SIZE: Final = 2_000


class Sweep:
    """One comparison of one object, under way; lost with the process, and then begun again.

    Args:
        of: the object.
        column: a column whose text is kept for each id; blank: none.
    """

    def __init__(self, of: str, column: str = "") -> None:
        self.of = of
        self._column = column
        self._after = ""
        self.living: dict[str, str] = {}

    def read_page(self, connection: Connection, at: datetime) -> bool:
        """Read the next page of ids; return whether it was the last.

        Raises:
            PortError: Salesforce did not answer; the same page is read next.
        """
        columns = ("Id", self._column) if self._column else ("Id",)
        where = f"Id > {soql.quoted(self._after)}" if self._after else ""
        rows = connection.query(
            soql.select(columns, self.of, where=where, order="Id", limit=PAGE_SIZE), at
        )
        for row in rows:
            self.living[row.id] = (row.reference(self._column) or "") if self._column else ""
        if len(rows) < PAGE_SIZE:
            return True
        self._after = rows[-1].id
        return False

    def missing(self, known: Mapping[str, str]) -> Mapping[str, str]:
        """Return those we know that the org does not show alive."""
        return {key: text for key, text in known.items() if key not in self.living}

    def unknown(self, known: Mapping[str, str]) -> Mapping[str, str]:
        """Return those alive that we do not know."""
        return {key: text for key, text in self.living.items() if key not in known}
