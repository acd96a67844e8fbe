"""A broker that lets in only who signs in over TLS, with a certificate authority of its own."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from typing_extensions import override

from tests.support.kafka_broker import HOST, KafkaCluster, Node, run_tool

USER: Final = "dealsync"
PASSWORD: Final = "a password of this test"  # noqa: S105 - of this test
SCRAM: Final = "SCRAM-SHA-512"
_LOGIN: Final = "org.apache.kafka.common.security"
_CONFIGURE: Final = "kafka.admin.ConfigCommand"
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Secured:
    """Where to sign in, and what a client needs for it."""

    servers: str
    ca_file: Path
    password_file: Path


class SecuredCluster(KafkaCluster):
    """One node with a second listener, for clients that sign in over TLS.

    Args:
        folder: as usual.
        port: of that listener.
        key_store: PEM: the broker's key and certificate.
    """

    def __init__(self, folder: Path, port: int, key_store: Path) -> None:
        super().__init__(folder)
        self._port = port
        self._key_store = key_store

    @override
    def _own(self, node: Node, nodes: Sequence[Node]) -> Mapping[str, object]:
        own = dict(super()._own(node, nodes))
        secured = f"SECURED://{HOST}:{self._port}"
        return {
            **own,
            "listeners": f"{own['listeners']},{secured}",
            "advertised.listeners": f"{own['advertised.listeners']},{secured}",
            "listener.security.protocol.map": (
                "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURED:SASL_SSL"
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self._key_store,
            "listener.name.secured.sasl.enabled.mechanisms": f"PLAIN,{SCRAM}",
            "listener.name.secured.plain.sasl.jaas.config": (
                f'{_LOGIN}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
            ),
            f"listener.name.secured.{SCRAM.lower()}.sasl.jaas.config": (
                f"{_LOGIN}.scram.ScramLoginModule required;"
            ),
        }


@contextmanager
def secured_broker(folder: Path, port: int) -> Iterator[Secured]:
    """Start a broker that asks for a name and a password, and stop it afterwards."""
    ca_file, key_store = folder / "ca.pem", folder / "broker.pem"
    _make_certificates(ca_file, key_store)
    password_file = folder / "password"
    password_file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    cluster = SecuredCluster(folder / "kafka", port, key_store)
    try:
        plain = cluster.start()
        run_tool(
            *(_CONFIGURE, "--bootstrap-server", plain, "--alter"),
            *("--add-config", f"{SCRAM}=[password={PASSWORD}]"),
            *("--entity-type", "users", "--entity-name", USER),
        )
        yield Secured(f"{HOST}:{port}", ca_file, password_file)
    finally:
        cluster.delete()


def _make_certificates(ca_file: Path, key_store: Path) -> None:
    """Make an authority, and a certificate of it for a broker on this machine."""
    now = datetime.now(UTC)
    ca_key, broker_key = (rsa.generate_private_key(65_537, 2_048) for _ in range(2))
    ca_name = _name("authority of this test")

    def begun(subject: x509.Name, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
        )

    authority = (
        begun(ca_name, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))])
    broker = (
        begun(_name("broker of this test"), broker_key)
        .add_extension(here, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    key = broker_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    key_store.write_bytes(key + broker.public_bytes(serialization.Encoding.PEM))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
