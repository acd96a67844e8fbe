"""Asks the engine something of one stream, and waits for what it decides.

A request is a fact like any other: it stands in the log, and the events that cite it are its
answer. If no engine runs, the command decides it itself (`alone`).
"""

import getpass
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.markup import escape

from adapters.bootstrap import accounts
from adapters.cli import wording
from adapters.cli.alone import answering
from adapters.cli.output import CommandFailure, Output
from adapters.cli.session import Session, engine_holders
from domain import events, facts, ids
from domain.canonical import Value
from domain.events import Event
from domain.facts import Request
from domain.ids import FactId, StreamId, WriteId
from domain.ports import Decisions, KeyedFact, Topic
from projections.following import FOLLOWERS

#: events read at a time while an answer is looked for
TAIL_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What was decided about a request."""

    request: FactId
    events: tuple[Event, ...]

    @property
    def writes(self) -> tuple[WriteId, ...]:
        """Return the writes that were decided."""
        return tuple(e.write.id for e in self.events if isinstance(e, events.WriteDecided))

    def check(self) -> "Answer":
        """Return the answer itself.

        Raises:
            CommandFailure: nothing was done, or the request waits behind parked facts.
        """
        for event in self.events:
            if isinstance(event, events.FactParked):
                raise CommandFailure(
                    "parked",
                    f"expected a stream without parked facts, found: {event.error}",
                    hint="`dealsync parked list` shows them; retry or discard them first",
                )
        told = [event for event in self.events if not isinstance(event, wording.BOOKS)]
        nothing = [event for event in told if isinstance(event, events.NothingDecided)]
        if told and len(nothing) == len(told):
            why = "; ".join(f"{event.reason} (rule {event.rule})" for event in nothing)
            raise CommandFailure("nothing_done", why)
        return self

    def values(self) -> dict[str, object]:
        """Return the answer as JSON shows it."""
        return {
            "request": self.request,
            "events": [
                {"type": event.TOPIC, "rule": event.rule, "text": wording.event_text(event)}
                for event in self.events
            ],
            "writes": list(self.writes),
        }

    def print(self, console: Console) -> None:
        """Print the answer for people."""
        for text in wording.texts(self.events):
            console.print(escape(text))


class Tail:
    """Reads events as they are stored, from now on."""

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions
        self._after = decisions.last_event_id()

    def read(self) -> tuple[Event, ...]:
        """Return the next events, oldest first; empty: none yet."""
        stored = self._decisions.tail(self._after, limit=TAIL_MAX)
        if stored:
            self._after = stored[-1].id
        return tuple(one.event for one in stored)


def operator() -> str:
    """Return who types the command, as this machine knows them."""
    try:
        return f"operator {getpass.getuser()}"
    except (OSError, KeyError):
        return "operator"


def request_id(session: Session, *parts: Value) -> FactId:
    """Return the id of a request made now."""
    at = session.clock.now()
    return FactId(ids.derived("request", *(part or "" for part in parts), at.isoformat()))


def ask(session: Session, command: str, stream: StreamId, fact: Request) -> Answer:
    """Append a request and return what was decided about it.

    Raises:
        CommandFailure: no answer came in time.
        HomeHeldError: an engine runs that does not decide.
    """
    tail = Tail(session.stores.decisions)
    found: list[Event] = []
    with answering(
        session, command, ("decide",), lambda: accounts.of_settings(session.settings)
    ) as go_on:
        session.stores.log.append([KeyedFact(Topic.REQUESTS, stream, fact)])
        while not found:
            found += [event for event in tail.read() if event.cause == fact.id]
            if not found:
                go_on()
    _follow(session)
    return Answer(fact.id, tuple(found))


def _follow(session: Session) -> None:
    """Where no engine does it, let what people read follow at once."""
    if engine_holders(session.home)["project"] is None:
        for name in FOLLOWERS:
            while session.stores.followers.follow(name, limit=TAIL_MAX):
                pass


def ask_pair(
    session: Session,
    stream: StreamId,
    action: str,
    *,
    field: str = "",
    value: Value = None,
) -> Answer:
    """Ask one of `PairRequested`'s actions of a stream."""
    fact = facts.PairRequested(
        id=request_id(session, action, stream, field, value),
        at=session.clock.now(),
        by=operator(),
        stream=stream,
        action=action,
        field=field,
        value=value,
    )
    return ask(session, f"dealsync {action}", stream, fact)


def show(output: Output, action: str, record: str, answer: Answer) -> None:
    """Print what came of a request."""
    values = {"action": action, "id": record, **answer.values()}
    output.show("request", values, answer.print)
