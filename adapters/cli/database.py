"""`database url`: how to connect to the database with any SQL client."""

from typing import Annotated, Final
from urllib.parse import quote, urlsplit, urlunsplit

import typer

from adapters.cli.output import JsonFlag, Output
from adapters.cli.session import is_home, load_settings, no_home
from adapters.home import prepare_home
from adapters.postgres.database import SCHEMA
from adapters.postgres.embedded import EmbeddedPostgres

#: made by the migrations, where we may make roles
READER: Final = "dealsync_reader"

app = typer.Typer(help="The database behind the engine.", no_args_is_help=True)


@app.command()
def url(
    *,
    reader: Annotated[
        bool, typer.Option("--reader", help="As the role that can only read.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Print the address of the database; the home's own answers while an engine runs."""
    settings = load_settings()
    if settings.database_url is None and not is_home(settings):
        raise no_home(settings)
    address = settings.database_url or EmbeddedPostgres(prepare_home(settings.home)).url()
    address = in_our_schema(address)
    if reader:
        address = as_reader(address)
    Output(as_json=json).show(
        "database_url", {"url": address}, lambda console: console.print(address, markup=False)
    )


def in_our_schema(address: str) -> str:
    """Return the address with our schema as the one whose tables need no prefix."""
    separator = "&" if urlsplit(address).query else "?"
    return f"{address}{separator}options={quote(f'-csearch_path={SCHEMA}', safe='')}"


def as_reader(address: str) -> str:
    """Return the address of the same database for the role that can only read.

    A password in it is another role's and is left out: the database's owner grants access.
    """
    parts = urlsplit(address)
    _, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{READER}@{host}"))
