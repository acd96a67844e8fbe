"""One step of a pass: a page of an object's changes, or the list of its deletions.

Whole records are reported, never differences; a record that shows what it showed before is left
out. A changed or deleted role stands for its opportunity's whole role set.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from adapters.salesforce import names, soql, translate, wire
from adapters.salesforce.changes import Changes, Deleted, Keyset, Seen
from adapters.salesforce.connection import Connection
from adapters.salesforce.errors import ReadRefusedError
from adapters.salesforce.piece import Piece
from adapters.salesforce.reader import Reader
from adapters.salesforce.translate import Look, Shown
from adapters.salesforce.wire import Deletions, Row
from domain.facts import RecordDeleted, RecordMerged

PAGE_SIZE: Final = 2_000
#: accounts and contacts first: who is who is known before it is needed
POLLED: Final = (names.ACCOUNT, names.CONTACT, names.OPPORTUNITY, names.ROLE)
#: the list of deletions counts in minutes
DELETED_OVERLAP: Final = timedelta(minutes=2)
MINUTE: Final = timedelta(minutes=1)
#: Salesforce remembers deletions for thirty days; nearly as long ago is a gap
DELETED_REACH: Final = timedelta(days=29)
#: name of the bookmark that records the last gap
GAP: Final = "gap"


class Poller:
    """Makes the steps of a pass.

    Args:
        connection: the org.
        reader: reads what a change drags along.
    """

    def __init__(self, connection: Connection, reader: Reader) -> None:
        self._connection = connection
        self._reader = reader

    def begin(self, piece: Piece, at: datetime) -> None:
        """Note what is there when we first meet the org: later is news, the rest is baseline."""
        for of in POLLED:
            query = soql.select(
                ("Id", "SystemModstamp"), of, order="SystemModstamp DESC, Id DESC", limit=1
            )
            rows = self._connection.query(query, at, include_deleted=True)
            horizon = rows[0].instant("SystemModstamp") if rows else None
            # Roles of the baseline are read with their opportunities.
            newest = horizon if of == names.ROLE else None
            piece.move(of, Changes(horizon=horizon, newest=newest, newest_at=at))

    def read_changes(self, of: str, piece: Piece, at: datetime, *, is_late: bool) -> bool:
        """Read a page of an object's changes; return whether it was the last.

        Args:
            of: the object.
            piece: takes the facts and the new place.
            at: our clock.
            is_late: look for what long transactions made visible late.

        Raises:
            PortError: Salesforce did not answer.
        """
        place = piece.changes(of)
        rows = self._page(of, place.begin(is_late=is_late), at)
        if of == names.ROLE:
            seen = self._changed_roles(rows, place, piece, at)
        else:
            seen = self._changed_records(of, rows, place, piece, at)
        last = rows[-1] if len(rows) >= PAGE_SIZE else None
        resume = None if last is None else Keyset(last.instant("SystemModstamp"), last.id)
        moved = place.after(seen, resume, at, is_late=is_late)
        if moved != place:
            piece.move(of, moved)
        return resume is None

    def read_deletions(self, of: str, piece: Piece, at: datetime) -> None:
        """Read an object's list of deletions since the last reading.

        A list that does not reach back to it is a gap: recorded, and to be swept (rule `gap`).

        Raises:
            PortError: Salesforce did not answer.
        """
        newest = self._newest(piece, at)
        place = piece.deleted(of) or Deleted(covered=newest)
        start = place.covered - DELETED_OVERLAP
        answer = self._deletions(of, start, max(newest + MINUTE, start + 2 * MINUTE), at)
        if answer is None or answer.earliest_available > start:
            gap = {"of": of, "from": start.isoformat(), "found_at": at.isoformat()}
            piece.write(GAP, json.dumps(gap))
        if answer is None:
            piece.move_deleted(of, Deleted(covered=newest))
            return
        fresh = {
            record_id: deleted_at
            for record_id, deleted_at in answer.records
            if f"{record_id} {deleted_at.isoformat()}" not in place.seen
        }
        if of == names.ROLE:
            self._deleted_roles(fresh, piece, at)
        else:
            self._deleted_records(of, fresh, piece, at)
        covered = max(place.covered, answer.latest_covered)
        seen = frozenset(
            f"{record_id} {deleted_at.isoformat()}"
            for record_id, deleted_at in answer.records
            if deleted_at >= covered - DELETED_OVERLAP - MINUTE
        )
        piece.move_deleted(of, Deleted(covered=covered, seen=seen))

    def report_roles(self, triggers: Mapping[str, str], piece: Piece, look: Look) -> None:
        """Report whole role sets.

        Args:
            triggers: opportunity ids, and what made us look, in a text that stays the same when the
                same change is met again.
            piece: takes the facts.
            look: the reading.
        """
        for fact in self._reader.role_sets(triggers, look):
            occasion = triggers[translate.record_id_of(fact)]
            piece.add([translate.identified(fact, occasion)])

    def _page(self, of: str, begin: Keyset | datetime | None, at: datetime) -> tuple[Row, ...]:
        where = ""
        if isinstance(begin, Keyset):
            where = soql.since(begin.modified_at, begin.record_id)
        elif begin is not None:
            where = soql.since(begin, None)
        return self._reader.rows(of, where, at, order="SystemModstamp, Id", limit=PAGE_SIZE)

    def _changed_records(
        self, of: str, rows: Sequence[Row], place: Changes, piece: Piece, at: datetime
    ) -> Mapping[str, Seen]:
        known = piece.known(of) if of == names.OPPORTUNITY else None
        polled = self._reader.look(at, "poll")
        baseline = self._reader.look(at, "baseline")
        seen: dict[str, Seen] = {}
        first_met: list[str] = []
        new: list[str] = []
        for row in rows:
            record_id, modified_at = row.id, row.instant("SystemModstamp")
            was = place.was(record_id)
            is_baseline = not was and place.is_baseline(modified_at)
            fact = self._reader.shown(of, row, baseline if is_baseline else polled)
            print_ = translate.fingerprint(fact)
            seen[record_id] = Seen(modified_at, print_)
            is_gone = isinstance(fact, RecordDeleted | RecordMerged)
            if known is not None:
                if not is_baseline and not is_gone and known.get(record_id) is None:
                    new.append(record_id)
                known.drop(record_id) if is_gone else known.put(record_id)
            if print_ == was or (is_baseline and is_gone):
                continue
            self._report(of, fact, was, piece, polled)
            if is_baseline:
                first_met.append(record_id)
        if of == names.OPPORTUNITY and first_met:
            self._first_roles(first_met, piece, baseline)
        if new:
            # That a new opportunity has no role yet is shown by no row.
            self._first_roles(new, piece, polled)
        return seen

    def _report(self, of: str, fact: Shown, occasion: str, piece: Piece, look: Look) -> None:
        """Report a record, and after a merge what Salesforce moved without touching it."""
        told = translate.identified(fact, occasion)
        piece.add([told])
        if isinstance(told, RecordMerged):
            moved = Look(look.begun_at, look.reason, look.user_id, told.id)
            piece.add(
                translate.identified(each, told.id)
                for each in self._reader.after_merge(of, [told.winner_id], moved)
            )

    def _first_roles(self, opportunity_ids: Sequence[str], piece: Piece, look: Look) -> None:
        known = piece.known(names.ROLE)
        for fact in self._reader.role_sets(opportunity_ids, look):
            piece.add([translate.identified(fact, "")])
            for role_id, opportunity_id in translate.role_ids(fact):
                known.put(role_id, opportunity_id)

    def _changed_roles(
        self, rows: Sequence[Row], place: Changes, piece: Piece, at: datetime
    ) -> Mapping[str, Seen]:
        known = piece.known(names.ROLE)
        seen: dict[str, Seen] = {}
        triggers: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            print_ = translate.row_fingerprint(row)
            seen[row.id] = Seen(row.instant("SystemModstamp"), print_)
            opportunity_id = row.reference("OpportunityId") or ""
            if row.flag("IsDeleted"):
                known.drop(row.id)
            else:
                known.put(row.id, opportunity_id)
            is_baseline = not place.was(row.id) and place.is_baseline(seen[row.id].modified_at)
            if not is_baseline and not place.is_known(row.id, print_):
                triggers[opportunity_id].append(f"{row.id} {print_}")
        told = {key: ";".join(sorted(each)) for key, each in triggers.items()}
        self.report_roles(told, piece, self._reader.look(at, "poll"))
        return seen

    def _deleted_roles(self, deletions: Mapping[str, datetime], piece: Piece, at: datetime) -> None:
        known = piece.known(names.ROLE)
        triggers: dict[str, list[str]] = defaultdict(list)
        for record_id, deleted_at in deletions.items():
            opportunity_id = known.get(record_id)
            if opportunity_id is not None:
                triggers[opportunity_id].append(f"{record_id} {deleted_at.isoformat()}")
                known.drop(record_id)
        told = {key: ";".join(sorted(each)) for key, each in triggers.items()}
        self.report_roles(told, piece, self._reader.look(at, "poll"))

    def _deleted_records(
        self, of: str, deletions: Mapping[str, datetime], piece: Piece, at: datetime
    ) -> None:
        """Report deletions; the row, where it still is, tells a merge and a coming back."""
        rows = self._reader.by_id(of, deletions, at)
        place = piece.changes(of)
        look = self._reader.look(at, "poll")
        for record_id, deleted_at in deletions.items():
            row = rows.get(record_id)
            if row is None:
                fact: Shown = translate.deleted(translate.KINDS[of], record_id, deleted_at, look)
            elif row.flag("IsDeleted"):
                fact = self._reader.shown(of, row, look)
            else:
                continue
            if of == names.OPPORTUNITY:
                piece.known(of).drop(record_id)
            if not place.is_known(record_id, translate.fingerprint(fact)):
                self._report(of, fact, place.was(record_id), piece, look)

    def _deletions(self, of: str, start: datetime, end: datetime, at: datetime) -> Deletions | None:
        """Return the list, or None if Salesforce remembers nothing so long ago."""
        window = {"start": _minute(start), "end": _minute(end)}
        try:
            return wire.deletions(self._connection.get(f"/sobjects/{of}/deleted", at, window))
        except ReadRefusedError as error:
            if error.code == "INVALID_REPLICATION_DATE" and start < at - DELETED_REACH:
                return None
            raise

    def _newest(self, piece: Piece, at: datetime) -> datetime:
        """Return the latest instant known of Salesforce's clock, which may be ahead of ours."""
        newest = [place.newest for place in map(piece.changes, POLLED) if place.newest is not None]
        return max([at, *newest])


def _minute(at: datetime) -> str:
    """Write an instant as the list of deletions takes it; it ignores seconds."""
    return soql.instant(at.replace(second=0, microsecond=0)).replace("Z", "+00:00")
