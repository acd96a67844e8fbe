"""Upgrades a schema with alembic; loaded only where there is something to upgrade: it is slow."""

from pathlib import Path
from typing import Final

import psycopg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import NullPool, create_engine

from domain.errors import SyncError

_MIGRATIONS: Final = Path(__file__).parent / "migrations"


class NewerSchemaError(SyncError):
    """A newer program migrated the schema: this one must not touch it."""


def upgrade(conninfo: str, schema: str) -> None:
    """Bring a schema to the newest form; whoever calls holds the migrations' lock.

    Raises:
        NewerSchemaError: start the newer program instead.
    """
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(conninfo),
        poolclass=NullPool,
    )
    try:
        with engine.connect() as connection:
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            config.attributes["schema"] = schema
            command.upgrade(config, "heads")
    except CommandError as error:
        message = (
            f"expected a schema that this program knows, found: {error}; a newer dealsync "
            "migrated it: start that one"
        )
        raise NewerSchemaError(message) from error
