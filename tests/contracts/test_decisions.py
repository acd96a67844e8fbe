"""What every event store promises: one decider a source, complete tails, all or nothing."""

import threading
from collections.abc import Callable, Iterator

import pytest

from adapters.memory.decisions import MemoryDecisions
from adapters.postgres.decisions import PostgresDecisions
from domain.events import Event
from domain.ids import Crm
from domain.ports import (
    Advance,
    Batch,
    Committed,
    Decisions,
    Fenced,
    Identity,
    StoredEvent,
)
from tests.support import postgres
from tests.support.store_samples import (
    OTHER_SOURCE,
    SOURCE,
    absorbed,
    batch,
    buried,
    contact,
    contact_linked,
    contact_unlinked,
    deal,
    dropped,
    founded,
    linked,
    nothing,
    opportunity,
    stream,
    write_decided,
)

#: opens a further handle on the same store, as another process would
Open = Callable[[], Decisions]


@pytest.fixture(params=["memory", "postgres"])
def open_store(request: pytest.FixtureRequest) -> Iterator[Open]:
    if request.param == "memory":
        store = MemoryDecisions()
        yield lambda: store
        return
    with postgres.database() as database:
        yield lambda: PostgresDecisions(database)


def never(newer: tuple[StoredEvent, ...]) -> Batch:
    """Refuse to decide again: nothing newer is expected."""
    raise AssertionError(newer)


def committed(store: Decisions, given: Batch) -> Committed:
    outcome = store.commit(given, never)
    assert isinstance(outcome, Committed)
    return outcome


def test_an_empty_store_knows_nothing_and_says_what_it_looked_for(open_store: Open) -> None:
    loaded = open_store().load([stream("a")], [deal("1")])

    assert (loaded.as_of, loaded.events, loaded.identities) == (
        0,
        {stream("a"): ()},
        {deal("1"): None},
    )
    assert open_store().positions() == {}
    assert open_store().tail(0, limit=9) == ()
    assert open_store().last_event_id() == 0


def test_a_committed_batch_is_loaded_tailed_and_counted(open_store: Open) -> None:
    outcome = committed(
        open_store(), batch((1, founded("a", deal("1"))), (1, nothing("b")), (2, nothing("a")))
    )

    loaded = open_store().load([stream("a"), stream("b")], [deal("1")])
    assert [event.version for event in loaded.events[stream("a")]] == [1, 2]
    assert [event.event for event in loaded.events[stream("b")]] == [nothing("b")]
    assert loaded.identities == {deal("1"): Identity(deal("1"), stream("a"), alive=True)}
    assert loaded.as_of == outcome.last_event_id == open_store().last_event_id()
    assert open_store().tail(0, limit=9) == outcome.stored
    assert open_store().tail(outcome.stored[0].id, limit=1) == outcome.stored[1:2]
    assert open_store().positions() == {SOURCE: 0}
    assert {event.offset for event in outcome.stored} == {0}


def test_the_second_worker_on_a_source_is_fenced(open_store: Open) -> None:
    one, other = open_store(), open_store()
    committed(one, batch((1, nothing("a")), new=4))

    outcome = other.commit(batch((1, nothing("b")), expected=-1, new=2), never)

    assert outcome == Fenced(SOURCE, 4)
    assert other.positions() == {SOURCE: 4}
    assert other.load([stream("b")], []).events == {stream("b"): ()}


def test_a_batch_of_two_sources_is_fenced_whole(open_store: Open) -> None:
    committed(open_store(), batch((1, nothing("a")), source=OTHER_SOURCE, new=1))
    both = Batch(as_of=0, advances=(Advance(SOURCE, -1, 5), Advance(OTHER_SOURCE, 0, 5)), events=())

    assert open_store().commit(both, never) == Fenced(OTHER_SOURCE, 1)
    assert open_store().positions() == {OTHER_SOURCE: 1}


def test_a_stale_batch_is_decided_again_with_exactly_the_newer_events(open_store: Open) -> None:
    first = committed(open_store(), batch((1, nothing("a"))))
    newer = committed(
        open_store(),
        batch((2, nothing("a")), (1, nothing("b")), as_of=first.last_event_id, expected=0, new=1),
    )
    stale = batch((2, nothing("a", "stale")), as_of=first.last_event_id, source=OTHER_SOURCE)
    shown: list[tuple[StoredEvent, ...]] = []

    def redecide(events: tuple[StoredEvent, ...]) -> Batch:
        shown.append(events)
        return batch((3, nothing("a", "again")), as_of=events[-1].id, source=OTHER_SOURCE)

    outcome = open_store().commit(stale, redecide)

    assert isinstance(outcome, Committed)
    assert shown == [newer.stored]
    assert [event.event for event in outcome.stored] == [nothing("a", "again")]
    history = open_store().load([stream("a")], []).events[stream("a")]
    assert [event.version for event in history] == [1, 2, 3]


def test_a_miss_that_another_worker_filled_comes_with_the_newer_events(open_store: Open) -> None:
    """Both looked for the deal and found nothing; only one may found it."""
    one, other = open_store(), open_store()
    seen = other.load([], [deal("1")])
    committed(one, batch((1, founded("a", deal("1")))))

    def redecide(events: tuple[StoredEvent, ...]) -> Batch:
        assert [event.event for event in events] == [founded("a", deal("1"))]
        return batch((2, nothing("a")), as_of=events[-1].id, source=OTHER_SOURCE)

    outcome = other.commit(
        batch((1, founded("b", deal("1"))), as_of=seen.as_of, source=OTHER_SOURCE), redecide
    )

    assert isinstance(outcome, Committed)
    assert other.load([], [deal("1")]).identities[deal("1")] == Identity(
        deal("1"), stream("a"), alive=True
    )


def test_a_redecision_that_raises_leaves_nothing_behind(open_store: Open) -> None:
    first = committed(open_store(), batch((1, nothing("a"))))

    with pytest.raises(AssertionError):
        open_store().commit(batch((1, nothing("b")), source=OTHER_SOURCE), never)

    assert open_store().positions() == {SOURCE: 0}
    assert open_store().last_event_id() == first.last_event_id


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param((1, founded("b", deal("1"))), id="a record with an owner"),
        pytest.param((1, linked("b", deal("1"))), id="a counterpart with an owner"),
        pytest.param((1, nothing("a")), id="a version that is there"),
        pytest.param((13, write_decided("a")), id="a write decided before"),
        pytest.param((2, contact_linked("c", "8", "003")), id="a second person for a contact"),
    ],
)
def test_a_clash_writes_nothing_and_burns_the_ids(open_store: Open, bad: tuple[int, Event]) -> None:
    before = committed(
        open_store(),
        batch(
            (1, founded("a", deal("1"))),
            (1, founded("c", contact(Crm.HUBSPOT, "7"))),
            (2, contact_linked("c", "7", "003")),
            (2, nothing("a")),
            (3, write_decided("a")),
        ),
    )
    clashing = batch(bad, as_of=before.last_event_id, expected=0, new=1)

    with pytest.raises(AssertionError):
        open_store().commit(clashing, never)

    assert open_store().positions() == {SOURCE: 0}
    assert open_store().last_event_id() == before.last_event_id
    after = committed(
        open_store(), batch((9, nothing("a")), as_of=before.last_event_id, expected=0, new=1)
    )
    assert after.stored[0].id > before.last_event_id + 1


def test_burying_reviving_and_linking_change_one_row(open_store: Open) -> None:
    committed(
        open_store(),
        batch(
            (1, founded("a", deal("1"))),
            (2, buried("a", deal("1"))),
            (3, linked("a", deal("2"), "0")),
            (4, dropped("a", deal("2"))),
        ),
    )

    found = open_store().load([], [deal("0"), deal("1"), deal("2")]).identities

    assert found == {
        deal("0"): Identity(deal("0"), stream("a"), alive=False),
        deal("1"): Identity(deal("1"), stream("a"), alive=False),
        deal("2"): None,
    }


def test_absorbing_repoints_rows_of_earlier_batches(open_store: Open) -> None:
    first = committed(
        open_store(),
        batch(
            (1, founded("half", deal("1"))),
            (2, buried("half", deal("1"))),
            (3, linked("half", deal("2"))),
            (1, founded("pair", opportunity("006"))),
        ),
    )
    committed(
        open_store(),
        batch(
            (2, linked("pair", deal("2"), "1")),
            (4, absorbed("half", "pair")),
            as_of=first.last_event_id,
            expected=0,
            new=1,
        ),
    )

    found = open_store().load([], [deal("1"), deal("2")]).identities

    assert found == {
        deal("1"): Identity(deal("1"), stream("pair"), alive=False),
        deal("2"): Identity(deal("2"), stream("pair"), alive=True),
    }


def test_contacts_exchange_their_links_in_one_batch(open_store: Open) -> None:
    first = committed(
        open_store(),
        batch((1, contact_linked("x", "7", "003A")), (1, contact_linked("y", "8", "003B"))),
    )
    committed(
        open_store(),
        batch(
            (2, contact_unlinked("x", "7", "003A")),
            (2, contact_unlinked("y", "8", "003B")),
            (3, contact_linked("x", "7", "003B")),
            (3, contact_linked("y", "8", "003A")),
            as_of=first.last_event_id,
            expected=0,
            new=1,
        ),
    )

    refs = [contact(Crm.HUBSPOT, "7"), contact(Crm.SALESFORCE, "003A")]
    found = open_store().load([], refs).identities

    assert [row.linked_to for row in found.values() if row is not None] == ["003B", "8"]


def test_workers_on_several_sources_leave_no_gap_in_a_stream(open_store: Open) -> None:
    """Each adds to one stream from stale state; re-deciding gives the next version."""

    def work(source: str) -> None:
        store = open_store()
        for turn in range(10):

            def redecide(newer: tuple[StoredEvent, ...], *, turn: int = turn) -> Batch:
                version = 1 + max(event.version for event in newer)
                return batch((version, nothing("hot")), source=source, expected=turn - 1, new=turn)

            stale = batch((1, nothing("hot")), source=source, expected=turn - 1, new=turn)
            assert isinstance(store.commit(stale, redecide), Committed)

    workers = [threading.Thread(target=work, args=(f"source:{n}",)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=30)

    history = open_store().load([stream("hot")], []).events[stream("hot")]
    assert [event.version for event in history] == list(range(1, 31))
    assert [event.id for event in history] == sorted(event.id for event in history)
