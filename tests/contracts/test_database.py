"""The database: migrated by any number of starters, transactions as promised."""

import threading
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import ProgrammingError

from adapters.postgres.database import Database
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.queries import queries_beside
from adapters.postgres.schema_upgrade import NewerSchemaError
from domain.errors import RetryableError
from tests.contracts.test_decisions import never
from tests.support import postgres
from tests.support.store_samples import batch, nothing, stream


def _count(database: Database, query: bytes) -> int:
    with database.transaction() as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_several_starters_migrate_once() -> None:
    with postgres.database(migrated=False) as database:
        starters = [threading.Thread(target=database.migrate) for _ in range(4)]
        for starter in starters:
            starter.start()
        for starter in starters:
            starter.join(timeout=60)

        assert _count(database, b"SELECT count(*) FROM change_log_source") == 40
        database.migrate()


def test_a_schema_of_a_newer_program_is_left_alone() -> None:
    with postgres.database() as database:
        with database.transaction() as connection:
            connection.execute("UPDATE migration SET version_num = '9999'")

        with pytest.raises(NewerSchemaError, match="newer dealsync"):
            database.migrate()


def test_a_database_that_is_away_is_worth_another_try(tmp_path: Path) -> None:
    away = Database(f"postgresql:///nobody?host={tmp_path}")

    with pytest.raises(RetryableError, match="expected the database to answer"):
        away.migrate()


def test_every_table_and_column_has_a_comment() -> None:
    with postgres.database() as database, database.transaction() as connection:
        missing = connection.execute("""
            SELECT relname || '.' || attname FROM pg_attribute
            JOIN pg_class ON pg_class.oid = attrelid
            WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v')
                AND attnum > 0 AND NOT attisdropped AND relname <> 'migration'
                AND (
                    col_description(attrelid, attnum) IS NULL
                    OR obj_description(attrelid, 'pg_class') IS NULL
                )
        """).fetchall()

    assert missing == []


def test_a_transaction_that_raises_leaves_nothing() -> None:
    with postgres.database() as database:
        with pytest.raises(ZeroDivisionError):
            _delete_and_fail(database)

        assert _count(database, b"SELECT count(*) FROM change_log_source") == 40


def test_a_snapshot_sees_one_moment_and_cannot_write() -> None:
    count = b"SELECT count(*) FROM change_log_source"
    with postgres.database() as database:
        with database.snapshot() as before:
            first = before.execute(count).fetchone()
            with database.transaction() as connection:
                connection.execute("DELETE FROM change_log_source")
            assert before.execute(count).fetchone() == first
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), database.snapshot() as reader:
            reader.execute("DELETE FROM change_log_source")


def test_a_lost_connection_is_worth_another_try() -> None:
    with postgres.database() as database:
        with pytest.raises(RetryableError):
            _cut_own_connection(database)

        assert _count(database, b"SELECT 1") == 1


def test_a_process_that_sleeps_in_mid_transaction_keeps_nobody_waiting() -> None:
    def sleep_over_a_lock(database: Database, sleeper: Database) -> None:
        with sleeper.transaction() as sleeping:
            sleeping.execute("LOCK TABLE refresh")
            # It says nothing more; this waits until the server has given up on it.
            with database.transaction() as connection:
                connection.execute("SET LOCAL lock_timeout = '10s'")
                connection.execute("LOCK TABLE refresh")
            sleeping.execute("SELECT 1")

    with (
        postgres.database() as database,
        Database(database.url, database.schema, silent_seconds=0.2) as sleeper,
        pytest.raises(RetryableError, match="idle-in-transaction"),
    ):
        sleep_over_a_lock(database, sleeper)


def test_a_schema_name_that_needs_quoting_is_refused() -> None:
    with pytest.raises(ValueError, match="schema name"):
        Database("postgresql://", 'a"b')


def test_a_query_file_without_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nameless.sql").write_text("SELECT 1", encoding="utf-8")

    with pytest.raises(ValueError, match="-- name:"):
        queries_beside(str(tmp_path / "nameless.py"))


def test_the_library_reads_what_we_stored_and_cannot_write_past_the_fence() -> None:
    with postgres.database() as database:
        store = PostgresDecisions(database)
        store.commit(batch((1, nothing("a")), (2, nothing("a")), (1, nothing("b"))), never)
        recorder = store.recorder

        history = recorder.select_events(stream("a"))
        assert [stored.originator_version for stored in history] == [1, 2]
        assert [n.topic for n in recorder.select_notifications(start=2, limit=5)] == [
            "any.NothingDecided"
        ] * 2
        assert recorder.max_notification_id() == 3
        with pytest.raises(ProgrammingError, match="fences"):
            recorder.insert_events(history)
        recorder.datastore.close()


def _delete_and_fail(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("DELETE FROM change_log_source")
        raise ZeroDivisionError


def _cut_own_connection(database: Database) -> None:
    with database.transaction() as connection:
        with database.transaction() as other:
            other.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
        connection.execute("SELECT 1")
