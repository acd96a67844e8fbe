"""The account's own details: identifiers, time zone, currencies; and what a token may do."""

import json
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.http_transport import HttpRequest
from adapters.sandbox.hubspot import actors
from adapters.sandbox.hubspot.actors import PORTAL_ID
from adapters.sandbox.hubspot.call import Call, Reply, needed
from adapters.sandbox.hubspot.errors import ApiError, no_such_path, not_allowed
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import text, texts_in
from adapters.sandbox.tables import JsonValue, Row, Tables

TABLE = "account"
_TOKEN_PATH = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105 - a path
KEY = "details"
URL = "https://app.hubspot.com"


def seed(tables: Tables) -> None:
    """Put the details of a new account."""
    tables.put(
        TABLE,
        KEY,
        {
            "portalId": PORTAL_ID,
            "accountType": "STANDARD",
            "timeZone": "UTC",
            "companyCurrency": "USD",
            "additionalCurrencies": ["EUR", "GBP", "JPY"],
            "utcOffset": "+00:00",
            "utcOffsetMilliseconds": 0,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        },
    )


def details(tables: Tables) -> Row:
    """Return the details."""
    return tables.get(TABLE, KEY) or {}


def currencies(tables: Tables) -> tuple[str, ...]:
    """Return the currencies that a deal can have."""
    found = details(tables)
    return (text(found, "companyCurrency", "USD"), *texts_in(found, "additionalCurrencies"))


def change(tables: Tables, wanted: Row) -> Row:
    """Set the time zone, the company's currency, or both.

    Raises:
        ValueError: the time zone is unknown.
    """
    row = dict(details(tables))
    if "timeZone" in wanted:
        name = text(wanted, "timeZone")
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{name} is no time zone; expected one like Asia/Tokyo") from error
        row["timeZone"] = name
    if "currency" in wanted:
        row["companyCurrency"] = text(wanted, "currency")
    if isinstance(wanted.get("additionalCurrencies"), list):
        row["additionalCurrencies"] = wanted["additionalCurrencies"]
    tables.put(TABLE, KEY, row)
    return row


def answer_details(portal: Portal, call: Call) -> Reply:
    """Answer `/account-info/v3/details`."""
    if call.method != "GET":
        raise not_allowed()
    return Reply(200, details(portal.tables))


def answer_token(portal: Portal, call: Call) -> Reply:
    """Answer `/oauth/v2/private-apps/get/access-token-info`."""
    if call.method != "POST":
        raise not_allowed()
    token = needed(call.body(), "tokenKey")
    actor = actors.actor_of(token)
    if actor is None:
        raise ApiError(404, "Token not found", category="OBJECT_NOT_FOUND")
    scopes: list[JsonValue] = list(actors.scopes_of(portal.tables, token))
    return Reply(
        200,
        {
            "userId": actors.PERSON_USER_ID,
            "hubId": PORTAL_ID,
            "appId": actor.app_id,
            "scopes": scopes,
        },
    )


def token_in_body(request: HttpRequest) -> str | None:
    """Return the authorization that a question about a token brings in its body, not a header."""
    if not request.url.partition("?")[0].endswith(_TOKEN_PATH):
        return None
    try:
        asked: JsonValue = json.loads(request.body)
    except ValueError:
        return None
    return f"Bearer {text(asked, 'tokenKey')}" if isinstance(asked, dict) else None


def answer_oauth_token(portal: Portal, call: Call) -> Reply:
    """Answer `/oauth/v1/access-tokens/{token}`."""
    match call.segments:
        case ("oauth", "v1", "access-tokens", token) if actors.actor_of(token) is not None:
            actor = actors.signed_in(f"Bearer {token}")
        case _:
            raise no_such_path(call.path)
    scopes: list[JsonValue] = list(actors.scopes_of(portal.tables, token))
    return Reply(
        200,
        {
            "token": token,
            "user": "admin@sandbox.example",
            "hub_domain": "sandbox.example",
            "scopes": scopes,
            "hub_id": PORTAL_ID,
            "app_id": actor.app_id,
            "expires_in": 1_800,
            "user_id": actors.PERSON_USER_ID,
            "token_type": "access",
        },
    )
