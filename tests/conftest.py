"""What holds for every test: none of them may reach what the caller's environment names.

A Kafka is the exception: it is kept for the suites that need one (`tests.support.kafka_servers`).
"""

import os

#: the caller's brokers, out of reach of whatever reads the environment
KAFKA_VARIABLE = "TEST_KAFKA_BOOTSTRAP_SERVERS"

if "KAFKA_BOOTSTRAP_SERVERS" in os.environ:
    os.environ[KAFKA_VARIABLE] = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
for _name in list(os.environ):
    if _name.startswith("DEALSYNC_") or _name in {"DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS"}:
        del os.environ[_name]
