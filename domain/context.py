"""What else a decision reads: policy, catalog, identities, other pairs, the time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import cached_property

from domain.catalog import Catalog
from domain.ids import Crm, Kind, Ref, StreamId
from domain.pair import Pair
from domain.policy import Policy
from domain.ports import Identity


@dataclass(frozen=True)
class Context:
    """Everything that `decide` may look at beside the aggregate and the fact."""

    policy: Policy
    #: 0: no policy was ever adopted, so deal sync is off
    policy_version: int
    catalog: Catalog
    #: every record that was looked up; None: looked up, not known
    identities: Mapping[Ref, Identity | None]
    #: our clock
    at: datetime
    #: other aggregates that `deciding.needs` named; not there: no such stream yet
    others: Mapping[StreamId, object] = field(default_factory=dict)
    epoch: int = 0

    @property
    def deal_sync(self) -> bool:
        """Tell whether anything may cross at all (rule `deal-sync-switch`)."""
        return self.policy_version > 0 and self.policy.switches.deal_sync

    @cached_property
    def skew(self) -> timedelta:
        """Return how far clocks may be apart."""
        return timedelta(seconds=float(self.policy.clocks.skew_seconds))

    @cached_property
    def zone(self) -> tzinfo:
        """Return the zone whose days are the days of dates."""
        return self.catalog.zone(self.policy)

    def pair(self, stream: StreamId) -> Pair | None:
        """Return another pair that a link leads to, or None."""
        other = self.others.get(stream)
        return other if isinstance(other, Pair) else None

    def identity(self, ref: Ref) -> Identity | None:
        """Return whose record it is, or None."""
        return self.identities.get(ref)

    def counterpart(self, crm: Crm, kind: Kind, record_id: str) -> str | None:
        """Return the other CRM's id of the same contact, account or company, or None."""
        identity = self.identities.get(Ref(crm, kind, record_id))
        return identity.linked_to if identity is not None and identity.alive else None
