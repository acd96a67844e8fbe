"""The change log in memory: the twin of `postgres.change_log`."""

from collections.abc import Mapping, Sequence
from threading import Lock

from typing_extensions import override

from adapters.partitions import PARTITIONS, fair_shares, partition_of, source_of
from domain.facts import Fact
from domain.ports import ChangeLog, KeyedFact, LoggedFact, Topic


class MemoryChangeLog(ChangeLog):
    """Facts in lists, one a source."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._facts: dict[str, list[Fact]] = {
            source_of(topic, partition): [] for topic in Topic for partition in range(PARTITIONS)
        }

    @override
    def append(self, facts: Sequence[KeyedFact]) -> None:
        with self._lock:
            for keyed in facts:
                source = source_of(keyed.topic, partition_of(keyed.key))
                self._facts[source].append(keyed.fact)

    @override
    def read(self, after: Mapping[str, int], *, limit: int) -> tuple[LoggedFact, ...]:
        with self._lock:
            waiting = {
                source: len(facts) - 1 - after.get(source, -1)
                for source, facts in self._facts.items()
            }
            shares = fair_shares({s: n for s, n in waiting.items() if n > 0}, limit)
            return tuple(
                LoggedFact(source, offset, self._facts[source][offset])
                for source in sorted(shares)
                for offset in range(
                    after.get(source, -1) + 1, after.get(source, -1) + 1 + shares[source]
                )
            )

    @override
    def heads(self) -> Mapping[str, int]:
        with self._lock:
            return {source: len(facts) - 1 for source, facts in self._facts.items()}
