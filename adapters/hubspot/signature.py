"""Whether a webhook request really comes from HubSpot, for our app, just now.

Signatures of version 3 cover method, URI, body and time, keyed with the app's secret. Version 1
covers secret and body alone: no time, so it is taken only where the settings say so (private apps
sign with it). Version 2 is never taken.

The URI is the one that HubSpot called: the configured public address with the query as it came,
for behind a proxy our own address is another. HubSpot's documentation undoes some percent-escapes
before signing and its own client does not: both forms are tried, each with every secret, and
compared in constant time.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.http_transport import HttpRequest

#: how far the signed time may be from ours, before and after
TOLERANCE_SECONDS: Final = 300
#: one in use and one being rotated in
SECRETS_MAX: Final = 2
HEADER_V1: Final = "X-HubSpot-Signature"
HEADER_V3: Final = "X-HubSpot-Signature-v3"
HEADER_TIME: Final = "X-HubSpot-Request-Timestamp"
_MILLISECONDS: Final = 1_000
#: thirteen digits reach to the year 2286
_TIMESTAMP: Final = re.compile(r"[0-9]{1,15}")
_ESCAPE: Final = re.compile(r"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SignedBy:
    """What a request must be signed with.

    Args:
        secrets: the app's client secrets, at most `SECRETS_MAX`.
        public_url: the address that HubSpot calls, without a query.
        accepts_v1: whether a request without a version 3 signature may carry version 1.
    """

    secrets: tuple[str, ...]
    public_url: str
    accepts_v1: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.secrets) <= SECRETS_MAX or not all(self.secrets):
            raise ValueError(f"expected one or two client secrets, found {len(self.secrets)}")


def delivery_of(request: HttpRequest, signed_by: SignedBy, at: datetime) -> str | None:
    """Return a name of this very delivery if its signature holds, else None.

    Args:
        request: as received; only its query, headers and body are believed.
        signed_by: the secrets and the public address.
        at: our clock.

    Returns:
        A digest of signature and time: the same for the same request sent again.
    """
    if request.header(HEADER_V3) is not None:
        third, timestamp = _only(request, HEADER_V3), _only(request, HEADER_TIME)
        if third is None or timestamp is None or not _is_near(timestamp, at):
            return None
        wanted = [
            _v3(secret, request.method, uri, request.body, timestamp)
            for secret in signed_by.secrets
            for uri in _uris(request, signed_by.public_url)
        ]
        return _digest("v3", third, timestamp) if _is_one_of(third, wanted) else None
    first = _only(request, HEADER_V1)
    if first is None or not signed_by.accepts_v1:
        return None
    wanted = [_v1(secret, request.body) for secret in signed_by.secrets]
    return _digest("v1", first, "") if _is_one_of(first, wanted) else None


def _uris(request: HttpRequest, public_url: str) -> Sequence[str]:
    query = request.url.partition("?")[2]
    uri = f"{public_url}?{query}" if query else public_url
    decoded = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), uri)
    return (uri,) if decoded == uri else (uri, decoded)


def _v1(secret: str, body: bytes) -> bytes:
    return hashlib.sha256(secret.encode() + body).hexdigest().encode()


def _v3(secret: str, method: str, uri: str, body: bytes, timestamp: str) -> bytes:
    source = f"{method}{uri}".encode() + body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), source, hashlib.sha256).digest())


def _is_one_of(found: str, wanted: Sequence[bytes]) -> bool:
    """Compare with all, as bytes: a text with other than ASCII would raise, and tell by time."""
    offered = found.encode("utf-8", "surrogateescape")
    matches = [hmac.compare_digest(offered, one) for one in wanted]
    return any(matches)


def _is_near(timestamp: str, at: datetime) -> bool:
    if not _TIMESTAMP.fullmatch(timestamp):
        return False
    now = int(at.timestamp() * _MILLISECONDS)
    return abs(now - int(timestamp)) <= TOLERANCE_SECONDS * _MILLISECONDS


def _only(request: HttpRequest, name: str) -> str | None:
    """Return a header that stands exactly once, else None."""
    found = [value for key, value in request.headers if key.lower() == name.lower()]
    return found[0] if len(found) == 1 else None


def _digest(version: str, signature: str, timestamp: str) -> str:
    text = f"{version}\n{timestamp}\n{signature}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
