"""The rules with a stop-watch: how much of a fact's CPU time is the domain's.

Reading the watch costs some microseconds a fact, so what is timed here is compared with nothing
that is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from time import thread_time

from typing_extensions import override

from adapters.engine.domain_rules import DomainRules
from domain.context import Context
from domain.deciding import Aggregate, Needs
from domain.events import Event
from domain.facts import Fact
from domain.ids import Ref, StreamId
from domain.ports import Identity


@dataclass
class TimedRules(DomainRules):
    """The domain's rules, timed."""

    #: CPU time of this thread in the rules, all calls together
    seconds: float = 0.0

    @override
    def refs_to_route(self, fact: Fact) -> tuple[Ref, ...]:
        begun = thread_time()
        try:
            return super().refs_to_route(fact)
        finally:
            self.seconds += thread_time() - begun

    @override
    def stream_for(self, fact: Fact, identities: Mapping[Ref, Identity | None]) -> StreamId:
        begun = thread_time()
        try:
            return super().stream_for(fact, identities)
        finally:
            self.seconds += thread_time() - begun

    @override
    def needs(
        self,
        aggregate: Aggregate | None,
        fact: Fact,
        identities: Mapping[Ref, Identity | None],
    ) -> Needs:
        begun = thread_time()
        try:
            return super().needs(aggregate, fact, identities)
        finally:
            self.seconds += thread_time() - begun

    @override
    def context(
        self,
        policy: Aggregate | None,
        catalog: Aggregate | None,
        *,
        identities: Mapping[Ref, Identity | None],
        others: Mapping[StreamId, Aggregate],
        at: datetime,
        epoch: int,
    ) -> Context:
        begun = thread_time()
        try:
            return super().context(
                policy, catalog, identities=identities, others=others, at=at, epoch=epoch
            )
        finally:
            self.seconds += thread_time() - begun

    @override
    def decide(
        self, stream: StreamId, aggregate: Aggregate | None, fact: Fact, context: Context
    ) -> tuple[Event, ...]:
        begun = thread_time()
        try:
            return super().decide(stream, aggregate, fact, context)
        finally:
            self.seconds += thread_time() - begun

    @override
    def evolve(self, aggregate: Aggregate | None, event: Event) -> Aggregate:
        begun = thread_time()
        try:
            return super().evolve(aggregate, event)
        finally:
            self.seconds += thread_time() - begun
