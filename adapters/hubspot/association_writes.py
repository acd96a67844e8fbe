"""Associations of deals with contacts and with their primary company; both ways are idempotent.

A contact is associated without a label; a company as the primary one. Removing an association
removes its labels too, so whoever wants one removed has looked at them first.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.hubspot import names
from adapters.hubspot.errors import Problem, Verdict, problem_of_row
from adapters.hubspot.reader import Reader
from adapters.hubspot.sending import Sending, rejected, row_answer
from adapters.hubspot.wire import AssociationTarget, IdText, Json
from domain.deliveries import Answer, Done, NotSent, Rejected, Unknown
from domain.ids import Kind

_PRIMARY: Final[Json] = [
    {
        "associationCategory": names.HUBSPOT_DEFINED,
        "associationTypeId": names.DEAL_TO_PRIMARY_COMPANY,
    }
]


@dataclass(frozen=True, slots=True)
class Link:
    """A deal and what it is to be associated with, or no longer."""

    trace_id: str
    deal_id: str
    #: a contact or a company
    other_id: str


class _End(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: IdText


class _Made(BaseModel):
    """One association in an answer, in either of the two shapes that HubSpot uses."""

    model_config = ConfigDict(extra="ignore")

    near: _End | None = Field(default=None, alias="from")
    far: _End | None = Field(default=None, alias="to")
    near_id: IdText | None = Field(default=None, alias="fromObjectId")
    far_id: IdText | None = Field(default=None, alias="toObjectId")

    @property
    def ends(self) -> tuple[str | None, str | None]:
        """Return the ids of both records."""
        near = self.near_id if self.near is None else self.near.id
        far = self.far_id if self.far is None else self.far.id
        return near, far


class _MadeBatch(BaseModel):
    model_config = ConfigDict(extra="ignore")

    results: list[_Made] = Field(default_factory=list)
    errors: list[dict[str, object]] = Field(default_factory=list)


class AssociationWrites:
    """Writes of one account's associations of deals."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def associate(self, sending: Sending, to: Kind, wanted: Sequence[Link]) -> dict[str, Answer]:
        """Associate deals with contacts, or with their primary company; answers by trace id.

        Raises:
            PortError: nothing was associated.
        """
        if to is Kind.CONTACT:
            path, types = f"{_path(to)}/associate/default", None
        else:
            path, types = f"{_path(to)}/create", _PRIMARY
        pairs = {(one.deal_id, one.other_id) for one in wanted}
        inputs: list[Json] = []
        for deal_id, other_id in sorted(pairs):
            one: dict[str, Json] = {"from": {"id": deal_id}, "to": {"id": other_id}}
            if types is not None:
                one["types"] = types
            inputs.append(one)
        answer = sending.write("POST", path, {"inputs": inputs})
        if isinstance(answer, Problem) and len(pairs) > 1:
            return {
                trace_id: answered
                for one in wanted
                for trace_id, answered in self.associate(sending, to, [one]).items()
            }
        match answer:
            case bytes():
                return _paired(wanted, answer)
            case Problem():
                return {one.trace_id: _refused(answer, one) for one in wanted}
            case _:
                return {one.trace_id: answer for one in wanted}

    def dissociate(self, sending: Sending, to: Kind, wanted: Sequence[Link]) -> dict[str, Answer]:
        """Remove associations; one that is not there is no failure.

        Raises:
            PortError: nothing was removed.
        """
        others: dict[str, list[Json]] = {}
        for one in wanted:
            others.setdefault(one.deal_id, []).append({"id": one.other_id})
        inputs: list[Json] = [
            {"from": {"id": deal_id}, "to": list[Json](to_ids)}
            for deal_id, to_ids in others.items()
        ]
        answer = sending.write("POST", f"{_path(to)}/archive", {"inputs": inputs})
        if isinstance(answer, Problem) and len(wanted) > 1:
            return {
                trace_id: answered
                for one in wanted
                for trace_id, answered in self.dissociate(sending, to, [one]).items()
            }
        match answer:
            case bytes():
                return {one.trace_id: Done(one.deal_id) for one in wanted}
            case Problem():
                return {one.trace_id: _refused(answer, one) for one in wanted}
            case _:
                return {one.trace_id: answer for one in wanted}

    def resolve(
        self, sending: Sending, to: Kind, wanted: Sequence[Link], *, present: bool
    ) -> dict[str, Answer]:
        """Tell by reading which associations are there, or are there no longer."""
        sets = self._reader.associations([one.deal_id for one in wanted], to, sending.at)
        answers: dict[str, Answer] = {}
        for one in wanted:
            if one.deal_id not in sets:
                answers[one.trace_id] = Rejected(
                    code="OBJECT_NOT_FOUND", message=f"deal {one.deal_id} is gone", gone=True
                )
                continue
            is_there = any(
                target.to_object_id == one.other_id and (to is Kind.CONTACT or _is_primary(target))
                for target in sets[one.deal_id]
            )
            if is_there is present:
                answers[one.trace_id] = Done(one.deal_id)
            else:
                answers[one.trace_id] = NotSent("the deal's associations show no effect")
        return answers


def _path(to: Kind) -> str:
    return f"/crm/v4/associations/{names.PLURAL[Kind.DEAL]}/{names.PLURAL[to]}/batch"


def _is_primary(target: AssociationTarget) -> bool:
    return any(way.type_id == names.DEAL_TO_PRIMARY_COMPANY for way in target.association_types)


def _paired(wanted: Sequence[Link], body: bytes) -> dict[str, Answer]:
    """Pair an answer with its inputs: made ones by both ids, refusals by the ids they name."""
    try:
        batch = _MadeBatch.model_validate(json.loads(body))
    except (ValidationError, ValueError):
        unreadable = Unknown("the answer is no batch answer")
        return {one.trace_id: unreadable for one in wanted}
    made = {row.ends for row in batch.results}
    problems = [problem_of_row(error) for error in batch.errors]
    answers: dict[str, Answer] = {}
    for one in wanted:
        if (one.deal_id, one.other_id) in made:
            answers[one.trace_id] = Done(one.deal_id)
            continue
        about = [
            problem
            for problem in problems
            if {one.deal_id, one.other_id}.intersection(problem.record_ids)
        ]
        if about:
            answers[one.trace_id] = _refused(about[0], one)
        elif len(wanted) == 1 and problems:
            answers[one.trace_id] = _refused(problems[0], one)
        else:
            answers[one.trace_id] = Unknown("the answer does not name this association")
    return answers


def _refused(problem: Problem, link: Link) -> Answer:
    """Return the answer for a refusal: the write's own record is the deal, not the other one."""
    if problem.verdict is Verdict.GONE and link.deal_id not in problem.record_ids:
        return Rejected(problem.code, problem.message, problem.fields, gone=False)
    if problem.verdict is Verdict.GONE:
        return rejected(problem)
    return row_answer(problem)
