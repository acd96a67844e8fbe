"""Signing in: the token endpoint with its two flows, and the sessions that it opens.

A password is the word `sandbox` for everyone. A JWT bearer assertion must be RS256, name a known
active user, be meant for Salesforce or for this address, and expire soon. If public keys were
registered it must be signed with one of them; if none was, any signature is taken. Its times are
compared with real time, not with the record clock.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from urllib.parse import parse_qs

import jwt

from adapters.sandbox.salesforce.org import Org
from adapters.sandbox.tables import JsonValue, Row

CLIENT_ID = "sandbox"
SECRETS = frozenset({"sandbox"})
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = frozenset({"https://login.salesforce.com", "https://test.salesforce.com"})
#: how far ahead an assertion may expire: three minutes are allowed, two are for clocks
AHEAD_SECONDS_MAX = 300
#: how long after its end an assertion is still taken, for clocks that differ
SKEW_SECONDS = 30
#: the tables of open sessions and of registered keys
SESSION = "session"
PUBLIC_KEY = "public_key"


class SignInRefusedError(Exception):
    """Nobody was signed in; the reason in OAuth's own words."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


def sign_in(org: Org, form: bytes, base: str, at: datetime) -> tuple[Row, dict[str, JsonValue]]:
    """Open a session.

    Args:
        org: the org.
        form: the body as it was sent, form-encoded.
        base: scheme and host of the request.
        at: now, for the times of an assertion.

    Returns:
        The user, and the answer's body.

    Raises:
        SignInRefusedError: nobody was signed in.
    """
    given = {name: values[0] for name, values in parse_qs(form.decode("utf-8", "replace")).items()}
    match given.get("grant_type"):
        case "password":
            user = _by_password(org, given)
        case grant if grant == JWT_GRANT:
            user = _by_assertion(org, given.get("assertion", ""), base, at)
        case _:
            raise SignInRefusedError("unsupported_grant_type", "grant type not supported")
    return user, _open_session(org, user, base, at)


def user_of(org: Org, token: str) -> Row | None:
    """Return the active user of an open session, or None."""
    session = org.store.get(SESSION, token)
    user = None if session is None else org.store.get("User", str(session["user"]))
    return user if user is not None and user["IsActive"] else None


def sign_out(org: Org, token: str) -> None:
    """End a session."""
    org.store.drop(SESSION, token)


def user_info(user: Row, org_id: str, base: str) -> dict[str, JsonValue]:
    """Return what the userinfo endpoint says of the caller."""
    return {
        "sub": f"{base}/id/{org_id}/{user['Id']}",
        "user_id": user["Id"],
        "organization_id": org_id,
        "preferred_username": user["Username"],
        "nickname": user["Alias"],
        "name": user["Name"],
        "email": user["Email"],
        "email_verified": True,
        "zoneinfo": user["TimeZoneSidKey"],
        "locale": user["LocaleSidKey"],
        "language": user["LanguageLocaleKey"],
        "active": user["IsActive"],
        "user_type": "STANDARD",
        "urls": {"rest": f"{base}/services/data/v{{version}}/"},
    }


def _by_password(org: Org, given: Mapping[str, str]) -> Row:
    if given.get("client_id") != CLIENT_ID:
        raise SignInRefusedError("invalid_client_id", "client identifier invalid")
    if given.get("client_secret") not in SECRETS:
        raise SignInRefusedError("invalid_client", "invalid client credentials")
    user = org.user_named(given.get("username", ""))
    if user is None or given.get("password") not in SECRETS:
        raise SignInRefusedError("invalid_grant", "authentication failure")
    if not user["IsActive"]:
        raise SignInRefusedError("inactive_user", "user is inactive")
    return user


def _by_assertion(org: Org, assertion: str, base: str, at: datetime) -> Row:
    claims = _claims(org, assertion)
    user = org.user_named(str(claims.get("sub") or claims.get("prn") or ""))
    if user is None or not user["IsActive"]:
        raise SignInRefusedError("invalid_grant", "user hasn't approved this consumer")
    if claims.get("iss") in (None, ""):
        raise SignInRefusedError("invalid_client_id", "client identifier invalid")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if not any(str(each).rstrip("/") in AUDIENCES | {base} for each in audiences):
        raise SignInRefusedError("invalid_grant", "audience is invalid")
    expiry = claims.get("exp")
    now = at.timestamp()
    if not isinstance(expiry, (int, float)) or expiry < now - SKEW_SECONDS:
        raise SignInRefusedError("invalid_grant", "expired authorization code")
    if expiry > now + AHEAD_SECONDS_MAX:
        raise SignInRefusedError("invalid_grant", "assertion expires too far in the future")
    return user


def _claims(org: Org, assertion: str) -> dict[str, JsonValue]:
    keys = [str(row["pem"]) for row in org.store.rows(PUBLIC_KEY).values()]
    refused = SignInRefusedError("invalid_grant", "invalid assertion")
    try:
        if jwt.get_unverified_header(assertion).get("alg") != "RS256":
            raise refused
        if not keys:
            claims: dict[str, JsonValue] = jwt.decode(
                assertion, options={"verify_signature": False}
            )
            return claims
    except jwt.InvalidTokenError as error:
        raise refused from error
    for pem in keys:
        try:
            claims = jwt.decode(
                assertion,
                pem,
                algorithms=["RS256"],
                options={
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                },
            )
        except jwt.InvalidTokenError:
            continue
        return claims
    raise refused


def _open_session(org: Org, user: Row, base: str, at: datetime) -> dict[str, JsonValue]:
    org_id = str(org.store.setting("organization_id"))
    number = org.store.tables.next_number(SESSION)
    secret = sha256(f"{org_id}:{number}:{user['Id']}".encode()).hexdigest()
    token = f"{org_id[:15]}!{secret}"
    org.store.put(SESSION, token, {"user": user["Id"]})
    identity = f"{base}/id/{org_id}/{user['Id']}"
    issued_at = str(int(at.timestamp() * 1000))
    return {
        "access_token": token,
        "signature": sha256(f"{identity}{issued_at}".encode()).hexdigest(),
        "scope": "api",
        "instance_url": base,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
    }
