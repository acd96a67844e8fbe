"""The poll's place: no change is passed over, whatever shares a stamp, and little is read twice."""

from adapters.hubspot.cursor import MEMORY_MAX, OVERLAP_SECONDS, Cursor
from adapters.hubspot.wire import NextPage, Paging, RecordPage, RecordRow
from domain.ids import Kind

SECOND = 1_000
BEGIN = 1_772_000_000_000


def row(record_id: int, stamp: int) -> RecordRow:
    body = {
        "id": str(record_id),
        "properties": {"hs_lastmodifieddate": str(stamp)},
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z",
    }
    return RecordRow.model_validate(body)


def page(*rows: RecordRow, more: bool = False) -> RecordPage:
    paging = Paging(next=NextPage(after="2")) if more else None
    return RecordPage(results=list(rows), paging=paging)


def test_a_round_begins_before_the_newest_stamp() -> None:
    (condition,), sort = Cursor(newest=BEGIN).filters(Kind.DEAL)

    assert condition.operator == "GTE"
    assert condition.value == str(BEGIN - OVERLAP_SECONDS * SECOND)
    assert sort == "hs_lastmodifieddate"


def test_contacts_have_a_stamp_of_another_name() -> None:
    (condition,), sort = Cursor().filters(Kind.CONTACT)

    assert (condition.name, sort) == ("lastmodifieddate", "lastmodifieddate")


def test_a_full_page_goes_on_at_its_last_stamp() -> None:
    after = Cursor().past(Kind.DEAL, page(row(1, BEGIN), row(2, BEGIN + 5), more=True))

    assert (after.stamp, after.after_id, after.newest) == (BEGIN + 5, None, BEGIN + 5)


def test_one_stamp_that_fills_a_page_is_read_by_ids() -> None:
    at_stamp = Cursor(newest=BEGIN, stamp=BEGIN)

    by_ids = at_stamp.past(Kind.DEAL, page(row(1, BEGIN), row(2, BEGIN), more=True))
    conditions, sort = by_ids.filters(Kind.DEAL)
    further = by_ids.past(Kind.DEAL, page(row(1, BEGIN), row(2, BEGIN), more=True))
    behind = further.past(Kind.DEAL, page(row(3, BEGIN)))

    assert [(one.operator, one.value) for one in conditions] == [("EQ", str(BEGIN)), ("GT", "0")]
    assert sort == "hs_object_id"
    assert further.after_id == "2"
    assert (behind.stamp, behind.after_id) == (BEGIN + 1, None)


def test_a_page_that_is_not_full_ends_the_round() -> None:
    assert Cursor(stamp=BEGIN).past(Kind.DEAL, page(row(1, BEGIN))).stamp is None


def test_what_was_read_at_its_stamp_is_not_fresh() -> None:
    cursor = Cursor().remembering({"1": BEGIN})

    fresh = cursor.fresh(Kind.DEAL, [row(1, BEGIN), row(2, BEGIN)])
    assert fresh == {"2": BEGIN}
    assert cursor.fresh(Kind.DEAL, [row(1, BEGIN + 1)]) == {"1": BEGIN + 1}


def test_the_memory_reaches_over_the_overlap_and_no_further() -> None:
    cursor = Cursor(newest=BEGIN).remembering(
        {"old": BEGIN - OVERLAP_SECONDS * SECOND - 1, "new": BEGIN}
    )

    assert cursor.over().seen == {"new": BEGIN}


def test_the_memory_is_bounded_and_keeps_the_newest() -> None:
    many = {str(number): BEGIN + number for number in range(MEMORY_MAX + 10)}

    kept = Cursor(newest=BEGIN).remembering(many).over().seen

    assert len(kept) == MEMORY_MAX
    assert str(MEMORY_MAX + 9) in kept
    assert "0" not in kept


def test_a_place_survives_as_text() -> None:
    cursor = Cursor(newest=BEGIN, stamp=BEGIN, after_id="7", seen={"1": BEGIN})

    assert Cursor.model_validate_json(cursor.model_dump_json()) == cursor
