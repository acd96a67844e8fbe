"""What every table of wishes and every shelf of bookmarks promises."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.memory.bookmarks import MemoryBookmarks
from adapters.memory.refresh import MemoryRefreshes
from adapters.postgres.bookmarks import PostgresBookmarks
from adapters.postgres.refresh import PostgresRefreshes
from adapters.source import WEBHOOKS_KEPT
from domain.ids import Crm, Kind
from domain.ports import Bookmarks, Refresh
from tests.support import postgres

AT = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
LEASE = 60.0


@dataclass(frozen=True)
class Shelf:
    """Handles on one store; each call of a method opens a further one, as a process would."""

    refreshes: Callable[[], MemoryRefreshes | PostgresRefreshes]
    bookmarks: Callable[[], Bookmarks]


@pytest.fixture(params=["memory", "postgres"])
def shelf(request: pytest.FixtureRequest) -> Iterator[Shelf]:
    if request.param == "memory":
        refreshes, bookmarks = MemoryRefreshes(), MemoryBookmarks()
        yield Shelf(lambda: refreshes, lambda: bookmarks)
        return
    with ExitStack() as stack:
        database = stack.enter_context(postgres.database())
        yield Shelf(lambda: PostgresRefreshes(database), lambda: PostgresBookmarks(database))


def _wish(record_id: str, crm: Crm = Crm.HUBSPOT, cause: str = "a webhook") -> Refresh:
    return Refresh(
        crm=crm,
        kind=Kind.DEAL,
        record_id=record_id,
        reason="webhook",
        cause=cause,
        at=AT,
        hint="deal.propertyChange",
    )


def _claim(shelf: Shelf, at: datetime = AT, limit: int = 10) -> tuple[Refresh, ...]:
    return shelf.refreshes().claim(Crm.HUBSPOT, at=at, limit=limit, lease_seconds=LEASE)


def test_wishes_are_claimed_whole_and_oldest_first(shelf: Shelf) -> None:
    wishes = [_wish(str(number)) for number in (3, 1, 2)]
    shelf.refreshes().add(wishes)

    assert _claim(shelf, limit=2) == tuple(wishes[:2])
    assert _claim(shelf) == (wishes[2],)
    assert shelf.refreshes().waiting() == 3


def test_each_crm_has_its_own(shelf: Shelf) -> None:
    shelf.refreshes().add([_wish("006", Crm.SALESFORCE), _wish("1")])

    assert _claim(shelf) == (_wish("1"),)


def test_a_waiting_wish_is_not_doubled(shelf: Shelf) -> None:
    shelf.refreshes().add([_wish("1"), _wish("1")])
    shelf.refreshes().add([replace(_wish("1"), at=AT + timedelta(seconds=5))])

    assert _claim(shelf) == (_wish("1"),)
    assert shelf.refreshes().waiting() == 1


def test_wishes_of_different_causes_are_two(shelf: Shelf) -> None:
    shelf.refreshes().add([_wish("1", cause="an import"), _wish("1")])

    assert shelf.refreshes().waiting() == 2


def test_what_was_read_is_forgotten(shelf: Shelf) -> None:
    shelf.refreshes().add([_wish("1"), _wish("2")])
    claimed = _claim(shelf, limit=1)

    shelf.refreshes().done(claimed)

    assert shelf.refreshes().waiting() == 1
    assert _claim(shelf) == (_wish("2"),)


def test_a_wish_comes_back_when_its_lease_ends(shelf: Shelf) -> None:
    shelf.refreshes().add([_wish("1")])
    _claim(shelf)

    assert _claim(shelf, AT + timedelta(seconds=LEASE - 1)) == ()
    assert _claim(shelf, AT + timedelta(seconds=LEASE)) == (_wish("1"),)


def test_a_wish_given_back_is_claimed_at_once(shelf: Shelf) -> None:
    shelf.refreshes().add([_wish("1")])
    claimed = _claim(shelf)
    shelf.refreshes().add([_wish("1")])

    shelf.refreshes().give_back(claimed)

    assert _claim(shelf) == (_wish("1"), _wish("1"))
    assert _claim(shelf) == ()
    shelf.refreshes().done(claimed)
    assert shelf.refreshes().waiting() == 0


def test_a_wish_made_while_the_record_is_being_read_is_kept(shelf: Shelf) -> None:
    """That reading may have begun before the change."""
    shelf.refreshes().add([_wish("1")])
    claimed = _claim(shelf)
    later = replace(_wish("1"), at=AT + timedelta(seconds=1))
    shelf.refreshes().add([later])

    shelf.refreshes().done(claimed)

    assert _claim(shelf) == (later,)


def test_a_delivery_sent_twice_is_taken_in_once(shelf: Shelf) -> None:
    inbox = shelf.refreshes()

    first = inbox.receive(b"[1]", signature_hash="h1", at=AT, wishes=[_wish("1")])
    again = inbox.receive(b"[1]", signature_hash="h1", at=AT, wishes=[_wish("2")])
    other = inbox.receive(b"[2]", signature_hash="h2", at=AT, wishes=[])

    assert (first, again, other) == (True, False, True)
    assert _claim(shelf) == (_wish("1"),)


def test_a_bookmark_is_the_text_last_written(shelf: Shelf) -> None:
    assert shelf.bookmarks().read("salesforce.pass") is None

    shelf.bookmarks().write("salesforce.pass", "one")
    shelf.bookmarks().write("salesforce.pass", "two \u2028 商談")
    shelf.bookmarks().write("hubspot.pass", "three")

    assert shelf.bookmarks().read("salesforce.pass") == "two \u2028 商談"


def test_a_delivery_is_forgotten_after_a_while(shelf: Shelf) -> None:
    """Then it would be taken in anew: its signature is long out of date."""
    inbox = shelf.refreshes()
    later = AT + WEBHOOKS_KEPT + timedelta(seconds=1)
    inbox.receive(b"[1]", signature_hash="h1", at=AT, wishes=[])

    inbox.receive(b"[2]", signature_hash="h2", at=later, wishes=[])

    assert inbox.receive(b"[1]", signature_hash="h1", at=later, wishes=[])
    assert not inbox.receive(b"[2]", signature_hash="h2", at=later, wishes=[])
