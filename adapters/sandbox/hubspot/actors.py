"""Who asks: which token stands for whom, and how that shows in history and webhooks."""

import zlib
from dataclasses import dataclass
from functools import lru_cache

from adapters.sandbox.hubspot.errors import ApiError
from adapters.sandbox.tables import JsonValue, Tables

PERSON_TOKEN = "pat-sandbox-person"  # noqa: S105 - a sandbox's, published
ENGINE_TOKEN = "pat-sandbox-dealsync"  # noqa: S105 - a sandbox's, published
#: HubSpot's own Salesforce connector, for an account where both run
CONNECTOR_TOKEN = "pat-sandbox-connector"  # noqa: S105 - a sandbox's, published
PORTAL_ID = 44_100_100
ENGINE_APP_ID = 7_654_321
PERSON_APP_ID = 1_000_001
CONNECTOR_APP_ID = 1_000_002
PERSON_USER_ID = 9_000_001
#: other integrations get an app id above this
_APP_ID_BASE = 8_000_000
_SCOPE_TABLE = "scope"

SCOPES = (
    "oauth",
    *(
        f"crm.{family}.{name}.{access}"
        for family in ("objects", "schemas")
        for name in ("contacts", "companies", "deals")
        for access in ("read", "write")
    ),
    "crm.objects.owners.read",
)


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a change."""

    token: str
    #: as in property histories
    source_type: str
    source_id: str
    #: as in webhooks about records
    change_source: str
    #: as in webhooks about associations
    association_source: str
    app_id: int
    #: None for an integration
    user_id: int | None = None


#: what HubSpot does by itself
HUBSPOT = Actor(
    token="",
    source_type="CALCULATED",
    source_id="",
    change_source="CALCULATED",
    association_source="CALCULATED",
    app_id=0,
)
PERSON = Actor(
    token=PERSON_TOKEN,
    source_type="CRM_UI",
    source_id=f"userId:{PERSON_USER_ID}",
    change_source="CRM_UI",
    association_source="USER",
    app_id=PERSON_APP_ID,
    user_id=PERSON_USER_ID,
)


CONNECTOR = Actor(
    token=CONNECTOR_TOKEN,
    source_type="SALESFORCE",
    source_id="",
    change_source="SALESFORCE",
    association_source="SALESFORCE",
    app_id=CONNECTOR_APP_ID,
)
_KNOWN = {actor.token: actor for actor in (PERSON, CONNECTOR)}


@lru_cache(maxsize=256)
def actor_of(token: str) -> Actor | None:
    """Return whom a private-app token stands for; None for what is no such token."""
    known = _KNOWN.get(token)
    if known is not None:
        return known
    if not token.removeprefix("pat-") or not token.startswith("pat-"):
        return None
    app_id = ENGINE_APP_ID if token == ENGINE_TOKEN else app_id_of(token)
    return Actor(
        token=token,
        source_type="INTEGRATION",
        source_id=str(app_id),
        change_source="INTEGRATION",
        association_source="INTEGRATION",
        app_id=app_id,
    )


def app_id_of(token: str) -> int:
    """Return the app id of another integration: the same one for the same token."""
    return _APP_ID_BASE + zlib.crc32(token.encode()) % 1_000_000


def token_of(authorization: str | None) -> str:
    """Return the bearer token in an Authorization header, "" where there is none."""
    if authorization is None or authorization[:7].lower() != "bearer ":
        return ""
    return authorization[7:].strip()


def signed_in(authorization: str | None) -> Actor:
    """Return who sent a request.

    Raises:
        ApiError: nobody that this account knows.
    """
    actor = actor_of(token_of(authorization))
    if actor is None:
        raise ApiError(
            401,
            "Authentication credentials not found. This API supports OAuth 2.0 authentication"
            " and you can find more details at"
            " https://developers.hubspot.com/docs/methods/auth/oauth-overview",
            category="INVALID_AUTHENTICATION",
        )
    return actor


def scopes_of(tables: Tables, token: str) -> tuple[str, ...]:
    """Return what a token may do: everything, unless it was set."""
    row = tables.get(_SCOPE_TABLE, token)
    scopes = None if row is None else row["scopes"]
    return tuple(map(str, scopes)) if isinstance(scopes, list) else SCOPES


def set_scopes(tables: Tables, token: str, scopes: list[JsonValue]) -> None:
    """Let a token do just this from now on."""
    tables.put(_SCOPE_TABLE, token, {"scopes": scopes})


def require(tables: Tables, actor: Actor, scope: str) -> None:
    """Check that an actor has a scope.

    Raises:
        ApiError: it has not.
    """
    if tables.get(_SCOPE_TABLE, actor.token) is None or scope in scopes_of(tables, actor.token):
        return
    raise ApiError(
        403,
        "One or more of the following scopes are required.",
        category="MISSING_SCOPES",
        context={
            "requiredGranularScopes": [scope],
            "links": ["https://developers.hubspot.com/scopes"],
        },
    )
