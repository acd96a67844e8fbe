"""Deliver's own tables: states, attempts, outcomes, budgets, suspensions, the fuse."""

from adapters.postgres.migrations import run_sql_beside

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql_beside(__file__)
