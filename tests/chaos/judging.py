"""What must hold after a chaos run, by the independent verifier of the crash suite.

It reads what anybody can read: the CRMs' APIs, histories and access logs, and the audit log. What
was published is read as other teams read it, and compared with the store.
"""

import json
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from adapters.kafka_log.event_topic import KafkaEventTopic
from adapters.kafka_log.producer import Producer
from adapters.postgres.database import Database
from adapters.postgres.publication import PostgresPublication
from projections.publishing import Place, PublishedEvent, takes
from tests.chaos.site import ChaosWorld
from tests.crash import verifier
from tests.crash.story import Story
from tests.support.program import eventually

#: a line of the audit log bears the time at which its step began, and a step may have slept, or
#: have waited for a database that was away
STEP: Final = timedelta(seconds=45)
#: several times what a poll and a write take
AFTERWARDS_SECONDS: Final = 2.0
PUBLISHED_SECONDS_MAX: Final = 30.0


def judge(world: ChaosWorld, story: Story) -> Mapping[str, Any]:
    """Check both CRMs, their access logs and the audit log; return what was checked, in figures.

    Raises:
        AssertionError: an edit is lost, a counterpart doubled, a write unexplained, or the CRMs
            differ.
    """
    exported = world.must("audit", "export").out
    audit = world.folder / "audit.jsonl"
    audit.write_text(exported, encoding="utf-8")
    lines = [json.loads(line) for line in exported.splitlines()]
    calls = _calls(world)
    (world.folder / "calls.json").write_text(json.dumps(calls), encoding="utf-8")
    wrong = {
        "counterparts": [*verifier.counterparts(story.person, story)],
        "values": [*verifier.values(story.person, story, lines)],
        "contacts": [*verifier.contacts(story.person, story)],
        "writes": [*verifier.audit(calls, lines, step=STEP)],
        "published events": [*_published(world)],
    }
    found = [line for lines_of in wrong.values() for line in lines_of]
    assert not found, "\n".join([*found, f"the audit log is in {audit}"])
    _stays_quiet(world, calls)
    return {
        "users": dict(sorted(story.done.items())),
        "engine's calls that wrote": {crm: len(made) for crm, made in calls.items()},
        "writes of unknown result": sum(line["kind"] == "unknown" for line in lines),
        "found wrong": {name: len(lines_of) for name, lines_of in wrong.items()},
    }


def _published(world: ChaosWorld) -> Iterator[str]:
    """What a reader takes of the topic is what stands in the store, in order, each event once."""
    with Database(world.database_url) as database:
        publication = PostgresPublication(database)
        eventually(lambda: publication.state().lag == 0, seconds=PUBLISHED_SECONDS_MAX)
        with database.snapshot() as connection:
            found = connection.execute("SELECT notification_id FROM stored_events").fetchall()
    stored = {int(event_id) for (event_id,) in found}
    producer = Producer(world.cluster)
    places: dict[int, Place] = {}
    taken: list[int] = []
    for one in KafkaEventTopic(world.cluster, producer).read():
        if not isinstance(one, PublishedEvent):
            continue
        place = places.get(one.partition, Place(epoch=0, event_id=0))
        if takes(place, epoch=one.epoch, previous=one.previous, event_id=one.event.id):
            places[one.partition] = Place(one.epoch, one.event.id)
            taken.append(one.event.id)
    producer.close()
    if len(set(taken)) != len(taken):
        yield f"a reader takes {len(taken) - len(set(taken))} published events twice"
    for event_id in sorted(stored ^ set(taken)):
        yield f"event {event_id} stands in only one of the store and the topic"


def _stays_quiet(world: ChaosWorld, before: Mapping[str, list[dict[str, Any]]]) -> None:
    """After convergence nothing more is written, even if everything is read once more."""
    time.sleep(AFTERWARDS_SECONDS)
    world.until_quiet()
    assert before == _calls(world)


def _calls(world: ChaosWorld) -> dict[str, list[dict[str, Any]]]:
    return {
        "salesforce": world.engine_calls(world.salesforce_url),
        "hubspot": world.engine_calls(world.hubspot_url),
    }
