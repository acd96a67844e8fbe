"""Rules that a test can see through: what a fact says in words is what is decided.

`Reconsider.because` is a small command:

| because | decided |
|---|---|
| `add:3` | the stream's sum grows by 3; the reason says the new sum |
| `copy:NAME` | the stream's sum becomes that of the stream NAME |
| `found:ID` | the stream founds the deal ID, if nobody has; else the reason says whose it is |
| `absorb:NAME` | the stream NAME is absorbed into this one |
| `steal:ID` | the stream claims the deal ID, whoever has it |
| `say:TEXT` | nothing; TEXT is the reason; `broken` raises in `evolve` |
| `poison` | raises, as long as `cured` is false |

A `RecordDeleted` goes to the stream that owns the record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from domain import events, facts
from domain.catalog import Catalog
from domain.context import Context
from domain.errors import PoisonFactError
from domain.events import Event
from domain.facts import Fact
from domain.ids import Ref, StreamId, stream_of
from domain.policy import Policy
from domain.ports import Identity
from domain.rules import RuleId
from tests.support.store_samples import absorbed, deal, founded, revived, stream


@dataclass(frozen=True)
class Sum:
    """A number, and what is parked."""

    value: int = 0
    parked: tuple[events.FactParked, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """What is to be read."""

    refs: frozenset[Ref] = frozenset()
    streams: frozenset[StreamId] = frozenset()


class TinyRules:
    """Rules over sums; `decided` counts how often each fact was decided."""

    def __init__(self) -> None:
        self.cured = False
        self.decided: list[str] = []

    def refs_to_route(self, fact: Fact) -> tuple[Ref, ...]:
        if isinstance(fact, facts.RecordDeleted):
            return (Ref(fact.crm, fact.kind, fact.record_id),)
        return ()

    def stream_for(self, fact: Fact, identities: Mapping[Ref, Identity | None]) -> StreamId:
        match fact:
            case facts.Reconsider():
                return fact.stream
            case facts.RecordDeleted():
                ref = Ref(fact.crm, fact.kind, fact.record_id)
                owner = identities[ref]
                return stream_of(ref) if owner is None else owner.stream
            case _:
                raise PoisonFactError("no such way")

    def needs(
        self, aggregate: Sum | None, fact: Fact, identities: Mapping[Ref, Identity | None]
    ) -> Wanted:
        del aggregate, identities
        match _command(fact):
            case "copy" | "absorb", name:
                return Wanted(streams=frozenset({stream(name)}))
            case "found" | "steal", record_id:
                return Wanted(refs=frozenset({deal(record_id)}))
            case _:
                return Wanted()

    def context(
        self,
        policy: Sum | None,
        catalog: Sum | None,
        *,
        identities: Mapping[Ref, Identity | None],
        others: Mapping[StreamId, Sum],
        at: datetime,
        epoch: int,
    ) -> Context:
        del catalog
        self.others = others
        return Context(
            policy=Policy(),
            policy_version=0 if policy is None else policy.value,
            catalog=Catalog(),
            identities=identities,
            at=at,
            epoch=epoch,
        )

    def decide(
        self, stream: StreamId, aggregate: Sum | None, fact: Fact, context: Context
    ) -> tuple[Event, ...]:
        total = 0 if aggregate is None else aggregate.value
        self.decided.append(fact.id)
        match _command(fact):
            case "add", number:
                said = str(total + int(number))
            case "copy", name:
                other = self.others.get(_stream(name))
                said = str(0 if other is None else other.value)
            case "found", record_id:
                owner = context.identity(deal(record_id))
                if owner is None:
                    return (founded("", deal(record_id)).model_copy(update={"stream": stream}),)
                said = f"of {owner.stream}"
            case "steal", record_id:
                return (revived("", deal(record_id)).model_copy(update={"stream": stream}),)
            case "say", text:
                said = text
            case "absorb", name:
                return (_nothing(stream, fact, context, "absorbs"), _into(name, stream))
            case "poison", _ if not self.cured:
                raise PoisonFactError("a poison fact")
            case _:
                said = "nothing"
        return (_nothing(stream, fact, context, said),)

    def evolve(self, aggregate: Sum | None, event: Event) -> Sum:
        before = aggregate or Sum()
        match event:
            case events.NothingDecided(reason="broken"):
                raise KeyError("broken")
            case events.NothingDecided(reason=reason) if reason.lstrip("-").isdigit():
                return replace(before, value=int(reason))
            case events.FactParked():
                return replace(before, parked=(*before.parked, event))
            case events.ParkedFactSettled(position=position):
                kept = tuple(p for p in before.parked if p.position != position)
                return replace(before, parked=kept)
            case _:
                return before


def _command(fact: Fact) -> tuple[str, str]:
    if not isinstance(fact, facts.Reconsider):
        return "", ""
    verb, _, argument = fact.because.partition(":")
    return verb, argument


def _stream(name: str) -> StreamId:
    return stream(name)


def _into(name: str, target: StreamId) -> events.PairAbsorbed:
    return absorbed(name, "").model_copy(update={"into": target})


def _nothing(target: StreamId, fact: Fact, context: Context, reason: str) -> events.NothingDecided:
    return events.NothingDecided(
        stream=target,
        at=fact.at,
        cause=fact.id,
        rule=RuleId.ORDER,
        policy_version=context.policy_version,
        epoch=context.epoch,
        reason=reason,
    )
