"""Follows an import: the facts that cite its request, and the events that decide them."""

from collections import defaultdict
from datetime import datetime
from typing import Final

from adapters.bootstrap.present import Present
from adapters.cli import import_counts, standing
from adapters.cli.requesting import Tail
from adapters.cli.session import Session
from adapters.postgres.wishes import wishes_left
from domain import facts
from domain.events import AccountImported, Event, WriteClosed
from domain.facts import Fact
from domain.ids import Crm, FactId, Kind, Ref, StreamId, WriteId
from domain.ports import ChangeLog
from domain.writes import Write

#: facts read at a time
FACTS_MAX: Final = 1_000
#: how long creates of which nothing is told are waited for
CREATES_SECONDS_MAX: Final = 15.0
#: an account of which nothing is told for so long is left waiting
SILENCE_SECONDS_MAX: Final = 20.0


class Watch:
    """What came of one request so far.

    Args:
        session: the open home; begun before the request.
        request: what the facts cite.
        kind: what is imported.
    """

    def __init__(self, session: Session, request: FactId, kind: Kind) -> None:
        self._session = session
        self._request = request
        self._kind = kind
        self._places = dict(session.stores.log.heads())
        self._tail = Tail(session.stores.decisions)
        #: fact id → the record that it is about; facts about its parts: None
        self._record_of: dict[str, str | None] = {}
        self._undecided: set[str] = set()
        self._told: dict[str, list[Event]] = defaultdict(list)
        #: events by stream, for answers that come by a signal
        self._by_stream: dict[StreamId, list[Event]] = defaultdict(list)
        self._linked: set[str] = set()
        self._news_at: datetime | None = None
        #: what became of writes, whoever decided them
        self._closed: dict[WriteId, WriteClosed] = {}
        self._closed_at: datetime | None = None
        self._present = Present(session.stores)
        #: the newest create of a counterpart, by the stream that decided it
        self._creates: dict[StreamId, Write] = {}
        #: the streams of records that are to get a counterpart; None: not looked for yet
        self._creating: dict[str, StreamId] | None = None

    @property
    def decided(self) -> int:
        """Return how many records were decided."""
        waiting = {self._record_of[fact_id] for fact_id in self._undecided}
        return len({record for record in self._record_of.values() if record} - waiting)

    def look(self) -> bool:
        """Read on; True: every reading is there, was decided, and nothing more comes of it."""
        stores = self._session.stores
        all_read = wishes_left(stores.database, self._request) == 0
        # Events first: whatever they decide is in the log by then.
        told = self._new_events()
        self._read_facts(stores.log)
        for event in told:
            self._take(event)
        if not all_read or self._undecided:
            return False
        return self._kind is not Kind.ACCOUNT or self._accounts_weighed(news=bool(told))

    def creates_settled(self) -> bool:
        """Read on; True: every create was answered, or nothing comes of the rest for now.

        A decided create is not a created record: the CRM may refuse it. It is waited for while
        answers come in, where somebody sends at all.
        """
        at = self._session.clock.now()
        self._closed_at = self._closed_at or at
        before = len(self._closed)
        for event in self._new_events():
            self._take(event)
        if len(self._closed) > before:
            self._closed_at = at
        now = standing.now_of(self._session, at, self._present)
        if self._creating is None:
            self._creating = self._found_creating()
        missing = [
            write
            for write in (self._creates[stream] for stream in self._creating.values())
            if write.id not in self._closed and write.CRM not in now.paused
        ]
        silent = (at - self._closed_at).total_seconds() > CREATES_SECONDS_MAX
        return not missing or not now.delivers or silent

    def outcomes(self) -> dict[str, str]:
        """Return how each record ended, by its id."""
        found: dict[str, str] = {}
        at = self._session.clock.now()
        paused = standing.now_of(self._session, at, self._present).paused
        creating = self._creating or {}
        for fact_id, record in self._record_of.items():
            if record is None:
                continue
            if self._kind is Kind.ACCOUNT:
                found[record] = self._account(fact_id, record) or import_counts.WAITING
            else:
                found[record] = import_counts.of_opportunity(self._told[fact_id])
            if found[record] == import_counts.CREATED and record in creating:
                create = self._creates[creating[record]]
                closed = self._closed.get(create.id)
                found[record] = import_counts.of_create(closed, paused=create.CRM in paused)
        return found

    def _found_creating(self) -> dict[str, StreamId]:
        found: dict[str, StreamId] = {}
        for fact_id, record in self._record_of.items():
            told = self._account_told(fact_id) if self._kind is Kind.ACCOUNT else None
            create = import_counts.create_of(self._told[fact_id] if told is None else told)
            if record is not None and create is not None:
                found[record] = create.stream
        return found

    def _read_facts(self, log: ChangeLog) -> None:
        while read := log.read(self._places, limit=FACTS_MAX):
            for logged in read:
                self._places[logged.source] = logged.offset
                fact = logged.fact
                if fact.cause != self._request:
                    continue
                self._record_of[fact.id] = _record_of(fact)
                self._undecided.add(fact.id)

    def _new_events(self) -> list[Event]:
        told: list[Event] = []
        while page := self._tail.read():
            told += page
        return told

    def _take(self, event: Event) -> None:
        if self._kind is Kind.ACCOUNT:
            self._by_stream[event.stream].append(event)
        create = import_counts.create_of([event])
        if create is not None:
            # One that was called off is decided anew; the newest tells how the record ends.
            self._creates[create.stream] = create
        if isinstance(event, WriteClosed) and event.outcome not in ("unknown", "held"):
            self._closed[event.write_id] = event
        if event.cause in self._record_of:
            self._told[event.cause].append(event)
            self._undecided.discard(event.cause)

    def _accounts_weighed(self, *, news: bool) -> bool:
        """Tell whether every account has its answer; what never comes is not waited for."""
        now = self._session.clock.now()
        if news or self._news_at is None:
            self._news_at = now
        pending = [
            record
            for fact_id, record in self._record_of.items()
            if record is not None and self._account(fact_id, record) is None
        ]
        # A link that was there before is no news to anybody: nothing is told of it again.
        refs = [Ref(Crm.SALESFORCE, Kind.ACCOUNT, record) for record in pending]
        known = self._session.stores.decisions.load((), refs).identities if refs else {}
        linked = {ref.id for ref, found in known.items() if found is not None and found.linked_to}
        self._linked |= linked
        silent = (now - self._news_at).total_seconds() > SILENCE_SECONDS_MAX
        return silent or len(linked) == len(pending)

    def _account(self, fact_id: str, record: str) -> str | None:
        """Return how an account ended; None: its candidates were not weighed yet."""
        if record in self._linked:
            return import_counts.LINKED
        later = self._account_told(fact_id)
        if later is None:
            return import_counts.of_account(self._told[fact_id]) or import_counts.WAITING
        return import_counts.of_account(later)

    def _account_told(self, fact_id: str) -> list[Event] | None:
        """Return what was told of an account since it was imported; None: it was not."""
        imported = next((e for e in self._told[fact_id] if isinstance(e, AccountImported)), None)
        if imported is None:
            return None
        stream = self._by_stream[imported.stream]
        later = stream[stream.index(imported) + 1 :]
        return [event for event in later if event.cause != fact_id]


def _record_of(fact: Fact) -> str | None:
    match fact:
        case facts.OpportunityObserved():
            return fact.opportunity_id
        case facts.DealObserved():
            return fact.deal_id
        case facts.AccountObserved():
            return fact.account_id
        case facts.RecordDeleted():
            return fact.record_id
        case _:
            return None
