"""Ingest: what the CRMs show becomes facts in the change log.

One step serves each CRM in turn: refresh rows first (somebody waits for them), then the source's
own poll. Facts are durable before refresh rows go and before bookmarks move, so a crash in between
reads again and nothing is lost (rule `nothing-lost`). It decides nothing and writes to no CRM.

What it drives is the port `adapters.source.Source`. A CRM that fails backs off alone and says so
in `troubles`; the other goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from adapters.engine.backoff import delay_seconds
from adapters.source import Source, is_pass_wanted, passed
from domain import facts
from domain.errors import PortError, RetryableError, ThrottledError, UnauthenticatedError
from domain.facts import Fact
from domain.ids import Crm, is_salesforce_id, salesforce_id
from domain.ports import Bookmarks, ChangeLog, KeyedFact, Refreshes, Topic

#: refresh rows of one read: what both CRMs take in one batch call
REFRESH_LIMIT: Final = 100
#: longer than any read of that many rows takes
REFRESH_LEASE_SECONDS: Final = 60.0
BACKOFF_SECONDS_MAX: Final = 60.0
#: a refused sign-in is settled by a person; asking more often locks accounts
REFUSED_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a CRM is not being read."""

    message: str
    #: the vendor's own code, or blank
    code: str
    #: how many times in a row
    count: int
    #: when it is tried again
    until: datetime


class Ingest:
    """The ingest loop.

    Args:
        sources: one for each CRM.
        log: where facts go.
        refreshes: records that somebody wants read.
        bookmarks: where the sources resume.
    """

    def __init__(
        self,
        *,
        sources: Sequence[Source],
        log: ChangeLog,
        refreshes: Refreshes,
        bookmarks: Bookmarks,
    ) -> None:
        self._sources = tuple(sources)
        self._log = log
        self._refreshes = refreshes
        self._bookmarks = bookmarks
        self._more: set[Crm] = set()
        #: by CRM; a CRM that answers is not in it
        self.troubles: dict[Crm, Trouble] = {}

    def step(self, at: datetime) -> int:
        """Serve every CRM once; return how many facts and refresh rows were dealt with."""
        return sum(self._serve(source, at) for source in self._sources)

    def _serve(self, source: Source, at: datetime) -> int:
        trouble = self.troubles.get(source.crm)
        if trouble is not None and at < trouble.until:
            return 0
        try:
            count = self._read_wanted(source, at) + self._poll(source, at)
        except PortError as error:
            self.troubles[source.crm] = _trouble(
                source.crm, error, 1 + (trouble.count if trouble else 0), at
            )
            return 0
        self.troubles.pop(source.crm, None)
        return count

    def _read_wanted(self, source: Source, at: datetime) -> int:
        wishes = self._refreshes.claim(
            source.crm, at=at, limit=REFRESH_LIMIT, lease_seconds=REFRESH_LEASE_SECONDS
        )
        if not wishes:
            return 0
        try:
            found = source.read(wishes, at)
        except PortError:
            # Else they would be out of reach until the lease ends, long after the CRM is back.
            self._refreshes.give_back(wishes)
            raise
        self._append(source.crm, found)
        self._refreshes.done(wishes)
        return len(wishes)

    def _poll(self, source: Source, at: datetime) -> int:
        if not (
            source.crm in self._more
            or source.due(at)
            or is_pass_wanted(self._bookmarks, source.crm)
        ):
            return 0
        polled = source.poll(at)
        self._append(source.crm, polled.facts)
        for name, text in polled.bookmarks.items():
            self._bookmarks.write(name, text)
        if polled.pass_begun_at is not None:
            self._bookmarks.write(*passed(source.crm, polled.pass_begun_at))
        if polled.more:
            self._more.add(source.crm)
        else:
            self._more.discard(source.crm)
        return len(polled.facts) + polled.more

    def _append(self, crm: Crm, found: Sequence[Fact]) -> None:
        if found:
            topic = topic_of(crm)
            self._log.append([KeyedFact(topic, key_of(fact), fact) for fact in found])


def topic_of(crm: Crm) -> Topic:
    """Return where a CRM's observations stand."""
    match crm:
        case Crm.SALESFORCE:
            return Topic.SALESFORCE_CHANGES
        case Crm.HUBSPOT:
            return Topic.HUBSPOT_CHANGES


def key_of(fact: Fact) -> str:
    """Return the Salesforce id of what an observation is about, else the record's own id.

    Both sides of a pair then mostly meet in one worker; correctness never rests on it.

    Raises:
        ValueError: the fact is no observation.
    """
    match fact:
        case facts.OpportunityObserved() | facts.RolesObserved():
            return fact.opportunity_id
        case facts.DealObserved():
            return _carried(fact.link) or fact.deal_id
        case facts.AssociationsObserved():
            return fact.deal_id
        case facts.SalesforceContactObserved():
            return fact.contact_id
        case facts.HubSpotContactObserved():
            return _carried(fact.salesforce_contact_id) or fact.contact_id
        case facts.AccountObserved():
            return fact.account_id
        case facts.CompanyObserved():
            return _carried(fact.salesforce_account_id) or fact.company_id
        case facts.RecordDeleted() | facts.RecordMerged():
            return fact.record_id
        case facts.SalesforceCatalogObserved() | facts.HubSpotCatalogObserved():
            return "catalog"
        case _:
            raise ValueError(f"expected an observation, found {fact.TOPIC}")


def _carried(link: str | None) -> str | None:
    """Return the Salesforce id that a HubSpot record carries, without its `:2`."""
    if link is None:
        return None
    text = link.partition(":")[0].strip()
    return salesforce_id(text) if is_salesforce_id(text) else None


def _trouble(crm: Crm, error: PortError, count: int, at: datetime) -> Trouble:
    match error:
        case ThrottledError():
            until = error.until
        case UnauthenticatedError():
            until = at + timedelta(seconds=REFUSED_SECONDS)
        case RetryableError():
            seconds = delay_seconds(crm, count, longest=BACKOFF_SECONDS_MAX)
            until = at + timedelta(seconds=seconds)
        case _:
            until = at + timedelta(seconds=BACKOFF_SECONDS_MAX)
    return Trouble(message=str(error), code=error.code, count=count, until=until)
