"""Every table and column says what it is, and the reader can only read."""

import psycopg
import pytest
from psycopg import errors

from adapters.postgres.database import Database


def test_every_table_view_and_column_has_a_comment(database: Database) -> None:
    with database.transaction() as connection:
        silent = connection.execute(
            "SELECT c.relname, a.attname FROM pg_class AS c "
            "JOIN pg_namespace AS n ON n.oid = c.relnamespace "
            "LEFT JOIN pg_attribute AS a "
            "ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
            "WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'v', 'm', 'p') "
            "AND (obj_description(c.oid, 'pg_class') IS NULL "
            "OR col_description(c.oid, a.attnum) IS NULL)"
        ).fetchall()

    assert silent == []


def test_the_reader_sees_every_table(database: Database) -> None:
    with psycopg.connect(database.conninfo, user="dealsync_reader") as connection:
        hidden = connection.execute(
            "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = %s::regnamespace "
            "AND c.relkind IN ('r', 'v') AND NOT has_table_privilege(c.oid, 'SELECT')",
            (database.schema,),
        ).fetchall()

    assert hidden == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_line",
        "UPDATE sync_status SET state = 'live'",
        "INSERT INTO bookmark VALUES ('a', 'b')",
        "TRUNCATE stored_events",
    ],
)
def test_the_reader_changes_nothing_even_if_it_asks_to(database: Database, statement: str) -> None:
    with psycopg.connect(database.conninfo, user="dealsync_reader") as connection:
        connection.read_only = False
        with pytest.raises((errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)):
            connection.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TEMP TABLE mine (a int)",
        "SELECT lo_create(4711)",
        "SELECT lo_creat(-1)",
        "SELECT lo_from_bytea(4712, 'mine')",
        "SELECT lo_import('/etc/hostname')",
        "SELECT lo_put(4711, 0, 'mine')",
        "SELECT lo_unlink(4711)",
        "CREATE TABLE public.mine (a int)",
    ],
)
def test_the_reader_makes_nothing_even_in_a_session_that_may_write(
    database: Database, statement: str
) -> None:
    with psycopg.connect(database.conninfo, user="dealsync_reader") as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.commit()
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement.encode())


def test_the_engine_may_still_make_temporary_tables(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("CREATE TEMP TABLE mine (a int) ON COMMIT DROP")


def test_the_reader_does_not_read_for_ever(database: Database) -> None:
    with psycopg.connect(database.conninfo, user="dealsync_reader") as connection:
        settings = [
            connection.execute(f"SHOW {name}".encode()).fetchone()
            for name in ("default_transaction_read_only", "statement_timeout")
        ]

    assert settings == [("on",), ("1min",)]
