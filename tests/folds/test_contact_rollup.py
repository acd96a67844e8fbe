"""A contact's five values over its deals (rule `contact-rollup`)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.facts import Rollup
from domain.policy import RecentDeal
from projections import contact_rollup
from projections.contact_rollup import ContactDeal, PairDeals
from projections.following import Followed
from tests.support.happenings import AT, pair, summary


def deal(name: str = "a", **more: Any) -> ContactDeal:  # noqa: ANN401 - any of its fields
    base: dict[str, Any] = {
        "contact_id": "77",
        "stream": pair(name),
        "state": "live",
        "opportunity_id": f"006{name}",
        "created_at": AT,
        "amount": "1",
        "close_date": "2026-12-01",
        "is_closed": False,
        "is_won": False,
    }
    base.update(more)
    return ContactDeal(**base)


def values(*deals: ContactDeal, recent: RecentDeal = RecentDeal.CREATED) -> Rollup:
    return contact_rollup.rollup(deals, recent)


def later(days: int) -> datetime:
    return AT + timedelta(days=days)


def test_a_contact_without_deals_has_none_and_no_revenue() -> None:
    assert values() == Rollup(associated_deals=0, total_revenue="0")


def test_the_recent_deal_is_the_one_created_last_not_closed_last() -> None:
    old = deal("a", created_at=AT, close_date="2030-01-01", amount="1")
    new = deal("b", created_at=later(1), close_date="2026-01-01", amount="2")

    found = values(old, new)

    assert (found.recent_deal_close_date, found.recent_deal_amount) == ("2026-01-01", "2")
    assert found.first_deal_created_date == AT
    assert found.associated_deals == 2


def test_of_two_created_at_once_the_higher_opportunity_id_is_the_recent_one() -> None:
    one, other = deal("a", amount="1"), deal("b", amount="2")

    assert values(one, other).recent_deal_amount == values(other, one).recent_deal_amount == "2"


def test_a_blank_amount_of_the_recent_deal_stays_blank() -> None:
    assert values(deal("a", amount="5"), deal("b", amount=None)).recent_deal_amount is None


def test_revenue_is_the_exact_sum_of_won_amounts() -> None:
    won = [deal(n, amount=a, is_won=True) for n, a in (("a", "0.1"), ("b", "0.2"), ("c", None))]

    assert values(*won, deal("d", amount="100")).total_revenue == "0.3"


def test_what_is_no_number_counts_nothing() -> None:
    assert values(deal(amount="a lot", is_won=True)).total_revenue == "0"


@pytest.mark.parametrize(
    ("state", "is_closed", "is_won", "expected"),
    [
        ("live", False, False, (True, False)),
        ("live", True, True, (False, True)),
        ("live", True, False, (False, False)),
        ("stopped", False, False, (False, False)),
        ("stopped", True, True, (False, False)),
    ],
)
def test_only_live_pairs_move_the_lifecycle(
    *, state: str, is_closed: bool, is_won: bool, expected: tuple[bool, bool]
) -> None:
    found = values(deal(state=state, is_closed=is_closed, is_won=is_won))

    assert (found.has_open, found.has_won) == expected


def test_a_policy_may_choose_the_deal_won_last() -> None:
    won = deal("a", is_won=True, close_date="2026-12-01", amount="1")
    won_later = deal("b", is_won=True, close_date="2026-12-02", amount="2")
    open_deal = deal("c", created_at=later(9), amount="3")

    found = values(won_later, won, open_deal, recent=RecentDeal.CLOSED_WON)

    assert (found.recent_deal_close_date, found.recent_deal_amount) == ("2026-12-02", "2")
    assert values(open_deal, recent=RecentDeal.CLOSED_WON).recent_deal_amount is None


@pytest.mark.parametrize(
    ("state", "counted"),
    [
        ("live", 1),
        ("stopped", 1),
        ("detached", 0),
        ("deleted", 0),
        ("outside", 0),
        ("waiting", 0),
    ],
)
def test_live_and_stopped_pairs_count(state: str, counted: int) -> None:
    event = summary(pair("a"), state=state)
    change = contact_rollup.change(Followed(1, pair("a"), 1, AT, event))

    assert isinstance(change, PairDeals)
    assert len(change.deals) == counted
