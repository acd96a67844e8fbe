"""What the contracts share."""

from collections.abc import Iterator

import pytest

from adapters.memory.decisions import MemoryDecisions
from adapters.memory.deliveries import MemoryDeliveries
from adapters.memory.delivery_desk import MemoryBrakes, MemoryDeliveryDesk
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.deliveries import PostgresDeliveries
from adapters.postgres.delivery_desk import PostgresBrakes, PostgresDeliveryDesk
from tests.contracts.delivery_bench import Bench
from tests.support import postgres
from tests.support.delivery_samples import Decided


@pytest.fixture(params=["memory", "postgres"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "memory":
        store = MemoryDecisions()
        deliveries = MemoryDeliveries(store)
        desk, brakes = MemoryDeliveryDesk(deliveries), MemoryBrakes(deliveries)
        yield Bench(Decided(store), lambda: deliveries, desk, brakes)
        return
    with postgres.database() as database:
        yield Bench(
            Decided(PostgresDecisions(database)),
            lambda: PostgresDeliveries(database),
            PostgresDeliveryDesk(database),
            PostgresBrakes(database),
        )
