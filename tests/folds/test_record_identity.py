"""Whose record a record is: each event's changes, clashes, and folding a tail twice."""

import itertools

import pytest

from domain.events import Event
from domain.ids import Crm, Ref, stream_of
from domain.ports import Identity
from projections import record_identity
from projections.record_identity import IdentityClashError
from tests.support.store_samples import (
    absorbed,
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
    revived,
    stream,
)

ONE, TWO = deal("1"), deal("2")


def folded(*batch: Event) -> dict[Ref, Identity | None]:
    rows: dict[Ref, Identity | None] = {}
    record_identity.fold_strictly(rows, batch)
    return rows


def row(ref: Ref, name: str, *, alive: bool = True, linked_to: str | None = None) -> Identity:
    return Identity(ref, stream(name), alive, linked_to)


def test_founding_claims_the_record() -> None:
    assert folded(founded("a", ONE)) == {ONE: row(ONE, "a")}


def test_burying_keeps_the_owner_and_reviving_brings_it_back() -> None:
    dead = folded(founded("a", ONE), buried("a", ONE))
    again = folded(founded("a", ONE), buried("a", ONE), revived("a", ONE))

    assert dead == {ONE: row(ONE, "a", alive=False)}
    assert again == {ONE: row(ONE, "a")}


def test_a_deletion_of_an_unknown_record_is_remembered() -> None:
    assert folded(buried("a", ONE)) == {ONE: row(ONE, "a", alive=False)}


def test_a_linked_counterpart_brings_its_dead_ids_along() -> None:
    assert folded(linked("a", TWO, "1")) == {
        ONE: row(ONE, "a", alive=False),
        TWO: row(TWO, "a"),
    }


def test_a_dropped_record_can_be_claimed_by_another() -> None:
    rows = folded(linked("a", ONE), dropped("a", ONE), founded("b", ONE))

    assert rows == {ONE: row(ONE, "b")}


def test_dropping_what_another_owns_changes_nothing() -> None:
    assert folded(founded("a", ONE), dropped("b", ONE)) == {ONE: row(ONE, "a")}


@pytest.mark.parametrize("absorbed_first", [True, False])
def test_absorbing_and_linking_end_the_same_in_either_order(*, absorbed_first: bool) -> None:
    both: list[Event] = [linked("pair", TWO, "1"), absorbed("half", "pair")]
    start: list[Event] = [
        founded("half", TWO),
        buried("half", ONE),
        founded("pair", opportunity("006")),
    ]

    rows = folded(*start, *(both[::-1] if absorbed_first else both))

    assert rows[ONE] == row(ONE, "pair", alive=False)
    assert rows[TWO] == row(TWO, "pair")


def test_people_are_linked_in_both_directions_and_unlinked_again() -> None:
    hubspot, salesforce = contact(Crm.HUBSPOT, "7"), contact(Crm.SALESFORCE, "003")
    linked_rows = folded(founded("h", hubspot), contact_linked("h", "7", "003"))
    unlinked = folded(contact_linked("h", "7", "003"), contact_unlinked("h", "7", "003"))

    assert linked_rows == {
        hubspot: row(hubspot, "h", linked_to="003"),
        salesforce: Identity(salesforce, stream_of(salesforce), alive=True, linked_to="7"),
    }
    assert [found.linked_to for found in unlinked.values() if found is not None] == [None, None]


def test_ending_an_old_link_leaves_a_newer_one() -> None:
    rows = folded(contact_linked("h", "7", "003B"))
    for change in record_identity.changes(contact_unlinked("h", "7", "003A")):
        record_identity.fold(rows, change)

    found = rows[contact(Crm.HUBSPOT, "7")]
    assert found is not None
    assert found.linked_to == "003B"


@pytest.mark.parametrize(
    "batch",
    [
        pytest.param([founded("a", ONE), founded("b", ONE)], id="two owners"),
        pytest.param([buried("a", ONE), linked("b", ONE)], id="a tombstone of another"),
        pytest.param(
            [contact_linked("h", "7", "003"), contact_linked("i", "8", "003")], id="two contacts"
        ),
        pytest.param(
            [contact_linked("h", "7", "003A"), contact_linked("h", "7", "003B")], id="two persons"
        ),
    ],
)
def test_a_clash_is_an_error(batch: list[Event]) -> None:
    with pytest.raises(IdentityClashError):
        folded(*batch)


def test_most_events_change_nothing() -> None:
    assert record_identity.changes(nothing("a")) == ()


def test_folding_a_part_of_the_history_again_over_its_result_changes_nothing() -> None:
    """A tail overlaps with what a later read showed: every overlap ends in the same rows."""
    history: list[Event] = [
        founded("half", ONE),
        linked("half", TWO),
        dropped("half", TWO),
        founded("other", TWO),
        buried("half", ONE),
        revived("half", ONE),
        absorbed("half", "pair"),
        dropped("pair", ONE),
        founded("new", ONE),
        contact_linked("h", "7", "003A"),
        contact_unlinked("h", "7", "003A"),
        contact_linked("h", "7", "003B"),
    ]
    changes = [change for event in history for change in record_identity.changes(event)]
    for first, last in itertools.combinations(range(len(changes) + 1), 2):
        rows: dict[Ref, Identity | None] = {}
        for change in (*changes[:last], *changes[first:last]):
            record_identity.fold(rows, change)
        expected: dict[Ref, Identity | None] = {}
        for change in changes[:last]:
            record_identity.fold(expected, change)

        assert rows == expected, (first, last)
