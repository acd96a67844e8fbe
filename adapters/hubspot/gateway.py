"""HubSpot as deliver uses it: look before, send in batches, resolve by reading.

Which write becomes which call is decided here and nowhere else; what an answer means is said beside
each call. Nothing here retries, and nothing here can delete an opportunity: there is no such write.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from typing_extensions import override

from adapters.hubspot import names
from adapters.hubspot.account import Account
from adapters.hubspot.association_writes import AssociationWrites, Link
from adapters.hubspot.calls import Calls
from adapters.hubspot.definition_writes import DefinitionWrites
from adapters.hubspot.reader import Reader
from adapters.hubspot.record_writes import Change, Creation, RecordWrites
from adapters.hubspot.records import Records, Wish, deal_properties
from adapters.hubspot.sending import Sending
from domain import facts, writes
from domain.deliveries import Addressed, Answer, Gateway, NotSent
from domain.facts import Observation
from domain.ids import Crm, Kind
from domain.policy import Policy

_LOOK: Final = "look"
_NO_RECORD: Final = NotSent("no living record in HubSpot to write to")


class HubSpotGateway(Gateway):
    """The gateway.

    Args:
        calls: the account.
        policy: the policy in force; says which properties a look shows.
    """

    def __init__(self, calls: Calls, policy: Callable[[], Policy]) -> None:
        self._calls = calls
        self._policy = policy
        reader = Reader(calls)
        account = Account(reader)
        self._looker = Records(reader, account, policy)
        self._records = RecordWrites(reader, account, self._shown, self._skew)
        self._associations = AssociationWrites(reader)
        self._definitions = DefinitionWrites(reader)

    @property
    @override
    def crm(self) -> Crm:
        return Crm.HUBSPOT

    @override
    def look(self, wanted: Sequence[Addressed], at: datetime) -> tuple[Observation, ...]:
        by_kind: dict[Kind, dict[str, tuple[Wish, ...]]] = {}
        for one in wanted:
            record = _looked_at(one)
            if record is not None:
                kind, record_id = record
                by_kind.setdefault(kind, {})[record_id] = (Wish(_LOOK, at),)
        found: list[Observation] = []
        for kind, wishes in by_kind.items():
            for fact in self._looker.read(kind, wishes, at, with_associations=False):
                match fact:
                    case (
                        facts.DealObserved()
                        | facts.HubSpotContactObserved()
                        | facts.CompanyObserved()
                        | facts.RecordDeleted()
                        | facts.RecordMerged()
                    ):
                        found.append(fact)
                    case _:
                        raise AssertionError(f"a look shows no {fact.TOPIC}")
        return tuple(found)

    @override
    def send(self, wanted: Sequence[Addressed], at: datetime) -> tuple[Answer, ...]:
        sending = Sending(self._calls, at)
        answers = self._answers(wanted, sending, resolving=False)
        return tuple(answers.get(one.write.id, _NO_RECORD) for one in wanted)

    @override
    def resolve(self, wanted: Sequence[Addressed], at: datetime) -> tuple[Answer, ...]:
        sending = Sending(self._calls, at)
        answers = self._answers(wanted, sending, resolving=True)
        return tuple(answers.get(one.write.id, _NO_RECORD) for one in wanted)

    def _answers(
        self, wanted: Sequence[Addressed], sending: Sending, *, resolving: bool
    ) -> dict[str, Answer]:
        """Return the answers by write id; a write without a record to go to has none."""
        match wanted[0].write:
            case writes.CreateDeal():
                return self._create(Kind.DEAL, wanted, sending, resolving=resolving)
            case writes.CreateCompany():
                return self._create(Kind.COMPANY, wanted, sending, resolving=resolving)
            case writes.UpdateDeal():
                return self._update(Kind.DEAL, wanted, sending, resolving=resolving)
            case writes.UpdateContact():
                return self._update(Kind.CONTACT, wanted, sending, resolving=resolving)
            case writes.UpdateCompany():
                return self._update(Kind.COMPANY, wanted, sending, resolving=resolving)
            case writes.ArchiveDeal():
                ids = {one.write.id: one.target.record_id for one in wanted}
                archived = {str(key): value for key, value in ids.items() if value is not None}
                if not archived:
                    return {}
                if resolving:
                    return self._records.resolve_archive(sending, Kind.DEAL, archived)
                return self._records.archive(sending, Kind.DEAL, archived)
            case (
                writes.AssociateContact()
                | writes.AssociateCompany()
                | writes.DissociateContact()
                | writes.DissociateCompany()
            ):
                return self._associate(wanted, sending, resolving=resolving)
            case (
                writes.CreatePipeline()
                | writes.CreateStage()
                | writes.RenameStage()
                | writes.CreateProperty()
            ):
                return self._define(wanted, sending, resolving=resolving)
            case (
                writes.CreateOpportunity()
                | writes.UpdateOpportunity()
                | writes.AddContactRole()
                | writes.RemoveContactRole()
                | writes.CreateField()
            ):
                raise AssertionError(f"{wanted[0].write.topic} does not go to HubSpot")

    def _create(
        self, kind: Kind, wanted: Sequence[Addressed], sending: Sending, *, resolving: bool
    ) -> dict[str, Answer]:
        creations: list[Creation] = []
        for one in wanted:
            match one.write:
                case writes.CreateDeal() | writes.CreateCompany():
                    creations.append(Creation(one.write.id, one.write.key, one.write.fields))
                case _:
                    raise AssertionError("a send holds writes of one class")
        if resolving:
            return self._records.resolve_create(sending, kind, creations)
        return self._records.create(sending, kind, creations)

    def _update(
        self, kind: Kind, wanted: Sequence[Addressed], sending: Sending, *, resolving: bool
    ) -> dict[str, Answer]:
        changes: list[Change] = []
        for one in wanted:
            match one.write:
                case writes.UpdateCompany():
                    record_id: str | None = one.write.company_id
                case _:
                    record_id = one.target.record_id
            if record_id is not None:
                changes.append(Change(one.write.id, record_id, one.write.fields, one.sent_at))
        if not changes:
            return {}
        if resolving:
            return self._records.resolve_update(sending, kind, changes)
        return self._records.update(sending, kind, changes)

    def _associate(
        self, wanted: Sequence[Addressed], sending: Sending, *, resolving: bool
    ) -> dict[str, Answer]:
        to, present = Kind.CONTACT, True
        links: list[Link] = []
        for one in wanted:
            match one.write:
                case writes.AssociateContact(contact_id=other_id):
                    to, present = Kind.CONTACT, True
                case writes.DissociateContact(contact_id=other_id):
                    to, present = Kind.CONTACT, False
                case writes.AssociateCompany(company_id=other_id):
                    to, present = Kind.COMPANY, True
                case writes.DissociateCompany(company_id=other_id):
                    to, present = Kind.COMPANY, False
                case _:
                    raise AssertionError("a send holds writes of one class")
            if one.target.record_id is not None:
                links.append(Link(one.write.id, one.target.record_id, other_id))
        if not links:
            return {}
        if resolving:
            return self._associations.resolve(sending, to, links, present=present)
        if present:
            return self._associations.associate(sending, to, links)
        return self._associations.dissociate(sending, to, links)

    def _define(
        self, wanted: Sequence[Addressed], sending: Sending, *, resolving: bool
    ) -> dict[str, Answer]:
        answers: dict[str, Answer] = {}
        for one in wanted:
            write = one.write
            match write:
                case (
                    writes.CreatePipeline()
                    | writes.CreateStage()
                    | writes.RenameStage()
                    | writes.CreateProperty()
                ) if resolving:
                    answers[write.id] = self._definitions.resolve(sending, write)
                case writes.CreatePipeline():
                    answers[write.id] = self._definitions.create_pipeline(sending, write)
                case writes.CreateStage():
                    answers[write.id] = self._definitions.create_stage(sending, write)
                case writes.RenameStage():
                    answers[write.id] = self._definitions.rename_stage(sending, write)
                case writes.CreateProperty():
                    answers[write.id] = self._definitions.create_property(sending, write)
                case _:
                    raise AssertionError("a send holds writes of one class")
        return answers

    def _skew(self) -> timedelta:
        return timedelta(seconds=float(self._policy().clocks.skew_seconds))

    def _shown(self, kind: Kind) -> tuple[str, ...]:
        match kind:
            case Kind.DEAL:
                return deal_properties(self._policy())
            case Kind.CONTACT:
                return (names.LIFECYCLE, *names.ROLLUP)
            case _:
                return ("name", "domain", names.COMPANY_KEY)


def _looked_at(addressed: Addressed) -> tuple[Kind, str] | None:
    """Return the living HubSpot record that a write concerns, None where there is none."""
    match addressed.write:
        case writes.UpdateCompany(company_id=company_id):
            return Kind.COMPANY, company_id
        case writes.UpdateContact():
            kind = Kind.CONTACT
        case (
            writes.CreateCompany()
            | writes.CreatePipeline()
            | writes.CreateStage()
            | writes.RenameStage()
            | writes.CreateProperty()
            | writes.CreateField()
        ):
            return None
        case _:
            kind = Kind.DEAL
    record_id = addressed.record_on(Crm.HUBSPOT)
    return None if record_id is None else (kind, record_id)
