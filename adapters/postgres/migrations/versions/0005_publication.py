"""What is published of the event store, how far, and how often the store was recovered."""

from adapters.postgres.migrations import run_sql_beside

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_sql_beside(__file__)
