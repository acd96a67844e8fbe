"""Settings that name the accounts of running sandboxes, as for real ones: files with secrets."""

from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.program import Program


def settings_of(sandboxes: Program, folder: Path) -> Mapping[str, str]:
    """Write the secrets into a folder; return the environment variables that name them.

    Args:
        sandboxes: a running `dealsync sandbox`.
        folder: where the key, the token and the secret are put.
    """
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (folder / "token").write_text("pat-sandbox-dealsync\n", encoding="utf-8")
    (folder / "secret").write_text("sandbox-client-secret\n", encoding="utf-8")
    return {
        "DEALSYNC_SALESFORCE_URL": sandboxes.salesforce_url,
        "DEALSYNC_SALESFORCE_CLIENT_ID": "dealsync",
        "DEALSYNC_SALESFORCE_USERNAME": "integration@sandbox.example",
        "DEALSYNC_SALESFORCE_KEY_FILE": str(folder / "key.pem"),
        "DEALSYNC_HUBSPOT_URL": sandboxes.hubspot_url,
        "DEALSYNC_HUBSPOT_TOKEN_FILE": str(folder / "token"),
        "DEALSYNC_HUBSPOT_CLIENT_SECRET_FILE": str(folder / "secret"),
    }
