"""Reads what `why` and `pairs` tell: a stream's events, the facts behind them, its writes."""

from collections.abc import Iterable, Sequence
from typing import Final

from adapters.bootstrap.stores import Stores
from adapters.cli.explaining import Sent, Told
from domain import deciding, events
from domain.deciding import Aggregate
from domain.events import Event
from domain.facts import Fact
from domain.ids import StreamId, WriteId
from domain.ports import ChangeLog

#: facts that are looked up for one answer
FACTS_MAX: Final = 400


def history_of(stores: Stores, stream: StreamId) -> list[Told]:
    """Return a stream's events, oldest first."""
    return [Told(stored, at) for stored, at in stores.views.history(stream)]


def folded(history: Iterable[Told]) -> Aggregate | None:
    """Return the aggregate as its events leave it."""
    return folded_events(told.event for told in history)


def folded_events(told: Iterable[Event]) -> Aggregate | None:
    """Return the aggregate as events leave it."""
    aggregate: Aggregate | None = None
    for event in told:
        aggregate = deciding.evolve(aggregate, event)
    return aggregate


def facts_behind(log: ChangeLog, chosen: Sequence[Told]) -> dict[str, Fact]:
    """Return the facts that events decide, by id; of very many, the latest."""
    places = dict.fromkeys((told.stored.source, told.stored.offset) for told in reversed(chosen))
    heads = dict(log.heads())
    found: dict[str, Fact] = {}
    for source, offset in list(places)[:FACTS_MAX]:
        if source not in heads:
            continue
        read = log.read({**heads, source: offset - 1}, limit=1)
        found |= {logged.fact.id: logged.fact for logged in read}
    return found


def sent_of(stores: Stores, chosen: Sequence[Told]) -> dict[WriteId, Sent]:
    """Return what became of the writes that events decide."""
    found: dict[WriteId, Sent] = {}
    for told in chosen:
        if isinstance(told.event, events.WriteDecided):
            row = stores.views.write(told.event.write.id)
            if row is not None:
                found[row.write_id] = Sent(row, stores.views.attempts(row.write_id))
    return found
