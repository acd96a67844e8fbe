"""What every store of deliveries promises.

One sender an addressee, no answer lost, nothing unknown sent again, and brakes that hold.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from adapters.memory.decisions import MemoryDecisions
from adapters.memory.deliveries import MemoryDeliveries
from adapters.memory.delivery_desk import MemoryBrakes, MemoryDeliveryDesk
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.deliveries import PostgresDeliveries
from adapters.postgres.delivery_desk import PostgresBrakes, PostgresDeliveryDesk
from domain import outcomes
from domain.deliveries import (
    Brakes,
    CallLimits,
    Claim,
    Claimed,
    Deliveries,
    DeliveryDesk,
    Done,
    Echo,
    Fuse,
    FuseState,
    Settled,
    Settlement,
    State,
    Suspension,
)
from domain.facts import WriteCancelled, WriteDone, WriteHeld, WriteUnknown
from domain.ids import Crm
from domain.rules import RuleId
from domain.writes import Write
from tests.support import postgres
from tests.support.delivery_samples import (
    AT,
    LIMITS,
    Decided,
    archive,
    associate,
    change,
    create_deal,
    create_opportunity,
    create_property,
    later,
    terms,
    update_deal,
    update_opportunity,
)
from tests.support.store_samples import deal, opportunity, stream

HUBSPOT, SALESFORCE = Crm.HUBSPOT, Crm.SALESFORCE


@dataclass(frozen=True)
class Bench:
    """One store; `open` gives a further handle on it, as another process would."""

    decided: Decided
    open: Callable[[], Deliveries]
    desk: DeliveryDesk
    brakes: Brakes

    def claim(self, crm: Crm = HUBSPOT, seconds: float = 0) -> Claim:
        return self.open().claim(crm, terms(), later(seconds))

    def states(self, *wanted: Write) -> list[State]:
        found = {one.write.id: one.state for one in self.desk.find(limit=1_000)}
        return [found[write.id] for write in wanted]

    def sent(self, write: Write, seconds: float = 0) -> Claimed:
        """Bring a write as far as its call."""
        [claimed] = self.claim(write.CRM, seconds).claimed
        cleared = self.open().begin({claimed.attempt_id: [write.id]}, later(seconds))
        assert cleared == {write.id}
        return claimed


@pytest.fixture(params=["memory", "postgres"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "memory":
        store = MemoryDecisions()
        deliveries = MemoryDeliveries(store)
        desk, brakes = MemoryDeliveryDesk(deliveries), MemoryBrakes(deliveries)
        yield Bench(Decided(store), lambda: deliveries, desk, brakes)
        return
    with postgres.database() as database:
        yield Bench(
            Decided(PostgresDecisions(database)),
            lambda: PostgresDeliveries(database),
            PostgresDeliveryDesk(database),
            PostgresBrakes(database),
        )


def done(claimed: Claimed, write: Write, seconds: float, record_id: str = "1") -> Settlement:
    fact = outcomes.done(
        write, Done(record_id), number=claimed.number, sent_at=AT, answered_at=later(seconds)
    )
    return Settlement(claimed.attempt_id, "done", (Settled(write.id, State.DONE, fact),))


def again(claimed: Claimed, write: Write, seconds: float) -> Settlement:
    settled = Settled(write.id, State.PENDING, None, "busy", later(seconds))
    return Settlement(claimed.attempt_id, "not sent", (settled,))


def published(store: Deliveries, crm: Crm = HUBSPOT) -> list[type]:
    return [type(one.fact) for one in store.unpublished(crm, limit=100)]


# -- claim --------------------------------------------------------------------------------------


def test_nothing_decided_nothing_claimed(bench: Bench) -> None:
    assert bench.claim() == Claim()


def test_a_decided_write_is_claimed_with_its_living_records(bench: Bench) -> None:
    wanted = update_deal("a", "1", change("amount", "1", "2"))
    bench.decided.pair("a", opportunity_id="006a", deal_id="77")
    bench.decided.write(wanted)

    [claimed] = bench.claim().claimed

    assert (claimed.writes, claimed.number, claimed.resolving) == ((wanted,), 1, False)
    target = claimed.target
    assert (target.stream, target.record_id, target.counterpart_id) == (stream("a"), "77", "006a")
    assert claimed.lease_until == later(60)
    assert bench.claim(SALESFORCE) == Claim()


def test_two_claimers_never_overlap(bench: Bench) -> None:
    bench.decided.pair("a", deal_id="77")
    bench.decided.write(update_deal("a", "1", change("amount", "1", "2")))

    first = bench.claim()
    bench.decided.write(update_deal("a", "2", change("amount", "2", "3")))
    second = bench.claim()

    assert (len(first.claimed), second) == (1, Claim())


def test_updates_of_one_record_go_together_in_the_order_of_their_events(bench: Bench) -> None:
    one = update_deal("a", "1", change("amount", "1", "2"), change("name", "x", "y"))
    other = update_deal("a", "2", change("amount", "2", "3"))
    bench.decided.pair("a", deal_id="77")
    bench.decided.write(one)
    bench.decided.write(other)

    [claimed] = bench.claim().claimed

    assert claimed.writes == (one, other)


def test_an_update_of_which_every_field_is_set_again_is_superseded(bench: Bench) -> None:
    one = update_deal("a", "1", change("amount", "1", "2"))
    other = update_deal("a", "2", change("amount", "2", "3"))
    bench.decided.pair("a", deal_id="77")
    bench.decided.write(one, other)

    claim = bench.claim()

    assert [claimed.writes for claimed in claim.claimed] == [(other,)]
    assert bench.states(one, other) == [State.CANCELLED, State.PENDING]
    assert published(bench.open()) == [WriteCancelled]


def test_writes_of_another_class_wait_for_the_first(bench: Bench) -> None:
    update = update_deal("a", "1", change("amount", "1", "2"))
    bench.decided.pair("a", deal_id="77")
    bench.decided.write(update, associate("a", "c1"), associate("a", "c2"))

    first = bench.sent(update)
    bench.open().settle([done(first, update, 1)], later(1))
    [second] = bench.claim(seconds=2).claimed

    assert second.writes == (associate("a", "c1"), associate("a", "c2"))


def test_without_a_living_record_only_the_create_goes(bench: Bench) -> None:
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(update_deal("a", "1"), create_deal("a"))

    [claimed] = bench.claim().claimed

    assert claimed.writes == (create_deal("a"),)
    assert claimed.target.counterpart_id == "006a"


def test_a_create_beside_a_living_record_is_given_up(bench: Bench) -> None:
    bench.decided.pair("a", opportunity_id="006a", deal_id="77")
    bench.decided.write(create_deal("a"))

    assert bench.claim() == Claim(ended=1)
    assert bench.states(create_deal("a")) == [State.CANCELLED]


def test_a_buried_record_is_no_target(bench: Bench) -> None:
    bench.decided.pair("a", deal_id="77")
    bench.decided.bury("a", deal("77"))
    bench.decided.write(update_deal("a", "1"))

    assert bench.claim() == Claim()


def test_definitions_go_before_everything_else(bench: Bench) -> None:
    bench.decided.pair("a", deal_id="77")
    bench.decided.write(update_deal("a", "1"), create_property("dealsync_state"))

    one_only = bench.open().claim(HUBSPOT, terms(batch_size_max=1), AT)

    assert [claimed.writes for claimed in one_only.claimed] == [
        (create_property("dealsync_state"),)
    ]


def test_addressees_are_claimed_in_event_order_up_to_a_batch(bench: Bench) -> None:
    for name in ("c", "a", "b"):
        bench.decided.pair(name, opportunity_id=f"006{name}")
        bench.decided.write(create_deal(name))

    first = bench.open().claim(HUBSPOT, terms(batch_size_max=2), AT)
    second = bench.open().claim(HUBSPOT, terms(batch_size_max=2), AT)

    assert [c.target.stream for c in first.claimed] == [stream("c"), stream("a")]
    assert [c.target.stream for c in second.claimed] == [stream("b")]


def test_a_withdrawn_unsent_write_is_cancelled_with_its_reason(bench: Bench) -> None:
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(create_deal("a"))
    bench.decided.withdraw(create_deal("a"), "the opportunity is deleted")

    assert bench.claim() == Claim(ended=1)
    [outcome] = bench.open().unpublished(HUBSPOT, limit=9)
    assert isinstance(outcome.fact, WriteCancelled)
    assert outcome.fact.reason == "the opportunity is deleted"


def test_a_write_waits_for_its_retry_and_keeps_later_ones_behind_it(bench: Bench) -> None:
    one = update_deal("a", "1", change("amount", "1", "2"), change("name", "x", "y"))
    bench.decided.pair("a", deal_id="77")
    bench.decided.write(one)
    claimed = bench.sent(one)
    bench.open().settle([again(claimed, one, 30)], later(1))
    bench.decided.write(associate("a", "c1"))

    assert bench.claim(seconds=29) == Claim()
    [second] = bench.claim(seconds=30).claimed
    assert (second.writes, second.number) == ((one,), 2)


# -- begin and leases ---------------------------------------------------------------------------


def test_a_write_withdrawn_after_the_claim_is_not_cleared(bench: Bench) -> None:
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(create_deal("a"))
    [claimed] = bench.claim().claimed
    bench.decided.withdraw(create_deal("a"))

    cleared = bench.open().begin({claimed.attempt_id: [create_deal("a").id]}, later(1))

    assert cleared == frozenset()
    assert bench.states(create_deal("a")) == [State.CANCELLED]


def test_a_lease_that_ends_before_the_call_gives_the_writes_back(bench: Bench) -> None:
    wanted = create_deal("a")
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(wanted)
    [sleeper] = bench.claim().claimed

    [other] = bench.claim(seconds=61).claimed

    assert (other.writes, other.resolving) == ((wanted,), False)
    assert bench.open().begin({sleeper.attempt_id: [wanted.id]}, later(62)) == frozenset()
    assert bench.open().begin({other.attempt_id: [wanted.id]}, later(62)) == {wanted.id}


def test_a_lease_that_ends_after_the_call_leaves_the_write_unknown(bench: Bench) -> None:
    wanted = create_deal("a")
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(wanted)
    bench.sent(wanted)

    claim = bench.claim(seconds=61)

    [reader] = claim.claimed
    assert (reader.writes, reader.resolving, reader.sent_at) == ((wanted,), True, AT)
    assert claim.ended == 1
    assert published(bench.open()) == [WriteUnknown]
    assert bench.open().begin({reader.attempt_id: [wanted.id]}, later(62)) == frozenset()


def test_an_unknown_write_is_never_pending_again(bench: Bench) -> None:
    wanted = create_deal("a")
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(wanted)
    sleeper = bench.sent(wanted)
    [reader] = bench.claim(seconds=61).claimed

    bench.open().settle([again(reader, wanted, 62), again(sleeper, wanted, 62)], later(62))

    assert bench.states(wanted) == [State.UNKNOWN]


def test_an_unknown_write_keeps_later_ones_of_its_addressee_back(bench: Bench) -> None:
    one = update_deal("a", "1", change("amount", "1", "2"))
    bench.decided.pair("a", deal_id="77")
    bench.decided.write(one)
    bench.sent(one)
    bench.decided.write(associate("a", "c1"))

    [reader] = bench.claim(seconds=61).claimed

    assert (reader.writes, reader.resolving) == ((one,), True)
    assert bench.claim(seconds=62) == Claim()


def test_a_late_answer_settles_an_unknown_write(bench: Bench) -> None:
    wanted = create_deal("a")
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(wanted)
    zombie = bench.sent(wanted)
    [reader] = bench.claim(seconds=61).claimed

    bench.open().settle([done(zombie, wanted, 70, "77")], later(70))
    lost = outcomes.cancelled(
        wanted.stream, wanted.id, number=2, rule=RuleId.ONCE, reason="lost", at=later(71)
    )
    cancelled = Settled(wanted.id, State.CANCELLED, lost)
    bench.open().settle([Settlement(reader.attempt_id, "not found", (cancelled,))], later(71))

    [row] = bench.desk.find(limit=9)
    assert (row.state, row.record_id) == (State.DONE, "77")
    assert published(bench.open()) == [WriteUnknown, WriteDone]


def test_a_late_answer_does_not_move_what_a_reading_has_settled(bench: Bench) -> None:
    wanted = create_deal("a")
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(wanted)
    zombie = bench.sent(wanted)
    [reader] = bench.claim(seconds=61).claimed
    bench.open().settle([done(reader, wanted, 65, "77")], later(65))

    bench.open().settle([done(zombie, wanted, 70, "78")], later(70))

    [row] = bench.desk.find(limit=9)
    assert (row.state, row.record_id) == (State.DONE, "77")
    assert published(bench.open()) == [WriteUnknown, WriteDone]


# -- publish ------------------------------------------------------------------------------------


def test_outcomes_wait_in_order_until_they_are_marked(bench: Bench) -> None:
    for name in ("a", "b"):
        bench.decided.pair(name, opportunity_id=f"006{name}")
        bench.decided.write(create_deal(name))
        claimed = bench.sent(create_deal(name))
        bench.open().settle([done(claimed, create_deal(name), 1)], later(1))
    store = bench.open()

    [first] = store.unpublished(HUBSPOT, limit=1)
    store.mark_published([first], later(2))
    [second] = store.unpublished(HUBSPOT, limit=9)

    assert (first.fact.write_id, second.fact.write_id) == (create_deal("a").id, create_deal("b").id)
    assert bench.desk.counts(unseen_after=AT).unpublished == 1
    assert store.unpublished(SALESFORCE, limit=9) == ()


# -- fuse ---------------------------------------------------------------------------------------


def deletes(bench: Bench, count: int, *, first: int = 0, seconds: float = 0) -> list[Write]:
    wanted: list[Write] = []
    for number in range(first, first + count):
        bench.decided.pair(f"p{number}", opportunity_id=f"006{number}", deal_id=str(number))
        wanted.append(archive(f"p{number}"))
    bench.decided.write(*wanted, at=later(seconds))
    return wanted


SMALL_FUSE = terms(fuse=Fuse(count=3, share=0.5, window_seconds=600))


def test_deletes_within_either_limit_go(bench: Bench) -> None:
    deletes(bench, 3)

    claim = bench.open().claim(HUBSPOT, SMALL_FUSE, later(1))

    assert (len(claim.claimed), bench.brakes.fuse()) == (3, FuseState(None, 0))


def test_many_deletes_that_are_a_small_share_go(bench: Bench) -> None:
    deletes(bench, 4)
    for number in range(100, 110):
        bench.decided.pair(f"p{number}", opportunity_id=f"006{number}", deal_id=str(number))

    assert len(bench.open().claim(HUBSPOT, SMALL_FUSE, later(1)).claimed) == 4


def test_deletes_beyond_both_limits_are_held_and_other_writes_go_on(bench: Bench) -> None:
    wanted = deletes(bench, 4)
    bench.decided.pair("a", deal_id="77")
    bench.decided.write(update_deal("a", "1"))

    claim = bench.open().claim(HUBSPOT, SMALL_FUSE, later(1))

    assert [claimed.writes for claimed in claim.claimed] == [(update_deal("a", "1"),)]
    assert claim.ended == 4
    assert bench.states(*wanted) == [State.HELD] * 4
    assert bench.brakes.fuse() == FuseState(later(1), 4)
    assert published(bench.open()) == [WriteHeld] * 4


def test_a_blown_fuse_holds_later_deletes_too(bench: Bench) -> None:
    deletes(bench, 4)
    bench.open().claim(HUBSPOT, SMALL_FUSE, later(1))
    [late] = deletes(bench, 1, first=9, seconds=5_000)

    assert bench.open().claim(HUBSPOT, SMALL_FUSE, later(5_001)).claimed == ()
    assert bench.states(late) == [State.HELD]


def test_released_deletes_go_and_are_not_counted_again(bench: Bench) -> None:
    deletes(bench, 4)
    bench.open().claim(HUBSPOT, SMALL_FUSE, later(1))

    assert bench.brakes.mend_fuse(release=True, at=later(2), by="ada") == 4
    deletes(bench, 1, first=9, seconds=3)
    claim = bench.open().claim(HUBSPOT, SMALL_FUSE, later(4))

    assert (len(claim.claimed), bench.brakes.fuse()) == (5, FuseState(None, 0))


def test_discarded_deletes_are_cancelled(bench: Bench) -> None:
    wanted = deletes(bench, 4)
    bench.open().claim(HUBSPOT, SMALL_FUSE, later(1))

    assert bench.brakes.mend_fuse(release=False, at=later(2), by="ada") == 4
    assert bench.states(*wanted) == [State.CANCELLED] * 4
    assert published(bench.open()) == [WriteHeld] * 4 + [WriteCancelled] * 4


def test_an_undelete_cancels_its_own_held_delete(bench: Bench) -> None:
    wanted = deletes(bench, 4)
    bench.open().claim(HUBSPOT, SMALL_FUSE, later(1))
    bench.decided.withdraw(wanted[0], "undeleted")

    bench.open().claim(HUBSPOT, SMALL_FUSE, later(2))

    assert bench.states(*wanted) == [State.CANCELLED] + [State.HELD] * 3


# -- suspensions, budget ------------------------------------------------------------------------


def test_a_suspended_crm_claims_nothing_until_it_resumes_by_itself(bench: Bench) -> None:
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(create_deal("a"))
    why = Suspension(HUBSPOT, later(100), "login refused", "401", AT)
    bench.open().settle([], AT, why)

    assert bench.claim(seconds=99) == Claim(closed_until=later(100))
    assert bench.brakes.suspensions(later(99)) == (why,)
    assert bench.brakes.suspensions(later(100)) == ()
    assert len(bench.claim(seconds=100).claimed) == 1


def test_a_person_can_end_a_suspension(bench: Bench) -> None:
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(create_deal("a"))
    bench.brakes.suspend(Suspension(HUBSPOT, later(100), "throttled", "429", AT))

    bench.brakes.suspend(HUBSPOT)

    assert len(bench.claim().claimed) == 1


def test_what_needs_a_look_at_a_suspended_crm_waits_with_it(bench: Bench) -> None:
    bench.decided.pair("a", opportunity_id="006a", deal_id="77")
    bench.decided.pair("b", deal_id="78")
    bench.decided.write(
        update_opportunity("a", "1"), create_opportunity("b"), update_deal("a", "2")
    )
    bench.brakes.suspend(Suspension(HUBSPOT, later(100), "throttled", "429", AT))

    assert bench.claim(SALESFORCE) == Claim()
    assert len(bench.claim(SALESFORCE, seconds=100).claimed) == 2


def test_a_claim_takes_no_more_calls_than_the_burst_allows(bench: Bench) -> None:
    """Looking and sending are two calls; the window allows three."""
    tight = terms(limits=CallLimits(burst_calls=3, burst_seconds=10, daily_calls=100))
    for name in ("a", "b"):
        bench.decided.pair(name, deal_id=name)
    bench.decided.write(update_deal("a", "1"))
    assert len(bench.open().claim(HUBSPOT, tight, AT).claimed) == 1
    bench.decided.write(update_deal("b", "1"))

    refused = bench.open().claim(HUBSPOT, tight, later(5))

    assert (refused.claimed, refused.closed_until) == ((), later(11))
    assert len(bench.open().claim(HUBSPOT, tight, later(11)).claimed) == 1


def test_a_used_up_day_suspends_until_the_next_one(bench: Bench) -> None:
    tight = terms(limits=CallLimits(burst_calls=100, burst_seconds=10, daily_calls=1))
    bench.decided.pair("a", deal_id="77")
    bench.decided.write(update_deal("a", "1"))

    refused = bench.open().claim(HUBSPOT, tight, AT)

    [suspension] = bench.brakes.suspensions(AT)
    assert refused.closed_until == suspension.until == later(15 * 3_600)
    assert suspension.code == "DAILY_SHARE"


def test_reads_take_from_the_same_budget(bench: Bench) -> None:
    limits = CallLimits(burst_calls=5, burst_seconds=10, daily_calls=100)

    assert bench.brakes.take(HUBSPOT, 5, limits, AT) is None
    assert bench.brakes.take(HUBSPOT, 1, limits, later(1)) == later(11)
    assert bench.brakes.take(SALESFORCE, 1, limits, later(1)) is None
    assert bench.brakes.take(HUBSPOT, 1, LIMITS, later(2)) is None


# -- desk ---------------------------------------------------------------------------------------


def test_the_desk_counts_what_moves(bench: Bench) -> None:
    for name in ("a", "b", "c"):
        bench.decided.pair(name, opportunity_id=f"006{name}")
    bench.decided.write(create_deal("a"))
    first = bench.sent(create_deal("a"))
    bench.open().settle([done(first, create_deal("a"), 1)], later(1))
    bench.decided.write(create_deal("b"))
    bench.sent(create_deal("b"))
    bench.decided.write(create_deal("c"))

    counts = bench.desk.counts(unseen_after=AT)

    assert (counts.pending, counts.sent, counts.unknown, counts.held) == (1, 1, 0, 0)
    assert (counts.unpublished, counts.unseen) == (1, 1)
    assert bench.desk.counts(unseen_after=later(1)).unseen == 0


def test_an_echo_is_remembered_once(bench: Bench) -> None:
    wanted = create_deal("a")
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(wanted)
    bench.open().settle([done(bench.sent(wanted), wanted, 1)], later(1))

    bench.desk.mark_echoes({wanted.id: Echo.CONFIRMED})
    bench.desk.mark_echoes({wanted.id: Echo.NEVER})

    [row] = bench.desk.find(limit=9)
    assert row.echo is Echo.CONFIRMED
    assert bench.desk.counts(unseen_after=AT).unseen == 0


def test_the_desk_finds_by_stream_and_state_newest_first(bench: Bench) -> None:
    for name in ("a", "b"):
        bench.decided.pair(name, opportunity_id=f"006{name}")
        bench.decided.write(create_deal(name))
    bench.decided.write(update_deal("a", "1"))

    assert [d.write for d in bench.desk.find(stream=stream("a"), limit=9)] == [
        update_deal("a", "1"),
        create_deal("a"),
    ]
    assert [d.write for d in bench.desk.find(states=[State.PENDING], limit=1)] == [
        update_deal("a", "1")
    ]
    assert bench.desk.find(states=[State.HELD], limit=9) == ()


def test_an_operator_cancels_only_what_is_not_sent(bench: Bench) -> None:
    sent, unsent = create_deal("a"), create_deal("b")
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.pair("b", opportunity_id="006b")
    bench.decided.write(sent)
    bench.sent(sent)
    bench.decided.write(unsent)

    assert bench.desk.cancel([sent.id, unsent.id], reason="wrong", at=later(1)) == 1
    assert bench.states(sent, unsent) == [State.SENT, State.CANCELLED]
    assert published(bench.open()) == [WriteCancelled]


def test_an_operator_ends_a_wait(bench: Bench) -> None:
    wanted = create_deal("a")
    bench.decided.pair("a", opportunity_id="006a")
    bench.decided.write(wanted)
    bench.open().settle([again(bench.sent(wanted), wanted, 300)], later(1))

    assert bench.desk.retry([wanted.id]) == 1
    assert len(bench.claim(seconds=2).claimed) == 1


def test_pairs_of_the_other_crm_are_left_alone(bench: Bench) -> None:
    bench.decided.pair("a", opportunity_id="006a", deal_id="77")
    bench.decided.write(update_opportunity("a", "1"))

    assert bench.claim() == Claim()
    [claimed] = bench.claim(SALESFORCE).claimed
    assert claimed.target.record_id == opportunity("006a").id


def test_claimers_at_the_same_moment_share_the_addressees(bench: Bench) -> None:
    for number in range(40):
        bench.decided.pair(str(number), opportunity_id=f"006{number}")
    bench.decided.write(*[create_deal(str(number)) for number in range(40)])

    def claim_all(_: int) -> list[int]:
        store, found = bench.open(), list[int]()
        while claim := store.claim(HUBSPOT, terms(batch_size_max=3), AT).claimed:
            cleared = store.begin({c.attempt_id: [c.writes[0].id] for c in claim}, AT)
            found.extend(c.attempt_id for c in claim if c.writes[0].id in cleared)
        return found

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(claim_all, range(4)))

    taken = [attempt for share in shares for attempt in share]
    assert len(taken) == len(set(taken)) == 40
    assert bench.desk.counts(unseen_after=AT).sent == 40
