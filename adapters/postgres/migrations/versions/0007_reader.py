"""What the role that only reads cannot do either, where the database is our own."""

from adapters.postgres.migrations import run_sql_beside

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql_beside(__file__)
