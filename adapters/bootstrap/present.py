"""The policy and the catalog as decided by now, folded from the store.

Sources ask it which fields to read, deliver what may still be written. Both may change at any
moment, by this process or another, so every question looks at how long the two streams are; only
if one grew is it read again.
"""

import threading
from dataclasses import dataclass
from typing import Final

from adapters.bootstrap.stores import Stores
from adapters.postgres.stream_versions import stream_versions
from domain import deciding
from domain.adoption import Adopted
from domain.catalog import Catalog
from domain.deciding import Aggregate
from domain.ids import CATALOG_STREAM, POLICY_STREAM, StreamId
from domain.in_force import InForce
from domain.policy import Policy
from domain.ports import StoredEvent

STREAMS: Final = (POLICY_STREAM, CATALOG_STREAM)


@dataclass(frozen=True, slots=True)
class Moment:
    """Both streams as of one reading."""

    adopted: Adopted
    catalog: Catalog
    #: events of the two streams, oldest first
    policy_events: tuple[StoredEvent, ...]
    catalog_events: tuple[StoredEvent, ...]


class Present:
    """Answers for as long as the stores are open; any thread may ask.

    Args:
        stores: where the two streams are.
    """

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._lock = threading.Lock()
        self._versions: dict[StreamId, int] | None = None
        self._moment = Moment(Adopted(), Catalog(), (), ())

    def moment(self) -> Moment:
        """Return both streams as they are now.

        Raises:
            RetryableError: the store does not answer.
        """
        with self._lock:
            versions = dict(stream_versions(self._stores.database, STREAMS))
            if versions != self._versions:
                self._moment = self._read()
                self._versions = versions
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

    def _read(self) -> Moment:
        events = self._stores.decisions.load(STREAMS, ()).events
        policy = _folded(events[POLICY_STREAM])
        catalog = _folded(events[CATALOG_STREAM])
        return Moment(
            adopted=policy if isinstance(policy, Adopted) else Adopted(),
            catalog=catalog if isinstance(catalog, Catalog) else Catalog(),
            policy_events=events[POLICY_STREAM],
            catalog_events=events[CATALOG_STREAM],
        )


def _folded(events: tuple[StoredEvent, ...]) -> Aggregate | None:
    aggregate: Aggregate | None = None
    for stored in events:
        aggregate = deciding.evolve(aggregate, stored.event)
    return aggregate
