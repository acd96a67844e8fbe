"""The environment of the process: where things are, and who we are there. Never a sync rule.

What a rule reads is the policy. Settings come from environment variables and from the file
`dealsync.settings.toml` in the current folder, whose keys are the variables' names without
`DEALSYNC_`, in lower case; a variable outranks the file:

    home = ".dealsync"
    database_url = "postgresql://..."
    kafka_bootstrap_servers = "broker:9092"
    [salesforce]
    url = "https://example.my.salesforce.com"
    client_id = "..."
    username = "integration@example.com"
    key_file = "/run/secrets/salesforce.pem"
    [hubspot]
    url = "https://api.hubapi.com"
    token_file = "/run/secrets/hubspot-token"
    client_secret_file = "/run/secrets/hubspot-secret"
    [webhook]
    port = 8080
    url = "https://sync.example.com/hubspot"
    [kafka]
    prefix = "staging."
    security_protocol = "SASL_SSL"
    ca_file = "/etc/ssl/kafka-ca.pem"
    sasl_mechanism = "SCRAM-SHA-512"
    username = "dealsync"
    password_file = "/run/secrets/kafka-password"

Secrets are named by file, never given as values: a value in the environment shows in process
lists and crash reports. This module does not read them either; who needs one calls `read_secret`.
"""

import ipaddress
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

FILE_NAME = "dealsync.settings.toml"
DEFAULT_HOME = Path(".dealsync")
HUBSPOT_URL = "https://api.hubapi.com"
SECRET_BYTES_MAX = 64 * 1024

_PREFIX = "DEALSYNC_"


class SettingsError(Exception):
    """The settings are wrong: what you gave cannot be used (exit code 2)."""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected an address that starts with https://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("expected an address without user, password, query and fragment")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError("expected https:// (http:// only reaches this machine itself)")
    return url.rstrip("/")


Url = Annotated[str, AfterValidator(_checked_url)]


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SalesforceSettings(_Group):
    """The Salesforce org and the integration user's sign-in by JWT."""

    #: the org's own address (My Domain); the token is asked for there too
    url: Url
    client_id: str
    username: str
    #: PEM private key of the connected app
    key_file: Path


class HubspotSettings(_Group):
    """The HubSpot account and our private app there."""

    url: Url = HUBSPOT_URL
    token_file: Path
    #: verifies webhooks; None = none are taken, only the poll runs
    client_secret_file: Path | None = None


class WebhookSettings(_Group):
    """Where we listen for HubSpot's webhooks, and how HubSpot reaches that."""

    #: 0 = a free one
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    #: as HubSpot sees it, which is what it signs; None = loopback and the port
    url: Url | None = None


class KafkaSettings(_Group):
    """How the brokers let us in, and what is ours there; where they are stands beside it."""

    #: before the name of every topic and group: environments may share a cluster
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,100}$")] = ""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    #: PEM: who signed the brokers' certificates; None = whom the system trusts
    ca_file: Path | None = None
    #: PEM: our own certificate and its key, where brokers ask for one
    certificate_file: Path | None = None
    key_file: Path | None = None
    key_password_file: Path | None = None
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    username: str | None = None
    password_file: Path | None = None
    #: how long a silent worker keeps its partitions; brokers allow 6 s and more by default
    session_seconds: Annotated[float, Field(ge=1, le=300)] = 10.0
    #: how long a silent worker keeps the writes that it was sending; a request to a CRM may take a
    #: quarter of it
    lease_seconds: Annotated[float, Field(ge=20, le=3600)] = 120.0


class Settings(BaseSettings):
    """All settings of one process. Built directly it reads nothing: `load` reads."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        env_prefix=_PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        env_ignore_empty=True,
    )

    #: absolute once loaded
    home: Path = DEFAULT_HOME
    #: None = our own PostgreSQL, in the home
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL", repr=False)
    #: host:port each; empty = the log is in PostgreSQL
    kafka_bootstrap_servers: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), validation_alias="KAFKA_BOOTSTRAP_SERVERS"
    )
    #: None = no real account
    salesforce: SalesforceSettings | None = None
    #: None = no real account
    hubspot: HubspotSettings | None = None
    webhook: WebhookSettings = WebhookSettings()
    kafka: KafkaSettings = KafkaSettings()

    @field_validator("kafka_bootstrap_servers", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        return tuple(server.strip() for server in given.split(",") if server.strip())

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, given: str | None) -> str | None:
        if given is not None and urlsplit(given).scheme not in {"postgresql", "postgres"}:
            raise ValueError("expected an address that starts with postgresql://")
        return given

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)

    @classmethod
    def load(cls, environment: Mapping[str, str], folder: Path) -> Self:
        """Read the settings of a process.

        Args:
            environment: its variables, such as `os.environ`.
            folder: its current folder: holds the settings file, if there is one, and is what
                relative paths are relative to.

        Raises:
            SettingsError: something is missing, unknown or malformed; all of it is listed.
        """
        values = _merged(_from_file(folder / FILE_NAME), _from_variables(cls, environment))
        try:
            return cls.model_validate(_anchored(values, folder))
        except ValidationError as error:
            raise SettingsError(
                "\n".join(_told(cls, problem) for problem in error.errors())
            ) from None


def read_secret(path: Path) -> SecretStr:
    """Return a secret from its file, without the line end that editors add.

    Raises:
        SettingsError: there is no such file, or it is empty or no text.
    """
    try:
        with path.open("rb") as file:
            text = file.read(SECRET_BYTES_MAX).decode().strip()
    except (OSError, ValueError) as error:
        # Someone who gives the secret itself instead of a path must not see it printed.
        shown = path if path.parent.is_dir() and path.parent != Path.cwd() else "the given path"
        reason = type(error).__name__
        raise SettingsError(
            f"{shown}: expected a file with a secret, found none that can be read ({reason}); "
            "give the path of a text file"
        ) from None
    if not text:
        raise SettingsError(f"{path}: expected a secret, found an empty file")
    return SecretStr(text)


def _from_file(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: expected TOML, found: {error}") from error


def _from_variables(settings: type[Settings], environment: Mapping[str, str]) -> dict[str, object]:
    source = EnvSettingsSource(settings)
    # It looked at the process's own environment; what we were given is what counts.
    source.env_vars = {
        name.lower(): value.strip() for name, value in environment.items() if value.strip()
    }
    # Fields with a name of their own come under that name.
    return {name.lower(): value for name, value in source().items()}


def _merged(lower: dict[str, object], upper: dict[str, object]) -> dict[str, object]:
    """Lay one over the other, group by group."""
    merged = dict(lower)
    for name, value in upper.items():
        below = merged.get(name)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[name] = below | value
        else:
            merged[name] = value
    return merged


def _anchored(values: dict[str, object], folder: Path) -> dict[str, object]:
    """Make relative paths absolute, and supply the default home."""
    anchored: dict[str, object] = {"home": str(DEFAULT_HOME)}
    for name, value in values.items():
        anchored[name] = _anchored_group(value, folder) if isinstance(value, dict) else value
    if isinstance(anchored["home"], str):
        anchored["home"] = folder / Path(anchored["home"]).expanduser()
    return anchored


def _anchored_group(group: dict[str, object], folder: Path) -> dict[str, object]:
    return {
        name: folder / Path(value).expanduser()
        if name.endswith("_file") and isinstance(value, str)
        else value
        for name, value in group.items()
    }


def _told(settings: type[Settings], problem: ErrorDetails) -> str:
    """Say one problem: which setting, what was expected, what was found, what to do."""
    place = [str(part) for part in problem["loc"]]
    name = variable_name(*place)
    where = f"[{place[0]}] {place[1]}" if len(place) > 1 else place[0].lower()
    match problem["type"]:
        case "missing":
            return f"{name}: expected a value, found none; set it, or `{where}` in {FILE_NAME}"
        case "extra_forbidden":
            field = settings.model_fields.get(place[0]) if len(place) > 1 else None
            known = _fields_of(field) if field else sorted(settings.model_fields)
            if f"{place[-1]}_file" in known:
                return f"{name}: secrets are given as files only; set {name}_FILE to its path"
            return f"{name}: expected one of {', '.join(known)}, found an unknown name; correct it"
        case _:
            message = problem["msg"].removeprefix("Value error, ")
            return f"{name}: {message}, found {_shown(problem['input'])}; correct it"


def _fields_of(field: FieldInfo) -> list[str]:
    groups = (field.annotation, *get_args(field.annotation))
    return sorted(
        name
        for group in groups
        if isinstance(group, type) and issubclass(group, BaseModel)
        for name in group.model_fields
    )


def variable_name(*place: str) -> str:
    """Return the environment variable of a setting, given its group (if any) and its name."""
    joined = "_".join(place).upper()
    return joined if joined in {"DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS"} else _PREFIX + joined


def _shown(value: object) -> str:
    """Show what was found, unless a password may be in it."""
    text = str(value)
    return "one that is not shown" if "@" in text or "pat-" in text else repr(text)
