"""Followers, the audit log, views for people, and the role that may only read."""

from adapters.postgres.migrations import run_sql_beside

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql_beside(__file__)
