"""Several workers on one database: who leads what, and whose an attempt is."""

from adapters.postgres.migrations import run_sql_beside

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql_beside(__file__)
