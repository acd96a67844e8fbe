"""What every store of deliveries promises.

One sender an addressee, no answer lost, nothing unknown sent again.
"""

from concurrent.futures import ThreadPoolExecutor

from domain import outcomes
from domain.deliveries import (
    Claim,
    Echo,
    Settled,
    Settlement,
    State,
)
from domain.facts import WriteCancelled, WriteDone, WriteUnknown
from domain.rules import RuleId
from tests.contracts.delivery_bench import HUBSPOT, SALESFORCE, Bench, again, done, published
from tests.support.delivery_samples import (
    AT,
    associate,
    change,
    create_deal,
    create_property,
    later,
    terms,
    update_deal,
    update_opportunity,
)
from tests.support.store_samples import deal, opportunity, stream

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
