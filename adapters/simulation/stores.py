"""The in-memory ports of one world, and the policy and catalog as decided in them."""

from dataclasses import dataclass, field

from adapters.bootstrap.present import Moment
from adapters.memory.audit import MemoryAudit
from adapters.memory.bookmarks import MemoryBookmarks
from adapters.memory.change_log import MemoryChangeLog
from adapters.memory.decisions import MemoryDecisions
from adapters.memory.deliveries import MemoryDeliveries
from adapters.memory.delivery_desk import MemoryBrakes, MemoryDeliveryDesk
from adapters.memory.followers import MemoryFollowers
from adapters.memory.refresh import MemoryRefreshes
from adapters.memory.views import MemoryViews
from domain import deciding
from domain.adoption import Adopted
from domain.catalog import Catalog
from domain.deciding import Aggregate
from domain.ids import CATALOG_STREAM, POLICY_STREAM
from domain.in_force import InForce
from domain.policy import Policy
from domain.ports import StoredEvent


@dataclass(frozen=True, slots=True)
class Stores:
    """What survives when an actor dies."""

    log: MemoryChangeLog = field(default_factory=MemoryChangeLog)
    audit: MemoryAudit = field(default_factory=MemoryAudit)
    refreshes: MemoryRefreshes = field(default_factory=MemoryRefreshes)
    bookmarks: MemoryBookmarks = field(default_factory=MemoryBookmarks)
    decisions: MemoryDecisions = field(init=False)
    deliveries: MemoryDeliveries = field(init=False)
    desk: MemoryDeliveryDesk = field(init=False)
    brakes: MemoryBrakes = field(init=False)
    followers: MemoryFollowers = field(init=False)
    views: MemoryViews = field(init=False)

    def __post_init__(self) -> None:
        """Put the ports over one store of events."""
        put = object.__setattr__
        decisions = MemoryDecisions(inline=(self.audit,))
        deliveries = MemoryDeliveries(decisions)
        followers = MemoryFollowers(decisions)
        put(self, "decisions", decisions)
        put(self, "deliveries", deliveries)
        put(self, "desk", MemoryDeliveryDesk(deliveries))
        put(self, "brakes", MemoryBrakes(deliveries))
        put(self, "followers", followers)
        put(self, "views", MemoryViews(decisions, followers, self.audit))


class Present:
    """The policy and the catalog as decided by now."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._moment = Moment(Adopted(), Catalog(), (), ())

    def moment(self) -> Moment:
        """Return both streams as they are now."""
        loaded = self._stores.decisions.load((POLICY_STREAM, CATALOG_STREAM), ()).events
        policies, catalogs = loaded[POLICY_STREAM], loaded[CATALOG_STREAM]
        before = self._moment
        if (policies, catalogs) != (before.policy_events, before.catalog_events):
            policy = _folded(policies)
            catalog = _folded(catalogs)
            self._moment = Moment(
                adopted=policy if isinstance(policy, Adopted) else Adopted(),
                catalog=catalog if isinstance(catalog, Catalog) else Catalog(),
                policy_events=policies,
                catalog_events=catalogs,
            )
        return self._moment

    def policy(self) -> Policy:
        """Return the policy in force; before the first adoption: the default."""
        return self.moment().adopted.policy

    def in_force(self) -> InForce:
        """Return what deliver asks right before it sends."""
        moment = self.moment()
        adopted = moment.adopted
        return InForce(
            policy=adopted.policy, policy_version=adopted.policy_version, catalog=moment.catalog
        )


def _folded(events: tuple[StoredEvent, ...]) -> Aggregate | None:
    aggregate: Aggregate | None = None
    for stored in events:
        aggregate = deciding.evolve(aggregate, stored.event)
    return aggregate
