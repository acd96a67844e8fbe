"""What programs under test stand on: their own home alone, or Kafka and PostgreSQL over TCP.

`TEST_LOG=kafka` chooses the latter for whatever runs `tests.support.program.running`, so that the
acceptance suite is the same for both.
"""

import atexit
import os
from functools import lru_cache
from typing import Final

from tests.support.kafka_servers import kafka_servers, own_prefix
from tests.support.tcp_postgres import TcpPostgres

VARIABLE: Final = "TEST_LOG"


def backing() -> tuple[dict[str, str], tuple[str, ...]]:
    """Return settings and options of one more program: it shares no topics and no database."""
    if os.environ.get(VARIABLE) != "kafka":
        return {}, ()
    return kafka_and_tcp(), ("--log", "kafka")


def kafka_and_tcp() -> dict[str, str]:
    """Return settings that name topics and a database of one program's own."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_servers(),
        "DEALSYNC_KAFKA_PREFIX": own_prefix(),
        "DATABASE_URL": _server().new_database(),
    }


@lru_cache(maxsize=1)
def _server() -> TcpPostgres:
    server = TcpPostgres()
    atexit.register(server.delete)
    server.start()
    return server
