"""One decision in the making: events are told one by one, and fold in at once.

Every aggregate decides through a telling: it reads the state, tells an event, and reads what came
of it. A telling is local to one `decide`; what leaves it is the tuple of events.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Generic, Protocol, TypedDict, TypeVar

from domain import events
from domain.context import Context
from domain.facts import Fact
from domain.ids import StreamId, WriteId, derived
from domain.rules import RuleId
from domain.writes import Write


class Said(TypedDict):
    """What every event of one decision says alike."""

    stream: StreamId
    at: datetime
    cause: str
    by: str
    rule: RuleId
    policy_version: int
    epoch: int


class _State(Protocol):
    """What a telling needs of an aggregate's state."""

    @property
    def stream(self) -> StreamId:
        """Return the stream."""
        ...

    @property
    def version(self) -> int:
        """Return how many events are folded in."""
        ...


S = TypeVar("S", bound=_State)


class Telling(Generic[S]):
    """The events of one decision about one aggregate, and its state as they leave it."""

    def __init__(
        self, state: S, fact: Fact, context: Context, evolve: Callable[[S, events.Event], S]
    ) -> None:
        """Begin with the state as it is."""
        self.state = state
        self.fact = fact
        self.context = context
        self.events: list[events.Event] = []
        #: events of other streams that this decision founds or ends
        self.elsewhere: list[events.Event] = []
        self._evolve = evolve
        self._reasons: list[tuple[RuleId, str]] = []

    def said(self, rule: RuleId) -> Said:
        """Return what an event of this decision says beside its own fields."""
        return Said(
            stream=self.state.stream,
            at=self.fact.at,
            cause=self.fact.id,
            by=self.fact.by,
            rule=rule,
            policy_version=self.context.policy_version,
            epoch=self.context.epoch,
        )

    def tell(self, event: events.Event) -> None:
        """Decide an event of this aggregate."""
        self.events.append(event)
        self.state = self._evolve(self.state, event)

    def write_id(self) -> WriteId:
        """Return the id of the write that the next event decides."""
        version = str(self.state.version + 1)
        return WriteId(derived("write", str(self.context.epoch), self.state.stream, version))

    def ask(self, rule: RuleId, write: Write, reason: str, *, ambiguous: bool = False) -> None:
        """Decide a write; its id comes from `write_id()`."""
        said = self.said(rule)
        self.tell(events.WriteDecided(**said, write=write, reason=reason, ambiguous=ambiguous))

    def not_because(self, rule: RuleId, reason: str) -> None:
        """Remember why something was not done; it is told if nothing else was decided."""
        self._reasons.append((rule, reason))

    def all_told(self, otherwise: str) -> tuple[events.Event, ...]:
        """Return the events, other streams' last; if there are none, one that says why."""
        if not self.events:
            rule, reason = self._reasons[0] if self._reasons else (RuleId.EXPLAIN, otherwise)
            self.tell(events.NothingDecided(**self.said(rule), reason=reason))
        return (*self.events, *self.elsewhere)
