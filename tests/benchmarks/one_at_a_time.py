"""The library's own way, with our rules: a `ProcessApplication` that follows a log of facts.

One fact, one transaction: its events, the position, and the rows that our own decide transaction
writes too (`record_identity`, `outbound_write`, `audit_line`), by plain statements in the pipeline
that the library's recorder opens. It gets what the library offers for speed and is right for one
worker: its cache of aggregates, with neither fast-forward (a SELECT for each hit) nor deep copies
(ours are frozen), and long sections of the log.

It is a yardstick and no more: no fence, no parking, no record that changes its stream.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, ProcessingEvent
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    InfrastructureFactory,
    JSONTranscoder,
    Mapper,
    StoredEvent,
)
from eventsourcing.postgres import PostgresFactory, PostgresProcessRecorder
from eventsourcing.system import Leader, ProcessApplication
from eventsourcing.utils import Environment
from psycopg import Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow
from typing_extensions import override

from adapters import codec
from adapters.engine.domain_rules import DomainRules
from adapters.postgres.audit import fields_json
from adapters.postgres.database import Database
from adapters.postgres.queries import queries_beside
from domain import ports
from domain.context import Context
from domain.deciding import Aggregate
from domain.events import Event
from domain.facts import Fact
from domain.ids import CATALOG_STREAM, POLICY_STREAM, Crm, Kind, Ref, StreamId, derived
from domain.ports import Identity
from projections import audit_line, outbound_write, record_identity
from projections.outbound_write import OutboundWrite
from tests.benchmarks.workload import DECIDED_AT

#: facts read at a time, and aggregates kept: as in our own loop
SECTION: Final = 1_000
CACHED: Final = 200_000
#: facts laid out in one transaction: the library's pipeline hangs for ever on some 400 KB
LAID_OUT: Final = 100
RULES: Final = DomainRules()
_SQL: Final = queries_beside(__file__)


@dataclass(frozen=True)
class Placed:
    """A fact or an event of ours, with the attributes that the library asks for."""

    originator_id: UUID
    originator_version: int
    said: Any


@dataclass
class Held:
    """An aggregate of ours, with the events that are not stored yet."""

    id: UUID
    version: int = 0
    state: Aggregate | None = None
    pending: list[Placed] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Fold an event."""
        self.version += 1
        self.state = RULES.evolve(self.state, event)

    def append(self, event: Event) -> None:
        """Fold a new event, and keep it until it is stored."""
        self.take(event)
        self.pending.append(Placed(self.id, self.version, event))

    def collect_events(self) -> Sequence[Placed]:
        """Hand over what is not stored yet."""
        collected, self.pending = self.pending, []
        return collected


class EventMapper(Mapper[UUID]):
    """Events as our own store has them."""

    @override
    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        assert isinstance(domain_event, Placed)
        topic, state = codec.encode_event(domain_event.said)
        return StoredEvent(
            domain_event.originator_id, domain_event.originator_version, topic, state
        )

    @override
    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        said = codec.decode_event(stored_event.topic, stored_event.state)
        return _placed(stored_event, said)


class FactMapper(EventMapper):
    """Facts, for the application that is followed."""

    @override
    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        said = codec.decode_fact(stored_event.topic, stored_event.state)
        return _placed(stored_event, said)


class Facts(Leader[UUID]):
    """The log of facts, as the library has it: an application's events."""

    log_section_size = SECTION


class OneAtATime(ProcessApplication[UUID]):
    """Decides each fact that it is given, and has it recorded before it takes the next."""

    pull_section_size = SECTION
    env: ClassVar[dict[str, str]] = {
        "AGGREGATE_CACHE_MAXSIZE": str(CACHED),
        "AGGREGATE_CACHE_FASTFORWARD": "n",
        "DEEPCOPY_FROM_AGGREGATE_CACHE": "n",
        # The tables are our migrations'.
        "CREATE_TABLE": "n",
    }

    @override
    def construct_mapper(self) -> Mapper[UUID]:
        return EventMapper(JSONTranscoder())

    @override
    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        factory = PostgresFactory(env)
        # Its own SQL names the schema; that of our rows does not.
        options = factory.datastore.pool.kwargs
        assert isinstance(options, dict)
        options["options"] = f"-c search_path={factory.datastore.schema} -c timezone=UTC"
        return factory

    @override
    def construct_recorder(self) -> "RowsRecorder":
        assert isinstance(self.factory, PostgresFactory)
        return RowsRecorder(self.factory.datastore)

    @override
    def policy(
        self,
        domain_event: DomainEventProtocol[UUID],
        processing_event: ProcessingEvent[UUID],
    ) -> None:
        assert isinstance(domain_event, Placed)
        fact: Fact = domain_event.said
        identities = self._identities(RULES.refs_to_route(fact), {})
        stream = RULES.stream_for(fact, identities)
        touched = {stream: self._held(stream)}
        own = touched[stream].state
        context = self._context(own, fact, identities)
        decided = RULES.decide(stream, own, fact, context)
        for event in decided:
            if event.stream not in touched:
                touched[event.stream] = self._held(event.stream)
            touched[event.stream].append(event)
        processing_event.collect_events(*touched.values())
        processing_event.saved_kwargs["placed"] = processing_event.events
        processing_event.saved_kwargs["changed"] = self._changed(decided, identities)

    def _changed(
        self, decided: Sequence[Event], identities: Mapping[Ref, Identity | None]
    ) -> list[Identity]:
        """Return the rows of `record_identity` that events change."""
        changes = [change for event in decided for change in record_identity.changes(event)]
        refs = [ref for change in changes for ref in record_identity.refs(change)]
        before = self._identities(refs, identities)
        after = dict(before)
        record_identity.fold_strictly(after, decided)
        return [row for ref, row in after.items() if row is not None and row != before[ref]]

    def _context(
        self, own: Aggregate | None, fact: Fact, identities: dict[Ref, Identity | None]
    ) -> Context:
        """Read what the rules need, until they need no more."""
        while True:
            needs = RULES.needs(own, fact, identities)
            if needs.refs <= identities.keys():
                break
            identities |= self._identities(needs.refs, identities)
        others = {stream: self._held(stream).state for stream in needs.streams}
        return RULES.context(
            self._held(POLICY_STREAM).state,
            self._held(CATALOG_STREAM).state,
            identities=identities,
            others={stream: state for stream, state in others.items() if state is not None},
            at=DECIDED_AT,
            epoch=0,
        )

    def _held(self, stream: StreamId) -> Held:
        try:
            return self.repository.get(UUID(stream), projector_func=_project)
        except AggregateNotFoundError:
            return Held(UUID(stream))

    def _identities(
        self, refs: Iterable[Ref], known: Mapping[Ref, Identity | None]
    ) -> dict[Ref, Identity | None]:
        unknown = [ref for ref in refs if ref not in known]
        found = dict(known) | dict.fromkeys(unknown)
        if unknown:
            assert isinstance(self.recorder, RowsRecorder)
            found |= {row.ref: row for row in self.recorder.select_identities(unknown)}
        return found


class RowsRecorder(PostgresProcessRecorder):
    """The library's recorder, with our other rows in its transaction."""

    def select_identities(self, refs: Sequence[Ref]) -> list[Identity]:
        """Read the rows of records."""
        wanted = {
            "crms": [ref.crm for ref in refs],
            "kinds": [ref.kind for ref in refs],
            "record_ids": [ref.id for ref in refs],
        }
        with self.datastore.get_connection() as connection, connection.cursor() as cursor:
            rows = cursor.execute(_SQL["identities"], wanted, prepare=True).fetchall()
        return [
            Identity(
                Ref(Crm(row["crm"]), Kind(row["kind"]), row["record_id"]),
                StreamId(row["stream"]),
                row["alive"],
                row["linked_to"],
            )
            for row in rows
        ]

    @override
    def _insert_events(
        self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> None:
        super()._insert_events(curs, stored_events, **kwargs)
        for row in kwargs["changed"]:
            values = (row.ref.crm, row.ref.kind, row.ref.id, row.stream, row.alive, row.linked_to)
            curs.execute(_SQL["put_identity"], values, prepare=True)

    @override
    def _fetch_ids_after_insert_events(
        self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        ids = super()._fetch_ids_after_insert_events(curs, stored_events, **kwargs)
        assert ids is not None
        for event_id, placed in zip(ids, kwargs["placed"], strict=True):
            stored = ports.StoredEvent(
                id=event_id,
                stream=placed.said.stream,
                version=placed.originator_version,
                event=placed.said,
                source="",
                offset=-1,
            )
            _add_rows(curs, stored)
        return ids


@contextmanager
def followed(database: Database) -> Iterator[OneAtATime]:
    """Give the application, as it follows the facts of a database."""
    with _facts(database) as facts, OneAtATime(_environment(database)) as process:
        process.follow(Facts.name, facts.notification_log)
        process.mappers[Facts.name] = FactMapper(JSONTranscoder())
        yield process


def lay_out(database: Database, facts: Sequence[Fact]) -> None:
    """Store facts where the application will find them."""
    stream = UUID(derived("the log of facts"))
    stored = [
        StoredEvent(stream, number, *codec.encode_fact(fact))
        for number, fact in enumerate(facts, start=1)
    ]
    with _facts(database) as application:
        for begun in range(0, len(stored), LAID_OUT):
            application.recorder.insert_events(stored[begun : begun + LAID_OUT])


def decide_all(process: OneAtATime) -> int:
    """Decide what waits, fact by fact; return how many that were."""
    process.pull_and_process(Facts.name)
    return process.recorder.max_tracking_id(Facts.name) or 0


def _facts(database: Database) -> Facts:
    return Facts(_environment(database))


def _environment(database: Database) -> dict[str, str]:
    named = conninfo_to_dict(database.url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(named["dbname"]),
        "POSTGRES_HOST": str(named["host"]),
        "POSTGRES_PORT": str(named["port"]),
        "POSTGRES_USER": str(named["user"]),
        "POSTGRES_PASSWORD": str(named.get("password", "")),
        "POSTGRES_SCHEMA": database.schema,
    }


def _placed(stored: StoredEvent, said: object) -> Placed:
    assert isinstance(stored.originator_id, UUID)
    return Placed(stored.originator_id, stored.originator_version, said)


def _project(held: Held | None, history: Iterable[Placed]) -> Held | None:
    for placed in history:
        held = held or Held(placed.originator_id)
        held.take(placed.said)
    return held


def _add_rows(curs: Cursor[DictRow], stored: ports.StoredEvent) -> None:
    match outbound_write.change(stored, DECIDED_AT):
        case OutboundWrite() as row:
            curs.execute(
                _SQL["add_write"],
                (
                    row.write_id,
                    row.stream,
                    row.version,
                    row.crm,
                    row.operation,
                    row.write.topic,
                    row.write.__pydantic_serializer__.to_json(row.write).decode(),
                    row.rule,
                    row.reason,
                    row.ambiguous,
                    row.cause,
                    row.policy_version,
                    row.decided_at,
                ),
                prepare=True,
            )
        case outbound_write.Withdrawal(write_id, reason):
            curs.execute(_SQL["withdraw_write"], (reason, write_id), prepare=True)
        case None:
            pass
    for number, line in enumerate(audit_line.lines(stored, DECIDED_AT)):
        curs.execute(
            _SQL["add_audit_line"],
            (
                stored.stream,
                stored.version,
                number,
                stored.id,
                line.at,
                line.kind,
                line.rule,
                line.opportunity_id,
                line.deal_id,
                line.contact_id,
                line.crm,
                line.object,
                line.record_id,
                line.operation,
                fields_json(line.fields),
                line.reason,
                line.ambiguous,
                line.cause.fact,
                line.cause.by,
                line.cause.at,
                line.policy_version,
                line.write_id,
            ),
            prepare=True,
        )
