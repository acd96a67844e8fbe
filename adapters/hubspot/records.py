"""Records read again by id, as facts: what lives is observed; what does not answer is explained.

Before a deletion is believed the id itself is read (rule `merge`): an answer with another id is a
merge. What is archived is deleted at its own time; what is gone altogether, when somebody said so.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from adapters.hubspot import names, translate
from adapters.hubspot.account import Account
from adapters.hubspot.reader import Reader, Wanted
from adapters.hubspot.translate import Seen
from adapters.hubspot.wire import RecordRow
from domain.facts import Fact
from domain.ids import Crm, Kind, Ref
from domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Wish:
    """Why a record is read."""

    reason: str
    #: when what made us look happened
    at: datetime
    cause: str | None = None
    #: of a merge: the record whose pair the survivor takes
    primary_id: str | None = None
    #: whether it was a change of associations that made us look
    is_association: bool = False


@dataclass(slots=True)
class _Answers:
    """What became of the ids that were asked for."""

    living: dict[str, RecordRow] = field(default_factory=dict)
    #: asked id → the row that answered
    merged: dict[str, RecordRow] = field(default_factory=dict)
    #: asked id → when it was archived
    archived: dict[str, datetime | None] = field(default_factory=dict)


class Records:
    """Reads by id.

    Args:
        reader: the account.
        account: who we are there.
        policy: the policy in force; says which properties are mapped or observed.
    """

    def __init__(self, reader: Reader, account: Account, policy: Callable[[], Policy]) -> None:
        self._reader = reader
        self._account = account
        self._policy = policy

    def wanted(self, kind: Kind) -> Wanted:
        """Return what a read of that kind shows."""
        match kind:
            case Kind.DEAL:
                return Wanted(names.DEAL_PLAIN, deal_properties(self._policy()))
            case Kind.CONTACT:
                return Wanted(names.CONTACT_PLAIN)
            case _:
                return Wanted(names.COMPANY_PLAIN)

    def read(
        self,
        kind: Kind,
        wishes: Mapping[str, Sequence[Wish]],
        at: datetime,
        *,
        with_associations: bool = True,
    ) -> tuple[Fact, ...]:
        """Read records again; deals with their associations unless those are not asked for.

        Args:
            kind: deals, contacts or companies.
            wishes: by record id, each with at least one reason.
            at: our clock, before any request goes out.
            with_associations: whether deals come with their associations.

        Raises:
            PortError: HubSpot did not answer; nothing counts as read.
        """
        if not wishes:
            return ()
        answers = self._ask(kind, wishes, at)
        app_id = self._account.app_id(at)
        found: list[Fact] = []
        for asked_id, row in answers.merged.items():
            found.extend(_merged(Ref(Crm.HUBSPOT, kind, asked_id), row, wishes, app_id, at))
        for asked_id, archived_at in answers.archived.items():
            asked = Ref(Crm.HUBSPOT, kind, asked_id)
            found.extend(_deleted(asked, archived_at, wishes[asked_id], app_id, at))
        rows = answers.living | {row.id: row for row in answers.merged.values()}
        reasons = {row_id: list(wishes.get(row_id, ())) for row_id in rows}
        for asked_id, row in answers.merged.items():
            reasons[row.id].extend(wishes[asked_id])
        found.extend(
            self.observed(
                kind, list(rows.values()), reasons, at, with_associations=with_associations
            )
        )
        return tuple(found)

    def observed(
        self,
        kind: Kind,
        rows: Sequence[RecordRow],
        wishes: Mapping[str, Sequence[Wish]],
        at: datetime,
        *,
        with_associations: bool = True,
    ) -> tuple[Fact, ...]:
        """Make the facts of rows that were read, one for each reason; deals with associations.

        Raises:
            PortError: HubSpot did not answer.
        """
        app_id = self._account.app_id(at)
        found: list[Fact] = []
        for row in rows:
            seen = [_seen(wish, app_id, at) for wish in _apart(wishes[row.id])]
            found.extend(self._observed(kind, row, one) for one in seen)
        if kind is Kind.DEAL and with_associations:
            found.extend(self.associations(wishes, [row.id for row in rows], at))
        return tuple(found)

    def associations(
        self, wishes: Mapping[str, Sequence[Wish]], deal_ids: Sequence[str], at: datetime
    ) -> tuple[Fact, ...]:
        """Read the whole sets of contacts and companies of deals.

        Raises:
            PortError: HubSpot did not answer.
        """
        if not deal_ids:
            return ()
        app_id = self._account.app_id(at)
        contacts = self._reader.associations(deal_ids, Kind.CONTACT, at)
        companies = self._reader.associations(deal_ids, Kind.COMPANY, at)
        found: list[Fact] = []
        for deal_id in deal_ids:
            if deal_id not in contacts or deal_id not in companies:
                # deleted since it was read; a later reading will say so
                continue
            for wish in _apart(wishes[deal_id]):
                changed_at = wish.at if wish.is_association else at
                seen = _seen(wish, app_id, at)
                found.append(
                    translate.associations_observed(
                        deal_id, contacts[deal_id], companies[deal_id], seen, changed_at
                    )
                )
        return tuple(found)

    def _observed(self, kind: Kind, row: RecordRow, seen: Seen) -> Fact:
        match kind:
            case Kind.DEAL:
                shown = (*names.DEAL_STATE, *deal_properties(self._policy()))
                return translate.deal_observed(row, shown, seen)
            case Kind.CONTACT:
                return translate.contact_observed(row, seen)
            case _:
                return translate.company_observed(row, seen)

    def _ask(self, kind: Kind, asked: Iterable[str], at: datetime) -> _Answers:
        wanted = self.wanted(kind)
        ids = list(dict.fromkeys(asked))
        answers = _Answers()
        foreign: list[RecordRow] = []
        for row in self._reader.batch(kind, ids, wanted, at):
            if row.id in ids:
                answers.living[row.id] = row
            else:
                foreign.append(row)
        missing = [asked_id for asked_id in ids if asked_id not in answers.living]
        for row in (*foreign, *answers.living.values()):
            for asked_id in translate.merged_ids(row).intersection(missing):
                answers.merged[asked_id] = row
        for asked_id in missing:
            if asked_id in answers.merged:
                continue
            one = self._reader.one(kind, asked_id, wanted, at)
            if one is not None and one.id == asked_id:
                answers.living[asked_id] = one
            elif one is not None:
                answers.merged[asked_id] = one
        lost = [one for one in missing if one not in answers.merged and one not in answers.living]
        plain = Wanted((names.OBJECT_ID,))
        bin_rows = self._reader.batch(kind, lost, plain, at, archived=True) if lost else ()
        in_bin = {row.id: row.archived_at for row in bin_rows}
        answers.archived = {asked_id: in_bin.get(asked_id) for asked_id in lost}
        return answers


def deal_properties(policy: Policy) -> tuple[str, ...]:
    """Return the deal properties that are read with histories and become readings."""
    mapped = (mapping.hubspot for mapping in policy.mappings)
    return tuple(dict.fromkeys((*names.DEAL_HISTORY, *mapped, *policy.observe.hubspot)))


def _apart(wishes: Sequence[Wish]) -> list[Wish]:
    """Return the wishes that need a fact of their own, the latest of those that share one."""
    kept: dict[tuple[str, str | None], Wish] = {}
    for wish in wishes:
        key = (wish.reason, wish.cause if translate.is_by_hand(wish.reason) else None)
        before = kept.get(key)
        if before is None or (wish.is_association, wish.at) > (before.is_association, before.at):
            kept[key] = wish
    return list(kept.values())


def _seen(wish: Wish, app_id: str, at: datetime) -> Seen:
    return Seen(app_id=app_id, reason=wish.reason, begun_at=at, cause=wish.cause)


def _merged(
    asked: Ref, row: RecordRow, wishes: Mapping[str, Sequence[Wish]], app_id: str, at: datetime
) -> list[Fact]:
    known = [wish.primary_id for one in wishes.values() for wish in one if wish.primary_id]
    related = translate.merged_ids(row) | {row.id, asked.id}
    primary_id = next((one for one in known if one in related), None)
    return [
        translate.record_merged(asked, row, primary_id, wish.at, _seen(wish, app_id, at))
        for wish in _apart(wishes[asked.id])
    ]


def _deleted(
    asked: Ref, archived_at: datetime | None, wishes: Sequence[Wish], app_id: str, at: datetime
) -> list[Fact]:
    return [
        translate.record_deleted(asked, archived_at or wish.at, _seen(wish, app_id, at))
        for wish in _apart(wishes)
        # a person may ask for any id: one that HubSpot never had is no deletion
        if archived_at is not None or not translate.is_by_hand(wish.reason)
    ]
