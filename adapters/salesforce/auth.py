"""Signing in to Salesforce: JWT bearer for real orgs, a password for the sandbox.

A grant is what the token endpoint is asked with; a session is what it gave. Nothing here keeps a
session or knows when one ended: that is `connection`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import jwt
from typing_extensions import override

from adapters.salesforce import wire
from adapters.salesforce.wire import Json
from domain.errors import UnauthenticatedError
from domain.ids import is_salesforce_id, salesforce_id

#: Salesforce refuses an assertion that lives longer
ASSERTION_SECONDS: Final = 180


class Grant(Protocol):
    """What we can prove to the token endpoint."""

    def form(self, at: datetime) -> Mapping[str, str]:
        """Return the form fields of a token request made at `at`.

        Raises:
            UnauthenticatedError: the proof cannot be made; a person must act.
        """
        ...


@dataclass(frozen=True, slots=True)
class JwtGrant(Grant):
    """A signed assertion, for an app that an administrator approved before (`RS256`)."""

    #: the app's consumer key
    client_id: str
    username: str
    #: the private key, PEM; read at every sign-in, so a new key needs no restart
    key_file: Path
    #: `https://login.salesforce.com`, `https://test.salesforce.com`, or the sandbox's own address
    audience: str

    @override
    def form(self, at: datetime) -> Mapping[str, str]:
        claims = {
            "iss": self.client_id,
            "sub": self.username,
            "aud": self.audience,
            "exp": int((at + timedelta(seconds=ASSERTION_SECONDS)).timestamp()),
        }
        try:
            assertion = jwt.encode(claims, self.key_file.read_bytes(), algorithm="RS256")
        except (OSError, ValueError, jwt.PyJWTError) as error:
            raise UnauthenticatedError(
                f"expected an RSA private key in {self.key_file}, found: {error};"
                " point the key file setting at the key of the app's certificate"
            ) from error
        return {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": assertion,
        }


@dataclass(frozen=True, slots=True)
class PasswordGrant(Grant):
    """A user's password: what the sandbox takes."""

    client_id: str
    username: str
    client_secret: str = field(repr=False)
    password: str = field(repr=False)

    @override
    def form(self, at: datetime) -> Mapping[str, str]:
        return {
            "grant_type": "password",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "username": self.username,
            "password": self.password,
        }


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in that lasts until Salesforce says otherwise."""

    token: str = field(repr=False)
    #: where calls go
    instance_url: str
    organization_id: str
    #: the integration user
    user_id: str


def session_of(body: Json) -> Session:
    """Read the token endpoint's answer; the identity URL ends in the ids of org and user.

    Raises:
        UnexpectedBodyError: it is no such answer.
    """
    answer = wire.mapping(body, "a token answer")
    token, instance_url = answer.get("access_token"), answer.get("instance_url")
    identity = answer.get("id")
    ids = identity.rstrip("/").split("/")[-2:] if isinstance(identity, str) else []
    if not (
        isinstance(token, str)
        and isinstance(instance_url, str)
        and len(ids) == len(("organization", "user"))
        and all(is_salesforce_id(each) for each in ids)
    ):
        raise wire.UnexpectedBodyError(
            "expected access_token, instance_url and id from the token endpoint, found"
            f" {sorted(answer)}"
        )
    return Session(
        token=token,
        instance_url=instance_url.rstrip("/"),
        organization_id=salesforce_id(ids[0]),
        user_id=salesforce_id(ids[1]),
    )
