"""Deliverers that die or sleep at any line: nothing is lost, and nothing is sent twice."""

from datetime import timedelta

import pytest

from adapters.engine.deliver import LEASE_SECONDS, LOOK_SECONDS_MAX
from domain.deliveries import (
    Answer,
    Done,
    NotSent,
    State,
    Unknown,
)
from domain.facts import (
    WriteCancelled,
    WriteDone,
    WriteUnknown,
)
from domain.ids import Crm
from domain.writes import Write
from tests.support.delivery_bench import Bench, DeathError
from tests.support.delivery_samples import (
    AT,
    change,
    create_deal,
    create_opportunity,
    deal_observed,
    opportunity_observed,
    update_deal,
)


def decided_update(bench: Bench) -> Write:
    """Let an update of a living pair's deal wait to be sent."""
    wanted = update_deal("a", "1")
    bench.pair()
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = deal_observed("7a")
    return wanted


def test_a_deliverer_that_slept_past_its_lease_sends_nothing(bench: Bench) -> None:
    """It sleeps in its look; meanwhile another takes the write over and sends it."""
    wanted = decided_update(bench)

    def sleep() -> None:
        bench.clock.at += timedelta(seconds=LEASE_SECONDS + 1)
        bench.loop(Crm.HUBSPOT).step(bench.clock.at)

    bench.hubspot.while_looking = sleep
    bench.step()

    assert bench.hubspot.sent == [(wanted,)]
    assert bench.outcomes() == [WriteDone]


def test_a_shorter_lease_is_over_sooner(bench: Bench) -> None:
    wanted = decided_update(bench)
    brief = bench.loop(Crm.HUBSPOT, lease_seconds=20.0)

    def sleep() -> None:
        bench.clock.at += timedelta(seconds=6)

    bench.hubspot.while_looking = sleep
    brief.step(AT)

    assert bench.hubspot.sent == []
    brief.step(bench.clock.at)
    assert bench.hubspot.sent == [(wanted,)]


def test_a_deliverer_that_slept_right_before_its_call_sends_nothing(bench: Bench) -> None:
    wanted = decided_update(bench)

    def sleep() -> None:
        bench.clock.at += timedelta(seconds=LEASE_SECONDS + 1)

    bench.death.sleeps["begin"] = sleep

    bench.step()

    assert bench.hubspot.sent == []
    bench.step()
    assert bench.hubspot.sent == [(wanted,)]


def test_what_was_looked_at_too_long_ago_is_looked_at_again(bench: Bench) -> None:
    """It sleeps between its look and its call, and somebody edits the deal meanwhile."""
    wanted = update_deal("a", "1", change("amount", "1", "2"))
    bench.pair()
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = deal_observed("7a", ("amount", "1"))

    def sleep() -> None:
        bench.clock.at += timedelta(seconds=LOOK_SECONDS_MAX + 1)
        bench.hubspot.shown["7a"] = deal_observed("7a", ("amount", "5"))

    bench.death.sleeps["begin"] = sleep

    bench.step()
    bench.step()

    assert (bench.hubspot.sent, bench.outcomes()) == ([], [WriteCancelled])


def test_a_deliverer_that_slept_in_its_call_still_brings_the_answer(bench: Bench) -> None:
    """Another finds the write unknown and cannot tell by reading; the late answer settles it."""
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(create_deal("a"))
    bench.salesforce.shown["006a"] = opportunity_observed("006a")
    bench.hubspot.reading = lambda _: Unknown("cannot tell")

    def slow(_: Write) -> Answer:
        bench.clock.at += timedelta(seconds=LEASE_SECONDS + 1)
        bench.loop(Crm.HUBSPOT).step(bench.clock.at)
        return Done("77")

    bench.hubspot.answer = slow
    bench.step()

    assert (len(bench.hubspot.sent), len(bench.hubspot.resolved)) == (1, 1)
    assert bench.outcomes() == [WriteUnknown, WriteDone]
    assert bench.state(create_deal("a")) is State.DONE


@pytest.mark.parametrize(
    "where", ["claim", "look", "begin", "send", "settle", "append", "mark_published"]
)
def test_a_kill_after_any_line_loses_nothing_and_sends_nothing_twice(
    bench: Bench, where: str
) -> None:
    """The crash table of the module, line by line; the CRM itself forgets nothing."""
    wanted = create_opportunity("a")
    bench.decided.pair("a", deal_id="7a")
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = deal_observed("7a")
    bench.salesforce.reading = lambda _: Done("1") if bench.salesforce.sent else NotSent("none")
    bench.death.after = where

    with pytest.raises(DeathError):
        bench.step(Crm.SALESFORCE)
    bench.loops = {crm: bench.loop(crm) for crm in Crm}
    for _ in range(4):
        bench.clock.at += timedelta(seconds=LEASE_SECONDS + 1)
        bench.loops[Crm.SALESFORCE].step(bench.clock.at)

    effects = len(bench.salesforce.sent)
    assert effects <= 1
    assert bench.deliveries.unpublished(Crm.SALESFORCE, limit=9) == ()
    if where == "begin":
        assert bench.state(wanted) is State.CANCELLED
    else:
        assert (effects, bench.state(wanted)) == (1, State.DONE)


def test_a_kill_between_a_call_off_and_its_settling_only_repeats_the_observation(
    bench: Bench,
) -> None:
    wanted = update_deal("a", "1", change("amount", "1", "2"))
    shown = deal_observed("7a", ("amount", "5"))
    bench.pair()
    bench.decided.write(wanted)
    bench.hubspot.shown["7a"] = shown
    bench.death.after = "append"

    with pytest.raises(DeathError):
        bench.step()
    bench.step(seconds=LEASE_SECONDS + 1)

    assert bench.facts().count(shown) == 2
    assert (bench.hubspot.sent, bench.outcomes()) == ([], [WriteCancelled])
