"""Where the two CRMs are and how we sign in there: real accounts, or the sandboxes.

Nothing is asked of a CRM here, and no secret is read before it is needed, but for the one that
checks webhooks.
"""

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from adapters.hubspot.auth import Token, fixed_token, token_file
from adapters.salesforce.auth import Grant, JwtGrant, PasswordGrant
from adapters.sandbox.hubspot.actors import ENGINE_TOKEN
from adapters.sandbox.hubspot.deliveries import CLIENT_SECRET
from adapters.sandbox.salesforce.oauth import CLIENT_ID
from adapters.sandbox.salesforce.seed import INTEGRATION
from adapters.settings import Settings, SettingsError, read_secret, variable_name

#: where production orgs and Salesforce's own test orgs take assertions for
PRODUCTION: Final = "https://login.salesforce.com"
TEST: Final = "https://test.salesforce.com"
_PASSWORD: Final = "sandbox"  # noqa: S105 - published in the sandbox's own documentation


@dataclass(frozen=True, slots=True)
class Accounts:
    """Both accounts, and us in them."""

    salesforce_url: str
    grant: Grant
    hubspot_url: str
    token: Token
    #: check webhooks; empty: none are taken in, only the poll runs
    webhook_secrets: tuple[str, ...] = ()

    @property
    def are_local(self) -> bool:
        """Tell whether both are on this machine, where reading costs nothing."""
        return _is_local(self.salesforce_url) and _is_local(self.hubspot_url)


def of_sandboxes(salesforce_url: str, hubspot_url: str) -> Accounts:
    """Return the integration's accounts in the sandboxes."""
    return Accounts(
        salesforce_url=salesforce_url,
        grant=PasswordGrant(
            client_id=CLIENT_ID,
            username=INTEGRATION,
            client_secret=_PASSWORD,
            password=_PASSWORD,
        ),
        hubspot_url=hubspot_url,
        token=fixed_token(ENGINE_TOKEN),
        webhook_secrets=(CLIENT_SECRET,),
    )


def of_settings(settings: Settings) -> Accounts:
    """Return the accounts that the settings name.

    Raises:
        SettingsError: one is missing, or the webhook secret's file cannot be read.
    """
    salesforce, hubspot = settings.salesforce, settings.hubspot
    if salesforce is None or hubspot is None:
        name = (
            variable_name("salesforce", "url")
            if salesforce is None
            else variable_name("hubspot", "token_file")
        )
        raise SettingsError(
            f"{name}: expected both CRMs' accounts, found none for"
            f" {'Salesforce' if salesforce is None else 'HubSpot'};"
            " set them, or try the sandboxes with `dealsync up`"
        )
    secret_file = hubspot.client_secret_file
    return Accounts(
        salesforce_url=salesforce.url,
        grant=JwtGrant(
            client_id=salesforce.client_id,
            username=salesforce.username,
            key_file=salesforce.key_file,
            audience=_audience(salesforce.url),
        ),
        hubspot_url=hubspot.url,
        token=token_file(hubspot.token_file),
        webhook_secrets=(
            () if secret_file is None else (read_secret(secret_file).get_secret_value(),)
        ),
    )


def _audience(url: str) -> str:
    """Return whom an assertion for this org is addressed to."""
    host = urlsplit(url).hostname or ""
    if _is_local(url):
        return url
    return TEST if ".sandbox." in host or host.startswith("test.") else PRODUCTION


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
