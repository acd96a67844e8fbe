"""What the decide loop asks of the rules: pure functions, given as an argument.

Production gives the domain's; tests give tiny ones, and the simulation may give broken ones to see
that its checks notice.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, TypeVar

from domain.context import Context
from domain.events import Event, FactParked
from domain.facts import Fact
from domain.ids import Ref, StreamId
from domain.ports import Identity


class Aggregate(Protocol):
    """The state of a stream, as far as the loop looks into it."""

    @property
    def parked(self) -> tuple[FactParked, ...]:
        """Return the facts that wait on the stream, oldest first."""
        ...


class Needs(Protocol):
    """What is to be read before deciding."""

    @property
    def refs(self) -> frozenset[Ref]:
        """Return the records whose identity is wanted."""
        ...

    @property
    def streams(self) -> frozenset[StreamId]:
        """Return the streams whose state is wanted."""
        ...


#: whatever the rules keep of a stream
State = TypeVar("State", bound=Aggregate)


class Rules(Protocol[State]):
    """The domain, as the loop sees it."""

    def refs_to_route(self, fact: Fact) -> tuple[Ref, ...]:
        """Return the records whose owner must be known to say whose fact it is."""
        ...

    def stream_for(self, fact: Fact, identities: Mapping[Ref, Identity | None]) -> StreamId:
        """Return the stream that a fact is decided against."""
        ...

    def needs(
        self,
        aggregate: State | None,
        fact: Fact,
        identities: Mapping[Ref, Identity | None],
    ) -> Needs:
        """Return what else is to be read before deciding; asked again until nothing is new."""
        ...

    def context(
        self,
        policy: State | None,
        catalog: State | None,
        *,
        identities: Mapping[Ref, Identity | None],
        others: Mapping[StreamId, State],
        at: datetime,
        epoch: int,
    ) -> Context:
        """Put together what a decision may look at."""
        ...

    def decide(
        self, stream: StreamId, aggregate: State | None, fact: Fact, context: Context
    ) -> tuple[Event, ...]:
        """Return what follows from a fact: at least one event."""
        ...

    def evolve(self, aggregate: State | None, event: Event) -> State:
        """Return the state after an event."""
        ...
