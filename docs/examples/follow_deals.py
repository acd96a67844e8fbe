"""Follow what dealsync decides and keep a table of deals: a consumer for your platform team.

    python follow_deals.py --servers 127.0.0.1:9092 --file deals.db --until-end
    sqlite3 deals.db 'SELECT opportunity_id, deal_id, state, name, amount FROM deal'

It needs kafka-python and nothing of dealsync. The table and the place in each partition are written
in one transaction, so being stopped anywhere neither loses nor doubles anything. What a record's
headers mean is in `infra/asyncapi.yaml`; the three rules that matter are in `take`.
"""

import argparse
import json
import sqlite3
import sys
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

TOPIC = "sync.events.v1"
TABLES = """
CREATE TABLE IF NOT EXISTS place (
    partition INTEGER PRIMARY KEY, next_offset INTEGER, epoch INTEGER, event_id INTEGER
);
CREATE TABLE IF NOT EXISTS recovery (epoch INTEGER PRIMARY KEY, cut INTEGER);
CREATE TABLE IF NOT EXISTS deal (
    stream TEXT PRIMARY KEY, opportunity_id TEXT, deal_id TEXT, state TEXT, name TEXT, amount TEXT
);
"""


class StartOverError(Exception):
    """Something that was taken was lost with dealsync's database: forget it all, read again."""


def take(table: sqlite3.Connection, record: ConsumerRecord) -> None:
    """Take one record into the table, or pass over it."""
    headers = {name.removeprefix("ce_"): value.decode() for name, value in record.headers}
    epoch = int(headers["epoch"])
    known_epoch, taken = table.execute(
        "SELECT epoch, event_id FROM place WHERE partition = ?", (record.partition,)
    ).fetchone()
    if headers["type"] == "publication.EpochStarted":
        _recovered(table, record.partition, json.loads(record.value))
    if "sequence" not in headers:
        return  # a note, and no event
    event_id, previous = int(headers["sequence"]), int(headers["previous"])
    # 1. What dealsync lost in a recovery never counts.
    lost = table.execute(
        "SELECT 1 FROM recovery WHERE epoch > ? AND cut < ?", (epoch, event_id)
    ).fetchone()
    # 2. What was taken is sent again now and then: pass over it.
    # 3. If the event before it was not taken, both will be sent again, in order: pass over it.
    if lost or epoch < known_epoch or not previous <= taken < event_id:
        return
    if headers["type"] == "pair.SummaryChanged":
        deal = json.loads(record.value)
        table.execute(
            "INSERT OR REPLACE INTO deal VALUES (?, ?, ?, ?, ?, ?)",
            (
                deal["stream"],
                deal["opportunity_id"],
                deal["deal_id"],
                deal["state"],
                deal["name"],
                deal["amount"],
            ),
        )
    table.execute(
        "UPDATE place SET epoch = ?, event_id = ? WHERE partition = ?",
        (epoch, event_id, record.partition),
    )


def _recovered(table: sqlite3.Connection, partition: int, note: dict[str, int]) -> None:
    """Note a recovery; whoever took something that was lost in it starts over."""
    known = table.execute("SELECT 1 FROM recovery WHERE epoch = ?", (note["epoch"],)).fetchone()
    table.execute("INSERT OR REPLACE INTO recovery VALUES (?, ?)", (note["epoch"], note["cut"]))
    (furthest,) = table.execute(
        "SELECT max(event_id) FROM place WHERE epoch < ?", (note["epoch"],)
    ).fetchone()
    if not known and furthest is not None and furthest > note["cut"]:
        raise StartOverError
    table.execute("UPDATE place SET epoch = ? WHERE partition = ?", (note["epoch"], partition))


def follow(servers: list[str], topic: str, file: Path, *, until_end: bool) -> None:
    """Follow the topic into the file, for ever or until its present end."""
    consumer = KafkaConsumer(bootstrap_servers=servers, group_id=None, enable_auto_commit=False)
    partitions = [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic))]
    consumer.assign(partitions)
    table = sqlite3.connect(file, isolation_level=None)
    table.executescript(TABLES)
    table.executemany(
        "INSERT OR IGNORE INTO place VALUES (?, 0, 0, 0)", [(p.partition,) for p in partitions]
    )
    _resume(consumer, table, topic)
    ends = consumer.end_offsets(partitions)
    while not until_end or any(consumer.position(p) < ends[p] for p in partitions):
        for partition, records in consumer.poll(timeout_ms=1_000).items():
            table.execute("BEGIN")
            try:
                for record in records:
                    take(table, record)
            except StartOverError:
                table.execute("DELETE FROM deal")
                table.execute("UPDATE place SET next_offset = 0, epoch = 0, event_id = 0")
                table.execute("COMMIT")
                _resume(consumer, table, topic)
                break
            table.execute(
                "UPDATE place SET next_offset = ? WHERE partition = ?",
                (records[-1].offset + 1, partition.partition),
            )
            table.execute("COMMIT")
    (count,) = table.execute("SELECT count(*) FROM deal").fetchone()
    table.close()
    consumer.close()
    sys.stdout.write(f"{count} deals in {file}\n")


def _resume(consumer: KafkaConsumer, table: sqlite3.Connection, topic: str) -> None:
    for partition, offset in table.execute("SELECT partition, next_offset FROM place").fetchall():
        consumer.seek(TopicPartition(topic, partition), offset)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--servers", default="127.0.0.1:9092", help="brokers, by commas")
    parser.add_argument("--topic", default=TOPIC, help="with your environment's prefix, if any")
    parser.add_argument("--file", type=Path, default=Path("deals.db"))
    parser.add_argument("--until-end", action="store_true", help="stop at the present end")
    given = parser.parse_args()
    follow(given.servers.split(","), given.topic, given.file, until_end=given.until_end)
