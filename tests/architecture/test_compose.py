"""The composed services agree with the rest of the repository; no Docker is needed to see that."""

import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import parse

import pytest
import yaml

from adapters.settings import Settings

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
COMPOSE: dict[str, Any] = yaml.safe_load((INFRA / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "dealsync"]


def _settled(text: object) -> str:
    """Return a value as it is where no variable is set."""
    return re.sub(r"\$\{\w+:-(\w+)\}", r"\1", str(text))


def test_kafka_postgres_and_dealsync_are_there() -> None:
    assert {"kafka", "postgres", "dealsync"} <= SERVICES.keys()


def test_images_are_of_a_fixed_version() -> None:
    theirs = [service["image"] for name, service in SERVICES.items() if name not in OURS]

    assert [image for image in theirs if not re.search(r":\d", image)] == []


def test_kafka_is_the_version_that_is_tested_without_docker() -> None:
    pom = parse(INFRA / "kafka" / "pom.xml")  # noqa: S314 - our own file
    versions = {
        dependency.findtext("{*}artifactId"): dependency.findtext("{*}version")
        for dependency in pom.iter("{http://maven.apache.org/POM/4.0.0}dependency")
    }

    assert SERVICES["kafka"]["image"] == f"apache/kafka:{versions['kafka_2.13']}"


def test_only_this_machine_can_connect() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_postgres_keeps_its_data_where_version_18_puts_it() -> None:
    (volume,) = SERVICES["postgres"]["volumes"]

    assert volume.split(":")[1] == "/var/lib/postgresql"


def test_every_named_volume_is_declared() -> None:
    named = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith((".", "/"))
    }

    assert named == COMPOSE["volumes"].keys()


@pytest.mark.parametrize("name", OURS)
def test_what_dealsync_waits_for_can_be_waited_for(name: str) -> None:
    for other, how in SERVICES[name]["depends_on"].items():
        if how["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert SERVICES[other]["restart"] == "no"


@pytest.mark.parametrize("name", OURS)
def test_dealsync_is_given_settings_that_it_knows(name: str, tmp_path: Path) -> None:
    given = {key: _settled(value) for key, value in SERVICES[name]["environment"].items()}
    settings = Settings.load(given, tmp_path)

    (server,) = settings.kafka_bootstrap_servers
    assert f"PLAINTEXT://{server}" in _settled(
        SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    )
    database = SERVICES["postgres"]["environment"]
    assert settings.database_url == (
        f"postgresql://{database['POSTGRES_USER']}:{_settled(database['POSTGRES_PASSWORD'])}"
        f"@postgres:5432/{database['POSTGRES_DB']}"
    )


def test_the_broker_is_set_as_the_one_without_docker() -> None:
    lines = (INFRA / "kafka" / "server.properties").read_text(encoding="utf-8").splitlines()
    wanted = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    given = SERVICES["kafka"]["environment"]
    shared = ("process.roles", "auto.create.topics.enable", "group.initial.rebalance.delay.ms")

    for name in shared:
        assert str(given[f"KAFKA_{name.replace('.', '_').upper()}"]) == wanted[name]


def test_the_image_is_built_from_files_that_are_there() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", _dockerfile(), re.MULTILINE)
    sources = [name for line in copied for name in line.split()]

    assert sources
    assert [name for name in sources if not (ROOT / name).exists()] == []
    kept = (INFRA / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert [name for name in sources if f"!{name}" not in kept] == []


def test_the_image_is_built_with_the_makefile_s_uv() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    version = re.search(r"^UV_VERSION := (\S+)$", makefile, re.MULTILINE)
    assert version is not None

    assert f"uv=={version[1]}" in _dockerfile()


def _dockerfile() -> str:
    return (INFRA / "Dockerfile").read_text(encoding="utf-8")
