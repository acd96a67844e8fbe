"""The access log: what reached the CRM, who asked, what it changed, in order and for good."""

from tests.sandbox_front.notebook import Book


def test_a_vendor_call_is_logged_with_who_asked_and_what_it_changed() -> None:
    book = Book()
    book.ask("POST", "/notes?colour=red", {"text": "milk"}, who="pat-other")

    assert book.calls() == [
        {
            "number": 1,
            "at": "2026-03-02T09:30:00.000Z",
            "who": "pat-other",
            "method": "POST",
            "path": "/notes",
            "status": 201,
            "records": ["1"],
            "changed": True,
        }
    ]


def test_a_read_is_logged_as_changing_nothing() -> None:
    book = Book()
    book.ask("GET", "/notes")

    assert [call["changed"] for call in book.calls()] == [False]


def test_control_calls_are_not_logged() -> None:
    book = Book()
    for path in ("/sandbox/health", "/sandbox/", "/sandbox/clock", "/sandbox/nothing", "/sandbox"):
        book.ask("GET", path)

    assert book.calls() == []


def test_a_screen_action_is_logged_under_its_name() -> None:
    book = Book()
    book.ask("POST", "/notes", {"text": "milk"})
    book.ask("POST", "/sandbox/actions", {"action": "tear_out", "as": "ann", "id": "1"})

    logged = {name: book.calls()[1][name] for name in ("who", "method", "path", "changed")}
    assert logged == {"who": "ann", "method": "ACTION", "path": "tear_out", "changed": True}


def test_a_refused_screen_action_says_why_and_is_not_logged() -> None:
    book = Book()
    refused = book.told("POST", "/sandbox/actions", {"action": "burn", "as": "ann"})

    assert (refused.status, refused.body, book.calls()) == (
        400,
        b'{"error": "nobody can burn here"}',
        [],
    )


def test_the_log_is_read_on_from_a_number_a_thousand_at_a_time() -> None:
    book = Book()
    for _ in range(1_001):
        book.ask("GET", "/notes")
    later = book.read("/sandbox/access-log?after=1000")["calls"]
    assert isinstance(later, list)

    assert (len(book.calls()), len(later)) == (1_000, 1)


def test_numbers_go_on_after_a_reset() -> None:
    book = Book()
    book.ask("POST", "/notes", {"text": "milk"})
    book.ask("POST", "/sandbox/reset")
    book.ask("GET", "/notes")

    assert [(call["number"], call["method"]) for call in book.calls()] == [(2, "GET")]


def test_a_number_that_is_none_is_refused() -> None:
    assert Book().told("GET", "/sandbox/access-log?after=-1").status == 400
