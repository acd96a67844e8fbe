"""Ingest's own tables: records to read, where sources resume, webhooks as they came."""

from adapters.postgres.migrations import run_sql_beside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql_beside(__file__)
