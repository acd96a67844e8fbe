"""Settings come from the given variables and the file, and say clearly what is wrong."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.settings import FILE_NAME, Settings, SettingsError, read_secret

SALESFORCE = {
    "DEALSYNC_SALESFORCE_URL": "https://acme.my.salesforce.com/",
    "DEALSYNC_SALESFORCE_CLIENT_ID": "3MVG9",
    "DEALSYNC_SALESFORCE_USERNAME": "integration@acme.example",
    "DEALSYNC_SALESFORCE_KEY_FILE": "keys/salesforce.pem",
}


def test_nothing_given_is_the_embedded_default(tmp_path: Path) -> None:
    settings = Settings.load({}, tmp_path)

    assert settings.home == tmp_path / ".dealsync"
    assert settings.database_url is None
    assert settings.kafka_bootstrap_servers == ()
    assert settings.salesforce is None
    assert settings.hubspot is None
    assert settings.webhook.port == 0


def test_variables_name_everything(tmp_path: Path) -> None:
    settings = Settings.load(
        {
            **SALESFORCE,
            "DEALSYNC_HOME": "/var/lib/dealsync",
            "DATABASE_URL": "postgresql://db/deals",
            "KAFKA_BOOTSTRAP_SERVERS": "one:9092, two:9092",
            "DEALSYNC_HUBSPOT_TOKEN_FILE": "/run/secrets/token",
            "DEALSYNC_HUBSPOT_CLIENT_SECRET_FILE": "~/secret",
            "DEALSYNC_WEBHOOK_PORT": "8080",
            "DEALSYNC_WEBHOOK_URL": "https://sync.acme.example/hubspot",
        },
        tmp_path,
    )

    assert settings.home == Path("/var/lib/dealsync")
    assert settings.database_url == "postgresql://db/deals"
    assert settings.kafka_bootstrap_servers == ("one:9092", "two:9092")
    assert settings.salesforce is not None
    assert settings.salesforce.url == "https://acme.my.salesforce.com"
    assert settings.salesforce.key_file == tmp_path / "keys/salesforce.pem"
    assert settings.hubspot is not None
    assert settings.hubspot.url == "https://api.hubapi.com"
    assert settings.hubspot.client_secret_file == Path("~/secret").expanduser()
    assert settings.webhook.port == 8080


def test_a_variable_outranks_the_file_key_by_key(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(
        'home = "/from/file"\n'
        'database_url = "postgresql://file/deals"\n'
        "[hubspot]\n"
        'token_file = "token"\n'
        'client_secret_file = "secret"\n',
        encoding="utf-8",
    )
    settings = Settings.load(
        {"DEALSYNC_HUBSPOT_TOKEN_FILE": "/other", "DATABASE_URL": "postgresql://variable/deals"},
        tmp_path,
    )

    assert settings.home == Path("/from/file")
    assert settings.database_url == "postgresql://variable/deals"
    assert settings.hubspot is not None
    assert settings.hubspot.token_file == Path("/other")
    assert settings.hubspot.client_secret_file == tmp_path / "secret"


def test_only_what_is_given_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEALSYNC_HOME", "/from/the/process")

    assert Settings.load({}, tmp_path).home == tmp_path / ".dealsync"
    assert Settings().home == Path(".dealsync")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"DEALSYNC_SALESFORCE_URL": "https://acme.my.salesforce.com"},
            "DEALSYNC_SALESFORCE_CLIENT_ID: expected a value, found none",
        ),
        (
            {**SALESFORCE, "DEALSYNC_SALESFORCE_ULR": "x"},
            "DEALSYNC_SALESFORCE_ULR: expected one of client_id, key_file, url, username",
        ),
        (
            {**SALESFORCE, "DEALSYNC_SALESFORCE_URL": "http://acme.my.salesforce.com"},
            "(http:// only reaches this machine itself), found 'http://acme.my.salesforce.com'",
        ),
        (
            {"DEALSYNC_WEBHOOK_PORT": "eighty"},
            "DEALSYNC_WEBHOOK_PORT: ",
        ),
        (
            {"DATABASE_URL": "mysql://db"},
            "DATABASE_URL: expected an address that starts with postgresql://",
        ),
    ],
)
def test_what_is_wrong_is_named(variables: dict[str, str], expected: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.load(variables, tmp_path)

    assert expected in str(refused.value)


def test_a_secret_given_as_a_value_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.load({"DEALSYNC_HUBSPOT_TOKEN": "pat-na1-canary"}, tmp_path)

    assert "set DEALSYNC_HUBSPOT_TOKEN_FILE to its path" in str(refused.value)
    assert "canary" not in str(refused.value)


def test_a_password_in_an_address_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.load({"DATABASE_URL": "mysql://me:canary@db"}, tmp_path)

    assert "canary" not in str(refused.value)
    assert "canary" not in repr(
        Settings.load({"DATABASE_URL": "postgresql://a:canary@b"}, tmp_path)
    )


@pytest.mark.parametrize("host", ["localhost:8101", "127.0.0.1:8101", "[::1]:8101"])
def test_plain_http_reaches_this_machine_itself(host: str, tmp_path: Path) -> None:
    settings = Settings.load({**SALESFORCE, "DEALSYNC_SALESFORCE_URL": f"http://{host}"}, tmp_path)

    assert settings.salesforce is not None
    assert settings.salesforce.url == f"http://{host}"


def test_a_malformed_file_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("home = \n", encoding="utf-8")

    with pytest.raises(SettingsError, match=r"dealsync\.settings\.toml: expected TOML"):
        Settings.load({}, tmp_path)


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = Settings.load({}, tmp_path)

    with pytest.raises(ValidationError):
        settings.home = tmp_path


def test_a_secret_is_read_without_its_line_end_and_hidden(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("pat-na1-canary\n", encoding="utf-8")
    secret = read_secret(file)

    assert secret.get_secret_value() == "pat-na1-canary"
    assert "canary" not in repr(secret)


def test_a_missing_or_empty_secret_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="found an empty file"):
        read_secret(tmp_path / "empty")
    with pytest.raises(SettingsError, match="found none that can be read"):
        read_secret(tmp_path / "absent")
