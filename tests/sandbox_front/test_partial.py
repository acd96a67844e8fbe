"""A batch of which some rows fail: the rest is done, and the answer has the vendor's own shape."""

from adapters.sandbox.tables import JsonValue
from tests.sandbox_front.notebook import COLLECTIONS, DEALS_CREATE, Book, object_of, rows_of


def test_hubspot_answers_207_and_names_the_failed_rows_by_their_trace_id() -> None:
    book = Book()
    book.set_faults({"kind": "partial", "rows": 2})
    inputs: list[JsonValue] = [{"objectWriteTraceId": str(number)} for number in range(5)]
    answered = book.ask("POST", DEALS_CREATE, {"inputs": inputs})
    body = object_of(answered)
    results, errors = body["results"], body["errors"]
    done = {row["note"]["objectWriteTraceId"] for row in _notes(book)}
    failed = {error["context"]["objectWriteTraceId"][0] for error in errors}

    assert (answered.response.status, body["numErrors"], len(results)) == (207, 2, 3)
    assert done | failed == {"0", "1", "2", "3", "4"}
    assert not done & failed


def test_salesforce_answers_200_and_keeps_the_order() -> None:
    book = Book("salesforce")
    book.set_faults({"kind": "partial", "rows": 2})
    records: list[JsonValue] = [{"Id": f"006{number}"} for number in range(5)]
    answered = book.ask("PATCH", COLLECTIONS, {"allOrNone": False, "records": records})
    rows = rows_of(answered)
    successes = [row["success"] for row in rows]
    written = [row["note"]["Id"] for row in _notes(book)]

    assert (len(rows), successes.count(False)) == (5, 2)
    assert written == [f"006{number}" for number in range(5) if successes[number]]


def test_salesforce_deletes_by_query_in_parts_too() -> None:
    book = Book("salesforce")
    book.set_faults({"kind": "partial"})
    rows = rows_of(book.ask("DELETE", f"{COLLECTIONS}?ids=a,b,c&allOrNone=false"))

    assert [row["id"] for row in rows] == ["a", "b", "c"]


def test_nothing_is_done_where_all_stand_or_fall_together() -> None:
    book = Book("salesforce")
    book.set_faults({"kind": "partial"})
    rows = rows_of(book.ask("POST", COLLECTIONS, {"allOrNone": True, "records": [{}, {}, {}]}))
    codes = sorted(row["errors"][0]["statusCode"] for row in rows)

    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK"] * 2 + ["UNABLE_TO_LOCK_ROW"]
    assert book.read("/notes") == {"notes": 0}


def test_a_batch_of_one_and_a_single_write_are_left_alone() -> None:
    book = Book()
    book.set_faults({"kind": "partial"})

    assert book.told("POST", DEALS_CREATE, {"inputs": [{}]}).status == 201
    assert book.told("POST", "/crm/v3/objects/deals", {}).status == 201


def test_one_row_gets_through_however_many_are_to_fail() -> None:
    book = Book()
    book.set_faults({"kind": "partial", "rows": 99}, {"kind": "partial", "rows": 99})
    book.ask("POST", DEALS_CREATE, {"inputs": [{}, {}, {}]})

    assert book.read("/notes") == {"notes": 1}


def _notes(book: Book) -> list[dict[str, dict[str, str]]]:
    return list(book.box.tables.rows("note").values())  # type: ignore[arg-type]  # notes of this test
