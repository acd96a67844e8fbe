"""The slow comparison of id sets: what no poll showed is read record by record.

Mere absence never deletes (rule `delete-fuse`): a missing opportunity is read with deleted rows
included; only an answer that says so, or an org that hides nothing from us and has no such record
after a whole comparison, is a deletion.
"""

from datetime import datetime

from adapters.salesforce import names, translate
from adapters.salesforce.catalog import CatalogReader
from adapters.salesforce.connection import Connection
from adapters.salesforce.piece import Piece
from adapters.salesforce.poller import Poller
from adapters.salesforce.reader import Reader
from adapters.salesforce.sweep import Sweep
from domain.ids import Kind


class Reconciler:
    """Runs one comparison at a time, a page a step."""

    def __init__(
        self, connection: Connection, reader: Reader, poller: Poller, catalog: CatalogReader
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._poller = poller
        self._catalog = catalog
        self._left: list[Sweep] = []
        self._complete: list[Sweep] = []

    @property
    def is_running(self) -> bool:
        """Whether a comparison is under way."""
        return bool(self._left)

    def begin(self) -> None:
        """Begin a comparison of everything."""
        self._complete = []
        self._left = [Sweep(names.OPPORTUNITY), Sweep(names.ROLE, "OpportunityId")]

    def step(self, piece: Piece, at: datetime) -> bool:
        """Read a page; return whether the comparison is complete.

        Raises:
            PortError: Salesforce did not answer.
        """
        sweep = self._left[0]
        if sweep.read_page(self._connection, at):
            self._complete.append(self._left.pop(0))
        if self._left:
            return False
        # All at the end: if these facts are lost, so is the word that the comparison was made.
        for each in self._complete:
            if each.of == names.ROLE:
                self._settle_roles(each, piece, at)
            else:
                self._settle_opportunities(each, piece, at)
        return True

    def _settle_opportunities(self, sweep: Sweep, piece: Piece, at: datetime) -> None:
        known = piece.known(names.OPPORTUNITY)
        before = known.all()
        missing = sorted(sweep.missing(before))
        extra = sorted(sweep.unknown(before))
        place = piece.changes(names.OPPORTUNITY)
        rows = self._reader.by_id(names.OPPORTUNITY, [*missing, *extra], at)
        for record_id, row in rows.items():
            is_old = place.is_baseline(row.instant("CreatedDate")) and record_id in extra
            look = self._reader.look(at, "baseline" if is_old else "poll")
            fact = self._reader.shown(names.OPPORTUNITY, row, look)
            piece.add([translate.identified(fact, place.was(record_id))])
            if row.flag("IsDeleted"):
                known.drop(record_id)
            else:
                known.put(record_id)
        vanished = [record_id for record_id in missing if record_id not in rows]
        if vanished and self._sees_everything(at):
            look = self._reader.look(at, "poll")
            for record_id in vanished:
                fact = translate.deleted(Kind.OPPORTUNITY, record_id, at, look)
                piece.add([translate.identified(fact, "")])
                known.drop(record_id)

    def _settle_roles(self, sweep: Sweep, piece: Piece, at: datetime) -> None:
        known = piece.known(names.ROLE)
        before = known.all()
        missing, extra = sweep.missing(before), sweep.unknown(before)
        for record_id in missing:
            known.drop(record_id)
        for record_id, opportunity_id in extra.items():
            known.put(record_id, opportunity_id)
        triggers = {each: at.isoformat() for each in {*missing.values(), *extra.values()} if each}
        self._poller.report_roles(triggers, piece, self._reader.look(at, "poll"))

    def _sees_everything(self, at: datetime) -> bool:
        """Tell whether no sharing rule hides a record from us."""
        return bool({"ModifyAllData", "ViewAllData"} & set(self._catalog.permissions(at)))
