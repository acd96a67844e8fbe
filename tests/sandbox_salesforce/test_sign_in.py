"""OAuth, sessions, limits: who may call at all."""

import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.http_transport import HttpRequest
from tests.sandbox_salesforce.org import ADMIN, BASE, INTEGRATION, SalesforceOrg

PASSWORD = {
    "grant_type": "password",
    "client_id": "sandbox",
    "client_secret": "sandbox",
    "username": ADMIN,
    "password": "sandbox",
}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """Return a private key."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def assertion(org: SalesforceOrg, key: rsa.RSAPrivateKey, **claims: object) -> dict[str, str]:
    whole: dict[str, Any] = {
        "iss": "a consumer key",
        "sub": INTEGRATION,
        "aud": "https://login.salesforce.com",
        "exp": int((org.at + timedelta(minutes=3)).timestamp()),
        **claims,
    }
    return {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": jwt.encode(whole, key, algorithm="RS256"),
    }


def test_a_password_opens_a_session(org: SalesforceOrg) -> None:
    status, body = org.post_form(PASSWORD)

    assert status == 200
    assert body["instance_url"] == BASE
    assert body["token_type"] == "Bearer"  # noqa: S105 - a kind, not a token
    assert body["id"].startswith(f"{BASE}/id/00D")
    org.token = body["access_token"]
    org.done("GET", "limits")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"password": "wrong"}, "invalid_grant"),
        ({"username": "nobody@sandbox.example"}, "invalid_grant"),
        ({"client_id": "x"}, "invalid_client_id"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"grant_type": "x"}, "unsupported_grant_type"),
    ],
)
def test_a_wrong_password_form(org: SalesforceOrg, changed: dict[str, str], error: str) -> None:
    status, body = org.post_form({**PASSWORD, **changed})

    assert (status, body["error"]) == (400, error)


def test_an_assertion_opens_a_session(org: SalesforceOrg, key: rsa.RSAPrivateKey) -> None:
    for audience in ("https://test.salesforce.com", BASE, f"{BASE}/"):
        status, _ = org.post_form(assertion(org, key, aud=audience))
        assert status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "nobody@sandbox.example"},
        {"aud": "https://elsewhere.example"},
        {"exp": 0},
        {"exp": "soon"},
        {"exp": 99_999_999_999},
        {"iss": ""},
    ],
)
def test_an_unsound_assertion(
    org: SalesforceOrg, key: rsa.RSAPrivateKey, claims: dict[str, object]
) -> None:
    assert org.post_form(assertion(org, key, **claims))[0] == 400


def test_other_algorithms_are_refused(org: SalesforceOrg) -> None:
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": jwt.encode({"sub": ADMIN}, "a secret of thirty-two characters", "HS256"),
    }

    assert org.post_form(form)[0] == 400
    assert org.post_form({**form, "assertion": "no token"})[0] == 400


def test_once_a_key_is_registered_only_its_signature_counts(
    org: SalesforceOrg, key: rsa.RSAPrivateKey
) -> None:
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    org.act("register_public_key", pem=pem.decode())
    other = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)

    assert org.post_form(assertion(org, key))[0] == 200
    assert org.post_form(assertion(org, other))[0] == 400


def test_without_a_session_nothing_is_answered(org: SalesforceOrg) -> None:
    org.token = "made up"  # noqa: S105
    assert org.refused("GET", "limits") == (401, "INVALID_SESSION_ID", [])
    assert org.last.who == ""

    org.token = org.sign_in(ADMIN)
    org.act("expire_sessions", user=ADMIN)
    assert org.refused("GET", "limits")[:2] == (401, "INVALID_SESSION_ID")


def test_a_user_who_was_deactivated_is_out(org: SalesforceOrg) -> None:
    token = org.sign_in(INTEGRATION)
    org.act("set_user_active", user=INTEGRATION, value=False)
    org.token = token

    assert org.refused("GET", "limits")[0] == 401
    assert org.post_form({**PASSWORD, "username": INTEGRATION})[0] == 400


def test_the_box_knows_who_asks(org: SalesforceOrg) -> None:
    signed = HttpRequest("GET", BASE, (("Authorization", f"Bearer {org.token}"),))

    assert org.box.who(signed, org.at) == ADMIN
    assert org.box.who(HttpRequest("GET", BASE), org.at) == ""


def test_calls_are_counted_and_end(org: SalesforceOrg) -> None:
    org.done("GET", "limits")
    assert org.last.response.header("Sforce-Limit-Info") == "api-usage=1/1000000"

    org.act("set_daily_limit", count=2)
    org.done("GET", "limits")
    assert org.refused("GET", "limits") == (403, "REQUEST_LIMIT_EXCEEDED", [])

    org.later(25 * 3600)
    org.done("GET", "limits")


def test_versions_need_no_session(org: SalesforceOrg) -> None:
    answered = org.box.answer(HttpRequest("GET", f"{BASE}/services/data/"), org.at).response
    versions = {each["version"]: each["label"] for each in json.loads(answered.body)}

    assert versions["40.0"] == "Summer '17"
    assert versions["59.0"] == "Winter '24"
    assert org.refused("GET", f"{BASE}/services/data/v9.0/limits")[:2] == (404, "NOT_FOUND")


def test_user_info_says_who_is_signed_in(org: SalesforceOrg) -> None:
    info = org.done("GET", f"{BASE}/services/oauth2/userinfo")

    assert info["preferred_username"] == ADMIN
    assert info["user_id"] == org.user_id(ADMIN)
