"""The reads that HubSpot offers, typed, in the batches it takes. It decides nothing about them.

An answer that names what it could not find is no failure; any other error beside the results is:
what was not read must not look as if it were not there.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, TypeVar

from pydantic import ValidationError

from adapters.hubspot import names
from adapters.hubspot.calls import Calls
from adapters.hubspot.errors import Verdict, fail, problem_of_row
from adapters.hubspot.wire import (
    AssociationBatch,
    AssociationTarget,
    Json,
    RecordBatch,
    RecordPage,
    RecordRow,
)
from domain.errors import RetryableError
from domain.ids import Kind

#: from-records an associations read takes
ASSOCIATION_BATCH_SIZE_MAX: Final = 1000
#: pages of one record's associations, 500 each
ASSOCIATION_PAGES_MAX: Final = 200
_NO_ASSOCIATIONS: Final = "crm.associations.NO_ASSOCIATIONS_FOUND"

_Text = TypeVar("_Text", bound=str)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which properties a read shows."""

    plain: tuple[str, ...]
    #: with the times and authors of their values
    history: tuple[str, ...] = ()

    @property
    def batch_size_max(self) -> int:
        """Return how many records one batch read takes."""
        return names.HISTORY_BATCH_SIZE_MAX if self.history else names.BATCH_SIZE_MAX

    @property
    def all(self) -> list[Json]:
        """Return the names of everything to show."""
        return [*self.plain, *self.history]


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of a search."""

    name: str
    operator: str
    value: str


def batches(ids: Collection[_Text], size: int) -> Iterator[list[_Text]]:
    """Cut ids into lists of at most `size`, each id once, in their order."""
    rest = iter(dict.fromkeys(ids))
    while batch := list(islice(rest, size)):
        yield batch


class Reader:
    """Reads of one account.

    Every method raises PortError if HubSpot does not answer, or not with what was asked for.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def batch(
        self,
        kind: Kind,
        ids: Collection[str],
        wanted: Wanted,
        at: datetime,
        *,
        archived: bool = False,
        id_property: str | None = None,
    ) -> tuple[RecordRow, ...]:
        """Read records by id, or by a unique property; what is not there is left out.

        A record that was merged may be answered with the survivor's id.
        """
        found: list[RecordRow] = []
        for some in batches(ids, wanted.batch_size_max):
            body: dict[str, Json] = {
                "inputs": [{"id": record_id} for record_id in some],
                "properties": wanted.all,
                "propertiesWithHistory": list[Json](wanted.history),
            }
            if id_property is not None:
                body["idProperty"] = id_property
            answer = self._calls.try_read(
                "POST",
                f"{names.objects(kind)}/batch/read",
                at=at,
                query=[("archived", "true")] if archived else [],
                body=body,
            )
            if not isinstance(answer, bytes):
                if answer.verdict is Verdict.GONE:
                    continue
                fail(answer)
            parsed = _parsed(RecordBatch, answer)
            for error in parsed.errors:
                problem = problem_of_row(error)
                if problem.verdict is not Verdict.GONE:
                    fail(problem)
            found.extend(parsed.results)
        return tuple(found)

    def one(self, kind: Kind, record_id: str, wanted: Wanted, at: datetime) -> RecordRow | None:
        """Read one living record; a merged one is answered with its survivor; None: not there."""
        answer = self._calls.try_read(
            "GET", f"{names.objects(kind)}/{record_id}", at=at, query=_shown(wanted)
        )
        if isinstance(answer, bytes):
            return _parsed(RecordRow, answer)
        return None if answer.verdict is Verdict.GONE else fail(answer)

    def page(
        self,
        kind: Kind,
        wanted: Wanted,
        at: datetime,
        *,
        after: str | None = None,
        archived: bool = False,
    ) -> RecordPage:
        """Read a page of all records, by ascending id."""
        limit = names.HISTORY_BATCH_SIZE_MAX if wanted.history else names.PAGE_SIZE_MAX
        query = [("limit", str(limit)), *_shown(wanted)]
        if after is not None:
            query.append(("after", after))
        if archived:
            query.append(("archived", "true"))
        return _parsed(RecordPage, self._calls.read("GET", names.objects(kind), at=at, query=query))

    def search(
        self,
        kind: Kind,
        filters: Sequence[Filter],
        sort: str,
        shown: Sequence[str],
        at: datetime,
        *,
        descending: bool = False,
        limit: int = names.SEARCH_SIZE_MAX,
    ) -> RecordPage:
        """Find records that meet all conditions: the first page, and whether there is more."""
        conditions: list[Json] = [
            {"propertyName": one.name, "operator": one.operator, "value": one.value}
            for one in filters
        ]
        direction = "DESCENDING" if descending else "ASCENDING"
        body: dict[str, Json] = {
            "sorts": [{"propertyName": sort, "direction": direction}],
            "properties": list[Json](shown),
            "limit": limit,
        }
        if conditions:
            body["filterGroups"] = [{"filters": conditions}]
        answer = self._calls.read("POST", f"{names.objects(kind)}/search", at=at, body=body)
        return _parsed(RecordPage, answer)

    def associations(
        self, deal_ids: Collection[str], to: Kind, at: datetime
    ) -> dict[str, tuple[AssociationTarget, ...]]:
        """Read the whole sets of what deals are associated with.

        Returns:
            A set for every deal named, empty where it has none; a deal that is not there has none.
        """
        found: dict[str, list[AssociationTarget]] = {deal_id: [] for deal_id in deal_ids}
        missing: set[str] = set()
        path = f"/crm/v4/associations/{names.PLURAL[Kind.DEAL]}/{names.PLURAL[to]}/batch/read"
        for some in batches(list(found), ASSOCIATION_BATCH_SIZE_MAX):
            inputs: list[Json] = [{"id": deal_id} for deal_id in some]
            for _ in range(ASSOCIATION_PAGES_MAX):
                answer = self._calls.read("POST", path, at=at, body={"inputs": inputs})
                parsed = _parsed(AssociationBatch, answer)
                missing |= _missing(parsed)
                inputs = []
                for row in parsed.results:
                    found.setdefault(row.from_.id, []).extend(row.to)
                    if row.paging is not None and row.paging.next is not None:
                        inputs.append({"id": row.from_.id, "after": row.paging.next.after})
                if not inputs:
                    break
            else:
                raise RetryableError(
                    f"expected at most {ASSOCIATION_PAGES_MAX} pages of associations, found more"
                )
        return {deal_id: tuple(to) for deal_id, to in found.items() if deal_id not in missing}

    def raw(self, method: str, path: str, at: datetime, **parts: Json) -> bytes:
        """Read anything else; `parts` is the body, if there is any."""
        return self._calls.read(method, path, at=at, body=dict(parts) or None)

    def try_raw(self, method: str, path: str, at: datetime) -> bytes | None:
        """Read anything that may not be there; None: it is not."""
        answer = self._calls.try_read(method, path, at=at)
        if isinstance(answer, bytes):
            return answer
        return None if answer.verdict is Verdict.GONE else fail(answer)

    def token(self) -> str:
        """Return the token in use."""
        return self._calls.token()


def _missing(parsed: AssociationBatch) -> set[str]:
    """Return the ids of records that are not there; a record with none is not among them."""
    missing: set[str] = set()
    for error in parsed.errors:
        if error.get("subCategory") == _NO_ASSOCIATIONS:
            continue
        problem = problem_of_row(error)
        if problem.verdict is not Verdict.GONE:
            fail(problem)
        missing.update(problem.record_ids)
    return missing


def _shown(wanted: Wanted) -> list[tuple[str, str]]:
    shown = [("properties", ",".join((*wanted.plain, *wanted.history)))]
    if wanted.history:
        shown.append(("propertiesWithHistory", ",".join(wanted.history)))
    return shown


_Parsed = TypeVar("_Parsed", RecordBatch, RecordPage, RecordRow, AssociationBatch)


def _parsed(model: type[_Parsed], body: bytes) -> _Parsed:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise RetryableError(
            f"expected a {model.__name__} of HubSpot, found a body that is none:"
            f" {error.errors(include_input=False, include_url=False)[:1]}",
            code="UNREADABLE",
        ) from error
