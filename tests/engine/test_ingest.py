"""What the ingest loop promises: durable before forgotten, one CRM's trouble is its own."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from typing_extensions import override

from adapters.engine.backoff import delay_seconds
from adapters.engine.ingest import (
    BACKOFF_SECONDS_MAX,
    REFRESH_LEASE_SECONDS,
    Ingest,
    key_of,
)
from adapters.memory.bookmarks import MemoryBookmarks
from adapters.memory.change_log import MemoryChangeLog
from adapters.memory.refresh import MemoryRefreshes
from adapters.source import Polled, Source, full_pass_begun_at, is_pass_wanted, want_full_pass
from domain import facts
from domain.errors import RetryableError, ThrottledError, UnauthenticatedError
from domain.facts import Fact
from domain.ids import Crm, FactId, Kind, StreamId
from domain.ports import ChangeLog, KeyedFact, LoggedFact, Refresh, Topic

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OPPORTUNITY_ID = "006000000000001AAA"


def _account(account_id: str = "001000000000001AAA", name: str = "Acme") -> facts.AccountObserved:
    return facts.AccountObserved(
        id=FactId(f"{account_id} {name}"),
        at=AT,
        read_begun_at=AT,
        reason="poll",
        account_id=account_id,
        name=name,
        domain=None,
    )


def _deal(link: str | None) -> facts.DealObserved:
    return facts.DealObserved(
        id=FactId("deal"),
        at=AT,
        read_begun_at=AT,
        reason="poll",
        deal_id="77",
        created_at=AT,
        modified_at=AT,
        pipeline_id=None,
        stage_id=None,
        stage_at=None,
        stage_by="",
        stage_ours=False,
        pipeline_at=None,
        pipeline_ours=False,
        owner_id=None,
        currency_code=None,
        link=link,
        vendor_opportunity_id=None,
        vendor_synced_at=None,
        created_by_us=False,
        readings=(),
    )


class Told(Source):
    """A source that does as it is told."""

    def __init__(self, crm: Crm) -> None:
        """Make one that finds nothing."""
        self.crm = crm
        self.polls: list[Polled | Exception] = []
        self.answers: list[tuple[Fact, ...] | Exception] = []
        self.read_wishes: list[tuple[Refresh, ...]] = []
        self.polled_at: list[datetime] = []
        self.is_due = True

    @override
    def due(self, at: datetime) -> bool:
        return self.is_due

    @override
    def poll(self, at: datetime) -> Polled:
        self.polled_at.append(at)
        told = self.polls.pop(0) if self.polls else Polled()
        if isinstance(told, Exception):
            raise told
        return told

    @override
    def read(self, refreshes: Sequence[Refresh], at: datetime) -> tuple[Fact, ...]:
        self.read_wishes.append(tuple(refreshes))
        told = self.answers.pop(0) if self.answers else ()
        if isinstance(told, Exception):
            raise told
        return told


class Breaking(ChangeLog):
    """A log that can refuse."""

    def __init__(self) -> None:
        """Make one that takes everything."""
        self._inner = MemoryChangeLog()
        self.is_broken = False

    @override
    def append(self, facts: Sequence[KeyedFact]) -> None:
        if self.is_broken:
            raise RetryableError("the log is away")
        self._inner.append(facts)

    @override
    def read(self, after: Mapping[str, int], *, limit: int) -> tuple[LoggedFact, ...]:
        return self._inner.read(after, limit=limit)

    @override
    def heads(self) -> Mapping[str, int]:
        return self._inner.heads()

    def facts(self) -> list[Fact]:
        """Return all facts."""
        return [logged.fact for logged in self._inner.read({}, limit=1_000)]


class Loop:
    """An ingest loop over two told sources."""

    def __init__(self) -> None:
        """Make one where nothing has happened."""
        self.salesforce, self.hubspot = Told(Crm.SALESFORCE), Told(Crm.HUBSPOT)
        self.log = Breaking()
        self.refreshes = MemoryRefreshes()
        self.bookmarks = MemoryBookmarks()
        self.ingest = Ingest(
            sources=(self.salesforce, self.hubspot),
            log=self.log,
            refreshes=self.refreshes,
            bookmarks=self.bookmarks,
        )

    def wish(self, record_id: str = OPPORTUNITY_ID) -> Refresh:
        """Want an opportunity read."""
        wish = Refresh(Crm.SALESFORCE, Kind.OPPORTUNITY, record_id, "wanted", "an event", AT)
        self.refreshes.add([wish])
        return wish


@pytest.fixture
def loop() -> Loop:
    return Loop()


def test_facts_come_before_bookmarks(loop: Loop) -> None:
    loop.salesforce.polls = [Polled((_account(),), {"salesforce.x": "1"}, pass_begun_at=AT)]

    count = loop.ingest.step(AT)

    assert count == 1
    assert loop.log.facts() == [_account()]
    assert loop.bookmarks.read("salesforce.x") == "1"
    assert full_pass_begun_at(loop.bookmarks, Crm.SALESFORCE) == AT
    assert full_pass_begun_at(loop.bookmarks, Crm.HUBSPOT) is None


def test_nothing_moves_if_the_log_is_away(loop: Loop) -> None:
    wish = loop.wish()
    loop.log.is_broken = True
    loop.salesforce.answers = [(_account(),)]
    loop.ingest.step(AT)
    loop.salesforce.polls = [Polled((_account(),), {"salesforce.x": "1"}, pass_begun_at=AT)]
    loop.ingest.step(AT + timedelta(seconds=5))

    assert loop.refreshes.waiting() == 1
    assert loop.bookmarks.read("salesforce.x") is None
    assert full_pass_begun_at(loop.bookmarks, Crm.SALESFORCE) is None
    later = AT + timedelta(seconds=REFRESH_LEASE_SECONDS)
    loop.log.is_broken = False
    loop.salesforce.answers = [(_account(),)]
    loop.ingest.step(later)
    assert loop.salesforce.read_wishes[-1] == (wish,)
    assert loop.refreshes.waiting() == 0


def test_wishes_are_read_and_forgotten(loop: Loop) -> None:
    wish = loop.wish()
    loop.salesforce.answers = [(_account(),)]

    assert loop.ingest.step(AT) == 1
    assert loop.salesforce.read_wishes == [(wish,)]
    assert loop.hubspot.read_wishes == []
    assert loop.refreshes.waiting() == 0


def test_a_source_is_polled_when_due_when_there_is_more_and_when_wanted(loop: Loop) -> None:
    loop.salesforce.is_due = False
    loop.ingest.step(AT)
    assert loop.salesforce.polled_at == []

    want_full_pass(loop.bookmarks, AT)
    loop.salesforce.polls = [Polled(more=True), Polled(pass_begun_at=AT)]
    assert loop.ingest.step(AT) == 1
    assert loop.ingest.step(AT) == 0
    assert len(loop.salesforce.polled_at) == 2
    assert not is_pass_wanted(loop.bookmarks, Crm.SALESFORCE)

    loop.ingest.step(AT)
    assert len(loop.salesforce.polled_at) == 2


def test_a_pass_that_began_before_the_wish_does_not_answer_it(loop: Loop) -> None:
    want_full_pass(loop.bookmarks, AT)
    loop.salesforce.polls = [Polled(pass_begun_at=AT - timedelta(microseconds=1))]
    loop.ingest.step(AT)

    assert is_pass_wanted(loop.bookmarks, Crm.SALESFORCE)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RetryableError("away", code="SERVER_UNAVAILABLE"), None),
        (ThrottledError("full", until=AT + timedelta(seconds=30)), 30.0),
        (UnauthenticatedError("no", code="invalid_grant"), 60.0),
    ],
)
def test_a_crm_in_trouble_waits_alone(loop: Loop, error: Exception, seconds: float | None) -> None:
    loop.salesforce.polls = [error]
    loop.hubspot.polls = [Polled((_deal(None),))]
    count = loop.ingest.step(AT)

    assert count == 1
    trouble = loop.ingest.troubles[Crm.SALESFORCE]
    if seconds is None:
        seconds = delay_seconds(Crm.SALESFORCE, 1)
    assert trouble.until == AT + timedelta(seconds=seconds)
    assert set(loop.ingest.troubles) == {Crm.SALESFORCE}

    loop.ingest.step(AT + timedelta(seconds=seconds / 2))
    assert len(loop.salesforce.polled_at) == 1
    loop.ingest.step(AT + timedelta(seconds=seconds))
    assert len(loop.salesforce.polled_at) == 2
    assert loop.ingest.troubles == {}


def test_waits_grow_and_have_an_end(loop: Loop) -> None:
    at = AT
    waits = []
    for _ in range(9):
        loop.salesforce.polls = [RetryableError("away")]
        loop.ingest.step(at)
        until = loop.ingest.troubles[Crm.SALESFORCE].until
        waits.append((until - at).total_seconds())
        at = until

    assert waits[0] < waits[2] < waits[4] < waits[6]
    assert max(waits) <= BACKOFF_SECONDS_MAX


@pytest.mark.parametrize(
    ("fact", "key"),
    [
        (_account(), "001000000000001AAA"),
        (_deal(None), "77"),
        (_deal(OPPORTUNITY_ID), OPPORTUNITY_ID),
        (_deal("006000000000001:2"), OPPORTUNITY_ID),
        (_deal("what a person typed"), "77"),
    ],
)
def test_the_key_is_the_salesforce_id_where_there_is_one(
    fact: facts.AccountObserved | facts.DealObserved, key: str
) -> None:
    assert key_of(fact) == key


def test_only_observations_are_ingested() -> None:
    signal = facts.Reconsider(id=FactId("1"), at=AT, stream=StreamId("s"), because="x")

    with pytest.raises(ValueError, match=r"signal\.Reconsider"):
        key_of(signal)


def test_each_crm_has_its_topic(loop: Loop) -> None:
    loop.salesforce.polls = [Polled((_account(),))]
    loop.hubspot.polls = [Polled((_deal(None),))]
    loop.ingest.step(AT)

    topics = {logged.source.partition(":")[0] for logged in loop.log.read({}, limit=10)}
    assert topics == {str(Topic.SALESFORCE_CHANGES), str(Topic.HUBSPOT_CHANGES)}
