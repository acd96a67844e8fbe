"""What every store of deliveries promises of its brakes: the fuse, suspensions, the budget."""

from domain.deliveries import (
    CallLimits,
    Claim,
    Fuse,
    FuseState,
    State,
    Suspension,
)
from domain.facts import WriteCancelled, WriteHeld
from domain.writes import Write
from tests.contracts.delivery_bench import HUBSPOT, SALESFORCE, Bench, published
from tests.support.delivery_samples import (
    AT,
    LIMITS,
    archive,
    create_deal,
    create_opportunity,
    later,
    terms,
    update_deal,
    update_opportunity,
)

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
