"""Salesforce's bodies as typed values, and ours as JSON; shapes as the vendor documents them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from adapters.salesforce import wire
from adapters.salesforce.translate import host_of
from adapters.salesforce.wire import Json, Row, UnexpectedBodyError


def test_numbers_keep_their_digits() -> None:
    body = wire.parse(b'{"a": 1200.10, "b": 9007199254740993, "c": 1.5E7, "d": 99999999999999.99}')

    row = Row(wire.mapping(body, "a row"))

    assert [row.text(name) for name in "abcd"] == [
        "1200.10",
        "9007199254740993",
        "15000000",
        "99999999999999.99",
    ]
    assert wire.compose(
        {"a": Decimal("99999999999999.99"), "b": [Decimal("1E+2"), None, True]}
    ) == (b'{"a":99999999999999.99,"b":[100,null,true]}')


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, None), (True, "true"), (False, "false"), ("2026-11-24", "2026-11-24"), (0, "0")],
)
def test_every_value_has_a_text(value: Json, text: str | None) -> None:
    assert wire.text_of(value) == text


def test_text_is_written_as_it_is() -> None:
    assert wire.compose({"Name": '商談 "A"\n\u2028'}) == '{"Name":"商談 \\"A\\"\\n\u2028"}'.encode()


def test_a_query_page() -> None:
    page = wire.query_page(
        wire.parse(
            b'{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/v62.0/query/01g-2000",'
            b'"records":[{"attributes":{"type":"Opportunity","url":"/x"},"Id":"006000000000001",'
            b'"SystemModstamp":"2026-05-07T22:07:19.000+0000","LastModifiedBy":{"Name":"Ada"}}]}'
        )
    )

    (row,) = page.rows
    assert row.id == "006000000000001AAA"
    assert row.instant("SystemModstamp") == datetime(2026, 5, 7, 22, 7, 19, tzinfo=UTC)
    author = row.parent("LastModifiedBy")
    assert author is not None
    assert author.text("Name") == "Ada"
    assert page.next_path == "/services/data/v62.0/query/01g-2000"


def test_a_list_of_deletions() -> None:
    found = wire.deletions(
        wire.parse(
            b'{"deletedRecords":[{"id":"006000000000001AAA",'
            b'"deletedDate":"2026-05-07T22:07:19.000+0000"}],'
            b'"earliestDateAvailable":"2026-05-03T15:57:00.000+0000",'
            b'"latestDateCovered":"2026-05-08T21:20:00.000+0000"}'
        )
    )

    assert found.records == (("006000000000001AAA", datetime(2026, 5, 7, 22, 7, 19, tzinfo=UTC)),)
    assert found.latest_covered == datetime(2026, 5, 8, 21, 20, tzinfo=UTC)


def test_rows_of_a_collections_call() -> None:
    good, bad = wire.row_answers(
        wire.parse(
            b'[{"id":"006000000000001AAA","success":true,"errors":[],"created":true},'
            b'{"success":false,"errors":[{"statusCode":"STRING_TOO_LONG","message":"too long",'
            b'"fields":["Name"]}]}]'
        )
    )

    assert (good.success, good.created, good.id) == (True, True, "006000000000001AAA")
    assert not bad.success
    assert (bad.refusals[0].code, bad.refusals[0].fields) == ("STRING_TOO_LONG", ("Name",))


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        (b'[{"message":"m","errorCode":"INVALID_FIELD"}]', "INVALID_FIELD", ()),
        (
            b'[{"message":"m","errorCode":"REQUIRED_FIELD_MISSING","fields":["Name","CloseDate"]}]',
            "REQUIRED_FIELD_MISSING",
            ("Name", "CloseDate"),
        ),
        (
            b'[{"duplicateResut":{},"errorCode":"DUPLICATES_DETECTED","message":"m"}]',
            "DUPLICATES_DETECTED",
            (),
        ),
        (b'{"error":"invalid_grant","error_description":"no"}', "invalid_grant", ()),
        (b'["/services/data/a","/services/data/b"]', "", ()),
        (b"<html>", "", ()),
        (b"", "", ()),
    ],
)
def test_every_kind_of_refusal_is_read(body: bytes, code: str, fields: tuple[str, ...]) -> None:
    first = wire.refusals(body, 400)[0]

    assert (first.code, first.fields, first.status) == (code, fields, 400)


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"records":1}', b'{"records":[1]}', b'{"records":[{"Id":"x"}]}']
)
def test_what_is_no_answer_of_salesforce_is_said_to_be_so(body: bytes) -> None:
    with pytest.raises(UnexpectedBodyError):
        [row.id for row in wire.query_page(wire.parse(body)).rows]


@pytest.mark.parametrize(
    ("website", "host"),
    [
        ("https://www.Acme.example/about?x=1", "acme.example"),
        ("acme.example", "acme.example"),
        (" HTTP://ACME.EXAMPLE:8080 ", "acme.example"),
        ("shop.acme.example/", "shop.acme.example"),
        ("none", None),
        ("http://[broken", None),
        (None, None),
        (" ", None),
    ],
)
def test_the_domain_of_a_website(website: str | None, host: str | None) -> None:
    assert host_of(website) == host
