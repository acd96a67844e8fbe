"""What goes wrong, and where: around every port call, and on every request.

An actor that crosses a boundary (before or after a port call) may die there, sleep there, or find
that others have done whole steps meanwhile. A request may be lost before its effect or after it, be
refused for a while, or have some rows of its batch fail. Our own store may fail to answer, before
or after it did what it was asked for; of facts it may have taken some. Whether it happens is drawn
from the dice of the present choice, with probabilities that each seed draws for itself, and more
often where something is at stake than where an idle actor looks for work.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar, cast

from adapters.sandbox.faults import Fault
from adapters.simulation.dice import Dice, happens, weighted
from domain.errors import RetryableError
from domain.ids import Crm

P = TypeVar("P")

#: whole steps of others inside one another's port calls
NESTING_MAX: Final = 2
#: what a request that gets no answer costs its caller
NO_ANSWER_SECONDS: Final = 30.0


class CrashError(BaseException):
    """The actor is dead: nothing of it but what its ports hold is left."""


@dataclass(frozen=True, slots=True)
class Odds:
    """How likely each fault is, at one boundary or request."""

    crash: float = 0.0
    interrupt: float = 0.0
    sleep: float = 0.0
    request: float = 0.0
    #: our own store or log does not answer, before or after it did what it was asked for
    store: float = 0.0
    webhook_drop: float = 0.0
    webhook_twice: float = 0.0
    webhook_reorder: float = 0.0
    webhook_late: float = 0.0
    #: somebody sends again what once was sent to us, signature and all
    webhook_replay: float = 0.0
    #: where actors die more often than elsewhere; blank: nowhere
    deadly_place: str = ""
    #: whether everything is compared now and then; without it nothing may be lost on the way
    sweeps: bool = True


NONE: Final = Odds()
#: what befalls a request, by weight
_REQUEST_FAULTS: Final = (
    ("timeout_after_commit", 3.0),
    ("reset_before", 2.0),
    ("unavailable", 2.0),
    ("throttle", 2.0),
    ("throttle_retry_after", 1.0),
    ("partial", 3.0),
    ("unauthenticated", 0.5),
)
#: where an actor may die again and again in one world
_DEADLY_PLACES: Final = (
    *("log.append", "log.read", "bookmarks.write", "refreshes.done", "refreshes.add"),
    *("decisions.commit", "followers.follow", "followers.emit", "desk.mark_echoes"),
    *("deliveries.claim", "deliveries.begin", "deliveries.settle", "deliveries.mark_published"),
    *("salesforce.request", "hubspot.request"),
)
#: of a crossing there
_DEADLY: Final = 0.08
#: how much more often than elsewhere something happens at a place; what is not named: 1
_STAKES: Final = {
    **dict.fromkeys(
        (
            *("bookmarks.read", "log.read", "decisions.positions", "decisions.tail"),
            *("deliveries.unpublished", "deliveries.claim", "followers.wake", "refreshes.claim"),
            "decisions.last_event_id",
        ),
        0.2,
    ),
    **dict.fromkeys(
        (
            *("log.append", "bookmarks.write", "refreshes.done", "refreshes.add"),
            *("decisions.commit", "desk.mark_echoes", "deliveries.begin", "deliveries.settle"),
            *("deliveries.mark_published", "deliveries.release"),
        ),
        6.0,
    ),
}
#: the same for what those ask of a CRM who write to it
_STAKE_OF_DELIVERY: Final = 6.0
#: the largest odds that a seed may draw
_MOST: Final = Odds(
    crash=0.005,
    interrupt=0.03,
    sleep=0.002,
    request=0.06,
    store=0.004,
    webhook_drop=0.5,
    webhook_twice=0.3,
    webhook_reorder=0.5,
    webhook_late=0.3,
    webhook_replay=0.3,
)


def drawn_odds(dice: Dice) -> Odds:
    """Return the odds of one seed: each fault is absent in a third of the seeds."""

    def draw(most: float) -> float:
        return 0.0 if happens(dice, 1 / 3) else most * dice.random()

    sweeps = happens(dice, 2 / 3)
    return Odds(
        sweeps=sweeps,
        deadly_place=dice.choice(_DEADLY_PLACES) if happens(dice, 1 / 2) else "",
        crash=draw(_MOST.crash),
        interrupt=draw(_MOST.interrupt),
        sleep=draw(_MOST.sleep),
        request=draw(_MOST.request),
        webhook_drop=draw(_MOST.webhook_drop) if sweeps else 0.0,
        webhook_twice=draw(_MOST.webhook_twice),
        webhook_reorder=draw(_MOST.webhook_reorder),
        webhook_late=draw(_MOST.webhook_late),
        store=draw(_MOST.store),
        webhook_replay=draw(_MOST.webhook_replay),
    )


@dataclass(slots=True)
class Hazards:
    """The faults of one world.

    Args:
        odds: how likely each is.
        interrupt: does a few whole steps of actors that are in none.
        sleep: lets time pass while one actor stands still and others work.
    """

    odds: Odds
    interrupt: Callable[[], None]
    sleep: Callable[[], None]
    #: of the present choice
    dice: Dice | None = None
    #: off while people act, and in the calm
    armed: bool = False
    depth: int = 0
    #: told of every boundary, before anything else happens there: (actor, place)
    watch: Callable[[str, str], None] | None = None
    #: (fault, where) → how often
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: what happened since the last look, for the story
    told: list[str] = field(default_factory=list)

    def boundary(self, actor: str, place: str) -> None:
        """Cross a boundary.

        Raises:
            CrashError: the actor dies here.
        """
        if self.watch is not None:
            self.watch(actor, place)
        if not self.armed or self.dice is None:
            return
        stake = _stake(actor, place)
        is_deadly = bool(self.odds.deadly_place) and place.endswith(self.odds.deadly_place)
        if happens(self.dice, _DEADLY if is_deadly else self.odds.crash * stake):
            self._count("crash", place, actor)
            raise CrashError(f"{actor} dies {place}")
        if self.depth < NESTING_MAX:
            if happens(self.dice, self.odds.interrupt * stake):
                self._count("interrupt", place, actor)
                self._nested(self.interrupt)
            if happens(self.dice, self.odds.sleep * stake):
                self._count("sleep", place, actor)
                self._nested(self.sleep)

    def on_request(self, crm: Crm, actor: str) -> Fault | None:
        """Return the fault that befalls a request of the engine's, or None."""
        if not self.armed or self.dice is None:
            return None
        of_delivery = actor.startswith("deliver")
        odds = self.odds.request * (_STAKE_OF_DELIVERY if of_delivery else 1.0)
        if not happens(self.dice, odds):
            return None
        kind = weighted(self.dice, _REQUEST_FAULTS)
        self._count(kind, f"at {crm}.request", actor)
        match kind:
            case "unavailable":
                return Fault("error", status=503, count=1)
            case "unauthenticated":
                return Fault("error", status=401, count=1)
            case "throttle":
                return Fault("throttle", count=1)
            case "throttle_retry_after":
                return Fault("throttle", retry_after=self.dice.randrange(1, 30), count=1)
            case "timeout_after_commit":
                return Fault(kind, seconds=NO_ANSWER_SECONDS, count=1)
            case _:
                return Fault(kind, count=1)

    def store_fails(self, actor: str, place: str) -> bool:
        """Tell whether our own store or log does not answer here."""
        if not self.armed or self.dice is None:
            return False
        if not happens(self.dice, self.odds.store * _stake(actor, place)):
            return False
        self._count("log failed" if ".append" in place else "store failed", place, actor)
        return True

    def _nested(self, do: Callable[[], None]) -> None:
        self.depth += 1
        try:
            do()
        finally:
            self.depth -= 1

    def befell(self, fault: str, where: str) -> None:
        """Count what befell the world outside of a port call."""
        self.counts[fault, where] += 1

    def _count(self, fault: str, place: str, actor: str) -> None:
        self.counts[fault, f"{actor.partition('-')[0]} {place}"] += 1
        self.told.append(f"{fault} of {actor} {place}")


def _stake(actor: str, place: str) -> float:
    called = place.partition(" ")[2]
    if actor.startswith("deliver") and called.endswith(".request"):
        return _STAKE_OF_DELIVERY
    return _STAKES.get(called, 1.0)


class _Guard:
    """A port whose calls are boundaries."""

    def __init__(self, port: object, name: str, actor: str, hazards: Hazards) -> None:
        self._port = port
        self._name = name
        self._actor = actor
        self._hazards = hazards

    def __getattr__(self, method: str) -> object:
        found = getattr(self._port, method)
        if not callable(found):
            return found
        place = f"{self._name}.{method}"
        before, after = f"before {place}", f"after {place}"

        def call(*given: object, **named: object) -> object:
            hazards, actor = self._hazards, self._actor
            hazards.boundary(actor, before)
            if hazards.store_fails(actor, before):
                if method == "append" and isinstance(given[0], list):
                    found(given[0][: len(given[0]) // 2])  # "none or some of them"
                raise RetryableError(f"{place} did not answer")
            answer = found(*given, **named)
            if hazards.store_fails(actor, after):
                raise RetryableError(f"{place} did it and did not answer")
            hazards.boundary(actor, after)
            return answer

        setattr(self, method, call)  # so that the next look finds it
        return call


def guarded(port: P, name: str, actor: str, hazards: Hazards) -> P:
    """Return a port as one actor meets it: every call of it is a boundary."""
    return cast("P", _Guard(port, name, actor, hazards))
