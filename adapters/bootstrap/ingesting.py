"""Ingest for one process, or for one of several workers: then one reads the CRMs at a time.

Two that read would cost twice the calls and append each fact twice, which is harmless and nothing
more. So one leads, and the others stand by. Each term begins with sources that remember nothing:
what an earlier term remembered is out of date.
"""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from typing import Final

from structlog.typing import FilteringBoundLogger
from typing_extensions import override

from adapters.bootstrap.crms import Crms
from adapters.bootstrap.stores import Stores
from adapters.engine.ingest import Ingest, Trouble
from adapters.engine.runner import Loop
from adapters.postgres.leading import Term
from adapters.postgres.leases import end_leases
from domain.ids import Crm

ROLE: Final = "ingest"


class Standby(Loop):
    """Ingest while this worker leads.

    Args:
        term: this worker's part in leading.
        stores: where facts and wishes are.
        open_crms: makes sources that remember nothing.
        begun: called when a term begins, such as to have webhooks sent here.
        logger: one line when a term begins or ends.
    """

    def __init__(
        self,
        term: Term,
        stores: Stores,
        open_crms: Callable[[], AbstractContextManager[Crms]],
        begun: Callable[[], None],
        logger: FilteringBoundLogger,
    ) -> None:
        self._term = term
        self._stores = stores
        self._open_crms = open_crms
        self._begun = begun
        self._logger = logger
        self._opened = ExitStack()
        self._ingesting: Loop | None = None

    @override
    def step(self, at: datetime) -> int:
        if not self._term.is_mine(at):
            if self._ingesting is not None:
                self._logger.warning("lead lost", role=ROLE)
            self._end()
            return 0
        if self._ingesting is None:
            self._ingesting = self._begin(at)
        return self._ingesting.step(at)

    def close(self) -> None:
        """End the term, so that another worker leads at once."""
        was_leading = self._ingesting is not None
        self._end()
        if was_leading:
            self._term.resign()

    def _begin(self, at: datetime) -> Loop:
        self._logger.info("leading", role=ROLE)
        end_leases(self._stores.database, [ROLE], at)
        self._begun()
        crms = self._opened.enter_context(self._open_crms())
        return ingest_loop(self._stores, crms, self._logger)

    def _end(self) -> None:
        self._ingesting = None
        self._opened.close()


def ingest_loop(stores: Stores, crms: Crms, logger: FilteringBoundLogger) -> Loop:
    """Return the loop that reads both CRMs."""
    ingest = Ingest(
        sources=crms.sources,
        log=stores.log,
        refreshes=stores.refreshes,
        bookmarks=stores.bookmarks,
    )
    return _Ingesting(ingest, stores, logger)


class _Ingesting(Loop):
    """Ingest, with its troubles told to the log and kept where other processes see them."""

    def __init__(self, ingest: Ingest, stores: Stores, logger: FilteringBoundLogger) -> None:
        self._ingest = ingest
        self._bookmarks = stores.bookmarks
        self._logger = logger
        self._told: dict[Crm, Trouble | None] = {}

    @override
    def step(self, at: datetime) -> int:
        count = self._ingest.step(at)
        for crm in Crm:
            trouble = self._ingest.troubles.get(crm)
            if crm not in self._told or trouble != self._told[crm]:
                self._tell(crm, trouble)
                self._told[crm] = trouble
        return count

    def _tell(self, crm: Crm, trouble: Trouble | None) -> None:
        if trouble is None:
            self._bookmarks.write(trouble_bookmark(crm), "")
            return
        self._logger.warning("not read", crm=crm, code=trouble.code, count=trouble.count)
        said = {"message": trouble.message, "code": trouble.code, "count": trouble.count}
        self._bookmarks.write(trouble_bookmark(crm), json.dumps(said))


def trouble_bookmark(crm: Crm) -> str:
    """Return the bookmark that says why a CRM is not being read; blank text: it is."""
    return f"{crm}.trouble"
