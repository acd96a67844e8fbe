"""Signs webhook requests as HubSpot does: v1 over secret and body, v3 over the whole request.

For the sandbox's sending side only; whoever receives webhooks checks them with code of their own.
"""

import base64
import hashlib
import hmac

#: the escapes that HubSpot undoes in the path and query before signing
_DECODED = (
    *(("%3A", ":"), ("%2F", "/"), ("%3F", "?"), ("%40", "@"), ("%21", "!"), ("%24", "$")),
    *(("%27", "'"), ("%28", "("), ("%29", ")"), ("%2A", "*"), ("%2C", ","), ("%3B", ";")),
)


def v1(secret: str, body: bytes) -> str:
    """Return the hex signature of the first version."""
    return hashlib.sha256(secret.encode() + body).hexdigest()


def v3(secret: str, method: str, uri: str, body: bytes, timestamp: str) -> str:
    """Return the base64 signature of the third version; `timestamp` in epoch milliseconds."""
    source = f"{method}{decoded(uri)}".encode() + body + timestamp.encode()
    digest = hmac.new(secret.encode(), source, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def decoded(uri: str) -> str:
    """Return the URI as it is signed."""
    for escape, character in _DECODED:
        uri = uri.replace(escape, character).replace(escape.lower(), character)
    return uri
