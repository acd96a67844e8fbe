"""Which accounts a command reaches: those of the engine on the home, else those of the settings."""

from adapters.bootstrap import accounts
from adapters.bootstrap.accounts import Accounts
from adapters.cli import run_file
from adapters.cli.output import CommandFailure
from adapters.cli.session import Session, engine_holders


def accounts_of(session: Session) -> Accounts:
    """Return both accounts, and us in them.

    Raises:
        CommandFailure: no engine runs on the home, and the settings name no accounts.
        SettingsError: the settings name only some of it.
    """
    settings = session.settings
    if engine_holders(session.home)["ingest"] is not None:
        said = run_file.read(session.home)
        salesforce_url, hubspot_url = said.get("salesforce_url"), said.get("hubspot_url")
        ours = settings.salesforce is not None and settings.salesforce.url == salesforce_url
        if salesforce_url is not None and hubspot_url is not None and not ours:
            return accounts.of_sandboxes(salesforce_url, hubspot_url)
    if settings.salesforce is None and settings.hubspot is None:
        raise CommandFailure(
            "no_engine",
            f"{session.home}: expected a running engine or accounts in the settings, found neither",
            hint="start `dealsync up`, or set DEALSYNC_SALESFORCE_… and DEALSYNC_HUBSPOT_…",
        )
    return accounts.of_settings(settings)
