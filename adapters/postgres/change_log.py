"""The change log in PostgreSQL: the embedded default, where no Kafka is.

A reader that sees an offset must see every lower one of that source, or it would pass over a fact
for ever. So offsets are drawn from the source's row, whose lock lasts until the facts commit:
offsets become visible in order, and without holes. Appenders to other sources are not held up.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from typing_extensions import override

from adapters import codec
from adapters.partitions import fair_shares, partition_of
from adapters.postgres.database import Database
from adapters.postgres.queries import queries_beside
from domain.ports import ChangeLog, KeyedFact, LoggedFact, Topic

_SQL: Final = queries_beside(__file__)
_COLUMNS: Final = ("text", "int4", "int8", "text", "text", "text", "text")


class PostgresChangeLog(ChangeLog):
    """Facts in a table, one offset sequence a source."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    def append(self, facts: Sequence[KeyedFact]) -> None:
        by_source: dict[tuple[Topic, int], list[KeyedFact]] = {}
        for keyed in facts:
            by_source.setdefault((keyed.topic, partition_of(keyed.key)), []).append(keyed)
        if not by_source:
            return
        with self._database.transaction() as connection:
            first: dict[tuple[Topic, int], int] = {}
            for (topic, partition), group in sorted(by_source.items()):
                drawn = connection.execute(
                    _SQL["draw_offsets"],
                    {"topic": topic, "partition": partition, "count": len(group)},
                ).fetchone()
                assert drawn is not None, f"{topic}:{partition} has no row: the schema is not ours"
                first[topic, partition] = drawn[0]
            with connection.cursor() as cursor, cursor.copy(_SQL["copy_facts"]) as copy:
                copy.set_types(_COLUMNS)
                for (topic, partition), group in by_source.items():
                    for offset, keyed in enumerate(group, start=first[topic, partition]):
                        fact_topic, body = codec.encode_fact(keyed.fact)
                        copy.write_row(
                            (
                                str(topic),
                                partition,
                                offset,
                                keyed.key,
                                keyed.fact.id,
                                fact_topic,
                                body.decode(),
                            )
                        )

    @override
    def read(self, after: Mapping[str, int], *, limit: int) -> tuple[LoggedFact, ...]:
        heads = self.heads()
        waiting = {source: head - after.get(source, -1) for source, head in heads.items()}
        shares = fair_shares({s: n for s, n in waiting.items() if n > 0}, limit)
        if not shares:
            return ()
        named = [source.rsplit(":", 1) for source in shares]
        with self._database.transaction() as connection:
            rows = connection.execute(
                _SQL["read"],
                {
                    "sources": list(shares),
                    "topics": [topic for topic, _ in named],
                    "partitions": [int(partition) for _, partition in named],
                    "afters": [after.get(source, -1) for source in shares],
                    "counts": list(shares.values()),
                },
                binary=True,
            ).fetchall()
        return tuple(
            LoggedFact(source, offset, codec.decode_fact(topic, body))
            for source, offset, topic, body in rows
        )

    @override
    def heads(self) -> Mapping[str, int]:
        with self._database.transaction() as connection:
            return dict(connection.execute(_SQL["heads"]).fetchall())
