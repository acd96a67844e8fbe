"""What every home of the followers promises: fold once, tell at least once, rebuild in silence."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest

from adapters.memory.decisions import MemoryDecisions
from adapters.memory.followers import MemoryFollowers
from adapters.postgres import audit
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.followers import PostgresFollowers
from domain import events, facts
from domain.deliveries import Echo
from domain.errors import RetryableError
from domain.events import Event
from domain.facts import Candidate
from domain.ids import CATALOG_STREAM, POLICY_STREAM, StreamId, WriteId, stream_of
from domain.policy import Policy, RecentDeal, Switches
from domain.ports import Decisions, KeyedFact, Refresh
from projections.following import FOLLOWERS, Followers, Outgoing
from tests.support import postgres
from tests.support.happenings import (
    AT,
    Story,
    account,
    account_imported,
    account_noted,
    buried,
    closed,
    company,
    company_noted,
    founded,
    hubspot_contact,
    hubspot_noted,
    linked,
    pair,
    said,
    salesforce_contact,
    salesforce_noted,
    summary,
    unlinked,
    waits,
    write,
)

SF = "003000000000001AAA"
SF2 = "003000000000002AAA"
ACC = "001000000000001AAA"


@dataclass
class World:
    """A store, its followers, and what they told."""

    decisions: Decisions
    followers: Followers
    story: Story
    signals: list[KeyedFact]
    wishes: list[Refresh]
    echoes: dict[WriteId, Echo]

    def happens(self, *told: Event) -> None:
        self.story.tell(*told)

    def told(self) -> list[facts.Fact]:
        """Let everything follow and be told; return the signals since the last time."""
        self.signals.clear()
        self.wishes.clear()
        for name in FOLLOWERS:
            while self.followers.follow(name, limit=3):
                pass
        while self.followers.emit(self.send, limit=2):
            pass
        return [keyed.fact for keyed in self.signals]

    def send(self, going: Outgoing) -> None:
        self.signals += going.signals
        self.wishes += going.wishes
        self.echoes.update(going.echoes)


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with ExitStack() as opened:
        decisions: MemoryDecisions | PostgresDecisions
        followers: Followers
        if request.param == "memory":
            decisions = MemoryDecisions()
            followers = MemoryFollowers(decisions)
        else:
            database = opened.enter_context(postgres.database())
            decisions = PostgresDecisions(database, inline=(audit.write_lines,))
            followers = PostgresFollowers(database)
        yield World(decisions, followers, Story(decisions), [], [], {})


def because(told: list[facts.Fact]) -> list[tuple[StreamId, str]]:
    return sorted((f.stream, f.because) for f in told if isinstance(f, facts.Reconsider))


def candidates(told: list[facts.Fact]) -> dict[StreamId, tuple[Candidate, ...]]:
    return {f.stream: f.candidates for f in told if isinstance(f, facts.CandidatesChanged)}


def rollups(told: list[facts.Fact]) -> dict[StreamId, facts.Rollup]:
    return {f.stream: f.rollup for f in told if isinstance(f, facts.RollupChanged)}


def test_a_contact_that_becomes_known_wakes_who_waits_for_it(world: World) -> None:
    key = f"contact:salesforce:{SF}"
    world.happens(founded(salesforce_contact(SF)), founded(hubspot_contact("77")))
    world.happens(
        waits(pair("a"), key), waits(pair("b"), "catalog", key), waits(pair("c"), "policy")
    )
    assert because(world.told()) == []

    world.happens(linked("77", SF))

    assert because(world.told()) == sorted([(pair("a"), key), (pair("b"), key)])


def test_who_waits_for_what_is_known_already_is_woken_at_once(world: World) -> None:
    world.happens(founded(salesforce_contact(SF)), founded(hubspot_contact("77")), linked("77", SF))
    world.told()

    world.happens(waits(pair("a"), "contact:hubspot:77"))

    assert because(world.told()) == [(pair("a"), "contact:hubspot:77")]
    world.happens(waits(pair("a"), "contact:hubspot:77", "catalog"))
    assert because(world.told()) == []


def test_who_waits_no_more_is_not_woken(world: World) -> None:
    world.happens(founded(salesforce_contact(SF)), founded(hubspot_contact("77")))
    world.happens(waits(pair("a"), "contact:hubspot:77"), waits(pair("a")))
    world.told()

    world.happens(linked("77", SF))

    assert because(world.told()) == []


def test_a_record_that_was_never_seen_is_read(world: World) -> None:
    world.happens(waits(pair("a"), "contact:hubspot:77"))

    world.told()

    assert [(w.kind, w.record_id, w.reason) for w in world.wishes] == [("contact", "77", "wanted")]


def test_a_wish_to_read_is_passed_on(world: World) -> None:
    (stored,) = world.story.tell(
        events.RefreshWanted(
            **said(pair("a")),
            crm=hubspot_contact("1").crm,
            kind=company("1").kind,
            record_id="5",
            because="merged",
        )
    )

    world.told()

    assert [(w.record_id, w.cause) for w in world.wishes] == [("5", str(stored.id))]


def test_an_account_that_someone_waits_for_may_import_itself(world: World) -> None:
    key = f"account:{ACC}"
    world.happens(waits(pair("a"), key))
    assert because(world.told()) == []

    world.happens(founded(account(ACC)))
    assert because(world.told()) == [(stream_of(account(ACC)), key)]

    world.happens(events.AccountImportCompleted(**said(CATALOG_STREAM), selection="all", count=1))
    assert because(world.told()) == [(stream_of(account(ACC)), key)]


def test_a_policy_wakes_the_catalog_and_who_waits_for_it(world: World) -> None:
    world.happens(waits(pair("a"), "catalog", "policy"))

    world.happens(events.PolicyAdopted(**said(POLICY_STREAM), version=1, policy=Policy(), text=""))

    assert because(world.told()) == sorted([(pair("a"), "policy"), (CATALOG_STREAM, "policy")])


def test_the_time_that_comes_wakes_who_waits_for_it(world: World) -> None:
    key = "time:2026-11-24T10:00:00.000Z"
    world.happens(waits(pair("a"), key))
    world.told()

    assert world.followers.wake(AT, limit=10) == 0
    assert world.followers.wake(AT + timedelta(hours=2), limit=10) == 1
    assert world.followers.wake(AT + timedelta(hours=3), limit=10) == 0
    assert because(world.told()) == [(pair("a"), key)]

    world.happens(waits(pair("b"), key))
    assert because(world.told()) == [(pair("b"), key)]


def test_equal_addresses_make_candidates(world: World) -> None:
    world.happens(
        founded(hubspot_contact("77")),
        hubspot_noted("77", email=" Ann@Example.com"),
        founded(salesforce_contact(SF)),
        salesforce_noted(SF, email="ann@example.com"),
    )

    assert candidates(world.told()) == {
        stream_of(hubspot_contact("77")): (Candidate(record_id=SF, kind="email", count=1),)
    }


def test_a_second_contact_with_the_address_is_counted(world: World) -> None:
    for record_id in (SF, SF2):
        world.happens(
            founded(salesforce_contact(record_id)), salesforce_noted(record_id, email="a@b")
        )
    world.happens(founded(hubspot_contact("77")), hubspot_noted("77", email="a@b"))

    told = candidates(world.told())[stream_of(hubspot_contact("77"))]
    assert told == tuple(Candidate(record_id=i, kind="email", count=2) for i in (SF, SF2))

    world.happens(buried(salesforce_contact(SF2)))
    told = candidates(world.told())[stream_of(hubspot_contact("77"))]
    assert told == (Candidate(record_id=SF, kind="email", count=1),)


def test_a_carried_id_names_the_candidate_and_counts_who_carries_it(world: World) -> None:
    world.happens(founded(salesforce_contact(SF)), salesforce_noted(SF))
    world.happens(founded(hubspot_contact("77")), hubspot_noted("77", carries=SF[:15]))
    own = Candidate(record_id=SF, kind="id", count=1)
    assert candidates(world.told()) == {stream_of(hubspot_contact("77")): (own,)}

    world.happens(founded(hubspot_contact("78")), hubspot_noted("78", carries=SF))
    both = (Candidate(record_id=SF, kind="id", count=2),)
    told = candidates(world.told())
    assert told == {stream_of(hubspot_contact(i)): both for i in ("77", "78")}


def test_a_contact_without_candidates_hears_nothing_until_it_loses_one(world: World) -> None:
    world.happens(founded(hubspot_contact("77")), hubspot_noted("77", email="a@b"))
    assert candidates(world.told()) == {}

    world.happens(founded(salesforce_contact(SF)), salesforce_noted(SF, email="a@b"))
    assert len(candidates(world.told())) == 1

    world.happens(salesforce_noted(SF, email="other@b"))
    assert candidates(world.told()) == {stream_of(hubspot_contact("77")): ()}


def test_a_noting_that_changes_no_value_tells_nobody(world: World) -> None:
    world.happens(founded(salesforce_contact(SF)), salesforce_noted(SF, email="a@b"))
    world.happens(founded(hubspot_contact("77")), hubspot_noted("77", email="a@b"))
    world.told()

    world.happens(hubspot_noted("77", email="A@B "))

    assert world.told() == []


def test_who_is_unlinked_hears_of_its_candidates(world: World) -> None:
    world.happens(founded(salesforce_contact(SF)), salesforce_noted(SF, email="a@b"))
    world.happens(
        founded(hubspot_contact("77")), hubspot_noted("77", email="a@b"), linked("77", SF)
    )
    world.told()

    world.happens(unlinked("77", SF))

    assert candidates(world.told())[stream_of(hubspot_contact("77"))] == (
        Candidate(record_id=SF, kind="email", count=1),
    )


def test_an_imported_account_hears_of_companies_even_of_none(world: World) -> None:
    stream = stream_of(account(ACC))
    world.happens(founded(account(ACC)), account_noted(ACC, name="Acme", domain="acme.example"))
    world.happens(founded(company("5")), company_noted("5", name="ACME "))
    assert candidates(world.told()) == {}

    world.happens(account_imported(ACC))
    assert candidates(world.told()) == {stream: (Candidate(record_id="5", kind="name", count=1),)}

    world.happens(founded(company("6")), company_noted("6", name="B", domain="acme.example"))
    assert candidates(world.told()) == {
        stream: (
            Candidate(record_id="6", kind="domain", count=1),
            Candidate(record_id="5", kind="name", count=1),
        )
    }

    other = "001000000000002AAA"
    world.happens(
        founded(account(other)), account_noted(other, name="Alone"), account_imported(other)
    )
    assert candidates(world.told()) == {stream_of(account(other)): ()}


def test_a_company_that_carries_the_id_comes_first(world: World) -> None:
    world.happens(founded(account(ACC)), account_noted(ACC, name="Acme"), account_imported(ACC))
    world.told()

    world.happens(founded(company("5")), company_noted("5", name=None, carries=ACC))

    assert candidates(world.told()) == {
        stream_of(account(ACC)): (Candidate(record_id="5", kind="id", count=1),)
    }


def test_a_contacts_values_follow_its_deals(world: World) -> None:
    stream = stream_of(hubspot_contact("77"))
    world.happens(summary(pair("a"), amount="100.10", is_closed=True, is_won=True))
    world.happens(
        summary(pair("b"), amount=None, created_at=AT + timedelta(days=1), contact_ids=("77", "78"))
    )

    assert rollups(world.told())[stream] == facts.Rollup(
        associated_deals=2,
        first_deal_created_date=AT,
        recent_deal_close_date="2026-12-01",
        recent_deal_amount=None,
        total_revenue="100.1",
        has_open=True,
        has_won=True,
    )

    world.happens(summary(pair("b"), state="detached", contact_ids=("77", "78")))
    told = rollups(world.told())
    assert told[stream].associated_deals == 1
    assert told[stream_of(hubspot_contact("78"))].associated_deals == 0


def test_a_policy_may_choose_the_deal_won_last(world: World) -> None:
    stream = stream_of(hubspot_contact("77"))
    world.happens(summary(pair("a"), amount="5", is_closed=True, is_won=True))
    world.happens(summary(pair("b"), amount="7", created_at=AT + timedelta(days=1)))
    assert rollups(world.told())[stream].recent_deal_amount == "7"

    policy = Policy(switches=Switches(recent_deal=RecentDeal.CLOSED_WON))
    world.happens(events.PolicyAdopted(**said(POLICY_STREAM), version=1, policy=policy, text=""))

    assert rollups(world.told())[stream].recent_deal_amount == "5"


def test_a_contact_that_comes_late_hears_its_values(world: World) -> None:
    world.happens(summary(pair("a")))
    assert len(rollups(world.told())) == 1

    world.happens(founded(hubspot_contact("77")))

    assert rollups(world.told())[stream_of(hubspot_contact("77"))].associated_deals == 1


def test_what_could_not_be_sent_is_told_again_with_the_same_ids(world: World) -> None:
    world.happens(summary(pair("a")), waits(pair("a"), "policy"))
    for name in FOLLOWERS:
        world.followers.follow(name, limit=100)
    sent: list[str] = []

    def fail(going: Outgoing) -> None:
        sent.extend(keyed.fact.id for keyed in going.signals)
        raise RetryableError("away")

    with pytest.raises(RetryableError):
        world.followers.emit(fail, limit=100)

    assert world.followers.unfinished() == 1
    assert [fact.id for fact in world.told()] == sent
    assert world.followers.unfinished() == 0


def test_many_causes_make_one_signal(world: World) -> None:
    world.happens(*(summary(pair("a"), amount=str(n)) for n in range(5)))

    told = world.told()

    assert len(told) == 1
    assert rollups(told)[stream_of(hubspot_contact("77"))].recent_deal_amount == "4"


def test_a_signal_is_keyed_by_its_stream(world: World) -> None:
    world.happens(summary(pair("a")))
    world.told()

    assert [k.key for k in world.signals] == [stream_of(hubspot_contact("77"))]


def test_a_write_that_was_seen_again_is_told(world: World) -> None:
    decided = write(pair("a"))
    world.happens(decided, closed(decided))
    world.happens(events.EchoSeen(**said(pair("a")), write_id=decided.write.id, how="confirmed"))

    world.told()

    assert world.echoes == {decided.write.id: Echo.CONFIRMED}


def test_events_that_nobody_followed_are_counted(world: World) -> None:
    world.happens(summary(pair("a")), summary(pair("b")))

    assert world.followers.unfinished() == 2


def test_only_one_tells_at_a_time(world: World) -> None:
    world.happens(summary(pair("a")), summary(pair("b"), contact_ids=("78",)))
    world.followers.follow("contact_rollup", limit=10)
    others: list[int] = []

    def send(going: Outgoing) -> None:
        assert going.signals
        others.append(world.followers.emit(world.send, limit=10))

    assert world.followers.emit(send, limit=10) == 2
    assert others == [0]


def test_what_becomes_due_while_it_is_told_is_told_again(world: World) -> None:
    world.happens(summary(pair("a"), amount="1"))
    world.followers.follow("contact_rollup", limit=10)

    def send(going: Outgoing) -> None:
        world.send(going)
        world.happens(summary(pair("a"), amount="2"))
        world.followers.follow("contact_rollup", limit=10)

    world.followers.emit(send, limit=10)
    world.followers.emit(world.send, limit=10)

    amounts = [f.rollup.recent_deal_amount for f in map(_fact, world.signals)]
    assert amounts == ["1", "2"]


def _fact(keyed: KeyedFact) -> facts.RollupChanged:
    assert isinstance(keyed.fact, facts.RollupChanged)
    return keyed.fact
