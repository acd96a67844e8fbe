"""The publish loop in a process of its own, beside an engine that runs the other four."""

from pathlib import Path

from adapters.kafka_log.event_topic import KafkaEventTopic
from adapters.postgres.database import Database
from adapters.postgres.publication import PostgresPublication
from projections.publishing import PublishedEvent
from tests.support.accounts import settings_of
from tests.support.event_topics import event_topic
from tests.support.program import Program, dealsync_here, eventually
from tests.support.tcp_postgres import TcpPostgres

FREE_PORTS = ("--salesforce-port", "0", "--hubspot-port", "0")
OTHERS = [word for role in ("ingest", "decide", "project", "deliver") for word in ("--only", role)]
PUBLISHED_SECONDS_MAX = 20.0


def test_it_publishes_what_another_process_decides(tmp_path: Path) -> None:
    server = TcpPostgres(tmp_path / "postgres")
    server.start()
    try:
        with (
            event_topic() as (cluster, topic),
            Program(tmp_path / "crms", "sandbox", *FREE_PORTS) as crms,
        ):
            settings = {
                **settings_of(crms.wait_ready(), tmp_path),
                "KAFKA_BOOTSTRAP_SERVERS": ",".join(cluster.servers),
                "DEALSYNC_KAFKA_PREFIX": cluster.prefix,
                "DATABASE_URL": server.new_database(),
            }
            _publish_alone(tmp_path, settings, topic)
            assert crms.stop() == 0
    finally:
        server.delete()


def _publish_alone(folder: Path, settings: dict[str, str], topic: KafkaEventTopic) -> None:
    home = folder / "home"
    (folder / "policy.toml").write_text("", encoding="utf-8")
    adopted = dealsync_here(home, "policy", "adopt", str(folder / "policy.toml"), settings=settings)
    assert adopted.code == 0, adopted.err
    with Program(home, "run", *OTHERS, settings=settings) as engine:
        engine.wait_ready().until_quiet()
        assert topic.is_empty()
        before = engine.call("status", "--json").json["publication"]
        assert before["published_to"] == 0
        assert before["not_published"] > 0
        assert before["oldest_decided_at"] is not None

        with (
            Program(home, "run", "--only", "publish", settings=settings) as publisher,
            Database(settings["DATABASE_URL"]) as database,
        ):
            publisher.wait_ready()
            publication = PostgresPublication(database)
            eventually(lambda: publication.state().lag == 0, seconds=PUBLISHED_SECONDS_MAX)
            found = [one.event.id for one in topic.read() if isinstance(one, PublishedEvent)]
            assert max(found) == publication.state().head
            assert len(set(found)) == len(found)
            after = engine.call("status", "--json").json["publication"]
            assert (after["not_published"], after["oldest_decided_at"]) == (0, None)
            said = [one["text"] for one in engine.call("doctor", "--json").json["checks"]]
            assert "everything decided is published" in said
            assert publisher.stop() == 0
        assert engine.stop() == 0
