"""What people read is the same over every store."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest

from adapters.memory.audit import MemoryAudit
from adapters.memory.decisions import MemoryDecisions
from adapters.memory.followers import MemoryFollowers
from adapters.memory.views import MemoryViews
from adapters.postgres import audit
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.followers import PostgresFollowers
from adapters.postgres.views import PostgresViews
from domain import events, ids
from domain.events import Event
from domain.ids import Crm
from domain.rules import RuleId
from projections.audit_line import AuditField, LineKind
from projections.following import FOLLOWERS, Followers
from projections.reading import AuditFilter, Views
from tests.support import postgres
from tests.support.happenings import (
    AT,
    Story,
    buried,
    closed,
    founded,
    hubspot_contact,
    issue,
    issue_gone,
    pair,
    parked,
    said,
    summary,
    waits,
    write,
)

OPPORTUNITY = "006000000000001AAA"


@dataclass
class World:
    """A store, followed, and what people read of it."""

    followers: Followers
    story: Story
    views: Views

    def happens(self, *told: Event) -> None:
        self.story.tell(*told)
        for name in FOLLOWERS:
            while self.followers.follow(name, limit=4):
                pass


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with ExitStack() as opened:
        if request.param == "memory":
            lines = MemoryAudit()
            memory = MemoryDecisions(inline=(lines,))
            followers = MemoryFollowers(memory)
            yield World(followers, Story(memory), MemoryViews(memory, followers, lines))
            return
        database = opened.enter_context(postgres.database())
        decisions = PostgresDecisions(database, inline=(audit.write_lines,))
        yield World(PostgresFollowers(database), Story(decisions), PostgresViews(database))


def test_a_pair_shows_its_summary_and_what_is_open(world: World) -> None:
    a = pair("a")
    world.happens(
        summary(a, amount="12.50"),
        issue(a, "DS402", "owner"),
        parked(a),
        waits(a, "policy", "catalog"),
        events.FieldHeld(
            **said(a), field="type", side=Crm.HUBSPOT, code="DS401", detail="no value", value="X"
        ),
    )

    (row,) = world.views.pairs(limit=10)

    assert row == world.views.pair(a)
    assert (row.state, row.deal_id, row.amount) == ("live", "1", Decimal("12.5"))
    assert (row.issues, row.held, row.parked) == (1, 1, 1)
    assert row.waiting_for == ("catalog", "policy")
    assert row.last_decided_at == AT + timedelta(seconds=5)
    assert row.version == 5
    assert [held.field for held in world.views.held_fields(a)] == ["type"]


def test_a_value_that_is_no_number_is_shown_as_none(world: World) -> None:
    world.happens(summary(pair("a"), amount="much", close_date="soon"))

    row = world.views.pair(pair("a"))
    assert row is not None
    assert (row.amount, row.close_date) == (None, None)


def test_pairs_are_chosen_by_state_and_issue_and_read_on(world: World) -> None:
    streams = sorted(pair(name) for name in "abc")
    world.happens(*(summary(stream) for stream in streams))
    world.happens(summary(streams[1], state="stopped"), issue(streams[2], "DS402", "owner"))

    def named(**chosen: object) -> list[str]:
        return [row.pair_id for row in world.views.pairs(limit=10, **chosen)]  # type: ignore[arg-type]

    assert named() == streams
    assert named(state="stopped") == [streams[1]]
    assert named(with_issues=True) == [streams[2]]
    assert named(after=streams[0]) == streams[1:]
    assert len(world.views.pairs(limit=2)) == 2


def test_an_absorbed_half_leads_to_the_pair_that_goes_on(world: World) -> None:
    world.happens(summary(pair("a")), summary(pair("b")), issue(pair("b"), "DS402", "owner"))
    world.happens(events.PairAbsorbed(**said(pair("b")), into=pair("a")))

    row = world.views.pair(pair("b"))

    assert row is not None
    assert row.pair_id == pair("a")
    assert len(world.views.pairs(limit=10)) == 1
    assert world.views.issues(limit=10) == ()


def test_issues_are_grouped_and_counted(world: World) -> None:
    a, b = pair("a"), pair("b")
    world.happens(founded(ids.opportunity(OPPORTUNITY), a))
    world.happens(issue(a, "DS402", "owner", "first"), issue(b, "DS402", "owner", "second"))
    world.happens(issue(a, "DS402", "owner", "third"), issue(a, "DS401", "type"))

    groups = world.views.issue_groups()
    assert [(g.code, g.count, g.sample) for g in groups] == [
        ("DS402", 2, "third"),
        ("DS401", 1, "found"),
    ]
    first = world.views.issues(code="DS402", stream=a, limit=10)[0]
    assert (first.text, first.occurrences, first.opportunity_id) == ("third", 2, OPPORTUNITY)
    assert first.opened_at < first.changed_at

    world.happens(issue_gone(a, "DS402", "owner"))
    assert [row.pair_id for row in world.views.issues(code="DS402", limit=10)] == [b]


def test_parked_facts_go_when_they_are_settled(world: World) -> None:
    world.happens(parked(pair("a"), "s:1"), parked(pair("a"), "s:2"))
    assert [row.position for row in world.views.parked(limit=10)] == ["s:1", "s:2"]

    world.happens(events.ParkedFactSettled(**said(pair("a")), position="s:1", given_up=False))
    assert [row.position for row in world.views.parked(limit=10)] == ["s:2"]


def test_those_who_wait_are_counted_by_what_for(world: World) -> None:
    world.happens(waits(pair("a"), "contact:hubspot:1", "contact:hubspot:2", "catalog"))
    world.happens(waits(pair("b"), "catalog"))

    assert world.views.waiting_counts() == {"catalog": 2, "contact": 1}


def test_records_of_a_pair_are_found_dead_ones_too(world: World) -> None:
    a = pair("a")
    world.happens(
        founded(ids.opportunity(OPPORTUNITY), a),
        founded(ids.deal("1"), a),
        buried(ids.deal("1"), a),
        founded(ids.deal("2"), a),
    )

    assert [i.ref.id for i in world.views.records(a)] == [OPPORTUNITY, "2", "1"]
    owner = world.views.owner(ids.deal("1"))
    assert owner is not None
    assert owner.stream == a
    assert world.views.owner(ids.deal("9")) is None


def test_an_outcome_is_a_line_that_says_what_it_is_about(world: World) -> None:
    a = pair("a")
    decided = write(a)
    world.happens(founded(ids.opportunity(OPPORTUNITY), a), founded(ids.deal("1"), a))
    world.happens(decided, closed(decided))

    first, second = (placed.line for placed in world.views.audit(limit=10))

    assert (first.kind, second.kind) == (LineKind.DECIDED, LineKind.DELIVERED)
    for line in (first, second):
        assert line.write_id == decided.write.id
        assert (line.rule, line.crm, line.object) == (RuleId.FIELD_RULE, "hubspot", "deal")
        assert (line.operation, line.record_id) == ("update", "1")
        assert (line.opportunity_id, line.deal_id) == (OPPORTUNITY, "1")
        assert line.fields == (AuditField("amount", "1", "2"),)
        assert line.cause.fact == "a fact"


def test_a_refusal_keeps_the_vendors_words(world: World) -> None:
    decided = write(pair("a"))
    refused = closed(decided, "rejected", code="BAD", message="no", fields=("amount",))
    world.happens(decided, refused)

    (placed,) = world.views.audit(AuditFilter(kind=LineKind.REJECTED), limit=10)

    assert placed.line.reason == "BAD no (fields: amount)"


def test_lines_are_chosen(world: World) -> None:
    a, b = write(pair("a")), write(pair("b"))
    world.happens(a, b, closed(a), founded(hubspot_contact("77")), summary(pair("a")))

    def lines(**chosen: object) -> list[tuple[str, str]]:
        wanted = AuditFilter(**chosen)  # type: ignore[arg-type]
        return [(p.line.pair_id, p.line.kind) for p in world.views.audit(wanted, limit=10)]

    assert lines() == [(pair("a"), "decided"), (pair("b"), "decided"), (pair("a"), "delivered")]
    assert lines(pair_id=pair("b")) == [(pair("b"), "decided")]
    assert lines(write_id=a.write.id) == [(pair("a"), "decided"), (pair("a"), "delivered")]
    assert lines(rule="field-rule", kind=LineKind.DELIVERED) == [(pair("a"), "delivered")]
    assert lines(crm="salesforce") == []
    assert lines(since=AT + timedelta(seconds=2), until=AT + timedelta(seconds=3)) == [
        (pair("b"), "decided")
    ]


def test_the_log_is_read_on_and_from_its_end(world: World) -> None:
    world.happens(*(write(pair("a"), n) for n in range(5)))

    everything = world.views.audit(limit=10)
    assert world.views.audit(after=everything[1].event_id, limit=2) == everything[2:4]
    assert world.views.audit(latest=True, limit=2) == everything[3:]


def test_a_history_has_the_times_of_deciding(world: World) -> None:
    world.happens(summary(pair("a")), summary(pair("b")), issue(pair("a"), "DS402", "owner"))

    history = world.views.history(pair("a"))

    assert [(stored.version, at) for stored, at in history] == [
        (1, AT + timedelta(seconds=1)),
        (2, AT + timedelta(seconds=3)),
    ]
