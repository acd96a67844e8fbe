"""The event store, fact positions, identities, outbound writes, and the change log."""

from adapters.postgres.migrations import run_sql_beside

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql_beside(__file__)
