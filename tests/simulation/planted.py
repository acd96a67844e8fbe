"""Design faults planted into the real engine, to see that the simulation's checks have teeth.

Each changes the engine's behaviour for as long as it is planted, never a check's. Run this module
to see at which seed, and by which promise, each is killed.

Usage: python -m tests.simulation.mutants [SEEDS] [NAME…]
"""
# A patch takes whatever the original takes, and need not use it.
# ruff: noqa: ANN401, ARG001

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapters.bootstrap.crms import salesforce_fields
from adapters.engine.decide import Decide
from adapters.engine.deliver import Deliver
from adapters.engine.ingest import Ingest
from adapters.hubspot import steps as hubspot_steps
from adapters.hubspot.record_writes import RecordWrites
from adapters.memory.decisions import MemoryDecisions
from adapters.memory.deliveries import MemoryDeliveries
from adapters.salesforce.gateway import SalesforceGateway
from adapters.simulation.world import run
from adapters.source import is_pass_wanted, passed
from domain import deciding, looking, observing, pairing, registers
from domain.deliveries import Done, NotSent
from domain.ids import Crm
from domain.mapping import FieldRule
from domain.registers import Lesson
from domain.rules import (
    conflicts,
    contact_roles,
    deletion,
    field_rules,
    links,
    pipeline_scope,
    restoration,
)
from domain.rules.conflicts import How, Verdict

SEEDS_DEFAULT = 100
#: choices of a world: small worlds are many in a second
STEPS = 70
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


def _forget_wishes_before_reading() -> Sequence[Patch]:
    def read_wanted(self: Any, source: Any, at: datetime) -> int:
        wishes = self._refreshes.claim(source.crm, at=at, limit=100, lease_seconds=60)
        self._refreshes.done(wishes)
        self._append(source.crm, source.read(wishes, at) if wishes else ())
        return len(wishes)

    return [(Ingest, "_read_wanted", read_wanted)]


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


def _unknown_creates_are_sent_again() -> Sequence[Patch]:
    def resolve(self: Any, wanted: Any, at: datetime) -> Any:
        return tuple(NotSent("blind") for _ in wanted)

    def resolve_create(self: Any, sending: Any, kind: Any, wanted: Any) -> Any:
        return {one.trace_id: NotSent("blind") for one in wanted}

    return [
        (SalesforceGateway, "resolve", resolve),
        (SalesforceGateway, "_by_key", lambda _self, _keys, _at: {}),
        (RecordWrites, "resolve_create", resolve_create),
    ]


def _unknown_is_done() -> Sequence[Patch]:
    def resolve(self: Any, wanted: Any, at: datetime) -> Any:
        return tuple(Done(one.target.record_id) for one in wanted)

    return [(SalesforceGateway, "resolve", resolve)]


def _creates_ignore_their_key() -> Sequence[Patch]:
    return [(links, "opportunity_key", lambda deal_id, _earlier: f"{deal_id}:x")]


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


def _nothing_is_decided_again() -> Sequence[Patch]:
    def redecide(self: Any, known: Any, drawn: Any, advances: Any, at: Any, newer: Any) -> Any:
        from adapters.engine.decide import _batch  # noqa: PLC0415

        known.follow(newer)
        return _batch(known.as_of, advances, drawn)

    return [(Decide, "_redecide", redecide)]


def _our_values_are_changes() -> Sequence[Patch]:
    original = registers.lesson

    def lesson(register: Any, seen: Any, **named: Any) -> Lesson | None:
        return original(register, replace(seen, ours=False), **named)

    return [(observing, "lesson", lesson)]


def _everything_seen_is_a_change() -> Sequence[Patch]:
    original = registers.lesson

    def lesson(register: Any, seen: Any, **named: Any) -> Lesson | None:
        found = original(register, seen, **named)
        return Lesson.CHANGED if found is Lesson.KNOWN and register.seen else found

    return [(observing, "lesson", lesson)]


def _late_readings_count() -> Sequence[Patch]:
    original = registers.lesson

    def lesson(register: Any, seen: Any, *, read_begun_at: Any, skew: Any) -> Lesson | None:
        latest = max(read_begun_at, register.learned_at or read_begun_at)
        return original(register, seen, read_begun_at=latest, skew=skew)

    return [(observing, "lesson", lesson)]


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


def _stopped_deals_are_deleted_too() -> Sequence[Patch]:
    original = deletion.detach

    def detach(story: Any, rule: Any, why: str) -> None:
        deletion.archive_deal(story, why)
        original(story, rule, why)

    return [(deletion, "detach", detach)]


def _survivors_are_new() -> Sequence[Patch]:
    return [(restoration, "merged_unseen", lambda _fact, _context: ())]


def _old_readings_revive() -> Sequence[Patch]:
    original = restoration.is_back

    def is_back(story: Any, side: Any, record_id: str) -> bool:
        record = story.pair.side(side)
        story.state = story.pair.with_side(side, replace(record, buried_at=None))
        return original(story, side, record_id)

    return [(restoration, "is_back", is_back)]


def _undeleted_makes_no_deal() -> Sequence[Patch]:
    return [(restoration, "_opportunity_back", lambda _story: None)]


def _always_salesforce_is_two_way() -> Sequence[Patch]:
    original = field_rules.choose

    def choose(mapping: Any, state: Any, verdict: Any) -> Any:
        if mapping.rule in (FieldRule.ALWAYS_SALESFORCE, FieldRule.PREFER_SALESFORCE):
            mapping = mapping.model_copy(update={"rule": FieldRule.TWO_WAY})
        return original(mapping, state, verdict)

    return [(field_rules, "choose", choose)]


def _dont_sync_syncs() -> Sequence[Patch]:
    original = field_rules.crosses_on_create

    def crosses(mapping: Any, side: Any) -> bool:
        return mapping.rule is FieldRule.DONT_SYNC or original(mapping, side)

    return [
        (field_rules, "crosses_on_create", crosses),
    ]


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


def _no_sweep() -> Sequence[Patch]:
    return [(hubspot_steps.Steps, "sweep", lambda _self: [])]


def _roles_do_not_cross() -> Sequence[Patch]:
    return [(contact_roles, "cross", lambda _story: None)]


def _a_field_is_not_read() -> Sequence[Patch]:
    from adapters.simulation import engine  # noqa: PLC0415

    def fields(policy: Any) -> frozenset[str]:
        return salesforce_fields(policy) - {"Description"}

    return [(engine, "salesforce_fields", fields)]


def _copies_take_the_pair() -> Sequence[Patch]:
    return [(deciding, "_may_take", lambda _pair: True)]


def _a_cancelled_write_is_believed() -> Sequence[Patch]:
    original = registers.close

    def close(register: Any, write_id: Any, *, sent_at: Any, answered_at: Any) -> Any:
        asked = register.asked
        if sent_at is None and asked is not None and asked.write_id == write_id:
            return replace(register, known=asked.value, asked=None)
        return original(register, write_id, sent_at=sent_at, answered_at=answered_at)

    from domain import pair_history  # noqa: PLC0415

    return (
        [(pair_history, "close", close)]
        if hasattr(pair_history, "close")
        else [(registers, "close", close)]
    )


def _outcomes_decide_nothing() -> Sequence[Patch]:
    return [(pairing, "weigh", lambda _story: None)]


MUTANTS = tuple(
    Mutant(function.__name__.strip("_").replace("_", " "), function)
    for function in (
        _acknowledge_before_durable,
        _forget_wishes_before_reading,
        _hubspot_always_wins,
        _clocks_alone_decide,
        _unknown_creates_are_sent_again,
        _unknown_is_done,
        _creates_ignore_their_key,
        _pipelines_do_not_matter,
        _no_look_at_the_pipeline,
        _no_look_at_all,
        _no_look_at_the_fields,
        _unfenced_positions,
        _nothing_is_decided_again,
        _our_values_are_changes,
        _everything_seen_is_a_change,
        _late_readings_count,
        _leases_do_not_end,
        _outcomes_are_marked_first,
        _deletions_stay_in_salesforce,
        _stopped_deals_are_deleted_too,
        _survivors_are_new,
        _old_readings_revive,
        _undeleted_makes_no_deal,
        _always_salesforce_is_two_way,
        _dont_sync_syncs,
        _blanks_do_not_cross,
        _answers_in_another_order,
        _no_sweep,
        _roles_do_not_cross,
        _a_field_is_not_read,
        _copies_take_the_pair,
        _a_cancelled_write_is_believed,
        _outcomes_decide_nothing,
    )
)


def killed_at(mutant: Mutant, seeds: range) -> tuple[int, str] | None:
    """Return the first seed that kills a mutant and the promise it broke, or None."""
    with planted(mutant):
        for seed in seeds:
            violations = run(seed, STEPS).violations
            if violations:
                return seed, f"{violations[0].invariant}: {violations[0].text}"
    return None


def main(arguments: Sequence[str]) -> int:
    """Try every mutant, or those whose name contains a word; one line each."""
    seeds = range(int(arguments[0]) if arguments else SEEDS_DEFAULT)
    words = arguments[1:]
    chosen = [m for m in MUTANTS if not words or any(word in m.name for word in words)]
    killed = 0
    for mutant in chosen:
        found = killed_at(mutant, seeds)
        killed += found is not None
        end = "survived" if found is None else f"killed at seed {found[0]} by {found[1][:100]}"
        print(f"{mutant.name}: {end}", flush=True)  # noqa: T201
    print(f"killed {killed} of {len(chosen)}")  # noqa: T201
    return 0 if killed == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
