"""Decided writes as rows: added once, withdrawn in place."""

from dataclasses import replace

import pytest

from domain.events import Event
from domain.ids import WriteId
from domain.ports import StoredEvent
from projections import outbound_write
from projections.outbound_write import OutboundWrite
from tests.support.store_samples import AT, SOURCE, nothing, withdrawn, write_decided


def folded(*batch: Event) -> dict[WriteId, OutboundWrite]:
    rows: dict[WriteId, OutboundWrite] = {}
    for version, event in enumerate(batch, start=1):
        stored = StoredEvent(version, event.stream, version, event, SOURCE, 0)
        outbound_write.fold(rows, outbound_write.change(stored, AT))
    return rows


def test_a_decided_write_is_a_row_that_says_who_why_and_under_which_policy() -> None:
    decided = write_decided("a")

    (row,) = folded(nothing("a"), decided).values()

    assert (row.write, row.stream, row.version) == (decided.write, decided.stream, 2)
    assert (row.crm, row.operation) == ("hubspot", "update")
    assert (row.rule, row.reason, row.cause) == (decided.rule, decided.reason, decided.cause)
    assert (row.policy_version, row.decided_at, row.withdrawn_reason) == (3, AT, None)


def test_a_withdrawn_write_keeps_its_row() -> None:
    decided = write_decided("a")

    before = folded(decided)
    after = folded(decided, withdrawn(decided))

    (row,) = before.values()
    assert after == {row.write_id: replace(row, withdrawn_reason="changed back")}


def test_a_withdrawal_of_no_row_changes_nothing() -> None:
    assert folded(withdrawn(write_decided("a"))) == {}


def test_deciding_a_write_twice_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        folded(write_decided("a"), write_decided("a"))
