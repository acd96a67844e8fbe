"""Readings join whatever their order and number (rules `order`, `once`)."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain import merging
from domain.ids import StreamId, WriteId
from domain.policy import RecentDeal
from domain.registers import Foreign, Register, Seen, learn, lesson
from domain.writes import FieldChange, UpdateDeal
from projections.contact_rollup import ContactDeal, rollup

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
SKEW = timedelta(seconds=2)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def read(register: Register, seconds: int, value: str, set_at: int) -> Register:
    """Take in a reading that shows a value and when it was set."""
    seen = Seen(value=value, low=at(set_at), high=at(set_at), exact=True, ours=False)
    what = lesson(register, seen, read_begun_at=at(seconds), skew=SKEW)
    if what is None:
        return register
    foreign = Foreign(value=value, low=at(set_at), high=at(set_at))
    return learn(register, what, foreign=foreign, read_begun_at=at(seconds))


#: which of ten edits, ten seconds apart, a reading was made after
READINGS = st.lists(st.integers(0, 9), min_size=1, max_size=12)


@given(READINGS, st.randoms(use_true_random=False))
def test_readings_in_any_order_and_number_lead_to_one_register(
    edits: list[int], shuffle: random.Random
) -> None:
    """Commutative, associative, idempotent: an edit is a value of its own, with its own time."""
    first = read(Register(), 0, "from the beginning", -10)
    readings = [(10 * n + 5, f"edit {n}", 10 * n + 1) for n in edits]
    shuffled = readings * 2
    shuffle.shuffle(shuffled)

    in_order, in_disorder = first, first
    for one in sorted(readings):
        in_order = read(in_order, *one)
    for one in shuffled:
        in_disorder = read(in_disorder, *one)

    assert (in_disorder.known, in_disorder.foreign) == (in_order.known, in_order.foreign)
    assert in_disorder.known == f"edit {max(edits)}"


def update(number: int, names: list[str]) -> UpdateDeal:
    fields = tuple(
        FieldChange(field=n, name=n, before="was", after=f"{n}{number}", wire=f"{n}{number}")
        for n in names
    )
    return UpdateDeal(
        id=WriteId(f"write-{number}"), stream=StreamId("pair"), fields=fields, pipeline_id="71"
    )


UPDATES = st.lists(
    st.lists(st.sampled_from("abcd"), unique=True, min_size=1, max_size=4), min_size=1, max_size=5
).map(lambda names: [update(number, one) for number, one in enumerate(names)])


def wanted(writes: list[UpdateDeal]) -> dict[str, tuple[object, ...]]:
    """Return what the one call of merged writes sets."""
    (merged,) = merging.merge(writes)
    assert isinstance(merged.write, UpdateDeal)
    return {c.name: (c.before, c.after, c.guarded) for c in merged.write.fields}


@given(UPDATES, st.integers(0, 4))
def test_merging_some_first_makes_no_difference(writes: list[UpdateDeal], cut: int) -> None:
    """Associative."""
    parts = [part for part in (writes[:cut], writes[cut:]) if part]
    merged = []
    for part in parts:
        (one,) = merging.merge(part)
        assert isinstance(one.write, UpdateDeal)
        merged.append(one.write)

    assert wanted(merged) == wanted(writes)


@given(UPDATES)
def test_merging_again_makes_no_difference(writes: list[UpdateDeal]) -> None:
    """Idempotent; and what is superseded can be left out."""
    (once,) = merging.merge(writes)
    assert isinstance(once.write, UpdateDeal)

    assert wanted([once.write]) == wanted(writes)
    left = [write for write in writes if write not in merging.superseded(writes)]
    after = {name: values[1] for name, values in wanted(writes).items()}
    assert {name: values[1] for name, values in wanted(left).items()} == after


DEALS = st.lists(
    st.builds(
        ContactDeal,
        contact_id=st.just("901"),
        stream=st.integers(0, 99).map(lambda n: StreamId(f"pair-{n}")),
        state=st.sampled_from(["live", "stopped"]),
        opportunity_id=st.integers(0, 99).map(lambda n: f"006{n:03}"),
        created_at=st.integers(0, 5).map(lambda n: at(60 * n)),
        amount=st.sampled_from([None, "1", "0.10", "2.99"]),
        close_date=st.sampled_from([None, "2026-11-24", "2026-12-31"]),
        is_closed=st.booleans(),
        is_won=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda deal: (deal.stream, deal.opportunity_id),
)


@given(DEALS, st.sampled_from(RecentDeal), st.randoms(use_true_random=False))
def test_a_contacts_deals_count_in_any_order(
    deals: list[ContactDeal], recent: RecentDeal, shuffle: random.Random
) -> None:
    """Rule `contact-rollup`."""
    distinct = list({deal.opportunity_id: deal for deal in deals}.values())
    shuffled = list(distinct)
    shuffle.shuffle(shuffled)

    assert rollup(shuffled, recent) == rollup(distinct, recent)
