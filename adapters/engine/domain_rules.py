"""The domain's own rules, in the form that the decide loop asks for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from typing_extensions import override

from adapters.engine.rules import Rules
from domain import deciding
from domain.adoption import Adopted
from domain.catalog import Catalog
from domain.context import Context
from domain.deciding import Aggregate, Needs
from domain.events import Event
from domain.facts import Fact
from domain.ids import Ref, StreamId
from domain.ports import Identity

#: before the first adoption, and before a CRM was seen
_NO_POLICY: Final = Adopted()
_NO_CATALOG: Final = Catalog()


class DomainRules(Rules[Aggregate]):
    """What `domain.deciding` says."""

    @override
    def refs_to_route(self, fact: Fact) -> tuple[Ref, ...]:
        return deciding.refs_to_route(fact)

    @override
    def stream_for(self, fact: Fact, identities: Mapping[Ref, Identity | None]) -> StreamId:
        return deciding.stream_for(fact, identities)

    @override
    def needs(
        self,
        aggregate: Aggregate | None,
        fact: Fact,
        identities: Mapping[Ref, Identity | None],
    ) -> Needs:
        return deciding.needs(aggregate, fact, identities)

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
        adopted = policy if isinstance(policy, Adopted) else _NO_POLICY
        return Context(
            policy=adopted.policy,
            policy_version=adopted.policy_version,
            catalog=catalog if isinstance(catalog, Catalog) else _NO_CATALOG,
            identities=identities,
            others=others,
            at=at,
            epoch=epoch,
        )

    @override
    def decide(
        self, stream: StreamId, aggregate: Aggregate | None, fact: Fact, context: Context
    ) -> tuple[Event, ...]:
        return deciding.decide(stream, aggregate, fact, context)

    @override
    def evolve(self, aggregate: Aggregate | None, event: Event) -> Aggregate:
        return deciding.evolve(aggregate, event)
