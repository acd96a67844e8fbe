"""Which partition of a topic a key goes to, and how a partition is named as a source.

Every change log uses the same number of partitions in every topic, and the same function, so that
the facts of one key stand in equal partition numbers everywhere.
"""

from binascii import crc32
from typing import Final

from domain.ports import Topic

#: of the logs that are ours to make; fixed by the schema's first migration
PARTITIONS: Final = 8


def partition_of(key: str, partitions: int = PARTITIONS) -> int:
    """Return the partition of a key: equal keys meet, in every process and version."""
    return crc32(key.encode()) % partitions


def source_of(topic: Topic, partition: int) -> str:
    """Return the name of a partition as a source of facts: `topic:partition`."""
    return f"{topic}:{partition}"


def fair_shares(waiting: dict[str, int], limit: int) -> dict[str, int]:
    """Divide a limit over sources so that none is starved and nothing is left unused.

    Args:
        waiting: facts that wait, by source.
        limit: how many may be taken together.

    Returns:
        How many to take of each source; sources that get none are left out.
    """
    shares: dict[str, int] = {}
    ordered = sorted(waiting.items(), key=lambda pair: (pair[1], pair[0]))
    for place, (source, count) in enumerate(ordered):
        share = min(count, -(-limit // (len(ordered) - place)))
        if share > 0:
            shares[source] = share
            limit -= share
    return shares
