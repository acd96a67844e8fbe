"""Design faults that can be planted into the real engine; `mutants` tries them.

Each changes what the engine does for as long as it is planted, never what a check looks at.
"""
# A patch takes whatever the original takes, and need not use it.
# ruff: noqa: ANN401, ARG001

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.bootstrap.crms import salesforce_fields
from adapters.engine.deliver import Deliver
from adapters.engine.ingest import Ingest
from adapters.engine.sheet import Sheet
from adapters.hubspot import signature
from adapters.hubspot.gateway import HubSpotGateway
from adapters.memory.decisions import MemoryDecisions
from adapters.memory.deliveries import MemoryDeliveries
from adapters.memory.followers import MemoryFollowers
from adapters.salesforce.gateway import SalesforceGateway
from adapters.source import is_pass_wanted, passed
from domain import events, facts, looking, observing, pairing, registers
from domain.deliveries import Done
from domain.ids import Crm
from domain.in_force import InForce
from domain.mapping import FieldRule
from domain.registers import Lesson
from domain.rules import (
    conflicts,
    contact_roles,
    deletion,
    entry,
    field_rules,
    pipeline_scope,
    restoration,
    values,
)
from domain.rules.conflicts import How, Verdict

#: (where it stands, its name, what stands there instead)
Patch = tuple[Any, str, Any]


@dataclass(frozen=True)
class Mutant:
    """One design fault."""

    name: str
    patches: Callable[[], Sequence[Patch]]


@contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """Plant a fault; the engine is whole again afterwards."""
    with ExitStack() as undone:
        for owner, name, instead in mutant.patches():
            before = owner.__dict__[name] if isinstance(owner, type) else getattr(owner, name)
            undone.callback(setattr, owner, name, before)
            setattr(owner, name, instead)
        yield


def _acknowledge_before_durable() -> Sequence[Patch]:
    def poll(self: Any, source: Any, at: datetime) -> int:
        wanted = is_pass_wanted(self._bookmarks, source.crm)
        if not (source.crm in self._more or source.due(at) or wanted):
            return 0
        polled = source.poll(at)
        for name, text in polled.bookmarks.items():
            self._bookmarks.write(name, text)
        if polled.pass_begun_at is not None:
            self._bookmarks.write(*passed(source.crm, polled.pass_begun_at))
        self._append(source.crm, polled.facts)
        self._more.discard(source.crm)
        if polled.more:
            self._more.add(source.crm)
        return int(len(polled.facts) + polled.more)

    return [(Ingest, "_poll", poll)]


def _hubspot_always_wins() -> Sequence[Patch]:
    def who_wins(salesforce: Any, hubspot: Any, *, skew: Any) -> Verdict:
        del salesforce, skew
        return Verdict(Crm.SALESFORCE if hubspot is None else Crm.HUBSPOT, How.CONCURRENT)

    return [(field_rules, "who_wins", who_wins)]


def _clocks_alone_decide() -> Sequence[Patch]:
    original = conflicts.who_wins

    def who_wins(salesforce: Any, hubspot: Any, *, skew: Any) -> Verdict:
        blind = [None if one is None else replace(one, saw=None) for one in (salesforce, hubspot)]
        return original(*blind, skew=skew)

    return [(field_rules, "who_wins", who_wins)]


def _unknown_is_done() -> Sequence[Patch]:
    def resolve(self: Any, wanted: Any, at: datetime) -> Any:
        return tuple(Done(one.target.record_id) for one in wanted)

    return [(SalesforceGateway, "resolve", resolve)]


def _pipelines_do_not_matter() -> Sequence[Patch]:
    return [(pipeline_scope, "deal_in_scope", lambda _story: True)]


def _no_look_at_the_pipeline() -> Sequence[Patch]:
    return [(looking, "_deal", lambda _write, _found, _in_force: None)]


def _no_look_at_all() -> Sequence[Patch]:
    return [(looking, "verdict", lambda _addressed, _seen, _in_force: None)]


def _no_look_at_the_fields() -> Sequence[Patch]:
    return [(looking, "_fields", lambda _write, _record, _zone: None)]


def _unfenced_positions() -> Sequence[Patch]:
    return [(MemoryDecisions, "_fence", lambda _self, _advances: None)]


def _leases_do_not_end() -> Sequence[Patch]:
    def end_attempts(self: Any, crm: Any, at: Any) -> int:
        for attempt in self.attempts.values():
            if attempt.crm is crm and attempt.closed_at is None and attempt.lease_until <= at:
                attempt.closed_at = at
        for row in self.rows.values():
            if row.crm is crm and row.state == "sent":
                row.state = row.state.__class__.PENDING
        return 0

    return [(MemoryDeliveries, "_end_attempts", end_attempts)]


def _outcomes_are_marked_first() -> Sequence[Patch]:
    def publish(self: Any, at: datetime) -> int:
        from domain.ports import KeyedFact, Topic  # noqa: PLC0415

        waiting = self._deliveries.unpublished(self.crm, limit=500)
        if waiting:
            self._deliveries.mark_published(waiting, at)
            self._log.append([KeyedFact(Topic.OUTCOMES, w.fact.stream, w.fact) for w in waiting])
        return len(waiting)

    return [(Deliver, "_publish", publish)]


def _deletions_stay_in_salesforce() -> Sequence[Patch]:
    return [(deletion, "archive_deal", lambda _story, _why: None)]


def _survivors_are_new() -> Sequence[Patch]:
    return [(restoration, "merged_unseen", lambda _fact, _context: ())]


def _undeleted_makes_no_deal() -> Sequence[Patch]:
    return [(restoration, "_opportunity_back", lambda _story: None)]


def _always_salesforce_is_two_way() -> Sequence[Patch]:
    original = field_rules.choose

    def choose(mapping: Any, state: Any, verdict: Any) -> Any:
        if mapping.rule in (FieldRule.ALWAYS_SALESFORCE, FieldRule.PREFER_SALESFORCE):
            mapping = mapping.model_copy(update={"rule": FieldRule.TWO_WAY})
        return original(mapping, state, verdict)

    return [(field_rules, "choose", choose)]


def _blanks_do_not_cross() -> Sequence[Patch]:
    original = field_rules.differences

    def differences(story: Any, side: Any) -> Any:
        return tuple(change for change in original(story, side) if change.after is not None)

    return [(field_rules, "differences", differences)]


def _answers_in_another_order() -> Sequence[Patch]:
    original = SalesforceGateway.send

    def send(self: Any, wanted: Any, at: datetime) -> Any:
        return tuple(reversed(original(self, wanted, at)))

    return [(SalesforceGateway, "send", send)]


def _roles_do_not_cross() -> Sequence[Patch]:
    return [(contact_roles, "cross", lambda _story: None)]


def _a_field_is_not_read() -> Sequence[Patch]:
    from adapters.simulation import engine  # noqa: PLC0415

    def fields(policy: Any) -> frozenset[str]:
        return salesforce_fields(policy) - {"Description"}

    return [(engine, "salesforce_fields", fields)]


def _outcomes_decide_nothing() -> Sequence[Patch]:
    return [(pairing, "weigh", lambda _story: None)]


def _a_poll_loses_its_last_fact() -> Sequence[Patch]:
    original = Ingest._append  # noqa: SLF001 - what is to be broken

    def append(self: Any, crm: Any, found: Any) -> None:
        original(self, crm, found[:-1] if len(found) > 1 else found)

    return [(Ingest, "_append", append)]


def _kinds_are_not_read(*kinds: type) -> Sequence[Patch]:
    original = Ingest._append  # noqa: SLF001 - what is to be broken

    def append(self: Any, crm: Any, found: Any) -> None:
        original(self, crm, [fact for fact in found if not isinstance(fact, kinds)])

    return [(Ingest, "_append", append)]


def _deletions_are_not_read() -> Sequence[Patch]:
    return _kinds_are_not_read(facts.RecordDeleted)


def _roles_are_not_read() -> Sequence[Patch]:
    return _kinds_are_not_read(facts.RolesObserved, facts.AssociationsObserved)


def _arrival_order_wins() -> Sequence[Patch]:
    original = registers.learn

    def learn(register: Any, what: Any, *, foreign: Any, **named: Any) -> Any:
        arrived = replace(foreign, low=named["read_begun_at"], high=named["read_begun_at"])
        return original(register, what, foreign=arrived, **named)

    return [(registers, "learn", learn)]


def _echo_by_origin_tag_only() -> Sequence[Patch]:
    original = registers.lesson

    def lesson(register: Any, seen: Any, *, read_begun_at: Any, skew: Any) -> Lesson | None:
        found = original(register, seen, read_begun_at=read_begun_at, skew=skew)
        before = register.foreign.high if register.foreign is not None else None
        newer = before is None or seen.high > before
        if found in (None, Lesson.KNOWN) and register.seen and not seen.ours and newer:
            return Lesson.CHANGED
        return found

    return [(observing, "lesson", lesson)]


def _moved_deals_are_deleted_too() -> Sequence[Patch]:
    original = deletion.detach

    def detach(story: Any, rule: Any, why: str) -> None:
        deletion.archive_deal(story, why)
        original(story, rule, why)

    return [
        (deletion, "detach", detach),
        (looking, "_deal", lambda _write, _found, _in_force: None),
        (InForce, "forbids", lambda _self, *_given, **_named: None),
    ]


def _a_cancelled_write_is_believed() -> Sequence[Patch]:
    original = registers.close

    def close(register: Any, write_id: Any, *, sent_at: Any, answered_at: Any) -> Any:
        asked = register.asked
        if sent_at is None and asked is not None and asked.write_id == write_id:
            return replace(register, known=asked.value, asked=None)
        return original(register, write_id, sent_at=sent_at, answered_at=answered_at)

    return [(registers, "close", close)]


def _lost_updates_of_deals_are_done() -> Sequence[Patch]:
    def resolve(self: Any, wanted: Any, at: datetime) -> Any:
        return tuple(Done(one.target.record_id) for one in wanted)

    return [(HubSpotGateway, "resolve", resolve)]


def _amounts_are_rounded() -> Sequence[Patch]:
    original = values.wire

    def wire(mapping: Any, value: Any, **named: Any) -> Any:
        if mapping.name == "amount" and value is not None:
            return str(round(Decimal(value)))
        return original(mapping, value, **named)

    return [(values, "wire", wire)]


def _ties_are_left_open() -> Sequence[Patch]:
    original = conflicts.who_wins

    def who_wins(salesforce: Any, hubspot: Any, *, skew: Any) -> Verdict:
        found = original(salesforce, hubspot, skew=skew)
        return found if found.how is How.SEQUENTIAL else Verdict(None, found.how)

    return [(field_rules, "who_wins", who_wins)]


def _stages_cross_without_their_pipeline() -> Sequence[Patch]:
    original = field_rules.field_changes

    def field_changes(story: Any, mapping: Any, side: Any, after: Any) -> Any:
        return original(story, mapping, side, after)[-1:]

    return [(field_rules, "field_changes", field_changes)]


def _old_deliveries_are_believed() -> Sequence[Patch]:
    return [(signature, "TOLERANCE_SECONDS", 10**9)]


def _parked_streams_go_on() -> Sequence[Patch]:
    return [(Sheet, "_parked", lambda _self, _stream: ())]


def _poison_is_skipped() -> Sequence[Patch]:
    def park(self: Any, stream: Any, logged: Any, error: str) -> Any:
        return events.NothingDecided(**self._about(stream, logged.fact), reason=error)

    return [(Sheet, "_park", park)]


def _opportunities_make_no_deal() -> Sequence[Patch]:
    return [(entry, "enter", lambda _story, _side, **_named: False)]


def _deals_of_people_make_no_opportunity() -> Sequence[Patch]:
    original = entry.enter

    def enter(story: Any, side: Any, **named: Any) -> bool:
        return side is Crm.SALESFORCE and original(story, side, **named)

    return [(entry, "enter", enter)]


def _positions_lag_behind() -> Sequence[Patch]:
    original = MemoryDecisions.commit

    def commit(self: Any, batch: Any, redecide: Any) -> Any:
        before = dict(self._positions)
        done = original(self, batch, redecide)
        self._positions.update({source: n for source, n in before.items() if n % 5 == 0})
        return done

    return [(MemoryDecisions, "commit", commit)]


def _signals_are_forgotten_first() -> Sequence[Patch]:
    original = MemoryFollowers.emit

    def emit(self: Any, send: Any, *, limit: int) -> int:
        return original(self, lambda _going: None, limit=limit)

    return [(MemoryFollowers, "emit", emit)]


MUTANTS = tuple(
    Mutant(function.__name__.strip("_").replace("_", " "), function)
    for function in (
        _acknowledge_before_durable,
        _hubspot_always_wins,
        _clocks_alone_decide,
        _unknown_is_done,
        _pipelines_do_not_matter,
        _no_look_at_the_pipeline,
        _no_look_at_all,
        _no_look_at_the_fields,
        _unfenced_positions,
        _leases_do_not_end,
        _outcomes_are_marked_first,
        _deletions_stay_in_salesforce,
        _survivors_are_new,
        _undeleted_makes_no_deal,
        _always_salesforce_is_two_way,
        _blanks_do_not_cross,
        _answers_in_another_order,
        _roles_do_not_cross,
        _a_field_is_not_read,
        _outcomes_decide_nothing,
        _a_poll_loses_its_last_fact,
        _deletions_are_not_read,
        _roles_are_not_read,
        _arrival_order_wins,
        _echo_by_origin_tag_only,
        _moved_deals_are_deleted_too,
        _a_cancelled_write_is_believed,
        _lost_updates_of_deals_are_done,
        _amounts_are_rounded,
        _ties_are_left_open,
        _stages_cross_without_their_pipeline,
        _old_deliveries_are_believed,
        _parked_streams_go_on,
        _poison_is_skipped,
        _opportunities_make_no_deal,
        _deals_of_people_make_no_opportunity,
        _positions_lag_behind,
        _signals_are_forgotten_first,
    )
)
