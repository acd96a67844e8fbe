"""Who set a value stands beside it in the audit log's fields."""

from adapters.postgres.migrations import run_sql_beside

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql_beside(__file__)
