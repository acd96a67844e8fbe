"""The schema's history: numbered, in plain SQL.

`versions/NNNN_name.py` names its predecessor and runs `NNNN_name.sql` beside it. There is no way
back: a database that is newer than the program is refused, and restored from its backup.
"""

from pathlib import Path

from alembic import op


def run_sql_beside(module_file: str) -> None:
    """Run the `.sql` file that has a migration's name: `run_sql_beside(__file__)`.

    It goes to the driver as it is, so `%`, `:` and several statements need no escaping.
    """
    text = Path(module_file).with_suffix(".sql").read_text(encoding="utf-8")
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(text)
