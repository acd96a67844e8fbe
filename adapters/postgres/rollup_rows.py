"""The tables of `contact_rollup` in PostgreSQL: a batch's contacts are read, folded, saved."""

from collections.abc import Collection, Sequence
from dataclasses import astuple
from typing import Final

from adapters import codec
from adapters.postgres.database import Connection
from adapters.postgres.queries import queries_beside
from domain.events import PolicyAdopted
from domain.facts import Rollup
from domain.ids import POLICY_STREAM, Crm, Kind, Ref, StreamId
from domain.policy import RecentDeal
from projections import contact_rollup
from projections.contact_rollup import ContactCame, ContactDeal, PairDeals, RecentDealChosen
from projections.following import Followed
from projections.reactions import Cause, Due, DueKind

TABLES: Final = ("contact_deal", "contact_rollup")
#: contacts computed at a time when a policy changes which deal is the recent one
CONTACTS_MAX: Final = 1_000

_SQL: Final = queries_beside(__file__)


def fold(connection: Connection, batch: Sequence[Followed]) -> tuple[Due, ...]:
    """Fold a batch of events over the rows; return which contacts have other values."""
    changes = [
        (followed, change)
        for followed in batch
        if (change := contact_rollup.change(followed)) is not None
    ]
    if not changes:
        return ()
    recent = _recent(connection, batch[0].id)
    dues: list[Due] = []
    while changes:
        # A policy divides: what came before it is computed as it was then.
        cut = next((n for n, (_, c) in enumerate(changes) if isinstance(c, RecentDealChosen)), None)
        dues += _fold_changes(connection, changes[:cut], recent)
        if cut is None:
            break
        followed, chosen = changes[cut]
        if isinstance(chosen, RecentDealChosen) and chosen.recent is not recent:
            recent = chosen.recent
            dues += _compute_all(connection, recent, _cause(followed))
        changes = changes[cut + 1 :]
    return tuple(dues)


def rollups(connection: Connection, contact_ids: Collection[str]) -> dict[str, Rollup]:
    """Read contacts' values; one without deals is not there."""
    rows = connection.execute(_SQL["rollups"], {"contacts": list(contact_ids)})
    return {
        contact_id: Rollup(
            associated_deals=associated_deals,
            first_deal_created_date=first_deal_created_date,
            recent_deal_close_date=recent_deal_close_date,
            recent_deal_amount=recent_deal_amount,
            total_revenue=total_revenue,
            has_open=has_open,
            has_won=has_won,
        )
        for (
            contact_id,
            associated_deals,
            first_deal_created_date,
            recent_deal_close_date,
            recent_deal_amount,
            total_revenue,
            has_open,
            has_won,
        ) in rows
    }


def _fold_changes(
    connection: Connection,
    changes: Sequence[tuple[Followed, PairDeals | ContactCame | RecentDealChosen]],
    recent: RecentDeal,
) -> list[Due]:
    deals: dict[StreamId, tuple[ContactDeal, ...]] = {}
    causes: dict[str, Cause] = {}
    came: dict[str, Cause] = {}
    for followed, change in changes:
        match change:
            case PairDeals(stream, contacts):
                deals[stream] = contacts
                causes.update((deal.contact_id, _cause(followed)) for deal in contacts)
            case ContactCame(contact_id):
                came[contact_id] = _cause(followed)
            case RecentDealChosen():
                pass
    if deals:
        last = _cause(changes[-1][0])
        rows = connection.execute(_SQL["contacts_of"], {"streams": list(deals)})
        for (contact_id,) in rows.fetchall():
            causes.setdefault(contact_id, last)
        with connection.cursor() as cursor:
            cursor.executemany(_SQL["drop_deals"], [(stream,) for stream in deals])
            cursor.executemany(
                _SQL["save_deal"], [astuple(d) for contacts in deals.values() for d in contacts]
            )
    dues = _compute(connection, causes, recent)
    known = rollups(connection, came)
    return dues + [_due(contact_id, came[contact_id]) for contact_id in known]


def _compute_all(connection: Connection, recent: RecentDeal, cause: Cause) -> list[Due]:
    dues: list[Due] = []
    after = ""
    while True:
        rows = connection.execute(_SQL["all_contacts"], {"after": after, "limit": CONTACTS_MAX})
        contacts = [contact_id for (contact_id,) in rows.fetchall()]
        if not contacts:
            return dues
        dues += _compute(connection, dict.fromkeys(contacts, cause), recent)
        after = contacts[-1]


def _compute(connection: Connection, causes: dict[str, Cause], recent: RecentDeal) -> list[Due]:
    """Compute contacts' values again and write those that are others; return them."""
    if not causes:
        return []
    by_contact: dict[str, list[ContactDeal]] = {contact_id: [] for contact_id in causes}
    for row in connection.execute(_SQL["deals"], {"contacts": list(causes)}):
        deal = ContactDeal(*row)
        by_contact[deal.contact_id].append(deal)
    before = rollups(connection, causes)
    after = {c: contact_rollup.rollup(deals, recent) for c, deals in by_contact.items()}
    changed = contact_rollup.changed(before, after, after)
    if changed:
        with connection.cursor() as cursor:
            cursor.executemany(_SQL["save_rollup"], [(c, *_columns(after[c])) for c in changed])
    return [_due(contact_id, causes[contact_id]) for contact_id in changed]


def _columns(rollup: Rollup) -> tuple[object, ...]:
    return (
        rollup.associated_deals,
        rollup.first_deal_created_date,
        rollup.recent_deal_close_date,
        rollup.recent_deal_amount,
        rollup.total_revenue,
        rollup.has_open,
        rollup.has_won,
    )


def _recent(connection: Connection, event_id: int) -> RecentDeal:
    """Return which deal was the recent one before an event."""
    row = connection.execute(
        _SQL["policy_before"],
        {"stream": POLICY_STREAM, "topic": PolicyAdopted.TOPIC, "event_id": event_id},
    ).fetchone()
    event = codec.decode_event(row[0], row[1]) if row is not None else None
    return contact_rollup.recent_deal(event.policy if isinstance(event, PolicyAdopted) else None)


def _cause(followed: Followed) -> Cause:
    assert followed.event is not None, "a change comes from an event"
    return Cause(followed.id, followed.event.at, followed.event.epoch)


def _due(contact_id: str, cause: Cause) -> Due:
    return Due(DueKind.ROLLUP, Ref(Crm.HUBSPOT, Kind.CONTACT, contact_id).text, "", cause)
