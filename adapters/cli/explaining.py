"""Puts the story of a stream or of one of its fields together, for `why`: pure.

Each step names what caused it, so that the steps form the chain: fact → event (with its rule) →
write → attempts → echo. Where nothing was done, the event that says so is a step as well.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.cli import standing
from adapters.cli.standing import Now
from adapters.cli.wording import (
    CRM_NAMES,
    event_text,
    fact_text,
    field_text,
    lost_text,
    operation_text,
)
from domain import events, facts
from domain.catalog import Catalog
from domain.facts import Fact
from domain.ids import Crm, WriteId
from domain.issues import PROBLEMS
from domain.mapping import FieldRule
from domain.mapping import Mapping as FieldMapping
from domain.pair import Pair, PairState
from domain.ports import StoredEvent
from projections.reading import AttemptRow, WriteRow

#: events that change what may cross at all
_GATES: Final = (
    events.SyncEntered,
    events.SyncStopped,
    events.SyncResumed,
    events.PairDetached,
    events.PairDeleted,
    events.FactParked,
)
_BOOKS: Final = (events.SummaryChanged, events.WaitingChanged)


@dataclass(frozen=True, slots=True)
class Told:
    """An event with our clock when it was decided."""

    stored: StoredEvent
    decided_at: datetime

    @property
    def event(self) -> events.Event:
        """Return the event."""
        return self.stored.event

    @property
    def ref(self) -> str:
        """Return `stream:version`, as audit lines name it."""
        return f"{self.stored.stream}:{self.stored.version}"


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a write."""

    row: WriteRow
    attempts: tuple[AttemptRow, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain."""

    #: fact, event, write, attempt or echo
    kind: str
    at: datetime
    ref: str
    text: str
    #: the `ref` of another step, or of something further back; None: nobody knows
    caused_by: str | None


def about_field(history: Sequence[Told], field: str, *, whole: bool) -> list[Told]:
    """Return the events of a pair that concern a field.

    Args:
        history: the pair's events, oldest first.
        field: our name.
        whole: from the beginning; else from where its present value was settled.
    """
    write_ids = {
        told.event.write.id
        for told in history
        if isinstance(told.event, events.WriteDecided)
        and any(change.field == field for change in told.event.write.fields)
    }
    chosen = [told for told in history if _concerns(told.event, field, write_ids)]
    if not whole:
        chosen = _since_settled(chosen)
    last = chosen[-1].stored.version if chosen else 0
    chosen += [told for told in history if told.stored.version > last and _may_stop(told.event)][
        -3:
    ]
    return sorted(chosen, key=lambda told: told.stored.version)


def steps_of(
    chosen: Sequence[Told], known: Mapping[str, Fact], sent: Mapping[WriteId, Sent]
) -> Iterator[Step]:
    """Return the chain of events, each fact before the first event that decides it.

    Args:
        chosen: the events, oldest first.
        known: facts by id; one that is not there is left out.
        sent: what became of the writes that the events decide.
    """
    seen: set[str] = set()
    echoed = {t.event.write_id for t in chosen if isinstance(t.event, events.EchoSeen)}
    for told in chosen:
        event = told.event
        fact = known.get(event.cause)
        if fact is not None and event.cause not in seen:
            seen.add(event.cause)
            yield Step("fact", fact.at, fact.id, fact_text(fact), _cause_of(fact))
        if isinstance(event, events.EchoSeen):
            yield Step("echo", told.decided_at, told.ref, event_text(event), event.write_id)
            continue
        yield Step("event", told.decided_at, told.ref, event_text(event), event.cause)
        if isinstance(event, events.WriteDecided):
            became = sent.get(event.write.id)
            yield from _sending(told, event, became, with_echo=event.write.id not in echoed)


def _sending(
    told: Told, event: events.WriteDecided, sent: Sent | None, *, with_echo: bool
) -> Iterator[Step]:
    write_id = event.write.id
    state = "pending" if sent is None else sent.row.state
    why = sent.row.state_reason if sent is not None else None
    text = f"{operation_text(event.write)}: {state}{f' ({why})' if why else ''}"
    yield Step("write", told.decided_at, write_id, text, told.ref)
    if sent is None:
        return
    for attempt in sent.attempts:
        verb = "read what became of it" if attempt.resolving else "sent"
        answer = attempt.answer or "no answer"
        at = attempt.begun_at or attempt.claimed_at
        ref = f"{write_id}#{attempt.number}"
        yield Step("attempt", at, ref, f"attempt {attempt.number}: {verb}: {answer}", write_id)
    if with_echo and sent.row.echo is not None and sent.row.answered_at is not None:
        text = f"seen again in {sent.row.crm}: {sent.row.echo}"
        yield Step("echo", sent.row.answered_at, f"{write_id}#echo", text, write_id)


def field_answer(
    pair: Pair,
    mapping: FieldMapping,
    history: Sequence[Told],
    now: Now,
    rows: Mapping[WriteId, WriteRow],
) -> str:
    """Return in one sentence why a field is as it is, or why nothing crosses.

    Args:
        pair: as it is.
        mapping: of the field.
        history: the pair's events, oldest first.
        now: what holds for every pair.
        rows: of the pair's open writes.
    """
    state = pair.field(mapping.name)
    values = ", ".join(
        f"{field_text(mapping.name, state.on(side).known)} in {CRM_NAMES[side]}"
        for side in Crm
        if state.on(side).seen
    )
    is_now = f"{mapping.name} is {values}" if values else f"{mapping.name} was never seen"
    if not now.deal_sync:
        return f"{is_now}; nothing crosses: deal sync is off"
    if pair.state is not PairState.LIVE:
        return f"{is_now}; nothing crosses: {pair_answer(pair, history, now, rows)}"
    if mapping.rule is FieldRule.DONT_SYNC and now.policy.mapping(mapping.name) == mapping:
        return f"{is_now}; its rule is dont_sync: nothing crosses"
    if state.held:
        side, held = next(iter(sorted(state.held.items())))
        fix = PROBLEMS[held.code].fix if held.code in PROBLEMS else ""
        told = held.detail if fix in held.detail else f"{held.detail}; {fix}"
        return f"{is_now}; not written in {CRM_NAMES[side]}: {held.code} {told}"
    topic = next(
        (t for t in pair.refused if t in ("write.UpdateDeal", "write.UpdateOpportunity")), None
    )
    if topic is not None:
        return f"{is_now}; the write was refused: {' '.join(pair.refused[topic])}"
    on_its_way = "".join(
        f"; {standing.write_text(write, rows.get(write.id), now)}"
        for write in pair.open.values()
        if any(change.field == mapping.name for change in write.fields)
    )
    settled = _last(history, events.FieldSettled, mapping.name)
    if settled is None or state.base is None:
        if on_its_way:
            return f"{is_now}{on_its_way}"
        return f"{is_now}; it acts only when it changes (rule no-retroactive)"
    event = settled.event
    assert isinstance(event, events.FieldSettled), "that is what was looked for"
    won = f"{CRM_NAMES[event.winner]} won" if event.winner is not None else "chosen"
    # A cause's author need not be the winning value's: the loser's news settles a field as well.
    who = event.winner_by if event.winner is not None else event.by
    by = f" (set by {who})" if who else ""
    return f"{is_now}: {won}{by}, {event.how}, rule {mapping.rule}{lost_text(event)}{on_its_way}"


def pair_answer(
    pair: Pair, history: Sequence[Told], now: Now, rows: Mapping[WriteId, WriteRow]
) -> str:
    """Return in one sentence why a pair is in its state, and what is in its way."""
    text = f"the pair is {pair.state}"
    parked = f"; {len(pair.parked)} facts are parked: {pair.parked[0].error}" if pair.parked else ""
    told = "; ".join(f"{code} {issue}" for (code, _), issue in sorted(pair.issues.items()))
    issues = f"; open: {told}" if told else ""
    waits = f"; waits for {', '.join(pair.waiting)}" if pair.waiting else ""
    if pair.state is PairState.OUTSIDE:
        return f"{text}: {'; '.join(standing.why_outside(pair, now))}{parked}{issues}{waits}"
    gate = next((t for t in reversed(history) if isinstance(t.event, _GATES)), None)
    if gate is not None:
        text += f": {event_text(gate.event)}"
    open_writes = "".join(
        f"; {standing.write_text(write, rows.get(write.id), now)}" for write in pair.open.values()
    )
    off = "" if now.deal_sync else "; deal sync is off: nothing crosses"
    return f"{text}{parked}{issues}{waits}{open_writes}{off}"


def other_answer(history: Sequence[Told], catalog: Catalog | None) -> str:
    """Return in one sentence how a contact, an account or a definition stands."""
    if catalog is not None and catalog.issues:
        return "; ".join(f"{code} {text}" for (code, _), text in sorted(catalog.issues.items()))
    quiet = (*_BOOKS, events.NothingDecided)
    last = next((t for t in reversed(history) if not isinstance(t.event, quiet)), None)
    return "nothing was ever decided" if last is None else event_text(last.event)


def _concerns(event: events.Event, field: str, write_ids: Collection[WriteId]) -> bool:
    match event:
        case events.SideNoted():
            return any(note.field == field for note in event.fields)
        case events.FieldSettled() | events.FieldHeld():
            return event.field == field
        case events.FieldFreed():
            return event.field in (field, "*")
        case events.WriteDecided():
            return event.write.id in write_ids
        case events.WriteClosed() | events.EchoSeen() | events.WriteWithdrawn():
            return event.write_id in write_ids
        case events.IssueOpened() | events.IssueClosed():
            return event.subject == field
        case _:
            return False


def _since_settled(chosen: list[Told]) -> list[Told]:
    settled = [told for told in chosen if isinstance(told.event, events.FieldSettled)]
    if not settled:
        return chosen
    cause = settled[-1].event.cause
    first = next(n for n, told in enumerate(chosen) if told.event.cause == cause)
    return chosen[first:]


def _may_stop(event: events.Event) -> bool:
    return isinstance(event, (*_GATES, events.NothingDecided))


def _last(history: Sequence[Told], kind: type[events.FieldSettled], field: str) -> Told | None:
    return next(
        (t for t in reversed(history) if isinstance(t.event, kind) and t.event.field == field), None
    )


def _cause_of(fact: Fact) -> str | None:
    if fact.cause is not None:
        return fact.cause
    outcomes = (
        facts.WriteDone
        | facts.WriteRejected
        | facts.WriteUnknown
        | facts.WriteHeld
        | facts.WriteCancelled
    )
    return fact.write_id if isinstance(fact, outcomes) else None
