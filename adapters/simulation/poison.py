"""Facts that cannot be decided as they are, until somebody mends what is wrong with them."""

from dataclasses import dataclass, field
from typing import Final

from typing_extensions import override

from adapters.engine.domain_rules import DomainRules
from domain.context import Context
from domain.deciding import Aggregate
from domain.errors import PoisonFactError
from domain.events import Event
from domain.facts import DealObserved, Fact, OpportunityObserved
from domain.ids import FactId, StreamId

#: what an observer of a parked fact reads
POISON: Final = "planted poison"


@dataclass(slots=True)
class Poison:
    """Which facts are poisonous now."""

    #: how many of the next observations of a deal or an opportunity will be
    wanted: int = 0
    facts: set[FactId] = field(default_factory=set)
    #: which facts ever were
    ever: set[FactId] = field(default_factory=set)
    #: which facts the rules decided, by any worker, committed or not
    decided: set[FactId] = field(default_factory=set)

    def never_decided(self) -> frozenset[FactId]:
        """Return what was poisonous and the rules never decided.

        Another worker may have decided it just before; who met it may have died before it was
        parked, and it was mended meanwhile.
        """
        return frozenset(self.ever - self.decided)

    def mend(self) -> None:
        """Let every fact be decided from now on."""
        self.wanted = 0
        self.facts.clear()


class PoisonedRules(DomainRules):
    """The domain's own rules, which stumble over what is poisonous.

    They remember every step of every fold: an actor that dies reads its streams anew, which took a
    quarter of a world's time. States and events are frozen: the same step leads to the same state.

    Args:
        poison: which facts are.
    """

    def __init__(self, poison: Poison) -> None:
        self._poison = poison
        #: by the identity of state and event, which are kept so that it stays theirs
        self._folded: dict[tuple[int, int], tuple[Aggregate | None, Event, Aggregate]] = {}

    @override
    def evolve(self, aggregate: Aggregate | None, event: Event) -> Aggregate:
        step = id(aggregate), id(event)
        known = self._folded.get(step)
        if known is None:
            known = self._folded[step] = aggregate, event, super().evolve(aggregate, event)
        return known[2]

    @override
    def decide(
        self, stream: StreamId, aggregate: Aggregate | None, fact: Fact, context: Context
    ) -> tuple[Event, ...]:
        poison = self._poison
        if poison.wanted and isinstance(fact, DealObserved | OpportunityObserved):
            poison.wanted -= 1
            poison.facts.add(fact.id)
            poison.ever.add(fact.id)
        if fact.id in poison.facts:
            raise PoisonFactError(POISON)
        poison.decided.add(fact.id)
        return super().decide(stream, aggregate, fact, context)
