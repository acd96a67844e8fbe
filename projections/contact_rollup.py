"""A contact's five values over its deals (rule `contact-rollup`): a follower's fold.

| value | of the live and stopped pairs whose deal is associated with the contact |
|---|---|
| associated deals | how many |
| first deal created | the earliest |
| recent close date, recent amount | of the most recently created one; blank stays blank |
| total revenue | exact sum of the closed-won amounts; what is no number counts 0 |
| has open, has won | of live pairs only: what `lifecycle` looks at |

Of two created at once the higher opportunity id is the recent one. Where the policy says so, the
recent one is the one closed-won last.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from domain import events
from domain.canonical import FieldType, Value, canonical
from domain.facts import Rollup
from domain.ids import Crm, Kind, StreamId
from domain.policy import Policy, RecentDeal
from projections.following import Followed
from projections.sync_status import number

#: states whose deals count
COUNTED: Final = frozenset({"live", "stopped"})
_LIVE: Final = "live"
_NEVER: Final = datetime.min.replace(tzinfo=UTC)

#: event types that `changes` looks into
TOPICS: Final = frozenset(
    kind.TOPIC
    for kind in (
        events.SummaryChanged,
        events.PairAbsorbed,
        events.RecordFounded,
        events.RecordRevived,
        events.PolicyAdopted,
    )
)


@dataclass(frozen=True, slots=True)
class ContactDeal:
    """One counted pair, as one of its contacts sees it."""

    contact_id: str
    stream: StreamId
    state: str
    opportunity_id: Value
    created_at: datetime | None
    #: canonical decimal
    amount: Value
    #: canonical date
    close_date: Value
    is_closed: bool
    is_won: bool


@dataclass(frozen=True, slots=True)
class PairDeals:
    """The contacts of a pair's deal from now on; empty: it does not count."""

    stream: StreamId
    deals: tuple[ContactDeal, ...]


@dataclass(frozen=True, slots=True)
class ContactCame:
    """A HubSpot contact is known from now on: values that wait for it can be told."""

    contact_id: str


@dataclass(frozen=True, slots=True)
class RecentDealChosen:
    """A policy says which deal is the recent one."""

    recent: RecentDeal


def change(followed: Followed) -> PairDeals | ContactCame | RecentDealChosen | None:
    """Return what an event changes, or None."""
    match followed.event:
        case events.SummaryChanged() as event:
            return PairDeals(followed.stream, _deals(event))
        case events.PairAbsorbed():
            return PairDeals(followed.stream, ())
        case events.RecordFounded() | events.RecordRevived() as event:
            if event.crm is Crm.HUBSPOT and event.kind is Kind.CONTACT:
                return ContactCame(event.record_id)
            return None
        case events.PolicyAdopted() as event:
            return RecentDealChosen(recent_deal(event.policy))
        case _:
            return None


def recent_deal(policy: Policy | None) -> RecentDeal:
    """Return which deal is the recent one; None: no policy was adopted yet."""
    return policy.switches.recent_deal if policy is not None else RecentDeal.CREATED


def rollup(deals: Collection[ContactDeal], recent: RecentDeal) -> Rollup:
    """Return a contact's values.

    Args:
        deals: all counted ones of one contact.
        recent: which of them is the recent one.
    """
    chosen = _recent(deals, recent)
    won = (number(deal.amount) or Decimal(0) for deal in deals if deal.is_won)
    return Rollup(
        associated_deals=len(deals),
        first_deal_created_date=min(
            (deal.created_at for deal in deals if deal.created_at is not None), default=None
        ),
        recent_deal_close_date=chosen.close_date if chosen is not None else None,
        recent_deal_amount=chosen.amount if chosen is not None else None,
        total_revenue=canonical(FieldType.DECIMAL, str(sum(won, Decimal(0)))),
        has_open=any(deal.state == _LIVE and not deal.is_closed for deal in deals),
        has_won=any(deal.state == _LIVE and deal.is_won for deal in deals),
    )


def changed(
    before: Mapping[str, Rollup], after: Mapping[str, Rollup], contacts: Iterable[str]
) -> tuple[str, ...]:
    """Return the contacts whose values are others than before, sorted."""
    return tuple(sorted({c for c in contacts if before.get(c) != after.get(c)}))


def _deals(event: events.SummaryChanged) -> tuple[ContactDeal, ...]:
    if event.state not in COUNTED:
        return ()
    return tuple(
        ContactDeal(
            contact_id=contact_id,
            stream=event.stream,
            state=event.state,
            opportunity_id=event.opportunity_id,
            created_at=event.created_at,
            amount=event.amount,
            close_date=event.close_date,
            is_closed=event.is_closed,
            is_won=event.is_won,
        )
        for contact_id in event.contact_ids
    )


def _recent(deals: Collection[ContactDeal], recent: RecentDeal) -> ContactDeal | None:
    if recent is RecentDeal.CLOSED_WON:
        won = (deal for deal in deals if deal.is_won)
        return max(won, key=lambda d: (d.close_date or "", *_birth(d)), default=None)
    return max(deals, key=_birth, default=None)


def _birth(deal: ContactDeal) -> tuple[datetime, str, str]:
    return deal.created_at or _NEVER, deal.opportunity_id or "", deal.stream
